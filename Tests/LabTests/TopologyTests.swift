import Addressing
import Testing

@testable import Lab

@Suite struct TopologyTests {
    @Test func squareHasTheLinksOfTheFirstKubermesh() throws {
        let square = try #require(try Topology.named("square4"))
        #expect(square.links.map(\.name) == ["n1-n2", "n1-n3", "n2-n4", "n3-n4"])
        #expect(square.nodes.map(\.name) == ["n1", "n2", "n3", "n4"])
    }

    /// Name, nodes, links. The segment of `lan` counts as a node.
    @Test(arguments: [
        ("ring:6", 6, 6), ("ring:3", 3, 3), ("grid:5x5", 25, 40), ("grid:1x4", 4, 3), ("lan:4", 5, 4), ("ha:3+3", 6, 9),
        ("ha:1+1", 2, 1),
    ])
    func namedTopologiesHaveTheirSize(name: String, nodes: Int, links: Int) throws {
        let topology = try #require(try Topology.named(name))
        try topology.validate()
        #expect(topology.nodes.count == nodes)
        #expect(topology.links.count == links)
    }

    @Test func everyWorkerHasTwoLinksToTheControlPlane() throws {
        let topology = try #require(try Topology.named("ha:3+3"))
        for worker in ["w1", "w2", "w3"] { #expect(topology.links.filter { $0.second == worker }.count == 2) }
        for node in topology.nodes { #expect(node.vips.isEmpty == node.name.hasPrefix("w")) }
    }

    @Test(arguments: ["ring:2", "ring:", "ring:x", "grid:5", "grid:0x3", "grid:99x99", "ha:3", "lan:1", "lan:-4"])
    func wrongSizesAreRefused(name: String) {
        let error = #expect(throws: LabError.self) { try Topology.named(name) }
        #expect(error?.description.contains("“\(name)”") == true)
    }

    @Test(arguments: ["square", "square4:2", "torus:3", "examples/x.yaml"]) func otherTextIsNoNamedTopology(
        text: String
    ) throws {
        let topology = try Topology.named(text)
        #expect(topology == nil)
    }

    @Test func linksAreFoundFromEitherEnd() throws {
        let square = try #require(try Topology.named("square4"))
        let index = try square.linkIndex("n2-n4")
        #expect(try square.linkIndex("n4-n2") == index)
        let error = #expect(throws: LabError.self) { try square.linkIndex("n1-n4") }
        #expect(error?.description.contains("n1-n2, n1-n3") == true)
    }

    @Test func impossibleTopologiesAreRefused() {
        let nodes = [Topology.Node("a"), Topology.Node("b")]
        func check(_ nodes: [Topology.Node], _ links: [Topology.Link]) {
            #expect(throws: LabError.self) { try Topology(name: "t", nodes: nodes, links: links).validate() }
        }
        check([], [])
        check([Topology.Node("a"), Topology.Node("a")], [])
        check([Topology.Node("../a")], [])
        check([Topology.Node("-a")], [])
        check([Topology.Node("a-name-that-is-too-long")], [])
        check(nodes, [Topology.Link("a", "c")])
        check(nodes, [Topology.Link("a", "a")])
        check(nodes, [Topology.Link("a", "b"), Topology.Link("b", "a")])
        check(nodes, [Topology.Link("a", "b", mtu: 576)])
    }
}

@Suite struct AddressBookTests {
    @Test func addressesFollowFromTheTopologyAlone() throws {
        let book = AddressBook(try #require(try Topology.named("square4")))
        #expect(book.address(of: "n1").description == "2001:db8::4:0:1:0")
        #expect(book.podPrefix(of: "n4").description == "2001:db8::4:0:4:100/120")
        #expect(book.ports(of: "n2").map(\.name) == ["cluster0", "cluster1"])
        #expect(book.ports(of: "n2").map(\.mac.description) == ["02:00:00:00:01:00", "02:00:00:00:01:01"])
    }

    @Test(arguments: ["grid:20x20", "lan:120"]) func allAddressesAndNumbersAreUnique(name: String) throws {
        let topology = try #require(try Topology.named(name))
        let book = AddressBook(topology)
        let ports = book.ports.flatMap { [$0.first, $0.second] }
        #expect(Set(ports.map(\.mac)).count == ports.count)
        #expect(Set(ports.map(\.index)).count == ports.count)
        #expect(Set(topology.nodes.map { book.address(of: $0.name) }).count == topology.nodes.count)
        #expect(Set(topology.nodes.map { book.routerID(of: $0.name) }).count == topology.nodes.count)
    }
}
