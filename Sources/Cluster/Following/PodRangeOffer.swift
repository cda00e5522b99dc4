internal import Addressing
internal import Kubernetes
internal import NIOCore

/// Sets the pod ranges of a Node object that has none to the node's own, so that other programs in the cluster know them too.
/// The ranges of a Node cannot be changed later, so the offer waits first: the cluster's own allocator (of
/// kube-controller-manager, for example) has precedence. Everything runs on the client's loop.
final class PodRangeOffer {
    private let client: APIClient
    private let notify: (String) -> Void
    /// What to send when the wait is over; `nil` if there is nothing to set.
    private var next: (node: Node, ranges: [IPv6Prefix])?
    /// The wait under way.
    private var waiting: Scheduled<Void>?
    /// Whether the server has refused ranges in a way that is final; nothing is offered any more.
    private var isRefused = false

    /// How long an allocator of the cluster has to set the ranges, and the delay before a retry after a failure.
    private static let delay = TimeAmount.seconds(10)

    init(_ client: APIClient, notify: @escaping (String) -> Void) {
        self.client = client
        self.notify = notify
    }

    /// Takes the current Node object and the ranges to offer. Starts the wait if there is something to set, and ends it if not.
    func consider(_ node: Node, _ ranges: [IPv6Prefix]) {
        // A Node can have one range of each family.
        let offered = [ranges.first { $0.ipv4 == nil }, ranges.first { $0.ipv4 != nil }].compactMap(\.self)
        next = node.podCIDRs.isEmpty && !offered.isEmpty && !isRefused ? (node, offered) : nil
        guard next != nil else { return stop() }
        if waiting == nil { wait() }
    }

    func stop() {
        waiting?.cancel()
        waiting = nil
    }

    private func wait() {
        let offer = NIOLoopBound(self, eventLoop: client.loop)
        waiting = client.loop.scheduleTask(in: Self.delay) { offer.value.send() }
    }

    private func send() {
        waiting = nil
        guard let (node, ranges) = next else { return }
        let offer = NIOLoopBound(self, eventLoop: client.loop)
        client.offer(podCIDRs: ranges, of: node).whenComplete { result in
            offer.value.receive(result, ranges.map(\.description).joined(separator: ", "))
        }
    }

    /// Whether another attempt with the same ranges would fail alike.
    private static func isFinal(_ error: RequestFailure) -> Bool {
        [.forbidden, .notFound, .refused].contains(error.kind)
    }

    private func receive(_ result: Result<Node, any Error>, _ ranges: String) {
        switch result {
        case .success: notify("the Node had no podCIDRs; set them to those of this node: \(ranges)")
        case .failure(let error as RequestFailure) where Self.isFinal(error):
            isRefused = true
            notify("cannot set the Node's podCIDRs, which are empty, to \(ranges): \(error)")
        // Any other failure, such as a conflict or an outage, may pass. Try again, unless the watch has reported ranges.
        case .failure: if next != nil { wait() }
        }
    }
}
