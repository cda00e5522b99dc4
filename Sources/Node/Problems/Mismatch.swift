internal import Addressing
public import OSPF
internal import OSPFPacket

/// Texts for settings that differ between the ends of a link, for the log and the control API.
public enum Mismatch {
    /// Different MTUs.
    public static func mtu(theirs: Int, ours: Int) -> String { text("MTU", "\(theirs)", "\(ours)") }

    /// A field of hellos that differs. `theirs` and `ours` are its values in the packets; both are 0 for
    /// `.linkLocalAddress`.
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

    /// One end elects a designated router, the other does not. `ours` is the type in effect on our end, never `auto`.
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

    /// The area type that the E and N bits of `field`, the options of a hello, stand for (RFC 5340 §A.2).
    private static func areaType(_ field: Int) -> String {
        let options = OSPFOptions(rawValue: UInt32(truncatingIfNeeded: field))
        return options.contains(.n) ? "NSSA" : options.contains(.e) ? "normal" : "stub"
    }
}
