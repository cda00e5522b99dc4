// What Linux offers and Swift's Glibc module does not show: epoll, timerfd, eventfd, namespaces, packet
// information on raw IPv6 sockets, batched receiving. Everything that needs pointers into control messages
// is done here, so that Swift sees plain values.
#ifndef CLINUX_H
#define CLINUX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

// Functions return -1 and set errno on failure, unless they say otherwise.

// -- Threads and namespaces

// Gives the calling thread a network namespace of its own.
int clinux_unshare_network(void);
// Moves the calling thread into the network namespace behind a descriptor.
int clinux_enter_network(int descriptor);
// Binds the calling thread's network namespace to a file; makes the directory a shared mount if need be.
int clinux_pin_network(const char *directory, const char *path);
// Removes the binding and the file; the namespace exists while it is in use.
int clinux_unpin_network(const char *path);
// Puts the calling thread under SCHED_FIFO at a priority; 0 is the ordinary policy.
int clinux_set_fifo_priority(int priority);
// Names the calling thread; a name of more than 15 octets is ignored.
void clinux_name_thread(const char *name);

// -- The timer

// Arms a timerfd for an absolute moment of CLOCK_MONOTONIC; 0 disarms.
int clinux_arm_timer(int descriptor, int64_t nanoseconds);

// -- The raw OSPF socket

// One received packet, without its octets.
struct clinux_packet {
    // The receiving interface; 0 if the kernel did not say.
    uint32_t interface;
    // Octets received; those past the buffer are lost.
    uint32_t length;
    uint8_t source[16];
    uint8_t destination[16];
    // Whether the packet was larger than the buffer.
    uint8_t truncated;
    // -1 unless the socket was told to note it.
    int hop_limit;
    // When the kernel got the packet: nanoseconds of CLOCK_REALTIME; 0 unless the socket was told to note it.
    int64_t stamp;
};

// A raw, nonblocking IPv6 socket of a protocol with the options a routing protocol wants: packet information,
// hop limit 1, no loop of own multicasts, only groups joined on this socket, traffic class CS6.
int clinux_open_raw_socket(int protocol);
// Makes a raw socket receive from one interface only.
int clinux_bind_to_interface(int descriptor, uint32_t interface);
// Lets in only packets whose octet at `offset` is `value` or, if `equal` is 0, those that have another there.
int clinux_filter_by_octet(int descriptor, unsigned offset, uint8_t value, int equal);
// Sets the size of the receive buffer, beyond the administrator's limit (net.core.rmem_max) where privilege allows it.
int clinux_set_receive_buffer(int descriptor, int octets);
// The same for the send buffer.
int clinux_set_send_buffer(int descriptor, int octets);
// How many packets a socket dropped because its receive buffer was full, modulo 2^32; -1 where the kernel (before 4.12)
// does not say.
int64_t clinux_dropped_packets(int descriptor);
// Joins or leaves a multicast group on an interface.
int clinux_set_membership(int descriptor, uint32_t interface, const uint8_t group[16], int joined);
// Receives up to `count` packets, at most 32, without waiting: packet i into the `size` octets at `buffer + i * size`. Returns
// how many.
int clinux_receive(int descriptor, struct clinux_packet *packets, unsigned count, uint8_t *buffer, size_t size);
// Sends one packet out of an interface from an address of it; to a port, which is 0 for raw sockets.
int clinux_send(
    int descriptor, uint32_t interface, const uint8_t source[16], const uint8_t destination[16], uint16_t port,
    const uint8_t *octets, size_t length);

// -- The socket for echoes

// An echo request that was sent, or an answer to one.
struct clinux_echo {
    // The receiving interface of an answer; 0 for a request.
    uint32_t interface;
    // The sender of an answer.
    uint8_t source[16];
    // The data of the request, from the end of the packet, or from its start if it is long.
    uint8_t data[32];
    // When the kernel passed the packet to the device, or got it from there: nanoseconds of CLOCK_REALTIME; 0 if unknown.
    int64_t stamp;
};

// A raw, nonblocking ICMPv6 socket that receives echo replies with this identifier only and lets the kernel note the times of
// requests and answers.
int clinux_open_echo_socket(uint16_t identifier);
// Reads up to `count` answers, at most 32, without waiting; or, if `sent`, the notes of requests that were sent. Returns how many.
// One that is too short to have the data has a stamp and an interface of 0.
int clinux_receive_echoes(int descriptor, struct clinux_echo *echoes, unsigned count, int sent);

// -- Links

// The speed of a link in Mbit/s; 0 if it has none or it is not known.
uint32_t clinux_link_speed(const char *name);

// -- The sockets for BFD

// A nonblocking UDP socket over IPv6 on one interface that receives from a port and lets the kernel note times and hop limits.
int clinux_open_bfd_receiver(uint32_t interface, uint16_t port);
// A nonblocking UDP socket over IPv6 on one interface that sends from a port with hop limit 255 and receives nothing.
int clinux_open_bfd_sender(uint32_t interface, uint16_t port);

// -- Memory

// Returns freed memory that the allocator keeps to the kernel.
void clinux_trim_memory(void);

// -- Netlink sockets

// Turns a NETLINK_* socket option on.
int clinux_set_netlink_option(int descriptor, int option);
// Limits how long a receive waits. It fails with EAGAIN then.
int clinux_set_receive_timeout(int descriptor, int milliseconds);
// One instruction of a classic socket filter.
struct clinux_filter_instruction {
    uint16_t code;
    uint8_t jump_true;
    uint8_t jump_false;
    uint32_t operand;
};
// Attaches a socket filter: what it refuses is never queued.
int clinux_attach_filter(int descriptor, const struct clinux_filter_instruction *instructions, unsigned short count);

#endif
