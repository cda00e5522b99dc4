import Addressing
import Glibc
import Linux
import Netlink
import OSPF
import Routing
import Testing
import Timing

/// A machine of its own for a test: a namespace with cables, whose other ends are in a second namespace so that they can be
/// unplugged there. Everything ends with the test, as the namespaces have no names.
final class Stage {
    let machine: NetworkNamespace
    let elsewhere: NetworkNamespace

    /// The index of cable `number`'s end in the machine.
    static func interface(_ number: Int) -> UInt32 { UInt32(10 + number) }

    static func hop(_ number: Int) -> NextHop {
        NextHop(interface: interface(number), gateway: IPv6Address(0xfe80, 0, 0, 0, 0, 0, 0, UInt16(0x100 + number)))
    }

    static func prefix(_ number: Int) -> IPv6Prefix {
        IPv6Prefix(host: IPv6Address(high: 0x2001_0db8 << 32 | 0x77, low: UInt64(number)))
    }

    static let nodeAddress = IPv6Address(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)

    init(cables: Int = 2) throws {
        machine = try .make()
        elsewhere = try .make()
        try ip("link set lo up")
        try ip("addr add \(Self.nodeAddress)/128 dev lo")
        let there = "/proc/\(getpid())/fd/\(elsewhere.descriptor)"
        for number in 0..<cables {
            let index = Self.interface(number)
            // The two ends of a veth pair with equal indexes hear of carrier late.
            try ip(
                "link add name c\(number) index \(index) type veth peer name p\(number) index \(index + 100) netns \(there)"
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

    /// What a command prints, run in the machine.
    func output(_ command: String) throws -> String { try machine.run { try Self.run(command) } }

    /// Removes all routes of ours, one by one: `ip route flush` of Debian 12 chokes on next-hop objects.
    func flushRoutes() throws {
        let list = "ip -6 -o route show proto 71 | awk '{print \"route del \" $1 \" proto 71\"}'"
        _ = try output(list + " | ip -6 -batch -")
    }

    func plug(_ cable: Int) throws { try elsewhere.run { _ = try Self.run("ip link set p\(cable) up") } }
    func unplug(_ cable: Int) throws { try elsewhere.run { _ = try Self.run("ip link set p\(cable) down") } }

    /// Runs a command in the calling thread's namespace.
    static func run(_ command: String) throws -> String {
        guard let pipe = popen(command + " 2>&1", "re") else { throw SystemError.last("start \(command)") }
        var result: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&buffer, 1, buffer.count, pipe), count > 0 { result += buffer[..<count] }
        let text = String(decoding: result, as: UTF8.self)
        // A plain error: expectations on threads without a task would belong to no test.
        if pclose(pipe) != 0 { throw Failure(description: "\(command): \(text)") }
        return text
    }

    struct Failure: Error, CustomStringConvertible { var description: String }
}

/// An agent in small: an installer and a monitor, and what a router would say.
final class Node {
    let stage: Stage
    let monitor: KernelMonitor
    let installer: RouteInstaller
    private let observer: KernelFIB

    init(
        _ stage: Stage, mode: FIB.Mode = .objects, preferredSource: IPv6Address? = nil,
        preferredSourceIPv4: IPv4Address? = nil, receiveBuffer: CInt = 4 << 20
    ) throws {
        self.stage = stage
        let configuration = KernelFIBConfiguration(
            preferredSource: preferredSource, preferredSourceIPv4: preferredSourceIPv4)
        (monitor, installer, observer) = try stage.machine.run {
            (
                try KernelMonitor(),
                try RouteInstaller(
                    configuration: configuration, fib: FIB.Configuration(mode: mode), receiveBuffer: receiveBuffer),
                try KernelFIB(configuration: configuration)
            )
        }
    }

    func update(
        _ destinations: [(UInt32, [NextHop])], _ routes: [(Int, UInt32?)] = [], released: [UInt32] = []
    ) {
        update(destinations, routes.map { (Stage.prefix($0.0), $0.1) }, released: released)
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

    func install() { while installer.install(at: EventLoop.now) {} }

    /// Lets news come in and be worked on until `condition` holds, five seconds at most.
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

    /// Where the kernel sends packets for prefixes of ours, by what it tells.
    func kernelRoutes() throws -> [IPv6Prefix: [NextHop]] {
        let kernel = try observer.read()
        return (kernel.routes ?? [:]).mapValues { target in
            switch target {
            case .group(let id): (kernel.groups[id] ?? []).compactMap { kernel.nextHops[$0] }.sorted()
            case .nextHops(let hops): hops
            case nil: []
            }
        }
    }

    func expected(_ range: Range<Int>, _ hops: [NextHop]) -> [IPv6Prefix: [NextHop]] {
        Dictionary(uniqueKeysWithValues: range.map { (Stage.prefix($0), hops) })
    }
}
