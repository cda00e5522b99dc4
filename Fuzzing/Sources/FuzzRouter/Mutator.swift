internal import FuzzingSupport

/// libFuzzer's own way of changing octets in place; returns how many there are then, at most `limit`.
@_silgen_name("LLVMFuzzerMutate")
private func mutateOctets(_ start: UnsafeMutablePointer<UInt8>, _ count: Int, _ limit: Int) -> Int

/// Changes an input step by step: a change within one packet must not garble those behind it.
@_cdecl("LLVMFuzzerCustomMutator")
public func mutateSteps(_ start: UnsafeMutablePointer<UInt8>, _ count: Int, _ limit: Int, _ seed: UInt32) -> Int {
    var steps = Step.list(from: Array(UnsafeBufferPointer(start: start, count: count)))
    var random = LinearCongruential(state: UInt64(seed))
    guard !steps.isEmpty else { return mutateOctets(start, count, limit) }
    let index = Int.random(in: steps.indices, using: &random)
    let other = Int.random(in: steps.indices, using: &random)
    switch Int.random(in: 0..<12, using: &random) {
    case 0: steps.remove(at: index)
    case 1: steps.insert(steps[other], at: index)
    case 2: steps.swapAt(index, other)
    case 3: steps.insert(.wait(.random(in: 0...255, using: &random)), at: index)
    case 4: steps.insert(.event(.random(in: 0...255, using: &random)), at: index)
    case 5: steps.removeSubrange(min(index, other)..<max(index, other))
    default: steps[index] = mutated(steps[index], &random)
    }
    var octets = steps.flatMap(\.octets)
    while octets.count > limit, !steps.isEmpty {
        steps.removeLast()
        octets = steps.flatMap(\.octets)
    }
    for (offset, octet) in octets.enumerated() { start[offset] = octet }
    return octets.count
}

private func mutated(_ step: Step, _ random: inout LinearCongruential) -> Step {
    switch step {
    case .wait: return .wait(.random(in: 0...255, using: &random))
    case .event: return .event(.random(in: 0...255, using: &random))
    case .packet(let port, let sender, let destination, let octets):
        let room = octets.count + 64
        let changed = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            _ = buffer.initialize(from: octets)
            count = mutateOctets(buffer.baseAddress!, octets.count, room)
        }
        return .packet(port: port, sender: sender, destination: destination, octets: changed)
    }
}

/// Random numbers good enough to choose with.
private struct LinearCongruential: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 32
    }
}
