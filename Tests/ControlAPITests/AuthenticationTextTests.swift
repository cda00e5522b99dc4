import ControlAPI
import Testing

@Suite struct AuthenticationTextTests {
    private static func policy(_ state: String, on interface: String? = nil, file: String? = nil) -> Authentication {
        var item = Authentication(kind: "policy", state: state)
        item.interface = interface
        item.file = file
        return item
    }

    /// Two keys in the middle of a change, with the longest texts that are usual.
    private static let items: [Authentication] = {
        var old = Authentication(kind: "key", key: 1, algorithm: "hmac-sha-256", state: "sending")
        old.send = .init(from: nil, until: "2027-12-01T00:00:00Z", state: "valid", seconds: 86400 * 364 + 3600)
        old.accept = .init(from: nil, until: nil, state: "valid", seconds: nil)
        var new = Authentication(kind: "key", key: 65535, algorithm: "hmac-sha-512", state: "not yet valid")
        new.send = .init(
            from: "2027-11-01T00:00:00Z", until: "2028-12-01T00:00:00Z", state: "early", seconds: 86400 * 334)
        new.accept = .init(
            from: "2026-10-31T00:00:00Z", until: "2026-11-02T00:00:00Z", state: "over", seconds: 192)
        var neighbor = Authentication(kind: "neighbor", key: 1, algorithm: "hmac-sha-256", state: "authentic")
        (neighbor.node, neighbor.routerID, neighbor.interface) = ("n2", "242.84.221.206", "enp65s0f0")
        (neighbor.address, neighbor.age) = ("fe80::21b:21ff:fe00:5", 192)
        var refused = Authentication(kind: "refused", key: 9, state: "unknownKey")
        (refused.node, refused.routerID, refused.interface) = ("worker-17", "242.84.221.206", "enp65s0f1")
        (refused.address, refused.age) = ("fe80::21b:21ff:fe00:6", 7500)
        (refused.lastHeard, refused.packets) = (0.4, 7496)
        var session = Authentication(kind: "bfd", key: 3, algorithm: "meticulous-sha1", state: "Up")
        (session.node, session.interface, session.file) = ("n2", "enp65s0f0", "/etc/kubermesh/bfd.key")
        return [
            policy("required", file: "/etc/kubermesh/keys.yaml"), policy("off", on: "en07"), old, new, neighbor,
            refused,
            session,
        ]
    }()

    @Test func eachKindHasATable() {
        let text = Authentication.text(Self.items, headers: true)
        #expect(
            text == """
                required: OSPF packets without a valid key are refused; keys: /etc/kubermesh/keys.yaml
                on en07: off: OSPF packets are not authenticated

                KEY    ALGORITHM     USE     FROM                  UNTIL                 STATE
                1      hmac-sha-256  send    -                     2027-12-01T00:00:00Z  in use, expires in 364d1h
                                     accept  -                     -                     valid
                65535  hmac-sha-512  send    2027-11-01T00:00:00Z  2028-12-01T00:00:00Z  begins in 334d0h
                                     accept  2026-10-31T00:00:00Z  2026-11-02T00:00:00Z  expired 3m12s ago

                NEIGHBOR  ROUTER-ID       DEV        ADDRESS                KEY  ALGORITHM       AGE
                n2        242.84.221.206  enp65s0f0  fe80::21b:21ff:fe00:5  1    hmac-sha-256  3m12s

                REFUSED    ROUTER-ID       DEV        ADDRESS                KEY  REASON       AGE  LAST  PACKETS
                worker-17  242.84.221.206  enp65s0f1  fe80::21b:21ff:fe00:6  9    unknownKey  2h5m  0.4s     7496

                BFD  DEV        KEY  TYPE             SESSION  FILE
                n2   enp65s0f0  3    meticulous-sha1  Up       /etc/kubermesh/bfd.key

                """)
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 100 })
        #expect(!Authentication.text(Self.items, headers: false).contains("NEIGHBOR"))
    }

    @Test func aNodeWithoutKeysSaysSo() {
        #expect(
            Authentication.text([Self.policy("off")], headers: true)
                == "off: OSPF packets are not authenticated, this node has no keys (auth.keys)\n")
    }
}
