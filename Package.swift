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

func tests(
    _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [], resources: [Resource] = []
) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: [.target(name: name), "TestSupport"] + dependencies, exclude: exclude,
        resources: resources,
        swiftSettings: settings)
}

func executable(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name,
        dependencies: dependencies + [.product(name: "ArgumentParser", package: "swift-argument-parser")],
        swiftSettings: settings)
}

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"),
]

let metrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")

// Each module may import only those that stand above it.
let core: [Target] = [
    library("Timing"),
    library("Addressing"),
    library("ShortestPath"),
    library("OSPFPacket", ["Addressing"]),
    library("OSPF", ["Timing", "Addressing", "ShortestPath", "OSPFPacket"]),
    library("MeshModel", ["Addressing", "ShortestPath", "OSPFPacket", "OSPF"]),
    library("Links", ["Addressing"]),
    library("Liveness", ["Timing", "Addressing"]),
    library("Authentication", ["Timing", "Addressing", "OSPFPacket"]),
    library("BFD", ["Timing", "Addressing"]),
    library("Routing", ["Timing", "Addressing", "OSPF"]),
    library("Services", ["Timing", "Addressing", "OSPF"]),
    library("MeshConfiguration", ["Addressing", "Authentication", "BFD", "Liveness", "OSPF", "Services"]),
    library(
        "Node",
        [
            "Timing", "Addressing", "OSPFPacket", "OSPF", "Links", "Liveness", "Authentication", "BFD", "Routing",
            "Services",
            "MeshConfiguration",
        ]),
    library(
        "Simulation",
        [
            "Timing", "Addressing", "OSPFPacket", "OSPF", "Links", "Liveness", "Authentication", "BFD", "Routing",
            "Services",
            "MeshConfiguration", "Node",
        ]),
    .executableTarget(
        name: "meshsim", dependencies: ["Timing", "Addressing", "OSPF", "Node", "Simulation"], swiftSettings: settings),

    tests("Timing", []),
    // What tests share: which of them need root or a program, and how to measure processor time.
    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: settings),
    tests("Addressing", []),
    tests("Liveness", ["Timing", "Addressing"]),
    tests("Authentication", ["Timing", "Addressing", "OSPFPacket"]),
    tests("BFD", ["Timing", "Addressing"]),
    tests("ShortestPath", []),
    tests("OSPFPacket", ["Addressing"], exclude: ["Captures"]),
    tests("OSPF", ["Timing", "Addressing", "OSPFPacket", "ShortestPath"]),
    tests(
        "MeshModel",
        ["Timing", "Addressing", "OSPFPacket", "OSPF", "Services", "Simulation"]),
    tests("Routing", ["Timing", "Addressing", "OSPF"]),
    tests("Services", ["Timing", "Addressing", "OSPF"]),
    tests(
        "Node",
        [
            "Timing", "Addressing", "OSPFPacket", "OSPF", "Links", "Liveness", "Authentication", "BFD", "Routing",
            "Services",
            "MeshConfiguration",
        ]),
    tests(
        "Simulation",
        [
            "Timing", "Addressing", "OSPFPacket", "OSPF", "Authentication", "Routing", "Services", "MeshConfiguration",
            "Node",
        ]),
]

// The shell around the core: everything that touches the world.
let shell: [Target] = [
    .target(name: "CLinux"),
    .systemLibrary(
        name: "CNetlink", pkgConfig: "libnl-route-3.0", providers: [.apt(["libnl-3-dev", "libnl-route-3-dev"])]),
    library("Linux", ["CLinux", "Timing", "Addressing", "BFD", "Liveness"]),
    library("Netlink", ["CLinux", "CNetlink", "Timing", "Addressing", "Links", "OSPF", "Routing", "Linux"]),
    library(
        "ConfigurationFile",
        [
            "Addressing", "Authentication", "BFD", "Liveness", "OSPF", "Services", "MeshConfiguration", "Linux",
            .product(name: "Yams", package: "Yams"),
        ]),
    library(
        "HealthChecks",
        [
            "Timing", "Addressing", "Services", "Linux", .product(name: "NIOSSL", package: "swift-nio-ssl"),
            .product(name: "Subprocess", package: "swift-subprocess"),
            .product(name: "SystemPackage", package: "swift-system"), metrics,
        ] + nio),
    library(
        "Kubernetes",
        [
            "Timing", "Addressing", "Linux", metrics,
            .product(name: "AsyncHTTPClient", package: "async-http-client"),
            .product(name: "NIOSSL", package: "swift-nio-ssl"), .product(name: "Yams", package: "Yams"),
        ] + nio),
    library("Cluster", ["Timing", "Addressing", "Services", "Kubernetes", "Linux"] + nio),
    library("ControlAPI"),
    library("PrometheusMetrics", [metrics]),
    library("ControlClient", ["ControlAPI"] + nio),
    library(
        "Agent",
        [
            "Timing", "Addressing", "OSPFPacket", "OSPF", "Links", "Liveness", "Authentication", "BFD", "Routing",
            "Services",
            "MeshConfiguration", "Node", "ConfigurationFile", "Linux", "Netlink", "HealthChecks", "Kubernetes",
            "Cluster", "ControlAPI",
            "PrometheusMetrics", metrics, .product(name: "Logging", package: "swift-log"),
            .product(name: "Crypto", package: "swift-crypto"),
            .product(name: "Subprocess", package: "swift-subprocess"),
        ] + nio),
    library(
        "Lab", ["Addressing", "ControlAPI", "ControlClient", .product(name: "Yams", package: "Yams")]),
    library(
        "ControlCommands",
        [
            "Addressing", "OSPFPacket", "MeshModel", "Linux", "ControlAPI", "ControlClient", "MeshConfiguration",
            "ConfigurationFile",
            .product(name: "Yams", package: "Yams"),
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
        ]),
    executable("meshd", ["Agent", "ControlAPI", "ControlCommands", .product(name: "Logging", package: "swift-log")]),
    executable("meshctl", ["ControlCommands"]),
    executable("meshlab", ["Lab"]),

    tests("Linux", ["Timing", "Addressing", "OSPF"]),
    tests("Netlink", ["Timing", "Addressing", "Links", "OSPF", "Routing", "Linux"]),
    tests(
        "HealthChecks",
        [
            "Timing", "Addressing", "Services", "PrometheusMetrics", "TestAPIServer",
            .product(name: "NIOSSL", package: "swift-nio-ssl"),
        ] + nio),
    // An API server for tests, of this module and from end to end.
    .target(
        name: "TestAPIServer",
        dependencies: [
            "Addressing", "ControlAPI", "Lab", "Linux", .product(name: "NIOSSL", package: "swift-nio-ssl"),
        ] + nio,
        path: "Tests/TestAPIServer", swiftSettings: settings),
    tests("Kubernetes", ["TestAPIServer", "Timing", "Addressing", "ControlAPI", "PrometheusMetrics"] + nio),
    tests("Cluster", ["Timing", "Addressing", "ControlAPI", "Services", "Kubernetes", "TestAPIServer"] + nio),
    tests("ControlAPI", ["ControlClient"] + nio),
    tests("ControlCommands", ["Addressing", "OSPFPacket", "MeshModel", "ControlAPI"]),
    tests("PrometheusMetrics", [metrics]),
    tests(
        "Agent",
        [
            "Timing", "Addressing", "Authentication", "OSPFPacket", "OSPF", "Links", "Routing", "Services",
            "MeshConfiguration", "Node", "ConfigurationFile", "Linux", "Netlink", "ControlAPI", "ControlClient",
            "Kubernetes", "Cluster",
            "Lab",
            "TestAPIServer",
        ]
            + nio),
    tests("Lab", ["Addressing", "ControlAPI", "Linux"]),
    .testTarget(
        name: "DeploymentTests",
        dependencies: [
            "Lab", "Addressing", "ControlAPI", "Kubernetes", "TestAPIServer", "TestSupport",
            .product(name: "Yams", package: "Yams"),
            .product(name: "NIOPosix", package: "swift-nio"),
        ],
        exclude: ["alerts.test.yaml"], swiftSettings: settings),
    .testTarget(
        name: "InteroperabilityTests",
        dependencies: ["Lab", "Addressing", "OSPFPacket", "MeshModel", "ControlAPI", "Linux", "TestSupport"],
        swiftSettings: settings),
]

let package = Package(
    name: "kubermesh",
    // What Benchmarks/ and Fuzzing/ build on.
    products: [
        .library(name: "ShortestPath", targets: ["ShortestPath"]),
        .library(name: "OSPF", targets: ["Timing", "Addressing", "OSPFPacket", "OSPF"]),
        .library(name: "Simulation", targets: ["Authentication", "Node", "Simulation"]),
    ],
    dependencies: coreOnly
        ? []
        : [
            .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
            .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
            .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
            .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
            .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
            .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
            .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
            .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
            .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
            // Paths, as swift-subprocess takes them.
            .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        ],
    targets: coreOnly ? core : core + shell
)
