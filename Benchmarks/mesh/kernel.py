"""What the kernel of a namespace says and does: news of routes, and ports that go down."""

import ctypes
import ipaddress
import json
import os
import select
import socket
import struct
import time

RTM_NEWLINK, RTM_NEWROUTE, RTM_DELROUTE, RTM_NEWNEXTHOP, RTM_DELNEXTHOP = 16, 24, 25, 104, 105
RTNLGRP_IPV6_ROUTE, RTNLGRP_NEXTHOP = 11, 32
SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, SO_RCVBUFFORCE = 270, 1, 33
RTPROT_KERNEL, RTA_DST, IFF_UP, NLMSG_ERROR = 2, 1, 1, 2
RT_TABLE_MAIN, RTN_UNICAST = 254, 1
CLONE_NEWNET = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)


class inside:
    """Within “with inside(namespace):” sockets belong to the namespace. For programs of one thread."""

    def __init__(self, namespace):
        self.path = f"/run/netns/{namespace}"

    def __enter__(self):
        self.home = os.open("/proc/self/ns/net", os.O_RDONLY)
        with open(self.path) as there:
            self.enter(there.fileno())

    def __exit__(self, *_):
        self.enter(self.home)
        os.close(self.home)

    @staticmethod
    def enter(descriptor):
        if libc.setns(descriptor, CLONE_NEWNET) != 0:
            code = ctypes.get_errno()
            raise OSError(code, f"cannot enter a namespace: {os.strerror(code)}")


def netlink(namespace, groups=()):
    with inside(namespace):
        opened = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
    opened.bind((0, 0))
    opened.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 256 << 20)
    for group in groups:
        opened.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group)
    return opened


def take_down(namespace, index):
    """Takes a port down, so that its other end loses carrier; returns the moment just before."""
    request = struct.pack("=IHHIIBxHiII", 32, RTM_NEWLINK, 0x5, 1, 0, socket.AF_UNSPEC, 0, index, 0, IFF_UP)
    with netlink(namespace) as opened:
        moment = time.monotonic()
        opened.send(request)
        answer = opened.recv(4096)
    kind, = struct.unpack_from("=H", answer, 4)
    code, = struct.unpack_from("=i", answer, 16)
    if kind != NLMSG_ERROR or code != 0:
        raise OSError(-code, f"port {index} of {namespace} does not go down")
    return moment


class Routes:
    """Makes routes and next hops with nothing in between, as the measure of what routers do."""

    PROTOCOL, BATCH = 99, 256
    REQUEST, ACK, REPLACE, CREATE, EXCLUSIVE = 0x1, 0x4, 0x100, 0x400, 0x200
    RTA_PRIORITY, RTA_NH_ID, NHA_ID, NHA_GROUP, NHA_OIF, NHA_GATEWAY = 6, 30, 1, 2, 5, 6

    def __init__(self, namespace):
        self.socket = netlink(namespace)
        with inside(namespace), open("/proc/sys/net/ipv4/nexthop_compat_mode", "w") as setting:
            setting.write("0")  # As meshd has it.

    def message(self, kind, flags, fixed, *attributes):
        body = fixed
        for number, value in attributes:
            body += struct.pack("=HH", 4 + len(value), number) + value + bytes(-len(value) % 4)
        return struct.pack("=IHHII", 16 + len(body), kind, flags | self.REQUEST, 0, 0) + body

    def send(self, messages):
        """Sends messages at once; only the last is acknowledged, and refusals come anyway."""
        last = bytearray(messages[-1])
        last[6] |= self.ACK
        self.socket.send(b"".join(messages[:-1]) + last)
        code, = struct.unpack_from("=i", self.socket.recv(65536), 16)
        if code != 0:
            raise OSError(-code, "the kernel refuses a route or next hop")

    def next_hop(self, number, family, *attributes, flags):
        fixed = struct.pack("=BBBBI", family, 0, self.PROTOCOL, 0, 0)
        return self.message(RTM_NEWNEXTHOP, flags, fixed, (self.NHA_ID, struct.pack("=I", number)), *attributes)

    def group(self, number, members, flags):
        packed = b"".join(struct.pack("=IBBH", member, 0, 0, 0) for member in members)
        return self.next_hop(number, socket.AF_UNSPEC, (self.NHA_GROUP, packed), flags=flags)

    def make_group(self, number, ways):
        """A group of next hops numbered from 1, each an interface's index and an address."""
        new = self.CREATE | self.EXCLUSIVE
        for member, (index, address) in enumerate(ways, 1):
            gateway = ipaddress.IPv6Address(address).packed
            self.send([self.next_hop(member, socket.AF_INET6, (self.NHA_OIF, struct.pack("=I", index)),
                                     (self.NHA_GATEWAY, gateway), flags=new)])
        self.send([self.group(number, range(1, len(ways) + 1), new)])

    def replace_group(self, number, members):
        self.send([self.group(number, members, self.REPLACE)])

    def routes(self, prefixes, group):
        """The messages that make routes through a group."""
        new = self.CREATE | self.EXCLUSIVE
        return [
            self.message(RTM_NEWROUTE, new, struct.pack("=BBBBBBBBI", socket.AF_INET6, length, 0, 0, RT_TABLE_MAIN,
                                                        self.PROTOCOL, 0, RTN_UNICAST, 0),
                         (RTA_DST, address), (self.RTA_PRIORITY, struct.pack("=I", 20)),
                         (self.RTA_NH_ID, struct.pack("=I", group)))
            for address, length in prefixes]

    def send_all(self, messages):
        for start in range(0, len(messages), self.BATCH):
            self.send(messages[start:start + self.BATCH])


class RouteWatcher:
    """Listens to all route and next-hop news of some namespaces. What is heard is only looked at afterwards."""

    def __init__(self, namespaces):
        self.sockets = {}
        self.heard = {namespace: [] for namespace in namespaces}
        self.poll = select.epoll()
        for namespace in namespaces:
            opened = netlink(namespace, (RTNLGRP_IPV6_ROUTE, RTNLGRP_NEXTHOP))
            opened.setblocking(False)
            self.sockets[opened.fileno()] = (opened, namespace)
            self.poll.register(opened, select.EPOLLIN)

    def close(self):
        self.poll.close()
        for opened, _ in self.sockets.values():
            opened.close()

    def listen(self, seconds):
        """Takes in what comes next; whether anything came."""
        any_news = False
        for descriptor, _ in self.poll.poll(seconds):
            opened, namespace = self.sockets[descriptor]
            heard = self.heard[namespace]
            try:
                for _ in range(4096):
                    heard.append((time.monotonic(), opened.recv(65536)))
                    any_news = True
            except BlockingIOError:
                pass
        return any_news

    def wait_for(self, wanted, limit):
        """Waits until each namespace was told of a route to each of its wanted prefixes; the moment when the last was."""
        deadline = time.monotonic() + limit
        missing = {namespace: set(prefixes) for namespace, prefixes in wanted.items()}
        latest = 0
        while any(missing.values()):
            if time.monotonic() > deadline:
                some = {name: len(prefixes) for name, prefixes in missing.items() if prefixes}
                raise TimeoutError(f"after {limit} s, routes are missing: {some}")
            self.listen(min(1, max(0, deadline - time.monotonic())))
            for namespace, lacking in missing.items():
                # Looked at only when it can be all, for looking takes time from those who are measured.
                if len(self.heard[namespace]) >= len(lacking) > 0:
                    latest = max(latest, self.tick_off(lacking, self.heard[namespace]))
        return latest

    @staticmethod
    def tick_off(lacking, heard):
        """Takes off what was heard of, and forgets the news; when the last of them was."""
        latest = 0
        for moment, octets in heard:
            for kind, found, protocol in news(octets):
                if kind == RTM_NEWROUTE and protocol != RTPROT_KERNEL and found in lacking:
                    lacking.discard(found)
                    latest = moment
        heard.clear()
        return latest

    def wait_for_calm(self, quiet, limit):
        """Listens until there was no news for some time."""
        calm_since = time.monotonic()
        deadline = calm_since + limit
        while time.monotonic() < min(deadline, calm_since + quiet):
            if self.listen(0.05):
                calm_since = time.monotonic()

    def last_change(self, namespace, quiet, limit):
        """When the last news came in a namespace, once there is calm."""
        self.wait_for_calm(quiet, limit)
        latest = None
        for moment, octets in self.heard[namespace]:
            if any(protocol != RTPROT_KERNEL for _, _, protocol in news(octets)):
                latest = moment
        if latest is None:
            raise RuntimeError(f"no route of {namespace} changed")
        return latest


def news(octets):
    """The routes and next hops a datagram tells of: what happened, to which prefix, of which protocol."""
    start = 0
    while start + 16 <= len(octets):
        length, kind = struct.unpack_from("=IH", octets, start)
        if length < 16:
            return
        if kind in (RTM_NEWROUTE, RTM_DELROUTE):
            yield kind, *route(octets, start, length)
        elif kind in (RTM_NEWNEXTHOP, RTM_DELNEXTHOP):
            yield kind, None, octets[start + 18]
        start += (length + 3) & ~3


def route(octets, start, length):
    prefix_length, protocol = octets[start + 17], octets[start + 21]
    place = start + 28
    while place + 4 <= start + length:
        size, kind = struct.unpack_from("=HH", octets, place)
        if kind == RTA_DST:
            return (octets[place + 4:place + 20], prefix_length), protocol
        place += max(4, (size + 3) & ~3)
    return (bytes(16), prefix_length), protocol


def prefix(text):
    """A prefix as news has it."""
    network = ipaddress.IPv6Network(text)
    return network.network_address.packed, network.prefixlen


def json_of(text):
    """What ip says with -j; nothing at all means an empty list."""
    return json.loads(text or "[]")
