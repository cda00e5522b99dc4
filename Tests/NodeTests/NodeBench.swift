import Addressing
import Links
import MeshConfiguration
import OSPF
import Routing
import Services
import Timing

@testable import Node

/// A node on a simulated machine, which carries out every effect at once and successfully, unless a test sets another outcome.
struct NodeBench {
    var node: MeshNode
    var now = Instant.zero + .seconds(100)
    /// The addresses on `lo`, each with whether it has the agent's mark (`IFA_PROTO`).
    var loopback: [IPv6Address: Bool] = [:]
    var refusedAddresses: Set<IPv6Address> = []
    /// The outcomes of settings, by variable; settings that are not in this dictionary have none.
    var settings: [String: SettingOutcome.Result] = [:]
    var saved = SavedState()
    var log: [String] = []
    /// The contents of the CNI file, each time the node had it checked.
    var files: [NetworkConfiguration] = []
    /// The pod ranges offered to the cluster.
    var offers: [[IPv6Prefix]] = []
    var fileResult: Result<Bool, NodeFailure> = .success(true)
    var foreignRoutes: Result<[ForeignRoute], NodeFailure> = .success([])
    var requestedSettings: [[KernelSetting]] = []
    var isKernelReadable = true
    var checks: [VIPTable.CheckID] = []
    /// What earlier runs left under another protocol number or in another table, each time the node removed it.
    var removedRemains: [SavedKernel] = []
    var remainsResult: Result<String, NodeFailure> = .success("2 routes")
    /// The contents of our nftables table; `nil` if there is none.
    var table: ProxyBypass.Contents?
    var tableRequests: [ProxyBypass.Request] = []
    /// The outcome of the next requests for the table; they succeed if there is none.
    var tableOutcome: ProxyBypass.Outcome?
    /// The requested changes of the kernel's routes, in order.
    var changes: [FIBChange] = []
    /// Changes that the kernel refuses.
    var refusedChanges: Set<FIBChange> = []
    /// Why saving fails; `nil` if it succeeds.
    var saveFailure: String?

    static let eno1 = Link(
        index: 2, name: "eno1", macAddress: MACAddress("00:1b:21:00:00:05")!, isPhysical: true)
    static let enp1s0 = Link(
        index: 3, name: "enp1s0", macAddress: MACAddress("00:1b:21:00:00:06")!, isPhysical: true)
    static let loopbackLink = Link(index: 1, name: "lo", isLoopback: true, mtu: 65_536)

    static func linkLocal(_ link: Link) -> InterfaceAddress {
        InterfaceAddress(
            interface: link.index, address: IPv6Address("fe80::\(link.index)")!, prefixLength: 64)
    }

    /// Makes a node that has not started. `machine` is the number that names the machine, `nonce` the random one of a new
    /// identity.
    init(
        _ configuration: Configuration = Configuration(), saved: SavedState = SavedState(), machine: UInt64? = 1,
        nonce: UInt64 = 7, hasCluster: Bool = false, apiServer: IPv6Address? = nil
    ) {
        var environment = MeshNode.Environment()
        environment.hostName = "n1"
        environment.machine = machine
        environment.seed = nonce
        environment.saved = saved
        environment.hasCluster = hasCluster
        environment.apiServer = apiServer
        self.saved = saved
        node = MeshNode(configuration: configuration, environment: environment)
    }

    /// Starts the node on a machine with `lo` and these links, each with a link-local address.
    mutating func start(
        _ links: [Link] = [eno1, enp1s0], addresses: [InterfaceAddress] = [], defaults: [DefaultRoute] = []
    ) {
        handle(
            .start(
                links: [Self.loopbackLink] + links, addresses: links.map(Self.linkLocal) + addresses,
                defaultRoutes: defaults))
    }

    /// Handles an event, carries out the effects, and handles their outcomes, until there are none.
    mutating func handle(_ event: NodeEvent) {
        var events = [event]
        while !events.isEmpty {
            var effects: [NodeEffect] = []
            node.handle(events.removeFirst(), at: now, effects: &effects)
            for effect in effects { if let outcome = perform(effect) { events.append(outcome) } }
        }
    }

    /// Lets time pass: calls the node at its deadlines, at most once per millisecond, and at the end.
    mutating func run(for duration: Duration) {
        let end = now + duration
        while let deadline = node.nextDeadline, deadline <= end {
            now = max(now, deadline)
            handle(.timer)
            // Without this, a deadline that stays due would never let time pass.
            now = now + .milliseconds(1)
        }
        now = end
        handle(.timer)
    }

    private mutating func perform(_ effect: NodeEffect) -> NodeEvent? {
        switch effect {
        case .routes(.read):
            return .installed(isKernelReadable ? .read(KernelRoutes()) : .unreachable("no buffer space"))
        case .startCheck(let id, _): checks.append(id)
        case .routes(.apply(let changes)):
            self.changes += changes
            let refused = changes.indices.filter { refusedChanges.contains(changes[$0]) }
            let failure = FIBFailure(.refused, code: 1, message: "Operation not permitted")
            return .installed(.applied(failures: refused.map { ($0, failure) }))
        case .addresses(let requests): return .addresses(requests.map { AddressOutcome($0, carryOut($0)) })
        case .readForeignRoutes: return .foreignRoutes(foreignRoutes)
        case .settings(let wanted):
            requestedSettings.append(wanted)
            let outcomes = settings.map { SettingOutcome(name: $0.key, wanted: "1", result: $0.value) }
            return .settings(outcomes)
        case .removeRemains(let kernel):
            removedRemains.append(kernel)
            return .remainsRemoved(remainsResult)
        case .save(let change):
            if saveFailure == nil { save(change) }
            return .saved(change, failure: saveFailure)
        case .log(_, let text, _): log.append(text)
        case .offerPodRanges(let ranges): offers.append(ranges)
        case .networkConfiguration(let network):
            files.append(network)
            return .networkConfiguration(fileResult)
        case .proxyBypass(let request):
            tableRequests.append(request)
            if tableOutcome == nil { carryOut(request) }
            return .proxyBypass(tableOutcome ?? .done)
        default: break
        }
        return nil
    }

    private mutating func carryOut(_ request: ProxyBypass.Request) {
        switch request {
        case .update(var contents, let keepsAddresses):
            if keepsAddresses, let table { contents.addresses.formUnion(table.addresses) }
            table = contents
        case .replace(let contents): table = contents
        case .change(let adding, let removing):
            table?.addresses.formUnion(adding)
            table?.addresses.subtract(removing)
        case .check: break
        case .remove: table = nil
        }
    }

    private mutating func save(_ change: StateChange) {
        switch change {
        case .identity(let identity): saved.identity = identity
        case .range(let range, let purpose): saved.ranges[purpose] = range
        case .authenticationSequence(let end): saved.authenticationSequence = end
        case .drained(let isDrained): saved.isDrained = isDrained
        case .kernel(let kernel): saved.kernel = kernel
        }
    }

    private mutating func carryOut(_ request: AddressLedger.Request) -> AddressLedger.Outcome {
        switch request {
        case .add(let address, _):
            if refusedAddresses.contains(address) { return .refused("permission denied") }
            if let isOurs = loopback[address] { return .present(isOurs: isOurs) }
            loopback[address] = true
            return .added
        case .remove(let address):
            loopback[address] = nil
            return .removed
        }
    }

    func problems(_ kind: Problem.Kind) -> [Problem] { node.currentProblems(at: now).filter { $0.kind == kind } }
    func announces(_ address: IPv6Address) -> Bool {
        node.announced.contains { $0.prefix == IPv6Prefix(host: address) }
    }
}
