public import Addressing
public import Kubernetes
public import Services

/// Decides which pool addresses each service should have. Services go in as the API has them; services whose `status`
/// must change come out. It has no state beyond the services, so a new leader with the same services continues where
/// the last one stopped.
///
/// An address is free when no service should have it and no `status` contains it: an address that one service must release is
/// assigned to another only after the API server has stored its removal. ``settle()`` examines the services that were updated
/// and, when an address may have become free or shareable, those that lack one.
public struct PoolAllocator: Sendable {
    /// The result of ``PoolAllocator/settle()``.
    public struct Decisions: Hashable, Sendable {
        /// Of the services examined in this call, those whose `status` must be written (``target(of:)`` returns the
        /// addresses), sorted by key.
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
        /// Another controller is responsible for it, or seems to be. Its `status` is not written.
        case otherController
        /// It should have no pool addresses. Those in its `status` are removed, unless the `status` has a hostname.
        case noAddresses
        /// It requests addresses.
        case demand(PoolDemand)
        /// Its request for addresses is invalid. It gets none, and all addresses and hostnames in its `status` are removed.
        case invalidRequest(PoolProblem)
    }

    private let loadBalancerClass: String
    var table: PoolTable
    var records: [ObjectKey: Record] = [:]
    /// For each address, the services that should have it, and the terms on which each shares it.
    var holders: [IPv6Address: [ObjectKey: SharingTerms]] = [:]
    /// For each address, the services whose `status` has it although they should not have it.
    private(set) var staleAddresses: [IPv6Address: Set<ObjectKey>] = [:]
    /// For each sharing key, the addresses that services with that key should have.
    var shared: [String: Set<IPv6Address>] = [:]
    /// Services that lack an address of a family that they request.
    private var unsatisfied: Set<ObjectKey> = []
    /// Services updated since the last ``settle()``.
    private var changed: Set<ObjectKey> = []
    /// Whether an address may have become free or shareable since the services that lack one were last examined.
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

    /// The problem that the last ``settle()`` found with a service, if any. With `PreferDualStack` an address of one family is
    /// enough, unless the service requests a specific address of the other.
    public func problem(of key: ObjectKey) -> PoolProblem? { records[key]?.problem }

    /// The addresses that a service should have.
    public func addresses(of key: ObjectKey) -> [IPv6Address] { records[key]?.held ?? [] }

    /// The latest known version of a service, and the addresses to write into its `status`. `nil` if the service is not known,
    /// or its `status` is to stay as it is.
    public func target(of key: ObjectKey) -> (service: Service, addresses: [IPv6Address])? {
        guard let record = records[key] else { return nil }
        let service = record.service
        let wanted: [IPv6Address]
        switch record.responsibility {
        case .otherController: return nil
        case .noAddresses:
            // A hostname in the `status` was written by another controller, so the `status` is left unchanged.
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

    /// Removes a deleted service. Does nothing if the known service has another `uid`: it is a new one of the same name.
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

    /// Assigns and releases addresses after any number of updates. Returns the services that must be written, and those whose
    /// problem has changed.
    public mutating func settle() -> Decisions {
        var examined = changed
        let problemsOfChanged = Dictionary(uniqueKeysWithValues: examined.map { ($0, records[$0]?.problem) })
        for key in changed.sorted() { review(key) }
        var waiting = examined.intersection(unsatisfied)
        changed = []
        var oldProblems = problemsOfChanged
        // A service that requires both families releases its address of one if it cannot get one of the other. Another service
        // may get the released address.
        repeat {
            if isFreed { waiting = unsatisfied }
            isFreed = false
            // An entry of `oldProblems` is the problem before this call, `.some(nil)` if there was none.
            for key in waiting where oldProblems[key] == nil { oldProblems[key] = .some(records[key]?.problem) }
            examined.formUnion(waiting)
            for key in inOrder(waiting) { fill(key) }
        } while isFreed
        return Decisions(
            toWrite: examined.filter { target(of: $0) != nil }.sorted(),
            problems: oldProblems.filter { records[$0.key]?.problem != $0.value }.keys.sorted())
    }

    /// Sorts by key, but puts services that request a specific address first, so that no service without such a request gets
    /// that address.
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

    /// Whether another controller seems to have written the `status`: the service is of type `LoadBalancer` without a class and
    /// without a ``PoolAnnotation``, and the `status` has a hostname, or addresses of which none is in a pool.
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

    /// Whether a service may keep an address: the address is in a pool and matches the request, and all other services that
    /// should have it agree to share it.
    private func isAllowed(_ address: IPv6Address, _ key: ObjectKey, _ demand: PoolDemand) -> Bool {
        guard let pool = table.pool(of: address), demand.pool.map({ $0 == table.pools[pool].name }) ?? true,
            demand.asked[address.family].map({ $0 == address }) ?? true
        else { return false }
        return conflictingHolder(to: demand.terms, at: address, besides: key) == nil
    }

    /// The first other service, by key, that should have an address on terms that do not agree with `terms`; `nil` if
    /// there is none.
    func conflictingHolder(to terms: SharingTerms, at address: IPv6Address, besides key: ObjectKey) -> ObjectKey? {
        holders[address]?.lazy.filter { $0.key != key && !$0.value.agree(with: terms) }.map(\.key).min()
    }

    /// Another service that prevents a service from getting an address: one that should have the address on terms that do not
    /// agree with `terms`, or one whose `status` still has the address; `nil` if there is none.
    func conflictingService(with terms: SharingTerms, at address: IPv6Address, for key: ObjectKey) -> ObjectKey? {
        conflictingHolder(to: terms, at: address, besides: key) ?? staleAddresses[address]?.filter { $0 != key }.min()
    }

    /// Whether any service should have an address, or the `status` of any still contains it.
    func isTaken(_ address: IPv6Address) -> Bool { holders[address] != nil || staleAddresses[address] != nil }
}

// Which service should have which address.
extension PoolAllocator {
    /// Notes that a service should have addresses, on `terms`.
    mutating func hold(_ addresses: [IPv6Address], by key: ObjectKey, _ terms: SharingTerms) {
        for address in addresses {
            let old = holders[address, default: [:]].updateValue(terms, forKey: key)
            // The terms of the service have changed. Services that lack an address may agree with the new terms.
            if let old, old != terms {
                isFreed = true
                unshare(old, address)
            }
            if let key = terms.key { shared[key, default: []].insert(address) }
        }
    }

    /// Notes that a service should not have these addresses any more.
    mutating func release(_ addresses: [IPv6Address], of key: ObjectKey) {
        for address in addresses {
            guard let terms = holders[address]?.removeValue(forKey: key) else { continue }
            isFreed = true
            if holders[address]?.isEmpty == true { holders[address] = nil }
            unshare(terms, address)
            if !isTaken(address) { table.release(address) }
        }
    }

    /// Removes an address from ``shared`` under the key of `terms`, unless a service still should have it under this key.
    private mutating func unshare(_ terms: SharingTerms, _ address: IPv6Address) {
        guard let key = terms.key, holders[address]?.values.contains(where: { $0.key == key }) != true else { return }
        shared[key]?.remove(address)
        if shared[key]?.isEmpty == true { shared[key] = nil }
    }

    /// Updates which pool addresses are in the `status` of a service although the service should not have them.
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

    mutating func setUnsatisfied(_ key: ObjectKey, _ isUnsatisfied: Bool) {
        if isUnsatisfied { unsatisfied.insert(key) } else { unsatisfied.remove(key) }
    }
}
