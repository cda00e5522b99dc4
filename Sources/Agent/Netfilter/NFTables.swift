internal import Subprocess

/// Runs `nft`.
enum NFTables {
    /// Why `nft` failed.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// The maximum size of the output, in octets: a listing of the largest set has about 5 MB.
    private static let longestOutput = 16 << 20
    private static let longestError = 1 << 16

    /// Runs `nft` with these arguments and this input. Returns its output.
    @discardableResult
    static func run(_ arguments: [String], input: String = "") async throws(Failure) -> String {
        do {
            let result = try await Subprocess.run(
                .name("nft"), arguments: Arguments(arguments), input: .string(input),
                output: .string(limit: longestOutput), error: .string(limit: longestError))
            guard case .exited(0) = result.terminationStatus else {
                let reason = result.standardError.split(separator: "\n").first.map(String.init) ?? ""
                throw Failure(description: "nft: \(reason)")
            }
            return result.standardOutput
        } catch let error as Failure {
            throw error
        } catch {
            throw Failure(description: "nft cannot be run: \(error)")
        }
    }
}
