#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int set_option(int descriptor, int level, int option, int value) {
    return setsockopt(descriptor, level, option, &value, sizeof value);
}

static int fail(int descriptor) {
    int error = errno;
    close(descriptor);
    errno = error;
    return -1;
}

static int open_socket(uint32_t interface, uint16_t port, int (*prepare)(int)) {
    int descriptor = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
    if (descriptor < 0) return -1;
    // Bound to the interface first, so that sockets of several interfaces can have one port.
    struct sockaddr_in6 local = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    if (set_option(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 1) != 0 || clinux_bind_to_interface(descriptor, interface) != 0
        || prepare(descriptor) != 0 || bind(descriptor, (struct sockaddr *)&local, sizeof local) != 0)
        return fail(descriptor);
    return descriptor;
}

static int prepare_receiver(int descriptor) {
    // Without stamps, packets count from when they were read.
    set_option(descriptor, SOL_SOCKET, SO_TIMESTAMPNS, 1);
    return set_option(descriptor, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
}

static int prepare_sender(int descriptor) {
    struct sock_filter nothing[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
    struct sock_fprog program = {.len = 1, .filter = nothing};
    // Priority 6 is internetwork control in the kernel's default queueing; 0xc0 is CS6, the same for other machines.
    if (setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0
        || set_option(descriptor, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 255) != 0
        || set_option(descriptor, IPPROTO_IPV6, IPV6_TCLASS, 0xc0) != 0)
        return -1;
    return set_option(descriptor, SOL_SOCKET, SO_PRIORITY, 6);
}

int clinux_open_bfd_receiver(uint32_t interface, uint16_t port) { return open_socket(interface, port, prepare_receiver); }

int clinux_open_bfd_sender(uint32_t interface, uint16_t port) { return open_socket(interface, port, prepare_sender); }

enum { most_packets = 32 };

int clinux_receive_bfd(int descriptor, struct clinux_bfd_packet *packets, unsigned count, uint8_t *buffer, size_t size) {
    struct mmsghdr messages[most_packets];
    struct iovec vectors[most_packets];
    struct sockaddr_in6 sources[most_packets];
    union {
        struct cmsghdr header;
        char space[128];
    } controls[most_packets];
    if (count > most_packets) count = most_packets;
    for (unsigned i = 0; i < count; i++) {
        vectors[i] = (struct iovec){.iov_base = buffer + i * size, .iov_len = size};
        messages[i].msg_hdr = (struct msghdr){
            .msg_name = &sources[i], .msg_namelen = sizeof sources[i], .msg_iov = &vectors[i], .msg_iovlen = 1,
            .msg_control = &controls[i], .msg_controllen = sizeof controls[i]};
    }
    int received = recvmmsg(descriptor, messages, count, MSG_DONTWAIT, NULL);
    for (int i = 0; i < received; i++) {
        struct msghdr *message = &messages[i].msg_hdr;
        packets[i] = (struct clinux_bfd_packet){.length = messages[i].msg_len, .hop_limit = -1};
        memcpy(packets[i].source, &sources[i].sin6_addr, 16);
        for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control; control = CMSG_NXTHDR(message, control)) {
            if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_HOPLIMIT
                && control->cmsg_len >= CMSG_LEN(sizeof(int)))
                memcpy(&packets[i].hop_limit, CMSG_DATA(control), sizeof(int));
            if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_TIMESTAMPNS
                && control->cmsg_len >= CMSG_LEN(sizeof(struct timespec))) {
                struct timespec stamp;
                memcpy(&stamp, CMSG_DATA(control), sizeof stamp);
                packets[i].stamp = stamp.tv_sec * 1000000000LL + stamp.tv_nsec;
            }
        }
    }
    return received;
}

int clinux_send_bfd(
    int descriptor, uint32_t interface, const uint8_t source[16], const uint8_t destination[16], uint16_t port,
    const uint8_t *octets, size_t length) {
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_scope_id = interface, .sin6_port = htons(port)};
    memcpy(&to.sin6_addr, destination, 16);
    struct in6_pktinfo information = {.ipi6_ifindex = interface};
    memcpy(&information.ipi6_addr, source, 16);
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(struct in6_pktinfo))];
    } control = {.header = {
        .cmsg_len = CMSG_LEN(sizeof information), .cmsg_level = IPPROTO_IPV6, .cmsg_type = IPV6_PKTINFO}};
    memcpy(CMSG_DATA(&control.header), &information, sizeof information);
    struct iovec vector = {.iov_base = (void *)octets, .iov_len = length};
    struct msghdr message = {
        .msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control,
        .msg_controllen = sizeof control};
    return sendmsg(descriptor, &message, MSG_DONTWAIT) < 0 ? -1 : 0;
}
