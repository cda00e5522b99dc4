internal import FoundationEssentials
internal import Glibc

extension Lab {
    /// The contents of a lab's file.
    private struct State: Codable {
        var topology: Topology
        var faults: [Int: Fault]
        var processes: [String: [Int32]]
        var services: [String: [Int32]]
        var poweredOff: Set<String>
        var isComplete: Bool
    }

    private static func stateFile(in directory: String) -> String { "\(directory)/lab.json" }

    /// Saves the state for the next command.
    func save() throws(LabError) {
        let state = State(
            topology: topology, faults: faults, processes: processes, services: services,
            poweredOff: poweredOff, isComplete: isComplete)
        guard let data = try? JSONEncoder().encode(state) else { throw LabError("Cannot save the lab \(name).") }
        try Files.write(String(decoding: data, as: UTF8.self), to: Self.stateFile(in: directory))
    }

    /// The lab with this name. Without a name, the lab with the default name, or else the only one that exists. Throws if there
    /// is no such lab.
    public static func find(_ name: String?) throws(LabError) -> Lab {
        let names = all()
        guard !names.isEmpty else { throw LabError("No lab is up; “meshlab up” makes one.") }
        if let name {
            if names.contains(name) { return try load(name) }
            throw LabError("No lab “\(name)” is up. Up: \(names.joined(separator: ", ")).")
        }
        if names.contains(defaultName) { return try load(defaultName) }
        guard names.count == 1 else {
            throw LabError("Several labs are up: \(names.joined(separator: ", ")). Choose one with --name.")
        }
        return try load(names[0])
    }

    /// The lab with this name, complete or not. Before its state is saved for the first time, it has no nodes. Throws if there
    /// is no such lab or its file cannot be parsed.
    public static func load(_ name: String) throws(LabError) -> Lab {
        let file = stateFile(in: "\(root)/\(name)")
        guard let text = Files.read(file) else {
            guard all(includingEmpty: true).contains(name) else { throw LabError("No lab “\(name)” is up.") }
            // It is being created, or the process that creates it crashed before it saved anything.
            return Lab(name: name, topology: Topology(name: "nothing yet", nodes: [], links: []))
        }
        guard let state = try? JSONDecoder().decode(State.self, from: Data(text.utf8)) else {
            throw LabError(
                "Cannot parse \(file); another version may have written it. Remove the namespaces mesh-* with "
                    + "“ip netns delete NAME”, then the directory \(root)/\(name).")
        }
        var lab = Lab(name: name, topology: state.topology)
        lab.faults = state.faults
        lab.processes = state.processes
        lab.services = state.services
        lab.poweredOff = state.poweredOff
        lab.isComplete = state.isComplete
        return lab
    }

    /// The names of all labs, complete or not, sorted. If `includingEmpty`, also of empty directories: the creation of such a lab
    /// was killed before it had the lock.
    public static func all(includingEmpty: Bool = false) -> [String] {
        Files.names(in: root).filter {
            let directory = "\(root)/\($0)"
            return Files.exists(stateFile(in: directory)) || Files.exists("\(directory)/\(Lock.fileName)")
                || includingEmpty && Files.names(in: directory).isEmpty
        }
    }

    /// Removes labs of test runs that were killed: those whose name begins with `prefix` and the ID of a process that no longer
    /// exists.
    public static func destroyLeftOvers(prefix: String) throws(LabError) {
        for name in all() where name.hasPrefix(prefix) {
            let digits = name.dropFirst(prefix.count).prefix { $0.isNumber }
            if let process = Int32(digits), kill(process, 0) != 0 { try load(name).destroy() }
        }
    }
}
