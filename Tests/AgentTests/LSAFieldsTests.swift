import Addressing
import ControlAPI
import Links
import OSPFPacket
import Testing

@testable import Agent

@Suite struct LSAFieldsTests {
    /// The JSON of the fields, without the line feed at its end.
    private func json(_ body: LSABody) throws -> String {
        String(decoding: try JSON.encode(body.fields).dropLast(), as: UTF8.self)
    }

    private let prefix = LSAPrefix(prefix: IPv6Prefix("2001:db8::/64")!, options: [.localAddress, .node], metric: 7)

    @Test func fieldsOfRouterLSAsAreEncoded() throws {
        let link = RouterLSA.Link(
            type: .transit, metric: 10, interfaceID: 5, neighborInterfaceID: 6, neighborRouterID: RouterID("10.0.0.2")!)
        let body = RouterLSA(flags: [.border, .external], options: [.v6, .e, .r], links: [link])
        #expect(
            try json(.router(body))
                == #"{"flags":["B","E"],"links":[{"interfaceID":5,"metric":10,"neighborInterfaceID":6,"#
                + #""neighborRouterID":"10.0.0.2","type":"transit"}],"options":["V6","E","R"]}"#)
    }

    @Test func fieldsOfNetworkLSAsAreEncoded() throws {
        let body = NetworkLSA(
            options: [.v6, OSPFOptions(rawValue: 1 << 20)], attachedRouters: [RouterID(1), RouterID(2)])
        #expect(try json(.network(body)) == #"{"attachedRouters":["0.0.0.1","0.0.0.2"],"options":["V6","0x100000"]}"#)
    }

    @Test func fieldsOfPrefixAndLinkLSAsAreEncoded() throws {
        #expect(
            try json(.interAreaPrefix(InterAreaPrefixLSA(metric: 9, prefix: prefix)))
                == #"{"metric":9,"prefix":{"options":["LA","N"],"prefix":"2001:db8::/64"}}"#)
        let body = IntraAreaPrefixLSA(
            referencedType: .network, referencedLinkStateID: 5, referencedAdvertisingRouter: RouterID(3),
            prefixes: [prefix])
        #expect(
            try json(.intraAreaPrefix(body))
                == #"{"prefixes":[{"metric":7,"options":["LA","N"],"prefix":"2001:db8::/64"}],"#
                + #""referencedAdvertisingRouter":"0.0.0.3","referencedLinkStateID":"0.0.0.5","referencedType":"network"}"#
        )
        let link = LinkLSA(priority: 1, options: [.v6], linkLocalAddress: IPv6Address("fe80::1")!, prefixes: [prefix])
        #expect(
            try json(.link(link))
                == #"{"linkLocalAddress":"fe80::1","options":["V6"],"prefixes":[{"options":["LA","N"],"#
                + #""prefix":"2001:db8::/64"}],"priority":1}"#)
    }

    @Test func fieldsOfInterAreaRouterAndExternalLSAsAreEncoded() throws {
        #expect(
            try json(.interAreaRouter(InterAreaRouterLSA(options: [.v6], metric: 2, destination: RouterID(9))))
                == #"{"destination":"0.0.0.9","metric":2,"options":["V6"]}"#)
        let body = ASExternalLSA(
            isType2: true, metric: 1, prefix: prefix, forwardingAddress: IPv6Address("2001:db8::9"), routeTag: 4,
            referencedType: .router, referencedLinkStateID: 6)
        #expect(
            try json(.asExternal(body))
                == #"{"forwardingAddress":"2001:db8::9","metric":1,"metricType":2,"prefix":{"options":["LA","N"],"#
                + #""prefix":"2001:db8::/64"},"referencedLinkStateID":"0.0.0.6","referencedType":"0x2001","routeTag":4}"#
        )
    }

    @Test func fieldsOfRouterInformationAndUnknownLSAsAreEncoded() throws {
        #expect(
            try json(
                .routerInformation(
                    RouterInformationLSA(values: [.hostname("n1"), .unknown(type: 3, value: [1, 0xab])])))
                == #"{"values":[{"hostname":"n1"},{"type":3,"value":"01ab"}]}"#)
        #expect(try json(.unknown([0, 255])) == #"{"octets":"00ff"}"#)
    }

    @Test func typesAreFoundByNameAndNumber() {
        for (name, type) in LSAType.names {
            #expect(LSAType(name: name) == type && type.name == name)
        }
        #expect(LSAType(name: "0x4005") == .asExternal)
        #expect(LSAType(name: "0x12345") == nil && LSAType(name: "bogus") == nil)
        #expect(LSAType(rawValue: 0x7777).name == "unknown")
    }
}

@Suite struct RouteTargetQueryTests {
    @Test func prefixesAndAddressesAreParsed() {
        #expect(RouteTargetQuery("2001:db8::/64") == .prefix(IPv6Prefix("2001:db8::/64")!))
        #expect(RouteTargetQuery("2001:db8::1") == .address(IPv6Address("2001:db8::1")!))
        #expect(RouteTargetQuery("default") == .prefix(.default))
        #expect(RouteTargetQuery("2001:db8::1/64") == nil && RouteTargetQuery("x") == nil)
    }
}
