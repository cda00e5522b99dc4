public import Addressing
public import Kubernetes
public import Services

/// Decides which pool addresses each service should have. Services go in as the API has them; services whose `status`
/// must change come out. It has no state beyond the services, so a new leader with the same services continues where
/// the last one stopped.
///
/// An address is free when no service should have it and no `status` contains it: an address taken from one service is
/// assigned to another only after the API server has stored its removal. Only the services that a change concerns are
/// examined, and when an address becomes free, those that wait for one.
public struct PoolAllocator: Sendable {
    /// What became of the changes.
    public struct Decisions: Hashable, Sendable {
        /// Services of which ``target(of:)`` has something to write, in order.
        public var toWrite: [ObjectKey] = []
        /// Services with which something else is wrong than before, in order.
        public var problems: [ObjectKey] = []
    }

    struct Record: Sendable {
        var service: Service
        var claim = Claim.others
        /// What it is meant to have, by family in its order.
        var held: [IPv6Address] = []
        /// What of the pools its `status` has beyond that.
        var residue: [IPv6Address] = []
        var problem: PoolProblem?
    }

    /// What a service is to the pools.
    enum Claim: Sendable {
        /// Another controller's business.
        case others
        /// It gets nothing, and what it has of the pools is taken back.
        case nothing
        /// It gets what it wants.
        case demand(PoolDemand)
        /// It wants something that cannot be understood.
        case mistake(PoolProblem)
    }

    private let loadBalancerClass: String
    var table: PoolTable
    var records: [ObjectKey: Record] = [:]
    /// Who is meant to have an address, and on which terms.
    var holders: [IPv6Address: [ObjectKey: SharingTerms]] = [:]
    /// Whose `status` has an address that it is not meant to have.
    private(set) var staleAddresses: [IPv6Address: Set<ObjectKey>] = [:]
    /// Addresses that are shared under a key.
    var shared: [String: Set<IPv6Address>] = [:]
    /// Services that lack an address they want.
    private var lacking: Set<ObjectKey> = []
    private var changed: Set<ObjectKey> = []
    private var isFreed = false

    /// Makes one that knows of no service yet.
    public init(pools: [AddressPool], loadBalancerClass: String) {
        table = PoolTable(pools)
        self.loadBalancerClass = loadBalancerClass
    }

    /// How many services are known.
    public var count: Int { records.count }

    /// A service as it was last taken in.
    public func service(_ key: ObjectKey) -> Service? { records[key]?.service }

    /// What is wrong with a service; `nil` if it has what it wants, or wants nothing.
    public func problem(of key: ObjectKey) -> PoolProblem? { records[key]?.problem }

    /// The addresses a service is meant to have.
    public func addresses(of key: ObjectKey) -> [IPv6Address] { records[key]?.held ?? [] }

    /// The service as it was last taken in, and the addresses to write into its `status`; `nil` if it has them, or is none
    /// of ours.
    public func target(of key: ObjectKey) -> (service: Service, addresses: [IPv6Address])? {
        guard let record = records[key] else { return nil }
        let service = record.service
        let wanted: [IPv6Address]
        switch record.claim {
        case .others: return nil
        case .nothing:
            // The status contains a name, which is another controller's.
            guard service.ingressNames.isEmpty else { return nil }
            wanted = service.ingressIPs.filter { table.pool(of: $0) == nil }
        case .demand, .mistake: wanted = record.held
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
        records[key]?.service.ingressIPs = []
        updateStaleAddresses(of: key)
        records[key] = nil
        lacking.remove(key)
        changed.remove(key)
    }

    /// Decides, after any number of changes.
    public mutating func settle() -> Decisions {
        var looked = changed
        let before = Dictionary(uniqueKeysWithValues: looked.map { ($0, records[$0]?.problem) })
        for key in changed.sorted() { review(key) }
        var waiting = looked.intersection(lacking)
        changed = []
        var problems = before
        // What gives up its share of two frees it for others.
        repeat {
            if isFreed { waiting = lacking }
            isFreed = false
            for key in waiting where problems[key] == nil { problems[key] = .some(records[key]?.problem) }
            looked.formUnion(waiting)
            for key in inTurn(waiting) { fill(key) }
        } while isFreed
        return Decisions(
            toWrite: looked.filter { target(of: $0) != nil }.sorted(),
            problems: problems.filter { records[$0.key]?.problem != $0.value }.keys.sorted())
    }

    /// Services that request a specific address come first, so that it is not assigned to another.
    private func inTurn(_ keys: Set<ObjectKey>) -> [ObjectKey] {
        let order = keys.sorted()
        let isAsking = { (key: ObjectKey) in
            if case .demand(let demand)? = records[key]?.claim { !demand.asked.isEmpty } else { false }
        }
        return order.filter(isAsking) + order.filter { !isAsking($0) }
    }
}

// What is kept.
extension PoolAllocator {
    private func claim(of service: Service) -> Claim {
        guard service.type == "LoadBalancer" else { return .nothing }
        guard service.isBalanced(by: loadBalancerClass) else { return .others }
        guard !service.metadata.isBeingDeleted else { return .nothing }
        do {
            return .demand(try service.poolDemand())
        } catch {
            return .mistake(error)
        }
    }

    /// Whether its `status` is another controller's, as far as can be known.
    private func isForeign(_ service: Service) -> Bool {
        guard service.type == "LoadBalancer", service.isBalanced(by: loadBalancerClass),
            !service.isMeantForPools(of: loadBalancerClass)
        else { return false }
        return !service.ingressNames.isEmpty
            || !service.ingressIPs.isEmpty && service.ingressIPs.allSatisfy { table.pool(of: $0) == nil }
    }

    /// Works out what a service is to the pools and what it keeps of what it has.
    private mutating func review(_ key: ObjectKey) {
        guard var record = records[key] else { return }
        let service = record.service
        let present = service.ingressIPs.filter { table.pool(of: $0) != nil }
        let old = record.held
        record.claim = isForeign(service) ? .others : claim(of: service)
        record.problem = isForeign(service) ? .foreign : nil
        record.held = []
        lacking.remove(key)
        switch record.claim {
        case .others, .nothing: break
        case .mistake(let problem): record.problem = problem
        case .demand(let demand):
            for family in demand.families {
                let mine = (old + present).first { $0.family == family && isAllowed($0, key, demand) }
                if let mine { record.held.append(mine) } else { lacking.insert(key) }
            }
            hold(record.held, by: key, demand.terms)
        }
        release(old.filter { !record.held.contains($0) }, of: key)
        records[key] = record
        updateStaleAddresses(of: key)
    }

    /// Whether a service may have an address that is not lost to others already.
    private func isAllowed(_ address: IPv6Address, _ key: ObjectKey, _ demand: PoolDemand) -> Bool {
        guard let pool = table.pool(of: address), demand.pool.map({ $0 == table.pools[pool].name }) ?? true,
            demand.asked[address.family].map({ $0 == address }) ?? true
        else { return false }
        return stranger(to: demand.terms, at: address, besides: key) == nil
    }

    /// Who has an address on terms that do not agree.
    func stranger(to terms: SharingTerms, at address: IPv6Address, besides key: ObjectKey) -> ObjectKey? {
        holders[address]?.lazy.filter { $0.key != key && !$0.value.agree(with: terms) }.map(\.key).min()
    }

    /// The services that have an address that another service requests.
    func conflictingService(with terms: SharingTerms, at address: IPv6Address, for key: ObjectKey) -> ObjectKey? {
        stranger(to: terms, at: address, besides: key) ?? staleAddresses[address]?.filter { $0 != key }.min()
    }

    func isHeld(_ address: IPv6Address) -> Bool { holders[address] != nil || staleAddresses[address] != nil }
}

// Who has what.
extension PoolAllocator {
    mutating func hold(_ addresses: [IPv6Address], by key: ObjectKey, _ terms: SharingTerms) {
        for address in addresses {
            let old = holders[address, default: [:]].updateValue(terms, forKey: key)
            // On other terms, others may get along.
            if let old, old != terms {
                isFreed = true
                unshare(old, address)
            }
            if let key = terms.key { shared[key, default: []].insert(address) }
        }
    }

    mutating func release(_ addresses: [IPv6Address], of key: ObjectKey) {
        for address in addresses {
            guard let terms = holders[address]?.removeValue(forKey: key) else { continue }
            isFreed = true
            if holders[address]?.isEmpty == true { holders[address] = nil }
            unshare(terms, address)
            if !isHeld(address) { table.release(address) }
        }
    }

    private mutating func unshare(_ terms: SharingTerms, _ address: IPv6Address) {
        guard let key = terms.key, holders[address]?.values.contains(where: { $0.key == key }) != true else { return }
        shared[key]?.remove(address)
        if shared[key]?.isEmpty == true { shared[key] = nil }
    }

    /// Notes what a service's `status` has of the pools and it is not meant to have.
    mutating func updateStaleAddresses(of key: ObjectKey) {
        guard let record = records[key] else { return }
        let old = record.residue
        let new = record.service.ingressIPs.filter { !record.held.contains($0) && table.pool(of: $0) != nil }
        guard old != new else { return }
        records[key]?.residue = new
        for address in new { staleAddresses[address, default: []].insert(key) }
        for address in old where !new.contains(address) {
            staleAddresses[address]?.remove(key)
            guard staleAddresses[address]?.isEmpty == true else { continue }
            staleAddresses[address] = nil
            isFreed = true
            if !isHeld(address) { table.release(address) }
        }
    }

    mutating func setUnsatisfied(_ key: ObjectKey, _ isSo: Bool) {
        if isSo { lacking.insert(key) } else { lacking.remove(key) }
    }
}
