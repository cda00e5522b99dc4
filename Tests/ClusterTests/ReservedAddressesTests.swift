import Addressing
import Kubernetes
import Testing

@testable import Cluster

struct ReservedAddressesTests {
    private let a = ObjectKey(name: "a")
    private let b = ObjectKey(name: "b")
    private let one: IPv6Address = "fd70::1"
    private let two: IPv6Address = "fd70::2"
    /// The cluster IP of the API server.
    private let three: IPv6Address = "10.96.0.1"

    @Test func anAddressIsFreeWhenNobodyHasItAnyMore() {
        var reserved = ReservedAddresses()
        reserved.set(a, [one, one, two])
        reserved.set(b, [two])
        reserved.setServers([two])
        #expect(reserved.all == [one, two])
        reserved.set(a, [])
        #expect(reserved.all == [two])
        reserved.set(b, [])
        #expect(reserved.all == [two], "the API server is there")
        reserved.setServers([one])
        #expect(reserved.all == [one])
        reserved.set(b, [one])
        reserved.setServers([])
        #expect(reserved.all == [one])
    }

    /// A connection to the cluster IP of the API server is forwarded to a server even on a node that has this address, so it is
    /// not reserved.
    @Test func aClusterIPOfTheServerIsAServices() {
        var reserved = ReservedAddresses()
        reserved.setServers([three, one])
        reserved.setServerClusterIPs([three])
        #expect(reserved.all == [one])
        reserved.set(a, [three])
        #expect(reserved.all == [one, three], "unless a machine has it")
        reserved.set(a, [])
        reserved.setServerClusterIPs([])
        #expect(reserved.all == [one, three])
    }
}
