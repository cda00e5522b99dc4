// swift-tools-version: 6.2
import PackageDescription

// The fuzz targets. `run.sh` builds and runs them; the core has no dependencies and is taken alone.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]
let core = Target.Dependency.product(name: "OSPF", package: "kubermesh")
let simulation = Target.Dependency.product(name: "Simulation", package: "kubermesh")

let package = Package(
    name: "fuzzing",
    dependencies: [.package(name: "kubermesh", path: "..")],
    targets: [
        .target(name: "FuzzingSupport", dependencies: [core, simulation], swiftSettings: settings),
        // libFuzzer brings the main function.
        .executableTarget(
            name: "FuzzPackets", dependencies: ["FuzzingSupport", core],
            swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])]),
        .executableTarget(
            name: "FuzzRouter", dependencies: ["FuzzingSupport", core],
            swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])]),
        .executableTarget(name: "Seeds", dependencies: ["FuzzingSupport", core], swiftSettings: settings),
    ]
)
