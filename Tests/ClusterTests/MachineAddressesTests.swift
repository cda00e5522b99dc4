import Addressing
import Kubernetes
import Testing

@testable import Cluster

struct MachineAddressesTests {
    private let a = ObjectKey(name: "a")
    private let b = ObjectKey(name: "b")
    private let one: IPv6Address = "fd70::1"
    private let two: IPv6Address = "fd70::2"
    private let three: IPv6Address = "10.96.0.1"

    @Test func anAddressIsFreeWhenNobodyHasItAnyMore() {
        var machines = MachineAddresses()
        machines.set(a, [one, one, two])
        machines.set(b, [two])
        machines.setServers([two])
        #expect(machines.all == [one, two])
        machines.set(a, [])
        #expect(machines.all == [two])
        machines.set(b, [])
        #expect(machines.all == [two], "the API server is there")
        machines.setServers([one])
        #expect(machines.all == [one])
        machines.set(b, [one])
        machines.setServers([])
        #expect(machines.all == [one])
    }

    /// The cluster IP of the API server leads to it wherever it is held.
    @Test func aClusterIPOfTheServerIsAServices() {
        var machines = MachineAddresses()
        machines.setServers([three, one])
        machines.setServerClusterIPs([three])
        #expect(machines.all == [one])
        machines.set(a, [three])
        #expect(machines.all == [one, three], "unless a machine has it")
        machines.set(a, [])
        machines.setServerClusterIPs([])
        #expect(machines.all == [one, three])
    }
}
