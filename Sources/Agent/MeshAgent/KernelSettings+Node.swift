internal import Linux
internal import Netlink
internal import Node

extension KernelSettings {
    /// Checks a setting, and sets it if it is wrong. Returns an outcome for each variable of the setting; none for some
    /// settings of a port if the port needs no change.
    static func apply(_ setting: KernelSetting) -> [SettingOutcome] {
        let outcomes: [Outcome]
        switch setting {
        case .loopbackUp: outcomes = [LoopbackInterface.setUp()]
        case .forwarding: outcomes = applyForwarding()
        case .forwardingOnPort(let port): outcomes = [applyForwarding(on: port)]
        case .quietNextHops: outcomes = [setNextHopCompatibility(false)]
        case .looseReversePathFilter(let port): outcomes = relaxReversePathFilter(of: port).map { [$0] } ?? []
        case .keepRouterAdvertisements(let port): outcomes = keepRouterAdvertisements(of: port).map { [$0] } ?? []
        case .acceptRouterAdvertisements(let port): outcomes = acceptRouterAdvertisements(on: port).map { [$0] } ?? []
        case .refuseRouterAdvertisements(let port): outcomes = [setRouterAdvertisements(accepted: false, on: port)]
        }
        return outcomes.map(SettingOutcome.init)
    }
}

extension SettingOutcome {
    init(_ outcome: KernelSettings.Outcome) {
        let result: Result =
            switch outcome.result {
            case .unchanged: .unchanged
            case .changed(let previous): .changed(from: previous)
            case .failed(let error): .failed("\(error)")
            case .absent: .absent
            }
        self.init(name: outcome.name, wanted: outcome.wanted, result: result)
    }
}
