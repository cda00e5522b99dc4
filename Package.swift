// swift-tools-version: 6.2
import PackageDescription

// The pure core has no dependency at all. KUBERMESH_CORE=1 leaves everything else out, so that
// fuzzers, sanitizers and quick edit-test loops build in seconds.
let coreOnly = Context.environment["KUBERMESH_CORE"] == "1"

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

func library(_ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target {
    .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [], resources: [Resource] = []) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: [.target(name: name)] + dependencies, exclude: exclude, resources: resources,
        swiftSettings: settings)
}

// Each module may import only those that stand above it.
let core: [Target] = [
    library("Addressing"),
    library("ShortestPath"),
    library("OSPFPacket", ["Addressing"]),
    library("OSPF", ["Addressing", "ShortestPath", "OSPFPacket"]),
    library("Routing", ["Addressing", "OSPF"]),
    library("Simulation", ["Addressing", "OSPFPacket", "OSPF", "Routing"]),

    tests("Addressing", []),
    tests("ShortestPath", []),
    tests("OSPFPacket", ["Addressing"]),
    tests("OSPF", ["Addressing", "OSPFPacket", "ShortestPath"]),
    tests("Routing", ["Addressing", "OSPF"]),
    tests("Simulation", ["Addressing", "OSPFPacket", "OSPF", "Routing"]),
]

let shell: [Target] = []

let package = Package(
    name: "kubermesh",
    products: [],
    dependencies: coreOnly
        ? []
        : [
            .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
            .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
            .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
            .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        ],
    targets: coreOnly ? core : core + shell
)
