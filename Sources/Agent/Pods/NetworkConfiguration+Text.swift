internal import Addressing
internal import ControlAPI
internal import MeshConfiguration
internal import Node

/// The CNI network configuration list for pods (CNI specification 1.0.0). It uses only reference plugins: `bridge` or `ptp` for
/// the interface, `host-local` for addresses, and `portmap` for host ports. Pod addresses are routed, so nothing masquerades
/// them (`ipMasq`); `snat` of `portmap` is for a pod that connects to its own host port, and for connections from the
/// node's own 127.0.0.1.
extension NetworkConfiguration {
    /// The text of the file.
    var text: String {
        get throws {
            let list: JSONValue = [
                "cniVersion": "1.0.0", "name": "kubermesh",
                "plugins": [
                    interfacePlugin, ["type": "portmap", "capabilities": ["portMappings": true], "snat": true],
                ],
            ]
            return String(decoding: try JSON.encode(list, pretty: true), as: UTF8.self)
        }
    }

    private var interfacePlugin: JSONValue {
        var fields: [String: JSONValue] = [
            "type": .string(plugin.rawValue), "mtu": .integer(mtu), "ipMasq": false, "ipam": addressPlugin,
        ]
        if plugin == .bridge {
            fields["bridge"] = "kubermesh0"
            fields["isGateway"] = true
            // Lets a pod reach itself through a service address.
            fields["hairpinMode"] = true
        }
        return .object(fields)
    }

    private var addressPlugin: JSONValue {
        // The default routes, and whether the pod has addresses of their family.
        let defaults = [
            ("::/0", ranges.contains { $0.ipv4 == nil }), ("0.0.0.0/0", ranges.contains { $0.ipv4 != nil }),
        ]
        return [
            "type": "host-local",
            "ranges": .array(ranges.map { [["subnet": .string($0.description)]] }),
            "routes": .array(defaults.filter(\.1).map { ["dst": .string($0.0)] }),
        ]
    }
}
