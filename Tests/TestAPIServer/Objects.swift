public import ControlAPI

/// Manifests of objects.
public enum Objects {
    /// A service in the namespace `default`. `ingress` are the addresses in its `status`; `policy` is both
    /// `externalTrafficPolicy` and `internalTrafficPolicy`.
    public static func service(
        _ name: String, type: String = "LoadBalancer", ingress: [String] = [], external: [String] = [],
        clusterIPs: [String] = ["fd00::1"], policy: String = "Cluster", loadBalancerClass: String? = nil,
        isBeingDeleted: Bool = false
    ) -> JSONValue {
        var metadata: [String: JSONValue] = ["name": .string(name), "namespace": "default"]
        if isBeingDeleted { metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z" }
        var specification: [String: JSONValue] = [
            "type": .string(type), "clusterIP": .string(clusterIPs[0]), "externalTrafficPolicy": .string(policy),
            "clusterIPs": .array(clusterIPs.map(JSONValue.string)),
            "externalIPs": .array(external.map(JSONValue.string)), "internalTrafficPolicy": .string(policy),
        ]
        if let loadBalancerClass { specification["loadBalancerClass"] = .string(loadBalancerClass) }
        return [
            "kind": "Service", "apiVersion": "v1", "metadata": .object(metadata), "spec": .object(specification),
            "status": ["loadBalancer": ["ingress": .array(ingress.map { ["ip": .string($0)] })]],
        ]
    }

    /// A slice with endpoints by node, each with a letter for its conditions: `r` is ready, `t` terminating but still serving,
    /// any other neither ready nor serving.
    public static func slice(
        _ name: String, of service: String, family: String = "IPv6", _ endpoints: [(node: String, state: Character)]
    ) -> JSONValue {
        let list = endpoints.enumerated().map { number, endpoint -> JSONValue in
            let conditions: JSONValue =
                switch endpoint.state {
                case "r": ["ready": true]
                case "t": ["ready": false, "serving": true, "terminating": true]
                default: ["ready": false, "serving": false]
                }
            return [
                "addresses": [.string(family == "IPv6" ? "fd00:2::\(number + 1)" : "10.2.0.\(number + 1)")],
                "nodeName": .string(endpoint.node), "conditions": conditions,
            ]
        }
        return [
            "kind": "EndpointSlice", "apiVersion": "discovery.k8s.io/v1",
            "metadata": [
                "name": .string(name), "namespace": "default",
                "labels": ["kubernetes.io/service-name": .string(service)],
            ],
            "addressType": .string(family), "endpoints": .array(list), "ports": [["port": 80]],
        ]
    }

    /// A ServiceCIDR with these ranges.
    public static func serviceCIDR(_ name: String, _ ranges: [String]) -> JSONValue {
        [
            "kind": "ServiceCIDR", "apiVersion": "networking.k8s.io/v1", "metadata": ["name": .string(name)],
            "spec": ["cidrs": .array(ranges.map(JSONValue.string))],
        ]
    }

    /// A Node, whose condition `Ready` has the status `ready`: `True`, `False` or `Unknown`.
    public static func node(
        _ name: String, ready: String = "True", labels: [String: JSONValue] = [:],
        annotations: [String: JSONValue] = [:],
        podCIDRs: [String] = [], isCordoned: Bool = false, addresses: [String] = []
    ) -> JSONValue {
        [
            "kind": "Node", "apiVersion": "v1",
            "metadata": ["name": .string(name), "labels": .object(labels), "annotations": .object(annotations)],
            "spec": ["podCIDRs": .array(podCIDRs.map(JSONValue.string)), "unschedulable": .bool(isCordoned)],
            "status": [
                "conditions": [["type": "Ready", "status": .string(ready)]],
                "addresses": .array(
                    addresses.map { ["type": "InternalIP", "address": .string($0)] }
                        + [["type": "Hostname", "address": .string(name)]]),
            ],
        ]
    }
}
