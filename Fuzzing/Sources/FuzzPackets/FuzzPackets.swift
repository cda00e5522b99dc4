internal import FuzzingSupport

/// Decodes one packet, or one body of an LSA.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzPackets(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    PacketInput(octets: Array(UnsafeBufferPointer(start: start, count: count)))?.check()
    return 0
}
