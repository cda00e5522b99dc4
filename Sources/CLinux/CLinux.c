#define _GNU_SOURCE
#include "CLinux.h"

#include <malloc.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/filter.h>
#include <linux/net_tstamp.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif
#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62
#endif
#ifndef IPV6_MULTICAST_ALL
#define IPV6_MULTICAST_ALL 29
#endif

// Threads and namespaces

int clinux_unshare_network(void) { return unshare(CLONE_NEWNET); }

int clinux_enter_network(int descriptor) { return setns(descriptor, CLONE_NEWNET); }

int clinux_pin_network(const char *directory, const char *path) {
    if (mkdir(directory, 0755) != 0 && errno != EEXIST) return -1;
    // Mounts made here must be seen in mount namespaces that were copied earlier, and removals too.
    if (mount("", directory, "none", MS_SHARED | MS_REC, NULL) != 0) {
        if (errno != EINVAL) return -1;
        if (mount(directory, directory, "none", MS_BIND | MS_REC, NULL) != 0) return -1;
        if (mount("", directory, "none", MS_SHARED | MS_REC, NULL) != 0) return -1;
    }
    int file = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);
    if (file < 0) return -1;
    close(file);
    if (mount("/proc/thread-self/ns/net", path, "none", MS_BIND, NULL) == 0) return 0;
    int error = errno;
    unlink(path);
    errno = error;
    return -1;
}

int clinux_unpin_network(const char *path) {
    // EINVAL: a file left behind by a crash between making and mounting it.
    if (umount2(path, MNT_DETACH) != 0 && errno != EINVAL) return -1;
    return unlink(path);
}

int clinux_set_fifo_priority(int priority) {
    struct sched_param parameters = {.sched_priority = priority};
    // Children (health checks) start with the ordinary policy.
    int policy = priority == 0 ? SCHED_OTHER : SCHED_FIFO;
    int error = pthread_setschedparam(pthread_self(), policy | SCHED_RESET_ON_FORK, &parameters);
    if (error == 0) return 0;
    errno = error;
    return -1;
}

void clinux_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

// The timer

int clinux_arm_timer(int descriptor, int64_t nanoseconds) {
    struct itimerspec when = {.it_value = {nanoseconds / 1000000000, nanoseconds % 1000000000}};
    return timerfd_settime(descriptor, TFD_TIMER_ABSTIME, &when, NULL);
}

// The raw OSPF socket

static int set_option(int descriptor, int level, int option, int value) {
    return setsockopt(descriptor, level, option, &value, sizeof value);
}

int clinux_open_raw_socket(int protocol) {
    int descriptor = socket(AF_INET6, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    if (descriptor < 0) return -1;
    // Priority 6 is internetwork control in the kernel's default queueing; 0xc0 is CS6, the same for other machines.
    if (set_option(descriptor, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) == 0
        && set_option(descriptor, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 1) == 0
        && set_option(descriptor, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 1) == 0
        && set_option(descriptor, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0) == 0
        && set_option(descriptor, IPPROTO_IPV6, IPV6_TCLASS, 0xc0) == 0
        && set_option(descriptor, SOL_SOCKET, SO_PRIORITY, 6) == 0) {
        // Kernels before 4.20 do not know it; the receiver looks at destinations anyway.
        set_option(descriptor, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
        return descriptor;
    }
    int error = errno;
    close(descriptor);
    errno = error;
    return -1;
}

int clinux_bind_to_interface(int descriptor, uint32_t interface) {
    if (set_option(descriptor, SOL_SOCKET, SO_BINDTOIFINDEX, (int)interface) == 0) return 0;
    // Kernels before 5.1 want a name.
    char name[IF_NAMESIZE];
    if (errno != ENOPROTOOPT || !if_indextoname(interface, name)) return -1;
    return setsockopt(descriptor, SOL_SOCKET, SO_BINDTODEVICE, name, strlen(name));
}

int clinux_filter_by_octet(int descriptor, unsigned offset, uint8_t value, int equal) {
    struct sock_filter instructions[] = {
        // A packet too short to have the octet has another.
        BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, offset, 0, 3),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, offset),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, equal ? UINT32_MAX : 0),
        BPF_STMT(BPF_RET | BPF_K, equal ? 0 : UINT32_MAX),
    };
    struct sock_fprog program = {.len = sizeof instructions / sizeof *instructions, .filter = instructions};
    return setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

int clinux_set_receive_buffer(int descriptor, int octets) {
    if (set_option(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, octets) == 0) return 0;
    return set_option(descriptor, SOL_SOCKET, SO_RCVBUF, octets);
}

int clinux_set_send_buffer(int descriptor, int octets) {
    if (set_option(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, octets) == 0) return 0;
    return set_option(descriptor, SOL_SOCKET, SO_SNDBUF, octets);
}

int64_t clinux_dropped_packets(int descriptor) {
    uint32_t values[SK_MEMINFO_VARS];
    socklen_t size = sizeof values;
    if (getsockopt(descriptor, SOL_SOCKET, SO_MEMINFO, values, &size) != 0) return -1;
    return size > SK_MEMINFO_DROPS * sizeof values[0] ? values[SK_MEMINFO_DROPS] : -1;
}

int clinux_set_membership(int descriptor, uint32_t interface, const uint8_t group[16], int joined) {
    struct ipv6_mreq request = {.ipv6mr_interface = interface};
    memcpy(&request.ipv6mr_multiaddr, group, 16);
    return setsockopt(
        descriptor, IPPROTO_IPV6, joined ? IPV6_ADD_MEMBERSHIP : IPV6_DROP_MEMBERSHIP, &request, sizeof request);
}

enum { most_packets = 32 };

int clinux_receive(int descriptor, struct clinux_packet *packets, unsigned count, uint8_t *buffer, size_t size) {
    struct mmsghdr messages[most_packets];
    struct iovec vectors[most_packets];
    struct sockaddr_in6 sources[most_packets];
    union {
        struct cmsghdr header;
        // For all that sockets note: packet information, hop limit, stamp.
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
        packets[i] = (struct clinux_packet){
            .length = messages[i].msg_len, .truncated = (message->msg_flags & MSG_TRUNC) != 0, .hop_limit = -1};
        memcpy(packets[i].source, &sources[i].sin6_addr, 16);
        for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control; control = CMSG_NXTHDR(message, control)) {
            size_t size = control->cmsg_len - CMSG_LEN(0);
            if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO
                && size >= sizeof(struct in6_pktinfo)) {
                struct in6_pktinfo information;
                memcpy(&information, CMSG_DATA(control), sizeof information);
                packets[i].interface = information.ipi6_ifindex;
                memcpy(packets[i].destination, &information.ipi6_addr, 16);
            } else if (
                control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_HOPLIMIT && size >= sizeof(int)) {
                memcpy(&packets[i].hop_limit, CMSG_DATA(control), sizeof(int));
            } else if (
                control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_TIMESTAMPNS
                && size >= sizeof(struct timespec)) {
                struct timespec stamp;
                memcpy(&stamp, CMSG_DATA(control), sizeof stamp);
                packets[i].stamp = stamp.tv_sec * 1000000000LL + stamp.tv_nsec;
            }
        }
    }
    return received;
}

int clinux_send(
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

// The socket for echoes

int clinux_open_echo_socket(uint16_t identifier) {
    int descriptor = socket(AF_INET6, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ICMPV6);
    if (descriptor < 0) return -1;
    struct sock_filter instructions[] = {
        // Type 129 is an echo reply; the identifier follows type, code and checksum (RFC 4443 section 4.2).
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ICMP6_ECHO_REPLY, 0, 3),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, identifier, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog program = {.len = sizeof instructions / sizeof *instructions, .filter = instructions};
    struct icmp6_filter types;
    ICMP6_FILTER_SETBLOCKALL(&types);
    ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &types);
    int stamps = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
    if (setsockopt(descriptor, IPPROTO_ICMPV6, ICMP6_FILTER, &types, sizeof types) == 0
        && setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0
        && set_option(descriptor, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) == 0
        && set_option(descriptor, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 255) == 0
        && set_option(descriptor, IPPROTO_IPV6, IPV6_TCLASS, 0xc0) == 0
        // What exceeds the link's MTU is not sent, whatever MTU of the path somebody claims: padded requests test it.
        && set_option(descriptor, IPPROTO_IPV6, IPV6_DONTFRAG, 1) == 0
        && set_option(descriptor, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE) == 0
        && set_option(descriptor, SOL_SOCKET, SO_PRIORITY, 6) == 0) {
        // Without stamps, round trips are measured less exactly.
        set_option(descriptor, SOL_SOCKET, SO_TIMESTAMPING, stamps);
        return descriptor;
    }
    int error = errno;
    close(descriptor);
    errno = error;
    return -1;
}

int clinux_receive_echoes(int descriptor, struct clinux_echo *echoes, unsigned count, int sent) {
    enum { packet_size = 256 };
    struct mmsghdr messages[most_packets];
    struct iovec vectors[most_packets];
    struct sockaddr_in6 sources[most_packets];
    uint8_t packets[most_packets][packet_size];
    union {
        struct cmsghdr header;
        char space[256];
    } controls[most_packets];
    if (count > most_packets) count = most_packets;
    for (unsigned i = 0; i < count; i++) {
        vectors[i] = (struct iovec){.iov_base = packets[i], .iov_len = packet_size};
        messages[i].msg_hdr = (struct msghdr){
            .msg_name = &sources[i], .msg_namelen = sizeof sources[i], .msg_iov = &vectors[i], .msg_iovlen = 1,
            .msg_control = &controls[i], .msg_controllen = sizeof controls[i]};
    }
    int received = recvmmsg(descriptor, messages, count, MSG_DONTWAIT | (sent ? MSG_ERRQUEUE : 0), NULL);
    for (int i = 0; i < received; i++) {
        struct msghdr *message = &messages[i].msg_hdr;
        echoes[i] = (struct clinux_echo){.stamp = 0};
        // An echo has a header of 8 octets. The data is at its end, and, if there is room for both, also at the start. The note
        // of a request begins with headers of other layers.
        bool is_truncated = message->msg_flags & MSG_TRUNC;
        if (messages[i].msg_len < 8 + sizeof echoes[i].data || (is_truncated && sent)) continue;
        size_t place = is_truncated ? 8 : messages[i].msg_len - sizeof echoes[i].data;
        memcpy(echoes[i].data, packets[i] + place, sizeof echoes[i].data);
        if (!sent) memcpy(echoes[i].source, &sources[i].sin6_addr, 16);
        for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control; control = CMSG_NXTHDR(message, control)) {
            if (!sent && control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO
                && control->cmsg_len >= CMSG_LEN(sizeof(struct in6_pktinfo))) {
                struct in6_pktinfo information;
                memcpy(&information, CMSG_DATA(control), sizeof information);
                echoes[i].interface = information.ipi6_ifindex;
            }
            if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_TIMESTAMPING
                && control->cmsg_len >= CMSG_LEN(sizeof(struct timespec))) {
                struct timespec stamp;
                memcpy(&stamp, CMSG_DATA(control), sizeof stamp);
                echoes[i].stamp = stamp.tv_sec * 1000000000LL + stamp.tv_nsec;
            }
        }
    }
    return received;
}

// Links

uint32_t clinux_link_speed(const char *name) {
    int descriptor = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) return 0;
    // The older of two requests: the kernel translates it for drivers that know only the newer one.
    struct ethtool_cmd command = {.cmd = ETHTOOL_GSET};
    struct ifreq request = {.ifr_data = (void *)&command};
    strncpy(request.ifr_name, name, sizeof request.ifr_name - 1);
    int result = ioctl(descriptor, SIOCETHTOOL, &request);
    close(descriptor);
    uint32_t speed = ethtool_cmd_speed(&command);
    return result < 0 || speed == (uint32_t)SPEED_UNKNOWN || speed == 0xffff ? 0 : speed;
}

// Netlink sockets

int clinux_set_netlink_option(int descriptor, int option) { return set_option(descriptor, SOL_NETLINK, option, 1); }

int clinux_set_receive_timeout(int descriptor, int milliseconds) {
    struct timeval timeout = {milliseconds / 1000, milliseconds % 1000 * 1000};
    return setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
}

int clinux_attach_filter(int descriptor, const struct clinux_filter_instruction *instructions, unsigned short count) {
    _Static_assert(sizeof(struct clinux_filter_instruction) == sizeof(struct sock_filter), "same layout");
    struct sock_fprog program = {.len = count, .filter = (struct sock_filter *)instructions};
    return setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

void clinux_trim_memory(void) { malloc_trim(0); }
