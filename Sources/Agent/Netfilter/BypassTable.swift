internal import Addressing
internal import Linux
internal import Netlink
internal import Node

/// Keeps our nftables table for the bypass of the service proxy as the node requests it.
actor BypassTable {
    /// Opened with the first request: not every machine has nftables.
    private var tables: NetfilterTables?
    /// The generation of nftables at which the table was last found as we left it; `nil` if it must be compared.
    private var seenGeneration: UInt32?
    /// The table as we left it, without the elements of sets.
    private var structure: String?
    /// The addresses in the table as we left it.
    private var addresses: Set<IPv6Address> = []
    /// When all addresses were last written.
    private var filled = ContinuousClock.now

    /// With more addresses, they are written again less often: 10,000 take about 0.1 s. They are not read, because `nft` reads a
    /// large set again and again while other programs change their tables.
    private static let fewAddresses = 1000
    private static let refillInterval = Duration.seconds(60)

    /// Carries out a request. The caller waits for the outcome before it makes the next one.
    func carryOut(_ request: ProxyBypass.Request) async -> ProxyBypass.Outcome {
        do {
            switch request {
            case .update(let contents): try await write(BypassRules.update(contents), contents)
            case .replace(let contents): try await write(BypassRules.replacement(contents), contents)
            case .change(let adding, let removing):
                try await NFTables.run(["-f", "-"], input: BypassRules.change(adding: adding, removing: removing))
                addresses.formUnion(adding)
                addresses.subtract(removing)
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

    private func write(_ commands: String, _ contents: ProxyBypass.Contents) async throws {
        try await NFTables.run(["-f", "-"], input: commands)
        structure = try await list()
        addresses = contents.addresses
        filled = .now
    }

    /// Compares the table with what we left, and writes the addresses again, if anything in nftables has changed since the last
    /// time.
    private func check() async throws -> ProxyBypass.Outcome {
        let generation = try netlink().generation()
        if generation == seenGeneration { return .done }
        do {
            guard try await list() == structure else { return .changedByOthers }
        } catch  where error.isMissing {
            return .changedByOthers
        }
        if addresses.count > Self.fewAddresses, ContinuousClock.now - filled < Self.refillInterval { return .done }
        try await NFTables.run(["-f", "-"], input: BypassRules.refill(addresses))
        filled = .now
        // If this is the only transaction since the first line, nothing is left to compare.
        let last = try netlink().generation()
        seenGeneration = last == generation &+ 1 ? last : nil
        return .done
    }

    private func list() async throws(NFTables.Failure) -> String {
        try await NFTables.run(["--terse", "list", "table", "inet", BypassRules.table])
    }

    private func netlink() throws(SystemError) -> NetfilterTables {
        if let tables { return tables }
        let opened = try NetfilterTables()
        tables = opened
        return opened
    }
}
