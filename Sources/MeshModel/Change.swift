public import Addressing
internal import OSPF

/// A change of a mesh, to ask what it would do.
public enum Change: Hashable, Sendable {
    /// The links at these ports fail. A port on a segment loses the segment.
    case failPorts([PortID])
    /// A router fails.
    case failRouter(RouterID)
    /// The ports get a cost.
    case cost([PortID], UInt16)
    /// A router is drained: others route around it, and its VIPs are the last resort.
    case drain(RouterID)
    /// A cable is plugged in.
    case addLink(RouterID, RouterID, cost: UInt16)
}

/// Why a change cannot be understood, or not be made.
public struct ChangeError: Error, Hashable, Sendable, CustomStringConvertible {
    public var description: String
    /// What may help; `nil` if nothing does.
    public var hint: String?

    init(_ description: String, hint: String? = nil) {
        self.description = description
        self.hint = hint
    }
}

extension MeshModel {
    /// Parses what fails: a router (`n7`), the cables between two routers (`n1-n2`), or a port (`n1:eth0`, `n1:3`), whose names
    /// are given for the routers for which they are known.
    public mutating func failure(parsing text: String, portNames: [PortID: String] = [:]) throws(ChangeError) -> Change
    {
        if let router = router(named: text) { return .failRouter(router) }
        if let port = try port(parsing: text, portNames) { return .failPorts([port]) }
        return .failPorts(try ports(ofLink: text))
    }

    /// The name of a port, as far as it is known, or its interface ID.
    private func name(_ port: PortID, _ portNames: [PortID: String]) -> String {
        portNames[port] ?? name(of: port) ?? String(port.interfaceID)
    }

    /// The port with this name; `nil` if the text does not begin with the name of a router and a colon.
    private mutating func port(parsing text: String, _ portNames: [PortID: String]) throws(ChangeError) -> PortID? {
        if let colon = text.lastIndex(of: ":"), let router = router(named: String(text[..<colon])) {
            let name = text[text.index(after: colon)...]
            let links = links(of: router)
            let port = links.map { PortID(router: router, interfaceID: $0.interfaceID) }.first {
                self.name($0, portNames) == name || String($0.interfaceID) == name
            }
            guard let port else {
                throw ChangeError(
                    "\(self.name(of: router)) has no link at a port \(name)",
                    hint: "its ports are "
                        + links.map {
                            self.name(PortID(router: router, interfaceID: $0.interfaceID), portNames)
                        }.joined(separator: ", "))
            }
            return port
        }
        return nil
    }

    /// Parses a cost of the cables between two routers, `n3-n4=100`, 1–65535 at both ends; or of one port, `n3:eth0=100`.
    public mutating func cost(parsing text: String, portNames: [PortID: String] = [:]) throws(ChangeError) -> Change {
        let (link, cost) = try Self.split(text, example: "n3-n4=100")
        if let port = try port(parsing: link, portNames) { return .cost([port], cost) }
        return .cost(try ports(ofLink: link), cost)
    }

    /// Parses a new cable, `n2-n9` or, with its cost, `n2-n9=20`; without, the cost is 10.
    public func addition(parsing text: String) throws(ChangeError) -> Change {
        let (link, cost) = text.contains("=") ? try Self.split(text, example: "n2-n9=20") : (text, 10)
        let (one, other) = try routers(ofLink: link)
        return .addLink(one, other, cost: cost)
    }

    /// Parses the router of a drain.
    public func drain(parsing text: String) throws(ChangeError) -> Change { .drain(try knownRouter(text)) }

    /// The router with a name.
    public func knownRouter(_ text: String) throws(ChangeError) -> RouterID {
        if let router = router(named: text) { return router }
        throw ChangeError("there is no node \(text)", hint: hintOfNames)
    }

    private var hintOfNames: String {
        let names = routers.prefix(20).map { name(of: $0) }
        return "nodes are " + names.joined(separator: ", ") + (routers.count > 20 ? ", …" : "")
    }

    private static func split(_ text: String, example: String) throws(ChangeError) -> (link: String, cost: UInt16) {
        let parts = text.split(separator: "=", omittingEmptySubsequences: false)
        guard parts.count == 2, let cost = UInt16(parts[1]), cost > 0 else {
            throw ChangeError("\(text) has no cost from 1 to 65535", hint: "for example \(example)")
        }
        return (String(parts[0]), cost)
    }

    /// The two routers of a link `n1-n2`. Names may contain hyphens, too.
    private func routers(ofLink text: String) throws(ChangeError) -> (RouterID, RouterID) {
        for place in text.indices where text[place] == "-" {
            guard let one = router(named: String(text[..<place])),
                let other = router(named: String(text[text.index(after: place)...]))
            else { continue }
            guard one != other else { throw ChangeError("\(text) has the same node at both ends") }
            return (one, other)
        }
        throw ChangeError("\(text) is neither a node nor a link between two nodes", hint: hintOfNames)
    }

    /// The ports at both ends of all cables between two routers.
    private mutating func ports(ofLink text: String) throws(ChangeError) -> [PortID] {
        let (one, other) = try routers(ofLink: text)
        var ports: [PortID] = []
        for link in links(of: one) {
            guard case .router(other, let interfaceID) = link.peer else { continue }
            ports += [
                PortID(router: one, interfaceID: link.interfaceID), PortID(router: other, interfaceID: interfaceID),
            ]
        }
        if ports.isEmpty {
            let isShared = allLinks().contains { $0.isSegment && $0.end(of: one) != nil && $0.end(of: other) != nil }
            throw ChangeError(
                "there is no cable between \(name(of: one)) and \(name(of: other))",
                hint: isShared ? "they share a segment: name the port of one of them, as in \(name(of: one)):eth0" : nil
            )
        }
        return ports
    }
}
