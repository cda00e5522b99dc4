public import Addressing
public import Kubernetes
public import Services

/// What this node should announce of the cluster's services. Of a change, only the services it concerns are looked at.
public struct ServiceBoard: Sendable {
    /// The addresses to announce.
    public private(set) var entries: [IPv6Address: ServiceDemand] = [:]

    private let options: ServiceOptions
    private var node: NodeConditions
    private var services: [ObjectKey: Service] = [:]
    /// Slices by the service they belong to, and which service that is.
    private var slices: [ObjectKey: [ObjectKey: EndpointSlice]] = [:]
    private var owners: [ObjectKey: ObjectKey] = [:]
    private var wishes: [ObjectKey: [IPv6Address: Wish]] = [:]
    private var holders: [IPv6Address: Set<ObjectKey>] = [:]
    /// Addresses of which something else is wanted than when the changes were last taken.
    private var changed: Set<IPv6Address> = []

    /// Makes an empty board.
    public init(node: NodeConditions, options: ServiceOptions) {
        self.node = node
        self.options = options
    }

    /// What counts of this node; of a change all services are looked at.
    public mutating func setNode(_ conditions: NodeConditions) {
        guard node != conditions else { return }
        node = conditions
        for key in services.keys { review(key) }
    }

    /// A service as it is now; `nil` when it is gone.
    public mutating func set(_ key: ObjectKey, _ service: Service?) {
        services[key] = service
        review(key)
    }

    /// A slice as it is now; `nil` when it is gone.
    public mutating func set(_ key: ObjectKey, _ slice: EndpointSlice?) {
        let old = owners[key]
        let new = slice?.service
        if let old, old != new {
            slices[old]?[key] = nil
            if slices[old]?.isEmpty == true { slices[old] = nil }
            review(old)
        }
        owners[key] = new
        guard let new else { return }
        slices[new, default: [:]][key] = slice
        review(new)
    }

    /// Gives what has changed since this was last asked: addresses as they are now; `nil` is one that is not to be announced.
    public mutating func takeChanges() -> [IPv6Address: ServiceDemand?] {
        defer { changed = [] }
        return Dictionary(uniqueKeysWithValues: changed.map { ($0, entries[$0]) })
    }

    private mutating func review(_ key: ObjectKey) {
        let old = wishes[key] ?? [:]
        let own = slices[key]?.values.map(\.self) ?? []
        let new = services[key]?.wishes(on: node, slices: own, options: options) ?? [:]
        guard old != new else { return }
        wishes[key] = new.isEmpty ? nil : new
        for address in old.keys where new[address] == nil {
            holders[address]?.remove(key)
            if holders[address]?.isEmpty == true { holders[address] = nil }
        }
        for address in new.keys { holders[address, default: []].insert(key) }
        for address in Set(old.keys).union(new.keys) {
            let entry = entry(for: address)
            guard entries[address] != entry else { continue }
            entries[address] = entry
            changed.insert(address)
        }
    }

    /// Services that share an address are all reached where one of them is wanted: the keenest decides.
    private func entry(for address: IPv6Address) -> ServiceDemand? {
        guard let keys = holders[address]?.sorted(), let wish = keys.compactMap({ wishes[$0]?[address] }).max() else {
            return nil
        }
        return ServiceDemand(wish: wish, services: keys.map(\.description))
    }
}
