internal import Addressing
internal import Links
internal import MeshConfiguration
public import OSPF

/// One end of a link, at a machine.
public struct Port: Sendable {
    /// The machine, by its place in ``Network/nodes``.
    public let node: Int
    /// The link, by its place in ``Network/links``.
    public let link: Int
    /// Which end of the link it is.
    public let end: Int
    /// Whether neighbors are asked by echo requests.
    let liveness: InterfaceRule.Liveness
    /// Whether it is avoided while its cable is bad.
    let isQualityOn: Bool
    /// The speed of the link as the driver tells it, in Mbit/s.
    var speed = 10_000
    let bfd: BFDRule?
    /// Its configuration; the process may not know the latest one yet.
    public internal(set) var configuration: InterfaceConfiguration
    /// Whether its cable is unplugged.
    var isPulled = false
    /// Whether it has carrier.
    public internal(set) var hasCarrier = false
    /// Whether the next notification must say that the port went down, even if the carrier is back by then.
    var hasFlapped = false
    /// The port as the process knows it; `nil` while the process has it as down, and without a process.
    var reported: InterfaceConfiguration?
    /// Notifications of the address and the MTU of this port that the process has not read, in order: it sleeps, or will read
    /// them with the notification that the port is up (``Network/notifyCarrier(_:)``). Changes by other programs wait in
    /// ``Machine/unreadNews``, packets in ``Machine/unreadPackets``.
    var unreadEvents: [[KernelEvent]] = []
    /// How often the link-local address has changed; a part of the address, so that each one is new.
    var generation: UInt64 = 0
    /// The last packets that the process has accepted here while packets had to be authentic, oldest first.
    var recorded: [RecordedPacket] = []
    /// Whether the process has joined AllSPFRouters and AllDRouters here.
    var joinedAllSPFRouters = false
    var joinedAllDRouters = false

    /// Whether a packet to `address` is received here.
    func listens(to address: IPv6Address) -> Bool {
        if address == .allSPFRouters { return joinedAllSPFRouters }
        if address == .allDRouters { return joinedAllDRouters }
        return address == configuration.linkLocalAddress
    }
}

/// What connects ports.
public struct Link: Sendable {
    /// Its ports, by their places in ``Network/ports``, in the order of the plan's ends.
    public let ports: [Int]
    /// Whether it is a segment rather than a cable.
    public let isSegment: Bool
    /// How well it carries packets.
    public internal(set) var quality: LinkQuality
    /// Whether packets are dropped silently, for each pair of ends, sender first.
    private var isCut: [Bool]

    init(ports: [Int], isSegment: Bool, quality: LinkQuality) {
        self.ports = ports
        self.isSegment = isSegment
        self.quality = quality
        isCut = Array(repeating: false, count: ports.count * ports.count)
    }

    /// Whether packets from one end to another are dropped silently.
    public internal(set) subscript(cutFrom sender: Int, to receiver: Int) -> Bool {
        get { isCut[sender * ports.count + receiver] }
        set { isCut[sender * ports.count + receiver] = newValue }
    }
}
