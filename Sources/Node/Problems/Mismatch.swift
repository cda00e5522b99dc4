internal import Addressing
public import OSPF
internal import OSPFPacket

/// Texts for settings that differ between the ends of a link, for the log and the control API.
public enum Mismatch {
    /// Different MTUs.
    public static func mtu(theirs: Int, ours: Int) -> String { text("MTU", "\(theirs)", "\(ours)") }

    /// Fields of hellos that differ.
    public static func hello(_ field: Notice.HelloField, theirs: Int, ours: Int) -> String {
        switch field {
        case .helloInterval: text("hello interval", "\(theirs) s", "\(ours) s")
        case .deadInterval: text("dead interval", "\(theirs) s", "\(ours) s")
        case .areaType: text("area type", areaType(theirs), areaType(ours))
        case .area: text("area", area(theirs), area(ours))
        case .instanceID: text("instance ID", "\(theirs)", "\(ours)")
        case .linkLocalAddress: "it has our link-local address; give one end another"
        }
    }

    /// One end elects a designated router, the other does not.
    public static func linkType(ours: InterfaceConfiguration.Kind) -> String {
        let words = ["p2p", "broadcast"]
        return ours == .broadcast ? text("link type", words[0], words[1]) : text("link type", words[1], words[0])
    }

    private static func text(_ what: String, _ theirs: String, _ ours: String) -> String {
        "\(what) mismatch: theirs is \(theirs), ours \(ours); set both ends alike"
    }

    private static func area(_ number: Int) -> String {
        AreaID(rawValue: UInt32(truncatingIfNeeded: number)).description
    }

    /// The E and N bits in words (RFC 5340 §A.2).
    private static func areaType(_ octets: Int) -> String {
        let options = OSPFOptions(rawValue: UInt32(truncatingIfNeeded: octets))
        return options.contains(.n) ? "NSSA" : options.contains(.e) ? "normal" : "stub"
    }
}
