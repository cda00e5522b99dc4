internal import ControlAPI

// What a real server changes in the objects that it stores.
extension JSONValue {
    /// The object with the fields that the server sets where they are missing, and without those that it leaves out when they
    /// are empty.
    func defaulted(kind: String) -> JSONValue {
        var object = self
        object["metadata"] = (self["metadata"] ?? [:]).withoutEmptyFields
        if object["metadata"]?["creationTimestamp"] == nil {
            object["metadata"]?["creationTimestamp"] = "2026-01-01T00:00:00Z"
        }
        switch kind {
        case "Node":
            object["spec"] = (object["spec"] ?? [:]).withoutEmptyFields.withPodRanges
            if object["spec"]?["unschedulable"] == false { object["spec"]?["unschedulable"] = nil }
        case "Service": object["spec"] = (object["spec"] ?? [:]).withoutEmptyFields.withServiceDefaults
        case "EndpointSlice":
            if case .array(let ports)? = object["ports"] {
                object["ports"] = .array(
                    ports.map { JSONValue.object(["name": "", "protocol": "TCP"]).merged(with: $0) })
            }
        case "Event":
            for (key, value) in ["reportingComponent": "", "reportingInstance": "", "eventTime": JSONValue.null]
            where object[key] == nil {
                object[key] = value
            }
        default: break
        }
        return object
    }

    /// An object without the fields that are empty lists or objects, as of Go's `omitempty`.
    private var withoutEmptyFields: JSONValue {
        guard case .object(let fields) = self else { return self }
        return .object(fields.filter { $0.value != .array([]) && $0.value != .object([:]) && $0.value != .null })
    }

    /// The `spec` of a Node, in which `podCIDR` is the first of `podCIDRs`.
    private var withPodRanges: JSONValue {
        var specification = self
        // Where both are given and do not agree, `podCIDR` counts.
        if case .array(let ranges)? = self["podCIDRs"], self["podCIDR"].map({ $0 == ranges.first }) ?? true {
            specification["podCIDR"] = ranges.first
        } else if let range = self["podCIDR"], range != "" {
            specification["podCIDRs"] = [range]
        } else {
            specification["podCIDR"] = nil
        }
        return specification
    }

    /// The `spec` of a service.
    private var withServiceDefaults: JSONValue {
        var defaults: JSONValue = ["type": "ClusterIP", "sessionAffinity": "None"]
        let type = self["type"]?.text ?? "ClusterIP"
        if type != "ExternalName" {
            defaults["internalTrafficPolicy"] = "Cluster"
            defaults["ipFamilyPolicy"] = "SingleStack"
            let single = self["clusterIP"].map { [$0] } ?? []
            if case .array(let addresses) = self["clusterIPs"] ?? .array(single), let first = addresses.first {
                defaults["clusterIP"] = first
                defaults["clusterIPs"] = .array(addresses)
                let families = addresses.compactMap(\.text).filter { $0 != "None" }
                    .map { $0.contains(":") ? JSONValue.string("IPv6") : "IPv4" }
                if !families.isEmpty { defaults["ipFamilies"] = .array(families) }
                if families.count > 1 { defaults["ipFamilyPolicy"] = "PreferDualStack" }
            }
        }
        if type == "LoadBalancer" || type == "NodePort" || self["externalIPs"] != nil {
            defaults["externalTrafficPolicy"] = "Cluster"
        }
        if type == "LoadBalancer" { defaults["allocateLoadBalancerNodePorts"] = true }
        var specification = defaults.merged(with: self)
        if case .array(let ports)? = self["ports"] {
            specification["ports"] = .array(ports.map { JSONValue.object(["protocol": "TCP"]).merged(with: $0) })
        }
        return specification
    }
}
