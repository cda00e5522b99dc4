import Glibc
import Linux
import TestSupport
import Testing

@Suite struct NetworkNamespaceTests {
    @Test(.needsRoot) func settingsBelongToTheThreadsNamespace() throws {
        let namespace = try NetworkNamespace.make()
        let outside = try Sysctl.read("net.ipv6.conf.all.hop_limit")
        let inside = try namespace.run {
            try Sysctl.write("net.ipv6.conf.all.hop_limit", "33")
            return try Sysctl.read("net/ipv6/conf/all/hop_limit")
        }
        #expect(inside == "33")
        #expect(try Sysctl.read("net.ipv6.conf.all.hop_limit") == outside)
        #expect(outside != "33")
    }

    @Test(.needsRoot) func namedNamespacesCanBeOpenedUntilRemoved() throws {
        let name = "mesh-test-\(getpid())-named"
        _ = try NetworkNamespace.make(named: name)
        defer { try? NetworkNamespace.remove(named: name) }
        #expect(throws: SystemError.self) { try NetworkNamespace.make(named: name) }
        try NetworkNamespace(named: name).run { try ip("link set lo up") }
        try NetworkNamespace.remove(named: name)
        #expect(throws: SystemError.self) { try NetworkNamespace(named: name) }
    }

    @Test func errorsNameTheOperationAndTheReason() {
        #expect(throws: SystemError("open /proc/sys/net/nonsense", code: ENOENT)) { try Sysctl.read("net.nonsense") }
        let error = SystemError("open a raw socket for OSPF", code: EPERM)
        #expect(
            error.description.hasPrefix("cannot open a raw socket for OSPF: Operation not permitted (this needs root"))
    }

    @Test(.needsRoot) func errorsOfTheBodyAreRethrown() throws {
        struct Failure: Error {}
        let namespace = try NetworkNamespace.make()
        #expect(throws: Failure.self) { try namespace.run { throw Failure() } }
    }

    @Test(.needsRoot) func theLockOfANamespaceHasOneHolder() throws {
        let namespace = try NetworkNamespace.make()
        do {
            let first = try namespace.run { try NetworkNamespace.current() }
            #expect(first.inode == namespace.inode)
            #expect(try first.lock() && first.lock(), "the holder can lock again")
            #expect(try !namespace.lock())
            #expect(try NetworkNamespace.make().lock(), "each namespace has its own lock")
        }
        #expect(try namespace.lock(), "the lock is free after its holder is closed")
    }
}
