public import Kubernetes
public import Services

extension NodeConditions {
    /// The conditions of a Node.
    public init(_ node: Node) {
        self.init(name: node.metadata.name)
        isReady = !node.isKnownUnready
        isExcluded = node.metadata.labels["node.kubernetes.io/exclude-from-external-load-balancers"] != nil
        isCordoned = node.isUnschedulable
        drainReason = Self.drainReason(of: node)
    }

    private static func drainReason(of node: Node) -> String? {
        let annotation = "kubermesh.io/drain"
        if let value = node.metadata.annotations[annotation], value != "false" {
            return "annotation \(annotation) of the Node"
        }
        if node.isShuttingDown { return "the machine shuts down" }
        return node.taints.contains("ToBeDeletedByClusterAutoscaler") ? "the Node is to be deleted" : nil
    }
}
