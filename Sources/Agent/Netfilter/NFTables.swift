internal import Subprocess

/// Runs `nft`.
enum NFTables {
    /// Why `nft` failed.
    struct Failure: Error, CustomStringConvertible {
        let description: String
        /// Whether `nft` ended, and said that it did nothing.
        var isRefusal = false
        /// Whether a table, or something in it, does not exist.
        var isMissing: Bool { isRefusal && description.contains("No such file or directory") }
    }

    /// The maximum size of the output, in octets: a listing of the counters of a table is short.
    private static let longestOutput = 1 << 20
    private static let longestError = 1 << 16

    /// How long a run may take. A transaction waits for those of other programs, which may take seconds.
    private static let limit = Duration.seconds(30)

    /// Runs `nft` with these arguments and this input. Returns its output. Kills it after ``limit``.
    @discardableResult
    static func run(_ arguments: [String], input: String = "") async throws(Failure) -> String {
        try await withTaskGroup(of: Result<String, Failure>.self) { group in
            group.addTask { await start(arguments, input: input) }
            group.addTask {
                try? await Task.sleep(for: limit)
                return .failure(Failure(description: "nft did not end within \(limit)"))
            }
            // Both have a result; the cancellation ends the other one, and kills `nft` if it still runs.
            let first = await group.next()!
            group.cancelAll()
            return first
        }.get()
    }

    private static func start(_ arguments: [String], input: String) async -> Result<String, Failure> {
        do {
            let result = try await Subprocess.run(
                .name("nft"), arguments: Arguments(arguments), input: .string(input),
                output: .string(limit: longestOutput), error: .string(limit: longestError))
            guard case .exited(0) = result.terminationStatus else {
                let reason = result.standardError.split(separator: "\n").first.map(String.init)
                guard case .exited = result.terminationStatus else {
                    return .failure(Failure(description: "nft was killed: \(result.terminationStatus)"))
                }
                return .failure(Failure(description: "nft: \(reason ?? "it failed without a reason")", isRefusal: true))
            }
            return .success(result.standardOutput)
        } catch {
            return .failure(Failure(description: "nft cannot be run: \(error)"))
        }
    }
}
