import Addressing
import Glibc
import Linux
import Netlink
import OSPF
import Routing
import Testing
import Timing

/// A machine for one test: a namespace with cables `c0`, `c1`, …, whose far ends `p0`, `p1`, … are in a second namespace, where
/// they are unplugged. The namespaces have no names, so everything is removed with this object.
final class MachineFixture {
    let machine: NetworkNamespace
    let peerNamespace: NetworkNamespace

    /// The interface index of the machine's end of a cable.
    static func interface(_ number: Int) -> UInt32 { UInt32(10 + number) }

    /// A next hop over a cable. Nobody has its gateway address.
    static func hop(_ number: Int) -> NextHop {
        NextHop(interface: interface(number), gateway: IPv6Address(0xfe80, 0, 0, 0, 0, 0, 0, UInt16(0x100 + number)))
    }

    /// A /128 with this number.
    static func prefix(_ number: Int) -> IPv6Prefix {
        IPv6Prefix(host: IPv6Address(high: 0x2001_0db8 << 32 | 0x77, low: UInt64(number)))
    }

    /// On `lo` of the machine.
    static let nodeAddress = IPv6Address(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)

    init(cables: Int = 2) throws {
        machine = try .make()
        peerNamespace = try .make()
        try ip("link set lo up")
        try ip("addr add \(Self.nodeAddress)/128 dev lo")
        let peerPath = "/proc/\(getpid())/fd/\(peerNamespace.descriptor)"
        for number in 0..<cables {
            let index = Self.interface(number)
            // If both ends had the same index, the kernel would notify changes of carrier late.
            try ip(
                "link add name c\(number) index \(index) type veth peer name p\(number) index \(index + 100) netns \(peerPath)"
            )
            try ip("link set c\(number) up")
            try plug(number)
        }
        for number in 0..<cables {
            while try !output("ip link show c\(number)").contains("state UP") { usleep(1000) }
        }
    }

    /// Runs `ip` in the machine.
    func ip(_ arguments: String) throws { _ = try output("ip " + arguments) }

    /// Runs a shell command in the machine. Returns its output.
    func output(_ command: String) throws -> String { try machine.run { try Self.run(command) } }

    /// Removes all our IPv6 routes one by one, because `ip route flush` of Debian 12 fails with next-hop objects.
    func flushRoutes() throws {
        let list = "ip -6 -o route show proto 71 | awk '{print \"route del \" $1 \" proto 71\"}'"
        _ = try output(list + " | ip -6 -batch -")
    }

    func plug(_ cable: Int) throws { try peerNamespace.run { _ = try Self.run("ip link set p\(cable) up") } }
    func unplug(_ cable: Int) throws { try peerNamespace.run { _ = try Self.run("ip link set p\(cable) down") } }

    /// Runs a shell command in the calling thread's namespace. Returns its output; throws if it fails.
    static func run(_ command: String) throws -> String {
        guard let pipe = popen(command + " 2>&1", "re") else { throw SystemError.last("start \(command)") }
        var result: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&buffer, 1, buffer.count, pipe), count > 0 { result += buffer[..<count] }
        let text = String(decoding: result, as: UTF8.self)
        // An error, not an expectation: on a thread without a task, that would belong to no test.
        if pclose(pipe) != 0 { throw Failure(description: "\(command): \(text)") }
        return text
    }

    struct Failure: Error, CustomStringConvertible { var description: String }
}

/// A part of an agent: an installer and a monitor. The test takes the place of the router.
final class Node {
    let fixture: MachineFixture
    let monitor: KernelMonitor
    let installer: RouteInstaller
    /// Reads the kernel independently of the installer.
    private let observer: KernelFIB

    init(
        _ fixture: MachineFixture, mode: FIB.Mode = .objects, preferredSource: IPv6Address? = nil,
        preferredSourceIPv4: IPv4Address? = nil, receiveBuffer: CInt = 4 << 20
    ) throws {
        self.fixture = fixture
        let configuration = KernelFIBConfiguration(
            preferredSource: preferredSource, preferredSourceIPv4: preferredSourceIPv4)
        (monitor, installer, observer) = try fixture.machine.run {
            (
                try KernelMonitor(),
                try RouteInstaller(
                    configuration: configuration, fib: FIB.Configuration(mode: mode), receiveBuffer: receiveBuffer),
                try KernelFIB(configuration: configuration)
            )
        }
    }

    /// Changes routes as the router would: destinations with their next hops, prefixes by number
    /// (``MachineFixture/prefix(_:)``) with their destination or, to withdraw one, `nil`, and destinations that no prefix has
    /// any more.
    func update(
        _ destinations: [(UInt32, [NextHop])], _ routes: [(Int, UInt32?)] = [], released: [UInt32] = []
    ) {
        update(destinations, routes.map { (MachineFixture.prefix($0.0), $0.1) }, released: released)
    }

    func update(
        _ destinations: [(UInt32, [NextHop])], _ routes: [(IPv6Prefix, UInt32?)], released: [UInt32] = []
    ) {
        installer.update(
            RouteTableUpdate(
                destinations: destinations.map {
                    (
                        DestinationID(rawValue: $0.0),
                        Destination(kind: .intraArea, metric: 1, announcers: [RouterID(rawValue: 1)], nextHops: $0.1)
                    )
                }, routes: routes.map { ($0.0, $0.1.map(DestinationID.init)) },
                released: released.map(DestinationID.init)))
    }

    /// Makes one destination, and routes to prefixes by number.
    func update(_ id: UInt32, _ destination: Destination, _ prefixes: Range<Int>) {
        let id = DestinationID(rawValue: id)
        installer.update(
            RouteTableUpdate(
                destinations: [(id, destination)], routes: prefixes.map { (MachineFixture.prefix($0), id) }))
    }

    func install() { while installer.install(at: EventLoop.now) {} }

    /// Handles notifications and installs routes until `condition` holds, for at most 5 s. Returns whether it holds.
    func run(until condition: () throws -> Bool) throws -> Bool {
        let deadline = EventLoop.now + .seconds(5)
        while EventLoop.now < deadline {
            for event in try monitor.read() { installer.handle(event) }
            installer.readNotifications()
            install()
            if try condition() { return true }
            usleep(1000)
        }
        return false
    }

    /// The next hops of all our routes in the kernel.
    func kernelRoutes() throws -> [IPv6Prefix: [NextHop]] {
        let kernel = try observer.read()
        return (kernel.routes ?? [:]).mapValues { target in
            switch target {
            case .group(let id): (kernel.groups[id]?.members ?? []).compactMap { kernel.nextHops[$0] }.sorted()
            case .nextHops(let hops): hops
            case nil: []
            }
        }
    }

    /// Our service routes in the kernel: `true` for one that is as we make it.
    func serviceRoutes() throws -> [IPv6Prefix: Bool] { try observer.read().serviceRoutes }

    func expected(_ range: Range<Int>, _ hops: [NextHop]) -> [IPv6Prefix: [NextHop]] {
        Dictionary(uniqueKeysWithValues: range.map { (MachineFixture.prefix($0), hops) })
    }
}
