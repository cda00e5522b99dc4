internal import Addressing
internal import MeshConfiguration
public import OSPF
internal import Services
internal import Timing

extension MeshNode {
    /// The prefixes that the node announces, each once.
    public var announced: [AdvertisedPrefix] { announcements.prefixes }

    /// Passes the prefixes of this node to the router if they have changed. Returns whether they have.
    mutating func announce(at now: Instant) -> Bool {
        guard router != nil,
            announcements.takeStale(ledgerVersion: ledger.version, isGrowing: ledger.hasAdditions),
            announcements.update(composedAnnouncements)
        else { return false }
        notifyRouter(.advertise(announced), at: now)
        return true
    }

    /// The announcements, in the order of precedence: the node's own addresses, the pod ranges, the prefixes of the
    /// configuration (`advertise`), VIPs and service addresses, further prefixes of VIPs, and the prefixes of passive ports.
    private var composedAnnouncements: [AdvertisedPrefix] {
        var prefixes: [AdvertisedPrefix] = []
        var others: [AdvertisedPrefix] = []
        let own = Set(ledger.addresses(of: .node))
        for announcement in ledger.announcements {
            if own.contains(announcement.prefix.address) {
                prefixes.append(announcement)
            } else {
                others.append(announcement)
            }
        }
        prefixes += podRanges.map { AdvertisedPrefix(prefix: $0) }
        prefixes += configuration.advertise
        prefixes += others
        let metric = isDrained ? AdvertisedPrefix.lastResort : 0
        for entry in vips.entries where entry.isAnnounced && ledger.isPlaced(entry.vip.address) {
            prefixes += entry.vip.prefixes.map {
                AdvertisedPrefix(prefix: $0.prefix, metric: max($0.metric, metric), options: $0.options)
            }
        }
        return prefixes + interfaces.passivePrefixes
    }
}
