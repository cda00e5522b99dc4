public import Addressing
public import Kubernetes
public import Services

/// The addresses of the cluster's services that this node should announce. A change examines only the services that it
/// concerns.
public struct ServiceAnnouncements: Sendable {
    /// The addresses to announce.
    public private(set) var entries: [IPv6Address: ServiceDemand] = [:]

    private let options: ServiceOptions
    private var node: NodeConditions
    private var services: [ObjectKey: Service] = [:]
    /// The EndpointSlices of each service, by their keys.
    private var slices: [ObjectKey: [ObjectKey: EndpointSlice]] = [:]
    /// The service of each EndpointSlice.
    private var servicesOfSlices: [ObjectKey: ObjectKey] = [:]
    /// For each service, the level of each of its addresses.
    private var levels: [ObjectKey: [IPv6Address: AnnouncementLevel]] = [:]
    /// For each address, the services that want it announced.
    private var demandingServices: [IPv6Address: Set<ObjectKey>] = [:]
    /// Addresses that changed since the last ``takeChanges()``.
    private var changed: Set<IPv6Address> = []

    /// Makes announcements without services.
    public init(node: NodeConditions, options: ServiceOptions) {
        self.node = node
        self.options = options
    }

    /// Sets the conditions of this node. A change examines all services.
    public mutating func setNode(_ conditions: NodeConditions) {
        guard node != conditions else { return }
        node = conditions
        for key in services.keys { review(key) }
    }

    /// Sets or, with `nil`, removes a service.
    public mutating func set(_ key: ObjectKey, _ service: Service?) {
        services[key] = service
        review(key)
    }

    /// Sets or, with `nil`, removes an EndpointSlice.
    public mutating func set(_ key: ObjectKey, _ slice: EndpointSlice?) {
        let old = servicesOfSlices[key]
        let new = slice?.service
        if let old, old != new {
            slices[old]?[key] = nil
            if slices[old]?.isEmpty == true { slices[old] = nil }
            review(old)
        }
        servicesOfSlices[key] = new
        guard let new else { return }
        slices[new, default: [:]][key] = slice
        review(new)
    }

    /// The changes since the last call; `nil` for an address that is not announced any more.
    public mutating func takeChanges() -> [IPv6Address: ServiceDemand?] {
        defer { changed = [] }
        return Dictionary(uniqueKeysWithValues: changed.map { ($0, entries[$0]) })
    }

    private mutating func review(_ key: ObjectKey) {
        let old = levels[key] ?? [:]
        let own = slices[key]?.values.map(\.self) ?? []
        let new = services[key]?.levels(on: node, slices: own, options: options) ?? [:]
        guard old != new else { return }
        levels[key] = new.isEmpty ? nil : new
        for address in old.keys where new[address] == nil {
            demandingServices[address]?.remove(key)
            if demandingServices[address]?.isEmpty == true { demandingServices[address] = nil }
        }
        for address in new.keys { demandingServices[address, default: []].insert(key) }
        for address in Set(old.keys).union(new.keys) {
            let entry = entry(for: address)
            guard entries[address] != entry else { continue }
            entries[address] = entry
            changed.insert(address)
        }
    }

    /// The demand for an address: the highest level of the services that want it announced; `nil` if none does.
    private func entry(for address: IPv6Address) -> ServiceDemand? {
        guard let keys = demandingServices[address]?.sorted(),
            let level = keys.compactMap({ levels[$0]?[address] }).max()
        else { return nil }
        return ServiceDemand(level: level, services: keys.map(\.description))
    }
}
