import Addressing
import Glibc
import Linux
import Node
import Testing

@testable import Agent

@Suite struct StateDirectoryTests {
    private let identity = SavedIdentity(
        mac: MACAddress("00:1b:21:00:00:05")!, routerID: RouterID("2.2.2.2"), nonce: 0xfeed, machine: 0xbeef)

    @Test func aSavedIdentityIsRead() throws {
        let directory = try TemporaryDirectory()
        let state = StateDirectory(besideSocket: directory.path + "/deep/er/meshd.sock")
        try state.create()
        try state.create()
        #expect(state.savedIdentity == nil)
        try state.save(identity)
        #expect(state.savedIdentity == identity)
        let plain = SavedIdentity(mac: identity.mac, nonce: 1)
        try state.save(plain)
        #expect(state.savedIdentity == plain)
    }

    @Test(arguments: [
        "", "mac", "mac 00:1b:21:00:00:05", "nonce 1", "mac zz\nnonce 1", "mac 00:00:00:00:00:00\nnonce 1",
    ])
    func aDamagedIdentityIsRefused(text: String) throws {
        let directory = try TemporaryDirectory()
        try SmallFile.write(text, to: directory.path + "/identity")
        let state = StateDirectory(path: directory.path)
        #expect(state.savedIdentity == nil && state.hasDamagedIdentity)
        try state.save(identity)
        #expect(!state.hasDamagedIdentity)
        #expect(!StateDirectory(path: directory.path + "/none").hasDamagedIdentity)
    }

    /// An earlier version may have run with the protocol number of another program (16, DHCP clients). What has that number now
    /// is not ours to remove, so it is not read as that of the last run.
    @Test func aSavedProtocolNumberOfAnotherProgramIsIgnored() throws {
        let directory = try TemporaryDirectory()
        let state = StateDirectory(path: directory.path)
        try state.save(SavedKernel(routeProtocol: 72, table: 254))
        #expect(state.savedKernel == SavedKernel(routeProtocol: 72, table: 254))
        try state.save(SavedKernel(routeProtocol: 16, table: 254))
        #expect(state.savedKernel == nil)
    }

    @Test func theChainOfAPathBeginsWithItsTopmostDirectory() {
        #expect(StateDirectory(path: "a/b//c").chain == ["a", "a/b", "a/b/c"])
        #expect(StateDirectory(path: "/a/b").chain == ["/a", "/a/b"])
        #expect(StateDirectory(path: "/").chain == [] && StateDirectory(path: ".").chain == ["."])
    }

    /// A pipe in place of a file is neither opened, which could block, nor overwritten. In place of a temporary file (`.new`)
    /// it is removed.
    @Test func aPipeIsNeitherReadNorReplaced() throws {
        let directory = try TemporaryDirectory()
        let state = StateDirectory(path: directory.path)
        for name in ["identity", "ipv4-pods", "ipv4-address.new"] {
            #expect(mkfifo("\(directory.path)/\(name)", 0o644) == 0)
        }
        #expect(state.savedIdentity == nil)
        #expect(state.savedRange(for: "ipv4-pods") == nil)
        let range = IPv4Prefix("172.31.0.0/24")!
        #expect(throws: (any Error).self) { try state.save(range, for: "ipv4-pods") }
        #expect(throws: (any Error).self) { try state.save(identity) }
        #expect(SmallFile.isSpecial("\(directory.path)/ipv4-pods"), "the pipe was not replaced")
        try state.save(range, for: "ipv4-address")
        #expect(state.savedRange(for: "ipv4-address") == range)
    }

    @Test func anUnwritableDirectoryIsAnError() {
        let state = StateDirectory(besideSocket: "/proc/nowhere/meshd.sock")
        #expect(state.savedIdentity == nil)
        #expect(throws: (any Error).self) { try state.save(identity) }
    }
}
