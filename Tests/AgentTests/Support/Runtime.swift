import ControlAPI
import Foundation
import Lab

/// A small container runtime: makes namespaces for pods, and runs the CNI plugins that a CNI file lists.
struct Runtime {
    struct Pod {
        var name: String
        var node: String
        var namespace: String
        /// With prefix lengths.
        var addresses: [String]
    }

    /// The contents of a CNI file that a runtime uses.
    struct Network {
        var name: JSONValue
        var version: JSONValue
        var plugins: [[String: JSONValue]]

        init(_ text: String) throws {
            guard case .object(let fields) = try JSON.decode(JSONValue.self, from: text.utf8),
                let name = fields["name"], let version = fields["cniVersion"],
                case .array(let plugins)? = fields["plugins"]
            else { throw LabError("No list of plugins: \(text)") }
            self.name = name
            self.version = version
            self.plugins = plugins.compactMap { if case .object(let plugin) = $0 { plugin } else { nil } }
        }

        /// The address ranges of the first plugin.
        var ranges: [JSONValue] {
            guard case .object(let ipam)? = plugins.first?["ipam"], case .array(let ranges)? = ipam["ranges"] else {
                return []
            }
            return ranges
        }
    }

    private let lab: Lab
    private let directory: TemporaryDirectory

    init(_ lab: Lab) throws {
        self.lab = lab
        directory = try TemporaryDirectory()
    }

    private func namespace(of pod: String) -> String { "mesh-\(lab.name)-pod-\(pod)" }

    /// Makes a pod on a node, with the CNI file `file`.
    func attach(_ name: String, to node: String, _ file: String) throws -> Pod {
        let namespace = namespace(of: name)
        try Command(["ip", "netns", "add", namespace]).run()
        try Command(["ip", "netns", "exec", namespace, "ip", "link", "set", "lo", "up"]).run()
        var pod = Pod(name: name, node: node, namespace: namespace, addresses: [])
        var previous: JSONValue?
        for plugin in try network(file, node).plugins {
            previous = try JSON.decode(
                JSONValue.self, from: try run("ADD", plugin, of: pod, file, previous: previous).utf8)
        }
        if case .object(let result)? = previous, case .array(let addresses)? = result["ips"] {
            pod.addresses = addresses.compactMap {
                if case .object(let entry) = $0, case .string(let text)? = entry["address"] { text } else { nil }
            }
        }
        return pod
    }

    /// Removes a pod.
    func detach(_ pod: Pod, _ file: String) throws {
        for plugin in try network(file, pod.node).plugins.reversed() {
            _ = try run("DEL", plugin, of: pod, file, previous: nil)
        }
        try Command(["ip", "netns", "del", pod.namespace]).run()
    }

    /// Removes the namespaces of all pods, without the plugins.
    func end() {
        let list = (try? Command(["ip", "netns", "list"]).run()) ?? ""
        for line in list.split(separator: "\n") where line.hasPrefix(namespace(of: "")) {
            _ = try? Command(["ip", "netns", "del", String(line.prefix { $0 != " " })]).run()
        }
    }

    /// Pings once from a pod. Returns whether there was an answer within 1 s.
    func ping(_ address: String, from pod: Pod, _ options: String...) throws -> Bool {
        try Command(["ip", "netns", "exec", pod.namespace, "ping", "-c", "1", "-W", "1"] + options + [address])
            .output().status == 0
    }

    private func network(_ file: String, _ node: String) throws -> Network {
        try Network(String(contentsOfFile: file, encoding: .utf8))
    }

    /// Runs a plugin on the pod's node. `previous` is the result of the plugin before, `nil` for the first and for `DEL`.
    private func run(
        _ command: String, _ plugin: [String: JSONValue], of pod: Pod, _ file: String, previous: JSONValue?
    ) throws -> String {
        let network = try network(file, pod.node)
        var fields = plugin
        guard case .string(let type)? = plugin["type"] else { throw LabError("A plugin without a type") }
        fields["name"] = network.name
        fields["cniVersion"] = network.version
        fields["capabilities"] = nil
        if let previous { fields["prevResult"] = previous }
        if case .object(var ipam)? = fields["ipam"] {
            // A directory for each node, because all nodes of the lab share the file system.
            ipam["dataDir"] = .string(directory.path + "/" + pod.node)
            fields["ipam"] = .object(ipam)
        }
        let environment = [
            "CNI_COMMAND=\(command)", "CNI_CONTAINERID=\(pod.name)", "CNI_NETNS=/run/netns/\(pod.namespace)",
            "CNI_IFNAME=eth0", "CNI_PATH=/usr/lib/cni",
        ]
        let input = String(decoding: try JSON.encode(JSONValue.object(fields)), as: UTF8.self)
        let output = try lab.command(on: pod.node, ["env"] + environment + ["/usr/lib/cni/" + type], input: input)
            .output()
        guard output.status == 0 else { throw LabError("\(command) of \(type): \(output.text) \(output.errors)") }
        return output.text
    }
}
