import Addressing
import ControlAPI
import Glibc
import MeshModel
import OSPFPacket
import Testing

@testable import ControlCommands

/// What the commands make of snapshots, also of damaged and hostile ones.
@Suite struct QuestionTests {
    /// A mesh of routers in a row, 0.0.0.1 and so on, with these names.
    private static func row(_ names: [String]) -> [OSPFPacket.LSA] {
        var lsas: [OSPFPacket.LSA] = []
        for place in names.indices {
            let router = RouterID(UInt32(place + 1))
            var links: [RouterLSA.Link] = []
            for other in [place - 1, place + 1] where names.indices.contains(other) {
                links.append(
                    RouterLSA.Link(
                        type: .pointToPoint, metric: 10, interfaceID: UInt32(other + 1),
                        neighborInterfaceID: UInt32(place + 1), neighborRouterID: RouterID(UInt32(other + 1))))
            }
            let body = RouterLSA(options: [.v6, .e, .r], links: links)
            let key = LSAKey(type: .router, linkStateID: 0, advertisingRouter: router)
            lsas.append(OSPFPacket.LSA(key: key, sequenceNumber: 1, body: .router(body)))
            let information = RouterInformationLSA(values: [.hostname(names[place])])
            let other = LSAKey(type: .routerInformation, linkStateID: 0, advertisingRouter: router)
            lsas.append(OSPFPacket.LSA(key: other, sequenceNumber: 1, body: .routerInformation(information)))
        }
        return lsas
    }

    private static func file(_ lsas: [OSPFPacket.LSA]) throws -> [UInt8] {
        try JSON.encode(
            SnapshotDocument(
                node: "n1", routerID: "0.0.0.1", time: "", ports: [.init(name: "eth0", interfaceID: 2)],
                lsas: lsas.map(\.octets)))
    }

    private static func mesh(_ names: [String]) throws -> Mesh { try Mesh(file(row(names)), source: "file") }

    /// Names from the network are neither terminal sequences nor parts of the language of a graph.
    @Test func hostileNamesAreOnlyNames() throws {
        let name = "x\"\u{301}] ; \"evil\" [color=\"red\u{301}\u{1b}[31m\u{202e}\\z"
        var mesh = try Self.mesh(["n1", name, "n3"])
        let document = TopologyDocument(&mesh)
        for text in [document.dot, document.mermaid, document.table.text()] {
            #expect(!text.unicodeScalars.contains { $0 == "\u{1b}" || $0 == "\u{202e}" })
        }
        let label = try #require(document.dot.split(separator: "\n").first { $0.contains("evil") })
        // Every quote of the name is escaped; four are left, those around the router ID and the label.
        let scalars = Array(label.unicodeScalars)
        let bare = scalars.indices.filter { scalars[$0] == "\"" && ($0 == 0 || scalars[$0 - 1] != "\\") }
        #expect(bare.count == 4 && label.hasSuffix("\\\\z\"];"))
        let node = try #require(document.mermaid.split(separator: "\n").first { $0.contains("evil") })
        #expect(node.unicodeScalars.count { $0 == "\"" } == 2 && node.unicodeScalars.count { $0 == "[" } == 1)
    }

    @Test func answersAreTextForPeople() throws {
        var mesh = try Self.mesh(["n1", "n2", "n3"])
        let failures = SingleFailuresDocument(mesh.model.singleFailures(), in: mesh)
        #expect(
            failures.text == """
                3 nodes and 2 links, each failed once: 3 single points of failure
                FAILS        CUTS OFF
                n2           n3
                cable n1-n2  n1
                cable n2-n3  n3

                """)
        let change = try mesh.model.failure(parsing: "n1:eth0", portNames: mesh.portNames)
        let cut = ImpactDocument(try mesh.model.impact(of: [change]), in: mesh)
        #expect(cut.cutsOff && cut.text.hasPrefix("n1: cut off from n2, n3\n"))
        var parts = try Mesh(
            Self.file(Self.row(["n1", "n2"]) + Self.row(["", "", "", "n4", "n5"]).suffix(4)), source: "")
        let already = SingleFailuresDocument(parts.model.singleFailures(), in: parts)
        #expect(
            already.parts == [["n1", "n2"], ["n4", "n5"]] && already.text.contains("already now, n4, n5: cut off"))
        let ways = PathCommand.text(mesh.model.ways(from: RouterID(1), to: .router(RouterID(3))), in: mesh, to: "n3")
        #expect(
            ways == """
                n1 to n3: cost 20, 1 way
                n1
                └─ eth0, cost 10 → n2
                   └─ port 3, cost 10 → n3

                """)
    }

    /// A router-LSA with as many links as fit gets another one beside it.
    @Test func aFullRouterLSATakesANewCable() throws {
        var lsas = Self.row(["n1", "n2", "n3"])
        let links = (0..<4094).map {
            RouterLSA.Link(
                type: .pointToPoint, metric: 1, interfaceID: UInt32($0 + 100), neighborInterfaceID: 1,
                neighborRouterID: RouterID(77))
        }
        lsas[0] = OSPFPacket.LSA(
            key: lsas[0].key, sequenceNumber: 1, body: .router(RouterLSA(options: [.v6, .e, .r], links: links)))
        let model = MeshModel(lsas)
        var after = try model.applying([model.addition(parsing: "n1-n3")])
        #expect(after.ways(from: RouterID(1), to: .router(RouterID(3))).cost == 10)
        #expect(after.lsas.count == model.lsas.count + 1)
    }

    /// A snapshot replaces a file or what a link leads to, and no device; nobody else may read it.
    @Test func onlyFilesAreReplaced() throws {
        let directory = "/tmp/kubermesh-questions-\(getpid())"
        #expect(mkdir(directory, 0o700) == 0)
        defer {
            for name in ["file", "link", "pipe"] { unlink("\(directory)/\(name)") }
            rmdir(directory)
        }
        #expect(symlink("\(directory)/file", "\(directory)/link") == 0 && mkfifo("\(directory)/pipe", 0o600) == 0)
        for path in ["\(directory)/file", "\(directory)/link"] { try File.write([65], to: path) }
        var status = stat()
        #expect(lstat("\(directory)/link", &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
        #expect(lstat("\(directory)/file", &status) == 0 && status.st_mode & 0o7777 == 0o600)
        #expect(try File.read("\(directory)/link") == [65])
        #expect(throws: Failure.self) { try File.write([65], to: "\(directory)/pipe") }
        #expect(lstat("\(directory)/pipe", &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
    }

    /// Each mistake in a file is named, with its place.
    @Test func damagedFilesAreRefused() throws {
        let whole = String(decoding: try Self.file(Self.row(["n1", "n2"])), as: UTF8.self)
        let damaged = [
            ("", "is not valid JSON"), (String(whole.dropLast(30)), "is not valid JSON"), ("[]", "wrong type"),
            ("{}", "has no "), (whole.replacing("0.0.0.1\"", with: "n1\""), "no router ID"),
            (whole.replacing("\"lsas\":[\"", with: "\"lsas\":[\"xy\",\""), "lsas[0] is no LSA: it has other"),
            (whole.replacing("\"lsas\":[\"", with: "\"lsas\":[\"00\",\""), "lsas[0] is no LSA: it is too short"),
            (whole.replacing("\"lsas\":[\"0000", with: "\"lsas\":[\"0000f"), "lsas[0] is no LSA: it has other"),
            (whole.replacing(/"lsas":\[[^\]]*\]/, with: "\"lsas\":[]"), "has no nodes"),
        ]
        for (text, reason) in damaged {
            let failure = #expect(throws: Failure.self, "\(text.prefix(80))") {
                try Mesh(Array(text.utf8), source: "f")
            }
            #expect(
                failure?.message.contains(reason) == true && failure?.code == 2, "\(failure?.message ?? "") \(reason)")
        }
        // A flipped bit in any LSA is found by its checksum.
        var lsa = Self.row(["n1", "n2"])[0].octets
        lsa[30] ^= 1
        let document = SnapshotDocument(node: "n1", routerID: "0.0.0.1", time: "", ports: [], lsas: [lsa])
        let failure = #expect(throws: Failure.self) { try Mesh(JSON.encode(document), source: "f") }
        #expect(failure?.message == "f: lsas[0] is no LSA: its checksum is wrong")
    }
}
