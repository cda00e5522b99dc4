internal import Addressing
internal import Kubernetes
internal import NIOCore

/// Sets the pod ranges of a Node object that has none to the node's own, so that other programs in the cluster know them too.
/// The ranges of a Node cannot be changed later, so the offer waits first: the cluster's own allocator (of
/// kube-controller-manager, for example) has precedence. Everything runs on the client's loop.
final class PodRangeOffer {
    private let client: APIClient
    private let notify: (String) -> Void
    /// What to set when the wait is over; `nil` if there is nothing to set.
    private var next: Offer?
    /// The wait under way.
    private var waiting: Scheduled<Void>?
    /// Whether a request is under way.
    private var isSending = false
    /// The offer that the server has refused for good.
    private var refused: Offer?

    /// The ranges, and the Node that is to get them.
    private struct Offer: Equatable {
        var key: ObjectKey
        /// Another Node may have the same name later.
        var uid: String
        var ranges: [IPv6Prefix]
    }

    /// How long an allocator of the cluster has to set the ranges, and the delay before a retry after a failure.
    private static let delay = TimeAmount.seconds(10)

    init(_ client: APIClient, notify: @escaping (String) -> Void) {
        self.client = client
        self.notify = notify
    }

    /// Takes the current Node object, or `nil` if there is none, and the ranges to offer. Starts the wait if there is something
    /// to set, and ends it if not.
    func consider(_ node: Node?, _ ranges: [IPv6Prefix]) {
        // A Node can have one range of each family.
        let offered = [ranges.first { $0.ipv4 == nil }, ranges.first { $0.ipv4 != nil }].compactMap(\.self)
        next = node.flatMap { node in
            let offer = Offer(key: node.key, uid: node.metadata.uid, ranges: offered)
            return node.podCIDRs.isEmpty && !offered.isEmpty && offer != refused ? offer : nil
        }
        guard next != nil else { return stop() }
        if waiting == nil, !isSending { wait() }
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
        guard let offer = next else { return }
        isSending = true
        let bound = NIOLoopBound(self, eventLoop: client.loop)
        client.offer(podCIDRs: offer.ranges, of: offer.key, uid: offer.uid).hop(to: client.loop).whenComplete {
            bound.value.receive($0, of: offer)
        }
    }

    private func receive(_ result: Result<Node, any Error>, of offer: Offer) {
        isSending = false
        let ranges = offer.ranges.map(\.description).joined(separator: ", ")
        switch result {
        case .success: notify("the Node had no podCIDRs; set them to those of this node: \(ranges)")
        case .failure(let error as RequestFailure) where [.forbidden, .refused].contains(error.kind):
            refused = offer
            if next == offer { next = nil }
            notify("cannot set the podCIDRs of the Node, which had none, to \(ranges): \(error)")
        // Any other failure, such as a conflict or an outage, may pass.
        case .failure: if next == offer { return wait() }
        }
        // There may be another offer meanwhile.
        if let next, next != offer { wait() }
    }
}
