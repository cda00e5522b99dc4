internal import Glibc
public import Testing

extension Trait where Self == ConditionTrait {
    /// For tests that make network namespaces. Without root they are skipped, and the run says so. If `CI` is set, they run all
    /// the same and fail, because nobody reads there what was skipped.
    public static var needsRoot: Self { .enabled(if: geteuid() == 0 || mustRun, "network namespaces need root") }

    /// For tests that start a program. If it is not installed, they are skipped, or run and fail, as with ``needsRoot``.
    public static func needs(program: String) -> Self {
        .enabled(if: isInstalled(program) || mustRun, "\(program) is not installed")
    }

    private static var mustRun: Bool { getenv("CI") != nil }

    private static func isInstalled(_ program: String) -> Bool {
        let directories = getenv("PATH").map { String(cString: $0) } ?? ""
        return directories.split(separator: ":").contains { access("\($0)/\(program)", X_OK) == 0 }
    }
}
