internal import Linux
internal import Netlink
internal import Node

/// Keeps our nftables table for the bypass of the service proxy as the node requests it.
actor BypassTable {
    /// Opened with the first request: not every machine has nftables.
    private var tables: NetfilterTables?
    /// The generation of nftables at which the table was last found as we left it; `nil` if it must be compared.
    private var seenGeneration: UInt32?
    /// The table as we left it.
    private var expected: BypassRules.Listing?
    /// When the elements of its sets were last compared.
    private var elementsCompared = ContinuousClock.now

    /// With more elements, they are compared less often than the rules: to list 10,000 takes about 0.2 s.
    private static let fewElements = 2000
    private static let elementsInterval = Duration.seconds(60)

    /// Carries out a request. The caller waits for the outcome before it makes the next one.
    func carryOut(_ request: ProxyBypass.Request) async -> ProxyBypass.Outcome {
        do {
            switch request {
            case .replace(let contents):
                try await NFTables.run(["-f", "-"], input: BypassRules.replacement(contents))
                expected = try await listing()
            case .change(let adding, let removing):
                try await NFTables.run(["-f", "-"], input: BypassRules.change(adding: adding, removing: removing))
                expected?.count(adding: adding, removing: removing)
            case .check: return try await check()
            case .remove: try netlink().remove(BypassRules.table)
            }
            // Our transaction has changed it, and another program may have too.
            seenGeneration = nil
            return .done
        } catch {
            return .failed("\(error)")
        }
    }

    /// Compares the table with what we left, if anything in nftables has changed since the last comparison.
    private func check() async throws -> ProxyBypass.Outcome {
        // Read before the table, so that a change during the comparison leads to another one.
        let generation = try netlink().generation()
        if generation == seenGeneration { return .done }
        guard let expected else { return .changedByOthers }
        let now = ContinuousClock.now
        if expected.count <= Self.fewElements || now - elementsCompared >= Self.elementsInterval {
            guard let found = try? await listing(), found == expected else { return .changedByOthers }
            elementsCompared = now
            seenGeneration = generation
        } else {
            // The generation counts as seen only when all was compared.
            guard let found = try? await listing(withElements: false), found.structure == expected.structure else {
                return .changedByOthers
            }
        }
        return .done
    }

    private func listing(withElements: Bool = true) async throws(NFTables.Failure) -> BypassRules.Listing {
        let options = withElements ? [] : ["--terse"]
        return BypassRules.Listing(try await NFTables.run(options + ["list", "table", "inet", BypassRules.table]))
    }

    private func netlink() throws(SystemError) -> NetfilterTables {
        if let tables { return tables }
        let opened = try NetfilterTables()
        tables = opened
        return opened
    }
}
