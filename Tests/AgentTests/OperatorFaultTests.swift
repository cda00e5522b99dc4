import Addressing
import ControlAPI
import ControlClient
import Foundation
import Glibc
import Lab
import TestSupport
import Testing

@testable import Agent

/// Faults that operators met on real machines, with real agents and kernels.
@Suite(.serialized, .needsRoot) struct OperatorFaultTests {
    private static let vip = "vips: [ { name: v, address: \"2001:db8:a::1\" } ]"

    /// After new ports and a crash, the agent has the same router ID and address, and takes its own LSAs for no duplicate's.
    @Test func theIdentityStaysWhenPortsAreAdded() throws {
        try withPair(Self.vip) { lab in
            let before = try lab.status(of: "a")
            for (index, mac) in ["02:00:00:00:00:01", "00:00:5e:00:00:01"].enumerated() {
                try lab.command(
                    on: "a",
                    [
                        "ip", "link", "add", "new\(index)", "address", mac, "type", "veth", "peer", "name",
                        "peer\(index)",
                    ]
                ).run()
                try lab.command(on: "a", ["ip", "link", "set", "new\(index)", "up"]).run()
                try lab.stop("a", kill: true)
                try lab.start(["a"])
                try eventually("a is ready again") { (try? lab.status(of: "a"))?.ready == true }
                let after = try lab.status(of: "a")
                #expect(after.routerID == before.routerID && after.address == before.address)
                #expect(!after.events.contains { $0.message.contains("has our router ID") })
            }
        }
    }

    @Test func forwardingThatIsSwitchedOffIsSwitchedOnAgain() throws {
        try withPair(Self.vip) { lab in
            let names = ["net.ipv6.conf.all.forwarding", "net.ipv4.ip_forward"]
            for name in names {
                try lab.command(on: "a", ["sysctl", "-qw", "\(name)=0"]).run()
                try eventually("\(name) is 1 again") {
                    try lab.command(on: "a", ["sysctl", "-n", name]).run().hasPrefix("1")
                }
            }
            let events = try lab.status(of: "a").events.map(\.message)
            for name in names {
                #expect(events.contains { $0.hasPrefix("\(name) was changed to 0 by another program; set back") })
            }
        }
    }

    @Test func aLoopbackInterfaceThatIsSetDownIsSetUpAgain() throws {
        try withPair(Self.vip) { lab in
            func addresses() throws -> String {
                try lab.command(on: "a", ["ip", "-6", "address", "show", "dev", "lo"]).run()
            }
            let own = try #require(try lab.status(of: "a").address)
            try eventually("the VIP is on lo of a") { try addresses().contains("2001:db8:a::1") }
            try lab.command(on: "a", ["ip", "link", "set", "lo", "down"]).run()
            try eventually("lo is up again with its addresses") {
                let text = try addresses()
                return text.contains("LOWER_UP") && text.contains("2001:db8:a::1") && text.contains(own)
            }
            try eventually("b reaches the VIP") {
                (try? lab.command(on: "b", ["ping", "-6", "-c1", "-W1", "2001:db8:a::1"]).run()) != nil
            }
            #expect(try lab.status(of: "a").events.contains { $0.message.contains("lo") && $0.message.contains("up") })
        }
    }

    @Test func aVIPThatIsAnotherNodesOwnAddressIsAProblemOnBoth() throws {
        try withPair(Self.vip) { lab in
            let otherAddress = try #require(try lab.status(of: "b").address)
            let file = lab.configurationFile
            let text = try String(contentsOfFile: file, encoding: .utf8)
            try text.replacingOccurrences(of: "2001:db8:a::1", with: otherAddress).write(
                toFile: file, atomically: true, encoding: .utf8)
            kill(try #require(lab.process(of: "a")), SIGHUP)
            for node in ["a", "b"] {
                try eventually("\(node) reports the duplicate address") {
                    (try lab.status(of: node).problems ?? []).contains {
                        $0.kind == "duplicateAddress" && $0.problem.contains(otherAddress)
                    }
                }
            }
        }
    }

    /// After a change of `kernel.protocol`, what the earlier run left has another protocol number, like things of another
    /// program.
    @Test func routesWithThePreviousProtocolNumberAreRemovedAtTheStart() throws {
        try withPair(Self.vip) { lab in
            func counts(_ number: Int) throws -> (routes: Int, nextHops: Int) {
                let routes = try lab.command(on: "a", ["ip", "-6", "route", "show", "proto", "\(number)"]).run()
                let nextHops = try lab.command(on: "a", ["ip", "nexthop", "show", "proto", "\(number)"]).run()
                return (routes.split(separator: "\n").count, nextHops.split(separator: "\n").count)
            }
            try eventually("a has routes with protocol number 71") { try counts(71).routes > 0 }
            let file = lab.configurationFile
            let text = try String(contentsOfFile: file, encoding: .utf8)
            try (text + "\nkernel: { protocol: 72 }\n").write(toFile: file, atomically: true, encoding: .utf8)
            try lab.stop("a", kill: true)
            #expect(try counts(71).routes > 0, "the routes stay after a crash")
            try lab.start(["a"])
            try eventually("all routes and next hops have protocol number 72") {
                try counts(72).routes > 0 && counts(71) == (0, 0) && (try? lab.status(of: "a"))?.ready == true
            }
        }
    }

    /// A client that stopped waiting does not expect that the command is carried out later.
    @Test func aCommandWhoseClientTimedOutIsNotExecuted() throws {
        try withPair(Self.vip) { lab in
            let agent = try #require(lab.process(of: "a"))
            Lab.suspend([agent])
            defer { kill(agent, SIGCONT) }
            var client = ControlClient(socket: lab.controlSocket(of: "a"))
            client.timeout = 1
            #expect(throws: ControlClient.Unreachable.self) {
                try client.post("/v1/drain", body: Array(#"{"enabled": true, "force": true}"#.utf8))
            }
            kill(agent, SIGCONT)
            #expect(try !lab.status(of: "a").drained)
        }
    }

    @Test func anAddressThatExistedBeforeItsVIPStaysWhenTheVIPIsRemoved() throws {
        try withPair(Self.vip) { lab in
            func onLoopback() throws -> String {
                try lab.command(on: "a", ["ip", "-6", "address", "show", "dev", "lo"]).run()
            }
            try eventually("the VIP is on lo of a") { try onLoopback().contains("2001:db8:a::1") }
            let file = lab.configurationFile
            let text = try String(contentsOfFile: file, encoding: .utf8)
            let agent = try #require(lab.process(of: "a"))
            func configure(_ vip: String) throws {
                try text.replacingOccurrences(of: "2001:db8:a::1", with: vip).write(
                    toFile: file, atomically: true, encoding: .utf8)
                kill(agent, SIGHUP)
            }
            try lab.command(on: "a", ["ip", "-6", "address", "add", "2001:db8:a::2/128", "dev", "lo"]).run()
            try configure("2001:db8:a::2")
            try eventually("b has a route to the second VIP") {
                try lab.kernelRoutes(of: "b").contains { $0.prefix.description == "2001:db8:a::2/128" }
            }
            #expect(try !onLoopback().contains("2001:db8:a::1/"), "an address that the agent has added is removed")
            try configure("2001:db8:a::3")
            try eventually("b has a route to the third VIP") {
                try lab.kernelRoutes(of: "b").contains { $0.prefix.description == "2001:db8:a::3/128" }
            }
            #expect(try onLoopback().contains("2001:db8:a::2/"), "an address that existed before stays")
        }
    }

    @Test func aPortWithAForeignAddressIsNotUsedUntilTheAddressIsRemoved() throws {
        try withPair("interfaces: [ { match: \"*\" } ]") { lab in
            let port = try #require(try lab.list(Interface.self, of: "a").first { $0.problem == nil }).name
            try lab.command(on: "a", ["ip", "address", "add", "192.168.77.5/24", "dev", port]).run()
            try eventually("the port with a foreign address is not used") {
                try lab.list(Neighbor.self, of: "a").isEmpty
            }
            #expect(
                try lab.status(of: "a").events.contains {
                    $0.message.contains("not using \(port)") && $0.message.contains("match: \(port)")
                })
            try lab.command(on: "a", ["ip", "address", "del", "192.168.77.5/24", "dev", port]).run()
            try eventually("the port is used again") {
                try lab.list(Neighbor.self, of: "a").contains { $0.state == "Full" }
            }
            // The same after a default route is added.
            try lab.command(on: "a", ["ip", "route", "add", "default", "dev", port]).run()
            try eventually("the port with a default route is not used") { try lab.list(Neighbor.self, of: "a").isEmpty }
        }
    }
}
