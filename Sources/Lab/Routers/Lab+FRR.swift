internal import Glibc

/// FRR's `zebra` and `ospf6d`, and `bfdd` for a node whose configuration has a section `bfd`, with a directory per node for their configurations and sockets.
extension Lab {
    private func frrDirectory(_ node: String) -> String { "\(directory(of: node))/frr" }

    /// The command line of one of FRR's programs, with its own socket directory and no TCP port for its shell (`-P 0`).
    private func frrArguments(_ program: String, _ node: String) -> [String] {
        let directory = frrDirectory(node)
        let arguments = [
            "/usr/lib/frr/\(program)", "-u", "frr", "-g", "frr", "--vty_socket", directory, "-z",
            "\(directory)/zserv.api",
            "-i", "\(directory)/\(program).pid", "-f", "\(directory)/\(program).conf", "-P", "0", "--log", "stdout",
        ]
        // FRR stores crash logs in /var/tmp, and sequence numbers and that it restarts in /run/frr, under the program's name
        // alone, so each node gets directories of its own. Others do not see these mounts, because `ip netns exec` has made a
        // mount namespace.
        let mounts = "mount --bind '\(directory)/tmp' /var/tmp && mount --bind '\(directory)/run' /run/frr"
        return ["sh", "-ec", "\(mounts) && exec \"$@\"", "sh"] + arguments
    }

    /// Writes the configurations of both programs, puts the node's address on `lo`, makes `vtysh`, and starts `zebra`, which
    /// installs routes in the kernel.
    mutating func startZebra(_ node: Topology.Node) throws(LabError) {
        let directory = frrDirectory(node.name)
        // Without the user `frr`, FRR is not installed either: its package creates that user.
        guard access("/usr/lib/frr/ospf6d", X_OK) == 0, let user = getpwnam("frr") else {
            throw LabError("The node \(node.name) runs FRR, which is not installed: apt-get install frr.")
        }
        for path in ["\(directory)/tmp", "\(directory)/run", "/run/frr"] { try Files.makeDirectory(path) }
        for path in [directory, "\(directory)/tmp", "\(directory)/run"] {
            chown(path, user.pointee.pw_uid, user.pointee.pw_gid)
        }
        let address = addresses.address(of: node.name)
        // Whether a next hop may resolve over a default route depends on the profile of the FRR package, so it is set.
        try writeConfiguration(
            "hostname \(node.name)\nip nht resolve-via-default\n", to: "\(directory)/zebra.conf")
        try writeConfiguration(ospf6Configuration(node), to: "\(directory)/ospf6d.conf")
        try Command(["ip", "-n", namespace(of: node.name).name, "address", "replace", "\(address)/128", "dev", "lo"])
            .run()
        try makeTool("vtysh", on: node.name, running: vtyshWords(node.name))
        unlink("\(directory)/zserv.api")
        try startDaemon(frrArguments("zebra", node.name), on: node, log: "zebra")
    }

    /// Starts `ospf6d` as soon as `zebra` listens. Throws if `zebra` does not within 5 s.
    mutating func startOSPF6(_ node: Topology.Node) throws(LabError) {
        let socket = "\(frrDirectory(node.name))/zserv.api"
        try wait(for: "zebra on \(node.name) to listen at \(socket)") { Files.exists(socket) }
        unlink(ospf6Socket(node.name))
        if let sessions = bfdConfiguration(node) {
            try writeConfiguration(sessions, to: "\(frrDirectory(node.name))/bfdd.conf")
            let control = ["--bfdctl", "\(frrDirectory(node.name))/bfdd.sock"]
            try startDaemon(frrArguments("bfdd", node.name) + control, on: node, log: "bfdd")
        }
        try startDaemon(frrArguments("ospf6d", node.name), on: node, log: "ospf6d")
    }

    /// The control socket of `ospf6d`. It exists as soon as `ospf6d` answers.
    func ospf6Socket(_ node: String) -> String { "\(frrDirectory(node))/ospf6d.vty" }

    private func ospf6Configuration(_ node: Topology.Node) -> String {
        if node.configIsWhole { return node.config }
        let options = node.ospf
        var lines = ["hostname \(node.name)"]
        for port in addresses.ports(of: node.name) {
            lines += [
                "interface \(port.name)", " ipv6 ospf6 area 0.0.0.0",
                " ipv6 ospf6 network \(options.type == "broadcast" ? "broadcast" : "point-to-point")",
                " ipv6 ospf6 hello-interval \(options.hello ?? 1)", " ipv6 ospf6 dead-interval \(options.dead ?? 4)",
            ]
            if let cost = options.cost { lines.append(" ipv6 ospf6 cost \(cost)") }
            if let retransmit = options.retransmit { lines.append(" ipv6 ospf6 retransmit-interval \(retransmit)") }
            if let priority = options.priority { lines.append(" ipv6 ospf6 priority \(priority)") }
        }
        // The lowest cost, for the node's own address. FRR derives the default from the bandwidth, which lo does not have.
        lines += ["interface lo", " ipv6 ospf6 area 0.0.0.0", " ipv6 ospf6 cost 1"]
        lines += ["router ospf6", " ospf6 router-id \(options.routerID ?? addresses.routerID(of: node.name))"]
        let own = node.config.split(separator: "\n", omittingEmptySubsequences: false).prefix { $0 != "bfd" }
        return (lines + own.map(String.init)).joined(separator: "\n") + "\n"
    }

    /// The configuration of `bfdd`: from the line `bfd` to the end; `nil` without that line.
    private func bfdConfiguration(_ node: Topology.Node) -> String? {
        let lines = node.config.split(separator: "\n").drop { $0 != "bfd" }
        return lines.isEmpty ? nil : lines.joined(separator: "\n") + "\n"
    }

    /// The answer of FRR's shell (`vtysh`) to commands.
    public func vtysh(_ node: String, _ commands: String...) throws(LabError) -> String {
        let words = commands.flatMap { ["-c", $0] }
        return try Command(vtyshWords(node) + words).run()
    }

    private func vtyshWords(_ node: String) -> [String] { ["/usr/bin/vtysh", "--vty_socket", frrDirectory(node)] }
}
