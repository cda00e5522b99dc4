internal import Addressing
internal import Kubernetes
internal import NIOCore

/// Offers the node's own pod ranges to the cluster where that has given it none, so that others of the cluster know them
/// too. What a Node has got it keeps, so an allocator of the cluster's gets time to be first. All of it happens on the
/// client's loop.
final class PodRangeOffer {
    private let client: APIClient
    private let notify: (String) -> Void
    private var next: (node: Node, ranges: [IPv6Prefix])?
    private var waiting: Scheduled<Void>?
    private var isRefused = false

    /// How long an allocator of the cluster's has, and how long a failure is left alone.
    private static let patience = TimeAmount.seconds(10)

    init(_ client: APIClient, notify: @escaping (String) -> Void) {
        self.client = client
        self.notify = notify
    }

    /// The node as it is now, and what it could have.
    func consider(_ node: Node, _ ranges: [IPv6Prefix]) {
        // One of each family is what a Node can have.
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
        waiting = client.loop.scheduleTask(in: Self.patience) { offer.value.send() }
    }

    private func send() {
        waiting = nil
        guard let (node, ranges) = next else { return }
        let offer = NIOLoopBound(self, eventLoop: client.loop)
        client.offer(podCIDRs: ranges, of: node).whenComplete { result in
            offer.value.receive(result, ranges.map(\.description).joined(separator: ", "))
        }
    }

    private static func isFinal(_ error: RequestFailure) -> Bool {
        [.forbidden, .notFound, .refused].contains(error.kind)
    }

    private func receive(_ result: Result<Node, any Error>, _ ranges: String) {
        switch result {
        case .success: notify("the Node had no podCIDRs; set them to those of this node: \(ranges)")
        case .failure(let error as RequestFailure) where Self.isFinal(error):
            isRefused = true
            notify("cannot set the Node's podCIDRs, which are empty, to \(ranges): \(error)")
        // Another client was faster, or the server is away: the watch reports when that is over.
        case .failure: if next != nil { wait() }
        }
    }
}
