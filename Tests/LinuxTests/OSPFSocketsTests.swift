import Addressing
import Glibc
import Linux
import OSPF
import TestSupport
import Testing
import Timing

/// Runs `ip` in the calling thread's namespace. Throws if it fails.
func ip(_ arguments: String) throws {
    let words = ["ip"] + arguments.split(separator: " ").map(String.init)
    var pointers = words.map { strdup($0) } + [nil]
    defer { pointers.forEach { free($0) } }
    var child = pid_t()
    guard posix_spawnp(&child, "ip", nil, nil, &pointers, environ) == 0 else { throw SystemError.last("start ip") }
    var status: CInt = 0
    waitpid(child, &status, 0)
    // An error, not an expectation: on a thread without a task, that would belong to no test.
    struct Failed: Error { let command: String, waitStatus: CInt }
    if status != 0 { throw Failed(command: "ip \(arguments)", waitStatus: status) }
}

/// Packets that begin with 3, 1 are hellos (version, type), and those with 3, 4 updates. The sockets do not look at more of a
/// packet.
@Suite(.serialized, .needsRoot) struct OSPFSocketsTests {
    static let left = IPv6Address(0xfe80, 0, 0, 0, 0, 0, 0, 1)
    static let right = IPv6Address(0xfe80, 0, 0, 0, 0, 0, 0, 2)

    /// Two namespaces and a cable between them; the interface has index 10 on the left and 20 on the right.
    static func cable() throws -> (left: NetworkNamespace, right: NetworkNamespace) {
        let left = try NetworkNamespace.make()
        let right = try NetworkNamespace.make()
        try left.run {
            try ip("link set lo up")
            let other = "/proc/\(getpid())/fd/\(right.descriptor)"
            try ip("link add name left index 10 type veth peer name right index 20 netns \(other)")
            try ip("addr add \(Self.left)/64 dev left nodad")
            try ip("link set left up")
        }
        try right.run {
            try ip("addr add \(Self.right)/64 dev right nodad")
            try ip("addr add 2001:db8::2/64 dev right nodad")
            try ip("link set right up")
        }
        try awaitCarrier(left, 10, from: Self.left)
        try awaitCarrier(right, 20, from: Self.right)
        return (left, right)
    }

    /// Waits until the interface sends multicast packets, for at most 5 s. Other packets are sent sooner.
    static func awaitCarrier(
        _ namespace: NetworkNamespace, _ interface: UInt32, from source: IPv6Address
    ) throws {
        let socket = try sockets(namespace)
        let deadline = EventLoop.now + .seconds(5)
        while try !socket.send(interface: interface, source: source, destination: .allSPFRouters, octets: [0]),
            EventLoop.now < deadline
        {
            usleep(500)
        }
    }

    /// Sockets in a namespace, with a port open if one is given.
    static func sockets(_ namespace: NetworkNamespace, port: UInt32? = nil) throws -> OSPFSockets {
        try namespace.run {
            let sockets = try OSPFSockets()
            if let port { try sockets.setMembership(interface: port, group: .allSPFRouters, joined: true) }
            return sockets
        }
    }

    /// Receives at least `count` packets, or those that come within 1 s.
    static func receive(_ socket: OSPFSockets, _ count: Int = 1) -> [(UInt32, IPv6Address, IPv6Address, [UInt8])] {
        var result: [(UInt32, IPv6Address, IPv6Address, [UInt8])] = []
        let deadline = EventLoop.now + .seconds(1)
        while result.count < count, EventLoop.now < deadline {
            if socket.receive({ result.append(($0, $1, $2, $3)) }) == 0 { usleep(500) }
        }
        return result
    }

    @Test func packetsAreReceivedInBothDirections() throws {
        let (left, right) = try Self.cable()
        let a = try Self.sockets(left, port: 10)
        let b = try Self.sockets(right, port: 20)

        #expect(try a.send(interface: 10, source: Self.left, destination: .allSPFRouters, octets: [1, 2, 3]))
        let multicast = Self.receive(b)
        #expect(multicast.count == 1)
        if let (interface, source, destination, octets) = multicast.first {
            #expect(interface == 20)
            #expect(source == Self.left)
            #expect(destination == .allSPFRouters)
            #expect(octets == [1, 2, 3])
        }
        // Larger than the MTU: the kernel fragments and reassembles it.
        let long = (0..<5000).map { UInt8(truncatingIfNeeded: $0) }
        #expect(try b.send(interface: 20, source: Self.right, destination: Self.left, octets: long))
        #expect(Self.receive(a).first?.3 == long)
        // Own multicasts do not come back.
        #expect(a.counters.received == 1)
    }

    @Test func onlyPacketsToJoinedGroupsAreReceived() throws {
        let (left, right) = try Self.cable()
        let a = try Self.sockets(left, port: 10)
        let b = try Self.sockets(right, port: 20)
        for joined in [true, true, false, false] {
            try b.setMembership(interface: 20, group: .allDRouters, joined: joined)
        }
        try a.send(interface: 10, source: Self.left, destination: .allDRouters, octets: [6])
        try a.send(interface: 10, source: Self.left, destination: .allSPFRouters, octets: [5])
        // A packet to the group that was left would have arrived first.
        #expect(Self.receive(b).map(\.3) == [[5]])
    }

    @Test func packetsWithoutALinkLocalSourceAreDropped() throws {
        let (left, right) = try Self.cable()
        let a = try Self.sockets(left, port: 10)
        let b = try Self.sockets(right, port: 20)
        let globalSource = try #require(IPv6Address("2001:db8::2"))
        #expect(try b.send(interface: 20, source: globalSource, destination: .allSPFRouters, octets: [9]))
        #expect(try b.send(interface: 20, source: Self.right, destination: .allSPFRouters, octets: [1]))
        #expect(Self.receive(a).map(\.3) == [[1]])
        #expect(a.counters.foreignSources == 1)
    }

    @Test func failedSendsAreCounted() throws {
        let (left, right) = try Self.cable()
        // The kernel would remove the cable with either namespace.
        try withExtendedLifetime(right) {
            let a = try Self.sockets(left)
            #expect(try !a.send(interface: 99, source: Self.left, destination: .allSPFRouters, octets: [1]))
            let foreignAddress = IPv6Address(0xfe80, 0, 0, 0, 0, 0, 0, 77)
            #expect(try !a.send(interface: 10, source: foreignAddress, destination: .allSPFRouters, octets: [1]))
            try left.run { try ip("link set left down") }
            #expect(try !a.send(interface: 10, source: Self.left, destination: .allSPFRouters, octets: [1]))
            #expect(a.counters.sendFailures == 3)
            #expect(throws: SystemError.self) {
                try a.setMembership(interface: 99, group: .allSPFRouters, joined: true)
            }
        }
    }

    @Test func aBurstIsReceivedCompletely() throws {
        let (left, right) = try Self.cable()
        let a = try Self.sockets(left, port: 10)
        let b = try Self.sockets(right, port: 20)
        let octets = [UInt8](repeating: 7, count: 1400)
        for _ in 0..<1000 { try a.send(interface: 10, source: Self.left, destination: Self.right, octets: octets) }
        let sent = Int(a.counters.sent)
        #expect(sent > 500)
        #expect(Self.receive(b, sent).count == sent)
    }

    @Test func packetsOfAPortAreReceivedOnlyWhileItIsOpen() throws {
        let (left, right) = try Self.cable()
        let a = try Self.sockets(left)
        let b = try Self.sockets(right)
        func send(_ octet: UInt8) throws {
            try a.send(interface: 10, source: Self.left, destination: Self.right, octets: [3, octet])
        }
        func setOpen(_ isOpen: Bool) throws {
            try right.run { try b.setMembership(interface: 20, group: .allSPFRouters, joined: isOpen) }
        }
        try send(2)
        try setOpen(true)
        try send(3)
        #expect(Self.receive(b).map(\.3) == [[3, 3]])
        try send(4)
        try setOpen(false)
        #expect(b.receive { _, _, _, _ in Issue.record("a closed port must receive nothing") } == 0)
        try setOpen(true)
        try send(5)
        #expect(Self.receive(b).map(\.3) == [[3, 5]])
    }

    /// A flood on one port neither delays packets of another port nor takes their place in the receive buffer.
    @Test func aFloodOnOnePortDelaysNoPacketsOfAnother() throws {
        let (left, right) = try Self.cable()
        try left.run { try ip("link add name flood index 11 type veth peer name far index 12") }
        try left.run {
            try ip("addr add fe80::11/64 dev flood nodad")
            try ip("addr add fe80::12/64 dev far nodad")
            try ip("link set flood up")
            try ip("link set far up")
        }
        try Self.awaitCarrier(left, 12, from: IPv6Address(0xfe80, 0, 0, 0, 0, 0, 0, 0x12))
        let a = try Self.sockets(left, port: 10)
        try left.run { try a.setMembership(interface: 11, group: .allSPFRouters, joined: true) }
        let flood = try Self.sockets(left)
        let neighbor = try Self.sockets(right)

        let octets = [3, 4] + [UInt8](repeating: 7, count: 1400)
        let source = IPv6Address(0xfe80, 0, 0, 0, 0, 0, 0, 0x12)
        let deadline = EventLoop.now + .seconds(10)
        while a.counters.overflows == 0, EventLoop.now < deadline {
            try flood.send(interface: 12, source: source, destination: .allSPFRouters, octets: octets)
        }
        #expect(a.counters.overflows > 0)
        try neighbor.send(interface: 20, source: Self.right, destination: .allSPFRouters, octets: [3, 4])
        try neighbor.send(interface: 20, source: Self.right, destination: .allSPFRouters, octets: [3, 1])
        usleep(10_000)

        var received: [(UInt32, [UInt8])] = []
        #expect(a.receiveHellos { received.append(($0, $3)) } == 1)
        #expect(received.map(\.1) == [[3, 1]])
        received = []
        try neighbor.send(interface: 20, source: Self.right, destination: .allSPFRouters, octets: [3, 1])
        usleep(10_000)
        // A batch of the flood, and the update and the hello of the neighbor.
        #expect(a.receive { received.append(($0, $3)) } == OSPFSockets.batch + 2)
        #expect(received.filter { $0.0 == 10 }.map(\.1) == [[3, 4], [3, 1]])
    }

    /// A router that stops flushes its LSAs and then sends a last hello. The flush must be handled first.
    @Test func packetsSentBeforeAHelloAreReceivedBeforeIt() throws {
        let (left, right) = try Self.cable()
        let a = try Self.sockets(left, port: 10)
        let b = try Self.sockets(right)
        let count = OSPFSockets.batch * 3 + 5
        for _ in 0..<count {
            try b.send(interface: 20, source: Self.right, destination: .allSPFRouters, octets: [3, 4])
        }
        try b.send(interface: 20, source: Self.right, destination: .allSPFRouters, octets: [3, 1])
        usleep(10_000)
        #expect(Self.receive(a, count + 1).map { $0.3[1] } == Array(repeating: 4, count: count) + [1])
    }

    @Test func packetsThatOverflowTheBufferAreCounted() throws {
        let (left, right) = try Self.cable()
        let a = try Self.sockets(left, port: 10)
        let b = try Self.sockets(right, port: 20)
        #expect(b.counters.overflows == 0)
        let octets = [UInt8](repeating: 7, count: 1400)
        let deadline = EventLoop.now + .seconds(10)
        while b.counters.overflows == 0, EventLoop.now < deadline {
            try a.send(interface: 10, source: Self.left, destination: Self.right, octets: octets)
        }
        let sent = Int(a.counters.sent)
        let lost = Int(b.counters.overflows)
        #expect(lost > 0 && lost < sent)
        #expect(Self.receive(b, sent - lost).count == sent - lost, "all packets that fitted the buffer are received")
    }
}
