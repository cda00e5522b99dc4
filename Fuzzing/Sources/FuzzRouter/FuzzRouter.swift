internal import FuzzingSupport

/// Lets a router live through whatever the input says.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRouter(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var subject = Subject()
    for step in Step.list(from: Array(UnsafeBufferPointer(start: start, count: count))) {
        subject.take(step)
        subject.effects = []
    }
    return 0
}
