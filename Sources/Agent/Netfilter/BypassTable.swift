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
        guard let found = try? await listing(), found == expected else { return .changedByOthers }
        seenGeneration = generation
        return .done
    }

    private func listing() async throws(NFTables.Failure) -> BypassRules.Listing {
        BypassRules.Listing(try await NFTables.run(["list", "table", "inet", BypassRules.table]))
    }

    private func netlink() throws(SystemError) -> NetfilterTables {
        if let tables { return tables }
        let opened = try NetfilterTables()
        tables = opened
        return opened
    }
}
