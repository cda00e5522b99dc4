// swift-tools-version: 6.2
import PackageDescription

// Build it with KUBERMESH_CORE=1: nothing but the pure core is needed.
func benchmark(_ name: String, _ modules: [String]) -> Target {
    .executableTarget(
        name: name, dependencies: modules.map { .product(name: $0, package: "kubermesh") },
        swiftSettings: [.swiftLanguageMode(.v6)])
}

let package = Package(
    name: "Benchmarks",
    dependencies: [.package(name: "kubermesh", path: "..")],
    targets: [
        benchmark("spf-benchmark", ["ShortestPath"]),
        benchmark("route-benchmark", ["OSPF"]),
        benchmark("snapshot-benchmark", ["OSPF", "Simulation"]),
    ]
)
