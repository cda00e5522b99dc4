#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>
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
