public import Addressing
public import Kubernetes
public import Services

/// Decides which pool addresses each service should have. Services go in as the API has them; services whose `status`
/// must change come out. It has no state beyond the services, so a new leader with the same services continues where
/// the last one stopped.
///
/// An address is free when no service should have it and no `status` contains it: an address that one service must release is
/// assigned to another only after the API server has stored its removal. Only the services that a change concerns are examined,
/// and when an address becomes free, those that wait for one.
public struct PoolAllocator: Sendable {
    /// The result of ``PoolAllocator/settle()``.
    public struct Decisions: Hashable, Sendable {
        /// Services whose `status` must be written (``target(of:)`` returns the addresses), sorted by key.
        public var toWrite: [ObjectKey] = []
        /// Services whose ``problem(of:)`` has changed, sorted by key.
        public var problems: [ObjectKey] = []
    }

    /// A service and the decisions about it.
    struct Record: Sendable {
        var service: Service
        var responsibility = Responsibility.otherController
        /// The addresses that it should have, in the order of its families.
        var held: [IPv6Address] = []
        /// Pool addresses in its `status` that it should not have.
        var staleAddresses: [IPv6Address] = []
        var problem: PoolProblem?
    }

    /// How the pools apply to a service.
    enum Responsibility: Sendable {
        /// Another controller is responsible for it. Its `status` is not written.
        case otherController
        /// It should have no pool addresses. Those in its `status` are removed.
        case noAddresses
        /// It requests addresses.
        case demand(PoolDemand)
        /// Its request for addresses is invalid. It gets no addresses, and those in its `status` are removed.
        case invalidRequest(PoolProblem)
    }

    private let loadBalancerClass: String
    var table: PoolTable
    var records: [ObjectKey: Record] = [:]
    /// For each address, the services that should have it, and the terms on which each shares it.
    var holders: [IPv6Address: [ObjectKey: SharingTerms]] = [:]
    /// For each address, the services whose `status` has it although they should not have it.
    private(set) var staleAddresses: [IPv6Address: Set<ObjectKey>] = [:]
    /// For each sharing key, the addresses of the services with that key.
    var shared: [String: Set<IPv6Address>] = [:]
    /// Services that do not have an address of every family that they request.
    private var unsatisfied: Set<ObjectKey> = []
    /// Services updated since the last ``settle()``.
    private var changed: Set<ObjectKey> = []
    /// Whether an address became free or shareable since the services that wait were last examined.
    private var isFreed = false

    /// Makes an allocator without services.
    public init(pools: [AddressPool], loadBalancerClass: String) {
        table = PoolTable(pools)
        self.loadBalancerClass = loadBalancerClass
    }

    /// The number of known services.
    public var count: Int { records.count }

    /// The latest known version of a service; `nil` if there is none.
    public func service(_ key: ObjectKey) -> Service? { records[key]?.service }

    /// What is wrong with a service; `nil` if it has the addresses that it requests, requests none, or is not known.
    public func problem(of key: ObjectKey) -> PoolProblem? { records[key]?.problem }

    /// The addresses that a service should have.
    public func addresses(of key: ObjectKey) -> [IPv6Address] { records[key]?.held ?? [] }

    /// The latest known version of a service, and the addresses to write into its `status`. `nil` if there is no such
    /// service, if its `status` has exactly these addresses, or if another controller is responsible for the service.
    public func target(of key: ObjectKey) -> (service: Service, addresses: [IPv6Address])? {
        guard let record = records[key] else { return nil }
        let service = record.service
        let wanted: [IPv6Address]
        switch record.responsibility {
        case .otherController: return nil
        case .noAddresses:
            // A name in the `status` was written by another controller, so the `status` is left unchanged.
            guard service.ingressNames.isEmpty else { return nil }
            wanted = service.ingressIPs.filter { table.pool(of: $0) == nil }
        case .demand, .invalidRequest: wanted = record.held
        }
        let isWritten = service.ingressNames.isEmpty && Set(service.ingressIPs) == Set(wanted)
        return isWritten ? nil : (service, wanted)
    }

    /// Updates a service. A version older than the known one is ignored.
    public mutating func update(_ service: Service) {
        if let known = records[service.key] {
            guard !service.metadata.isOlder(than: known.service.metadata) else { return }
            records[service.key]?.service = service
        } else {
            records[service.key] = Record(service: service)
        }
        changed.insert(service.key)
    }

    /// Removes a deleted service; `uid` distinguishes it from a new one with its name.
    public mutating func remove(_ key: ObjectKey, uid: String) {
        guard let record = records[key], record.service.metadata.uid == uid else { return }
        release(record.held, of: key)
        // What its `status` contained counts no longer.
        records[key]?.service.ingressIPs = []
        updateStaleAddresses(of: key)
        records[key] = nil
        unsatisfied.remove(key)
        changed.remove(key)
    }

    /// Assigns and releases addresses after any number of updates. Returns the services that this concerns.
    public mutating func settle() -> Decisions {
        var examined = changed
        let before = Dictionary(uniqueKeysWithValues: examined.map { ($0, records[$0]?.problem) })
        for key in changed.sorted() { review(key) }
        var waiting = examined.intersection(unsatisfied)
        changed = []
        var problems = before
        // A service that requires both families releases the address of one if it cannot get the other. Others may get that
        // address.
        repeat {
            if isFreed { waiting = unsatisfied }
            isFreed = false
            // An entry of `problems` is the problem before this settlement, `.some(nil)` if there was none.
            for key in waiting where problems[key] == nil { problems[key] = .some(records[key]?.problem) }
            examined.formUnion(waiting)
            for key in inOrder(waiting) { fill(key) }
        } while isFreed
        return Decisions(
            toWrite: examined.filter { target(of: $0) != nil }.sorted(),
            problems: problems.filter { records[$0.key]?.problem != $0.value }.keys.sorted())
    }

    /// Services that request a specific address come first, so that it is not assigned to another.
    private func inOrder(_ keys: Set<ObjectKey>) -> [ObjectKey] {
        let order = keys.sorted()
        let asksForAddress = { (key: ObjectKey) in
            if case .demand(let demand)? = records[key]?.responsibility { !demand.asked.isEmpty } else { false }
        }
        return order.filter(asksForAddress) + order.filter { !asksForAddress($0) }
    }
}

// The review of one service: how the pools apply to it, and which addresses it keeps.
extension PoolAllocator {
    private func responsibility(of service: Service) -> Responsibility {
        guard service.type == "LoadBalancer" else { return .noAddresses }
        guard service.isBalanced(by: loadBalancerClass) else { return .otherController }
        guard !service.metadata.isBeingDeleted else { return .noAddresses }
        do {
            return .demand(try service.poolDemand())
        } catch {
            return .invalidRequest(error)
        }
    }

    /// Whether another controller seems to have written the `status`: nothing marks the service as ours, and the `status` has a
    /// name, or only addresses outside of the pools.
    private func isForeign(_ service: Service) -> Bool {
        guard service.type == "LoadBalancer", service.isBalanced(by: loadBalancerClass),
            !service.isMeantForPools(of: loadBalancerClass)
        else { return false }
        return !service.ingressNames.isEmpty
            || !service.ingressIPs.isEmpty && service.ingressIPs.allSatisfy { table.pool(of: $0) == nil }
    }

    /// Determines how the pools apply to a service, and which of its addresses it keeps.
    private mutating func review(_ key: ObjectKey) {
        guard var record = records[key] else { return }
        let service = record.service
        let present = service.ingressIPs.filter { table.pool(of: $0) != nil }
        let old = record.held
        record.responsibility = isForeign(service) ? .otherController : responsibility(of: service)
        record.problem = isForeign(service) ? .foreign : nil
        record.held = []
        unsatisfied.remove(key)
        switch record.responsibility {
        case .otherController, .noAddresses: break
        case .invalidRequest(let problem): record.problem = problem
        case .demand(let demand):
            for family in demand.families {
                let mine = (old + present).first { $0.family == family && isAllowed($0, key, demand) }
                if let mine { record.held.append(mine) } else { unsatisfied.insert(key) }
            }
            hold(record.held, by: key, demand.terms)
        }
        release(old.filter { !record.held.contains($0) }, of: key)
        records[key] = record
        updateStaleAddresses(of: key)
    }

    /// Whether a service may have an address: it matches the request, and the other services that should have it agree to
    /// share it.
    private func isAllowed(_ address: IPv6Address, _ key: ObjectKey, _ demand: PoolDemand) -> Bool {
        guard let pool = table.pool(of: address), demand.pool.map({ $0 == table.pools[pool].name }) ?? true,
            demand.asked[address.family].map({ $0 == address }) ?? true
        else { return false }
        return conflictingHolder(to: demand.terms, at: address, besides: key) == nil
    }

    /// The first other service, by key, that should have an address on terms that do not agree with these; `nil` if there
    /// is none.
    func conflictingHolder(to terms: SharingTerms, at address: IPv6Address, besides key: ObjectKey) -> ObjectKey? {
        holders[address]?.lazy.filter { $0.key != key && !$0.value.agree(with: terms) }.map(\.key).min()
    }

    /// The first other service that prevents a service from getting an address: one that has it on terms that do not agree, or
    /// one whose `status` still has it; `nil` if there is none.
    func conflictingService(with terms: SharingTerms, at address: IPv6Address, for key: ObjectKey) -> ObjectKey? {
        conflictingHolder(to: terms, at: address, besides: key) ?? staleAddresses[address]?.filter { $0 != key }.min()
    }

    /// Whether a service should have an address, or a `status` still contains it.
    func isTaken(_ address: IPv6Address) -> Bool { holders[address] != nil || staleAddresses[address] != nil }
}

// Which service has which address.
extension PoolAllocator {
    /// Notes that a service should have addresses, on these terms.
    mutating func hold(_ addresses: [IPv6Address], by key: ObjectKey, _ terms: SharingTerms) {
        for address in addresses {
            let old = holders[address, default: [:]].updateValue(terms, forKey: key)
            // The service has changed its terms, and waiting services may agree with the new ones.
            if let old, old != terms {
                isFreed = true
                unshare(old, address)
            }
            if let key = terms.key { shared[key, default: []].insert(address) }
        }
    }

    /// Notes that a service should not have addresses any more.
    mutating func release(_ addresses: [IPv6Address], of key: ObjectKey) {
        for address in addresses {
            guard let terms = holders[address]?.removeValue(forKey: key) else { continue }
            isFreed = true
            if holders[address]?.isEmpty == true { holders[address] = nil }
            unshare(terms, address)
            if !isTaken(address) { table.release(address) }
        }
    }

    /// Removes an address from those under a sharing key, unless another service has it under the same key.
    private mutating func unshare(_ terms: SharingTerms, _ address: IPv6Address) {
        guard let key = terms.key, holders[address]?.values.contains(where: { $0.key == key }) != true else { return }
        shared[key]?.remove(address)
        if shared[key]?.isEmpty == true { shared[key] = nil }
    }

    /// Updates which pool addresses in the `status` of a service it should not have.
    mutating func updateStaleAddresses(of key: ObjectKey) {
        guard let record = records[key] else { return }
        let old = record.staleAddresses
        let new = record.service.ingressIPs.filter { !record.held.contains($0) && table.pool(of: $0) != nil }
        guard old != new else { return }
        records[key]?.staleAddresses = new
        for address in new { staleAddresses[address, default: []].insert(key) }
        for address in old where !new.contains(address) {
            staleAddresses[address]?.remove(key)
            guard staleAddresses[address]?.isEmpty == true else { continue }
            staleAddresses[address] = nil
            isFreed = true
            if !isTaken(address) { table.release(address) }
        }
    }

    mutating func setUnsatisfied(_ key: ObjectKey, _ isSo: Bool) {
        if isSo { unsatisfied.insert(key) } else { unsatisfied.remove(key) }
    }
}
