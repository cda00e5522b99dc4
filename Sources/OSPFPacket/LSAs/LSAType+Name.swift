extension LSAType {
    /// The names of types, as in `meshctl lsdb TYPE`.
    public static let names: KeyValuePairs<String, LSAType> = [
        "router": .router, "network": .network, "inter-area-prefix": .interAreaPrefix,
        "inter-area-router": .interAreaRouter, "as-external": .asExternal, "nssa": .nssa, "link": .link,
        "grace": .grace, "intra-area-prefix": .intraAreaPrefix, "router-information": .routerInformation,
        "auto-configuration": .autoConfiguration, "ipv4-prefix": .ipv4Prefix,
    ]

    /// The name, or `unknown`.
    public var name: String { Self.names.first { $0.value == self }?.key ?? "unknown" }

    /// The type with this name, or with this hexadecimal number after `0x`; `nil` for other text.
    public init?(name: String) {
        if let type = Self.names.first(where: { $0.key == name })?.value {
            self = type
        } else if name.hasPrefix("0x"), let number = UInt16(name.dropFirst(2), radix: 16) {
            self.init(rawValue: number)
        } else {
            return nil
        }
    }
}
