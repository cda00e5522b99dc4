import MeshConfiguration

extension InterfaceRule {
    /// Reads `quality`: `on` or `off`.
    mutating func readQuality(_ section: Section) {
        section.read("quality", into: &isQualityOn) { try Read.word($0, ["on": true, "off": false]) }
    }
}
