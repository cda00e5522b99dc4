internal import Glibc

extension Lab {
    /// Throws unless this process runs as root, as labs need.
    public static func checkPrivileges() throws(LabError) {
        guard geteuid() == 0 else {
            throw LabError("A lab makes network namespaces, and that needs root: try sudo.")
        }
    }

    /// Creates namespaces, ports and links, and starts no router. A lab of this name that is not complete is removed first; if
    /// a complete one exists, throws. If the creation fails, removes everything.
    public static func create(_ topology: Topology, name: String = defaultName) throws(LabError) -> Lab {
        try topology.validate()
        guard Topology.isUsable(name) else {
            throw LabError("“\(name)” cannot be the name of a lab: use 1 to 15 lower-case letters, digits and hyphens.")
        }
        try checkPrivileges()
        let lab = Lab(name: name, topology: topology)
        try Files.makeDirectory(lab.directory)
        return try Lock.whileHeld(in: lab.directory, sharedByPrograms: true) { () throws(LabError) in
            let present = try load(name)
            guard !present.isComplete else {
                throw LabError(
                    "\(present.title) is up already. Take it down with “\(lab.typed("down"))”, or make another with "
                        + "--name.")
            }
            // No process is creating it or starting its routers now: such a process would hold the lock.
            try present.sweep()
            do throws(LabError) { return try lab.createEverything() } catch {
                try? lab.sweep()
                Files.removeTree(lab.directory)
                throw error
            }
        }
    }

    /// Creates the lab, of which nothing but the directory and the lock exists, and returns it complete.
    private func createEverything() throws(LabError) -> Lab {
        if let taken = namespaces.first(where: \.exists) {
            throw LabError(
                "There is a namespace \(taken.name) that belongs to no lab; remove it with “ip netns delete "
                    + "\(taken.name)”, or choose another name for the lab with --name.")
        }
        // The state is saved before anything else is created, so that the lab can be found after a crash.
        try save()
        for node in topology.nodes { try Files.makeDirectory(directory(of: node.name)) }
        try makeNodes()
        try makeLinks()
        var lab = self
        lab.isComplete = true
        try lab.save()
        return lab
    }

    /// Removes everything: processes, namespaces, files. May be called again, and after a crash.
    public func destroy() throws(LabError) {
        guard Files.exists(directory) else { return try sweep() }
        try Lock.whileHeld(in: directory) { () throws(LabError) in
            try sweep()
            Files.removeTree(directory)
            guard !Files.exists(directory) else { throw .system("remove \(directory)") }
        }
    }

    /// Removes everything but the directory and the lock in it.
    private func sweep() throws(LabError) {
        // A process ends within milliseconds of SIGKILL, unless it is stuck in the kernel.
        let deadline = ContinuousClock.now + .seconds(5)
        // A process that is being forked while /proc is read may be missed, so repeat until there is none.
        while true {
            let processes = Namespace.processes(inside: namespaces).filter { $0 != getpid() }
            if processes.isEmpty { break }
            guard ContinuousClock.now < deadline else {
                throw LabError("The processes \(processes) in the lab \(name) do not end after SIGKILL.")
            }
            for pid in processes { kill(pid, SIGKILL) }
            // Our own children must be reaped. For other processes, this returns at once.
            for pid in processes { waitpid(pid, nil, 0) }
            usleep(2000)
        }
        try Namespace.remove(namespaces)
        for name in Files.names(in: directory) where name != Lock.fileName { Files.removeTree("\(directory)/\(name)") }
    }

    private func makeNodes() throws(LabError) {
        try Namespace.create(namespaces)
        // Addresses are unique by construction, so duplicate address detection would only take time. As on the nodes of a
        // cluster, the kernel also hashes the TCP or UDP ports of a packet to choose one of several next hops. Agents switch
        // forwarding on themselves.
        let settings = """
            cd /proc/sys/net/ipv6
            echo 0 > conf/all/accept_dad
            echo 0 > conf/default/accept_dad
            echo 1 > fib_multipath_hash_policy
            """
        try forEachNode { node in
            var script = settings
            if node.router == .frr || node.router == .bird { script += "\necho 1 > conf/all/forwarding" }
            return command(on: node.name, ["sh", "-ec", script])
        }
    }

    private func makeLinks() throws(LabError) {
        try Namespace.batch(
            zip(topology.links, addresses.ports).map { link, ports in
                let mtu = link.mtu.map { " mtu \($0)" } ?? ""
                func end(_ port: AddressBook.Port) -> String {
                    "name \(port.name) index \(port.index) address \(port.mac)\(mtu) netns \(namespace(of: port.node).name)"
                }
                return "link add \(end(ports.first)) type veth peer \(end(ports.second))"
            })
        try forEachNode { node in
            var lines = ["link set lo up"]
            // Without snooping, the bridge floods multicasts to all ports, as the hellos need.
            if node.router == .bridge { lines += ["link add lan type bridge mcast_snooping 0", "link set lan up"] }
            for port in addresses.ports(of: node.name) {
                if node.router == .bridge { lines.append("link set \(port.name) master lan") }
                lines.append("link set \(port.name) up")
            }
            return Command(
                ["ip", "-n", namespace(of: node.name).name, "-batch", "-"], input: lines.joined(separator: "\n") + "\n")
        }
    }

    /// Runs a command for each node, all concurrently.
    private func forEachNode(_ command: (Topology.Node) -> Command) throws(LabError) {
        var running: [RunningCommand] = []
        for node in topology.nodes { running.append(try command(node).spawn()) }
        for command in running { try command.checked() }
    }
}
