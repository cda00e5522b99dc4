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
    private let clusterIP: IPv6Address = "10.96.0.1"

    @Test func anAddressIsReservedWhileAnyOwnerHasIt() {
        var reserved = ReservedAddresses()
        reserved.set(a, [one, one, two])
        reserved.set(b, [two])
        reserved.setServers([two])
        #expect(reserved.all == [one, two])
        reserved.set(a, [])
        #expect(reserved.all == [two])
        reserved.set(b, [])
        #expect(reserved.all == [two], "the address of the API server stays reserved")
        reserved.setServers([one])
        #expect(reserved.all == [one])
        reserved.set(b, [one])
        reserved.setServers([])
        #expect(reserved.all == [one])
    }

    /// A connection to the cluster IP of the API server is forwarded to a server even on a node that has this address, so it is
    /// not reserved.
    @Test func aClusterIPOfTheServerIsNotReserved() {
        var reserved = ReservedAddresses()
        reserved.setServers([clusterIP, one])
        reserved.setServerClusterIPs([clusterIP])
        #expect(reserved.all == [one])
        reserved.set(a, [clusterIP])
        #expect(reserved.all == [one, clusterIP], "a cluster IP that a machine has is reserved")
        reserved.set(a, [])
        reserved.setServerClusterIPs([])
        #expect(reserved.all == [one, clusterIP])
    }
}
