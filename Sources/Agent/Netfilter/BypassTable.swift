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
    /// The chains and rules as we left them.
    private var structure: [UInt8]?
    /// The ports and addresses in the table as we left it.
    private var contents = ProxyBypass.Contents()
    /// Whether other addresses in the table stay.
    private var keepsAddresses = true
    /// The packets of connections that were not remembered, when they were last read.
    private var forgotten: UInt64?
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
            case .update(let contents, let keepsAddresses):
                try await write(
                    BypassRules.update(contents, keepsAddresses: keepsAddresses), contents, keepsAddresses)
            case .replace(let contents): try await write(BypassRules.replacement(contents), contents, false)
            case .change(let adding, let removing):
                try await NFTables.run(["-f", "-"], input: BypassRules.change(adding: adding, removing: removing))
                contents.addresses.formUnion(adding)
                contents.addresses.subtract(removing)
            case .check: return try await check()
            case .remove: try netlink().remove(BypassRules.table)
            }
            // Our transaction has changed it, and another program may have too.
            seenGeneration = nil
            return .done
        } catch let failure as NFTables.Failure {
            // An address can be missing, too: someone else has removed it.
            if case .change = request, failure.isMissing { return .changedByOthers }
            return failure.isRefusal ? .refused("\(failure)") : .failed("\(failure)")
        } catch {
            return .failed("\(error)")
        }
    }

    private func write(_ commands: String, _ contents: ProxyBypass.Contents, _ keepsAddresses: Bool) async throws {
        try await NFTables.run(["-f", "-"], input: commands)
        structure = try netlink().structure(of: BypassRules.table, chains: BypassRules.chains)
        self.contents = contents
        self.keepsAddresses = keepsAddresses
        filled = .now
    }

    /// Compares the chains and rules with those that we left, and writes ports and addresses again, if anything in nftables has
    /// changed since the last time. `nft` would read all remembered connections, whatever is to be listed.
    private func check() async throws -> ProxyBypass.Outcome {
        let generation = try netlink().generation()
        if generation == seenGeneration { return try outcome() }
        guard try netlink().structure(of: BypassRules.table, chains: BypassRules.chains) == structure else {
            return .changedByOthers
        }
        if contents.addresses.count > Self.fewAddresses, ContinuousClock.now - filled < Self.refillInterval {
            return try outcome()
        }
        try await NFTables.run(["-f", "-"], input: BypassRules.refill(contents, keepsAddresses: keepsAddresses))
        filled = .now
        // If this is the only transaction since the first line, nothing is left to compare.
        let last = try netlink().generation()
        seenGeneration = last == generation &+ 1 ? last : nil
        return try outcome()
    }

    /// The outcome of a check of a table that nobody has changed.
    private func outcome() throws -> ProxyBypass.Outcome {
        let before = forgotten
        forgotten = try netlink().packets(of: BypassRules.counter, in: BypassRules.table)
        guard let forgotten, let before else { return .done }
        return forgotten > before ? .full : .done
    }

    private func netlink() throws(SystemError) -> NetfilterTables {
        if let tables { return tables }
        let opened = try NetfilterTables()
        tables = opened
        return opened
    }
}
