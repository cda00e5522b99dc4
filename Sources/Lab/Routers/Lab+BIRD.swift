internal import Glibc

/// BIRD, with a directory per node for its configuration, socket and log.
extension Lab {
    private func birdDirectory(_ node: String) -> String { "\(directory(of: node))/bird" }

    mutating func startBIRD(_ node: Topology.Node) throws(LabError) {
        guard access("/usr/sbin/bird", X_OK) == 0 else {
            throw LabError("The node \(node.name) runs BIRD, which is not installed: apt-get install bird2.")
        }
        let directory = birdDirectory(node.name)
        try Files.makeDirectory(directory)
        try writeConfiguration(birdConfiguration(node), to: "\(directory)/bird.conf")
        try makeTool("birdc", on: node.name, running: birdcWords(node.name))
        try giveBIRDAnAddress(node)
        unlink(birdSocket(node.name))
        try startDaemon(
            [
                "/usr/sbin/bird", "-f", "-c", "\(directory)/bird.conf", "-s", birdSocket(node.name), "-P",
                "\(directory)/bird.pid",
            ],
            on: node, log: "bird")
    }

    /// The control socket of BIRD. It exists as soon as BIRD answers.
    func birdSocket(_ node: String) -> String { "\(birdDirectory(node))/bird.ctl" }

    /// BIRD's OSPFv3 ignores the prefixes of an interface without a link-local address, such as `lo`. So the node's address is
    /// on one end of a veth pair.
    private func giveBIRDAnAddress(_ node: Topology.Node) throws(LabError) {
        let namespace = namespace(of: node.name)
        let present = try Command(["ip", "-n", namespace.name, "link", "show", "dev", "node0"]).output().status == 0
        guard !present else { return }
        try Namespace.batch(
            [
                // The indexes are below those of the cables (`AddressBook`).
                "link add node0 index 90 type veth peer name node0-peer index 91", "link set node0-peer up",
                "link set node0 up", "address add \(addresses.address(of: node.name))/128 dev node0",
            ], in: namespace)
    }

    /// The contents of `bird.conf`. The limit of 64 next hops is above what routes in a lab have. Static routes are those that
    /// ``Topology/Node/config`` may add. The stub cost of the node's address is the lowest, as with FRR; BIRD's default is 10.
    /// BIRD accepts no retransmission interval below 2 s.
    private func birdConfiguration(_ node: Topology.Node) -> String {
        if node.configIsWhole { return node.config }
        let options = node.ospf
        var port = [
            "type \(options.type == "broadcast" ? "broadcast" : "ptp");", "hello \(options.hello ?? 1);",
            "dead \(options.dead ?? 4);", "retransmit \(max(2, options.retransmit ?? 5));",
        ]
        if let cost = options.cost { port.append("cost \(cost);") }
        if let priority = options.priority { port.append("priority \(priority);") }
        return """
            log stderr all;
            router id \(options.routerID ?? addresses.routerID(of: node.name));
            protocol device { scan time 1; }
            protocol kernel {
                ipv6 { export where source ~ [ RTS_OSPF, RTS_OSPF_IA, RTS_OSPF_EXT1, RTS_OSPF_EXT2 ]; };
                merge paths on limit 64;
            }
            protocol ospf v3 mesh {
                ecmp on limit 64;
                ipv6 { import all; export where source = RTS_STATIC; };
                area 0 {
                    interface "cluster*" { \(port.joined(separator: " ")) };
                    interface "node0" { stub yes; cost 1; };
                };
            }
            \(node.config)

            """
    }

    /// The answer of BIRD to a command of `birdc`.
    public func birdc(_ node: String, _ command: String) throws(LabError) -> String {
        try Command(birdcWords(node) + command.split(separator: " ").map(String.init)).run()
    }

    private func birdcWords(_ node: String) -> [String] {
        ["/usr/sbin/birdc", "-s", "\(birdDirectory(node))/bird.ctl"]
    }
}
