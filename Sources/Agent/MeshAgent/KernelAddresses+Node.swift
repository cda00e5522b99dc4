internal import Addressing
internal import Linux
internal import Netlink
internal import Node

extension KernelAddresses {
    /// Carries out a request of the ledger on `lo`. The caller checks that no other machine has the address (`ifUnclaimed`).
    func carryOut(_ request: AddressLedger.Request) -> AddressLedger.Outcome {
        do {
            switch request {
            case .add(let address, _):
                if try add(address) { return .added }
                return .present(isOurs: try isOurs(address))
            case .remove(let address):
                try remove(address)
                return .removed
            }
        } catch {
            return .refused("\(error)")
        }
    }
}
