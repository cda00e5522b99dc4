extension Configuration.KernelOptions {
    /// The program that a route protocol number belongs to, by the kernel's `rtnetlink.h` and the names that iproute2 and FRR
    /// register; `nil` if the number is free. An agent with the number of another program would remove that program's routes.
    public static func owner(ofRouteProtocol number: UInt8) -> String? { owners[number] }

    private static let owners: [UInt8: String] = [
        0: "the kernel", 1: "the kernel (ICMP redirects)", 2: "the kernel", 3: "the machine's start scripts",
        4: "the administrator (static routes)",
        8: "GateD", 9: "router advertisements", 10: "MRT", 11: "FRR (zebra)", 12: "BIRD", 13: "DNRouteD", 14: "XORP",
        15: "Netsukuku", 16: "DHCP clients", 17: "mrouted", 18: "keepalived", 42: "Babel", 99: "Open/R",
        186: "FRR (BGP)", 187: "FRR (IS-IS)", 188: "FRR (OSPF)", 189: "FRR (RIP)", 190: "FRR (RIPng)",
        191: "FRR (NHRP)", 192: "FRR (EIGRP)", 193: "FRR (LDP)", 194: "FRR (sharpd)", 195: "FRR (policy routes)",
        196: "FRR (static routes)", 197: "FRR (OpenFabric)", 198: "FRR (segment routing)",
    ]
}
