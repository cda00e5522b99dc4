import Glibc
import TestSupport
import Testing

@testable import Lab

/// Labs without routers: their links and faults, and that nothing is left of them.
@Suite(.serialized, .needsRoot) struct LabTests {
    private let name = "lt\(getpid())"

    init() throws { try Lab.destroyLeftOvers(prefix: "lt") }

    private func withLab(_ topology: Topology, _ body: (inout Lab) throws -> Void) throws {
        var lab = try Lab.create(topology, name: name)
        defer { try? lab.destroy() }
        try body(&lab)
    }

    private let pair = Topology(
        name: "pair", nodes: [Topology.Node("a", router: .none), Topology.Node("b", router: .none)],
        links: [Topology.Link("a", "b", mtu: 1400)])

    /// Pings the port of b from a three times over the cable. Returns the number of answers.
    private func linkLocalPing(_ lab: Lab) throws -> Int {
        let target = "fe80::ff:fe00:100%cluster0"
        let output = try lab.command(on: "a", ["ping", "-c", "3", "-i", "0.05", "-W", "1", target]).output()
        return PingSummary(output.text)?.received ?? 0
    }

    /// `1\n` if the port of a has carrier, otherwise `0\n`.
    private func carrier(_ lab: Lab) throws -> String {
        try lab.command(on: "a", ["cat", "/sys/class/net/cluster0/carrier"]).run()
    }

    @Test func aLinkFailsWithAndWithoutCarrierAndHeals() throws {
        try withLab(pair) { lab in
            #expect(try linkLocalPing(lab) == 3)
            #expect(try lab.command(on: "b", ["cat", "/sys/class/net/cluster0/mtu"]).run() == "1400\n")
            try lab.fail("a-b", .silent)
            #expect(try linkLocalPing(lab) == 0)
            #expect(try carrier(lab) == "1\n")
            try lab.fail("b-a", .carrier)
            #expect(try carrier(lab) == "0\n")
            #expect(try Lab.load(name).faults == [0: .carrier])
            try lab.heal("a-b")
            #expect(try carrier(lab) == "1\n")
            #expect(try linkLocalPing(lab) == 3)
            #expect(lab.failedLinks.isEmpty)
        }
    }

    @Test func destroyRemovesNamespacesAndProcesses() throws {
        var child: Int32 = 0
        try withLab(pair) { lab in
            child = try lab.command(on: "a", ["sleep", "1000"]).startDaemon(log: "/dev/null")
            #expect(lab.namespaces.filter(\.exists).count == 2)
            // As another process does it, which knows only the name.
            try Lab.load(name).destroy()
            #expect(lab.namespaces.filter(\.exists).isEmpty)
            #expect(kill(child, 0) != 0)
            #expect(!Files.exists(lab.directory))
            try lab.destroy()
        }
    }

    @Test func aLabWithATakenNameIsRefused() throws {
        try withLab(pair) { _ in
            let error = #expect(throws: LabError.self) { try Lab.create(pair, name: name) }
            #expect(error?.description.contains("meshlab down") == true)
        }
    }

    @Test func aSegmentJoinsAllItsMembers() throws {
        var topology = try #require(try Topology.named("lan:3"))
        for index in topology.nodes.indices where topology.nodes[index].router == .meshd {
            topology.nodes[index].router = .none
        }
        try withLab(topology) { lab in
            for node in ["n1", "n2"] {
                let output = try lab.command(
                    on: node, ["ping", "-c", "2", "-i", "0.05", "-W", "1", "fe80::ff:fe00:180%cluster0"]
                ).output()
                #expect(try #require(PingSummary(output.text)).received > 0)
            }
        }
    }

    @Test func aResponderAnswersWithItsText() throws {
        try withLab(pair) { lab in
            var lab = lab
            lab.processes = [:]
            let responder = try lab.command(
                on: "a", [try Binaries.path(of: "meshlab"), "responder", "--port", "7", "--text", "it is a"]
            ).startDaemon(log: "\(lab.directory)/responder.log")
            #expect(responder > 0)
            let dial = lab.command(on: "a", [try Binaries.path(of: "meshlab"), "dial", "::1", "7"])
            var answer = ""
            for _ in 0..<100 where answer.isEmpty {
                answer = try dial.output().text
                usleep(10_000)
            }
            #expect(answer == "it is a\n")
        }
    }
}

@Suite struct CommandTests {
    @Test func outputStatusAndInputArePassedOn() throws {
        let output = try Command(["sh", "-c", "cat; echo bad >&2; exit 3"], input: "good").output()
        #expect(output == Command.Output(status: 3, text: "good", errors: "bad\n"))
        let error = #expect(throws: LabError.self) { try Command(["sh", "-c", "echo why >&2; exit 1"]).run() }
        #expect(error?.description.contains("why") == true)
    }

    @Test func aCommandThatExceedsItsLimitIsEnded() throws {
        let start = ContinuousClock.now
        #expect(throws: LabError.self) { try Command(["sleep", "100"]).run(limit: .milliseconds(50)) }
        #expect(ContinuousClock.now - start < .seconds(10))
    }

    @Test func muchOutputDoesNotBlock() throws {
        #expect(try Command(["sh", "-c", "yes | head -c 1000000"]).run().utf8.count == 1_000_000)
    }

    @Test func aMissingProgramIsAnErrorThatNamesIt() {
        let error = #expect(throws: LabError.self) { try Command(["no-such-program"]).run() }
        #expect(error?.description.contains("no-such-program") == true)
    }
}
