internal import Addressing
internal import OSPFPacket

/// Gives a packet the length and checksums that its sender would have given it, so that an input can change what a
/// packet says and still get past the door. What does not decode even then is left as it is.
func repaired(_ octets: [UInt8], source: IPv6Address, destination: IPv6Address) -> [UInt8] {
    guard (PacketHeader.size...65_535).contains(octets.count) else { return octets }
    var octets = octets
    octets[2] = UInt8(octets.count >> 8)
    octets[3] = UInt8(octets.count & 255)
    if octets[1] == PacketType.linkStateUpdate.rawValue { repairLSAs(of: &octets) }
    let packet = try? Packet.decode(octets, source: source, destination: destination, verifyChecksum: false)
    return packet?.encode(source: source, destination: destination) ?? octets
}

private func repairLSAs(of update: inout [UInt8]) {
    func word(_ octets: [UInt8], _ offset: Int) -> UInt32 {
        octets[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
    var start = PacketHeader.size + 4
    while start + LSAHeader.size <= update.count {
        let length = Int(word(update, start + 16) & 0xffff)
        guard length >= LSAHeader.size, length % 4 == 0, start + length <= update.count else { return }
        let lsa = Array(update[start..<start + length])
        let key = LSAKey(
            type: LSAType(rawValue: UInt16(word(lsa, 0) & 0xffff)), linkStateID: word(lsa, 4),
            advertisingRouter: RouterID(word(lsa, 8)))
        let whole = LSA(
            key: key, age: min(UInt16(word(lsa, 0) >> 16), LSAHeader.maxAge),
            sequenceNumber: Int32(bitPattern: word(lsa, 12)), body: .unknown(Array(lsa[LSAHeader.size...])))
        update.replaceSubrange(start..<start + length, with: whole.octets)
        start += length
    }
}
