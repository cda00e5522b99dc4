internal import CNetlink
internal import Glibc
internal import Linux

/// The kernel's refusal of one message.
struct Refusal: Error {
    /// Which message of a batch, from 0.
    var index: Int
    var code: CInt
    /// The kernel's own error message together with the system's message for the code; `nil` if the kernel gave none.
    var explanation: String?
    /// The explanation or, without one, the system's message for the code.
    var message: String { explanation ?? SystemError.message(for: code) }

    init(index: Int, code: CInt, explanation: String?) {
        self.index = index
        self.code = code
        self.explanation = explanation.map { "\($0) (\(SystemError.message(for: code)))" }
    }
}

extension NetlinkSocket {
    /// Sends a batch whose messages have the sequence numbers from `first` on, and waits until the kernel has processed all.
    /// Only the last is acknowledged; the kernel always reports errors. Throws if an answer was lost.
    func transact(_ batch: inout MessageEncoder, first: UInt32) throws(SystemError) -> [Refusal] {
        guard batch.count > 0 else { return [] }
        batch.acknowledgeLast()
        try send(batch.octets)
        let last = first &+ UInt32(batch.count - 1)
        var refusals: [Refusal] = []
        var isDone = false
        while !isDone {
            guard case .octets(let count) = try receive(wait: true) else {
                throw SystemError("read all answers of the kernel", code: ENOBUFS)
            }
            forEachMessage(count) { message in
                guard let (code, explanation) = message.answer else { return }
                let index = message.sequence &- first
                guard index < UInt32(batch.count) else { return }
                if code != 0 { refusals.append(Refusal(index: Int(index), code: code, explanation: explanation)) }
                if message.sequence == last { isDone = true }
            }
        }
        return refusals
    }

    /// Sends one message and waits for the kernel's answer. Returns the refusal, if any.
    func request<Fixed: BitwiseCopyable>(
        _ type: Int, flags: Int, _ fixed: Fixed, _ attributes: (inout MessageEncoder) -> Void
    ) throws(SystemError) -> Refusal? {
        var batch = MessageEncoder()
        let sequence = sequenceNumbers(1)
        batch.message(type, flags: flags, sequence: sequence, fixed, attributes)
        return try transact(&batch, first: sequence).first
    }

    /// Requests one object and calls `body` with the answer. Returns the kernel's refusal, if any.
    func get<Fixed: BitwiseCopyable>(
        _ type: Int, _ fixed: Fixed, _ attributes: (inout MessageEncoder) -> Void, _ body: (MessageView) -> Void
    ) throws(SystemError) -> Refusal? {
        var request = MessageEncoder()
        let sequence = sequenceNumbers(1)
        request.message(type, flags: Flag.acknowledge, sequence: sequence, fixed, attributes)
        try send(request.octets)
        var answer: (code: Int32, explanation: String?)?
        while answer == nil {
            guard case .octets(let count) = try receive(wait: true) else {
                throw SystemError("read an answer of the kernel", code: ENOBUFS)
            }
            forEachMessage(count) { message in
                guard message.sequence == sequence else { return }
                if let result = message.answer { answer = result } else { body(message) }
            }
        }
        return answer.flatMap { $0.code == 0 ? nil : Refusal(index: 0, code: $0.code, explanation: $0.explanation) }
    }

    /// Requests all objects of a type and calls `body` with each message. Repeats the dump if changes interrupted it or
    /// messages were lost, at most 10 times in all: a table that changes during every dump must not block the loop forever.
    /// Calls `restart`, which discards what `body` has collected, before each dump, also the first. `what` is a plural noun
    /// for the error.
    func dump<Fixed: BitwiseCopyable>(
        _ type: Int, _ fixed: Fixed, of what: String, _ attributes: (inout MessageEncoder) -> Void = { _ in },
        restart: () -> Void, _ body: (MessageView) -> Void
    ) throws(SystemError) {
        for _ in 0..<10 {
            restart()
            if try attemptDump(type, fixed, of: what, attributes, body) { return }
        }
        throw SystemError("read \(what) while they change all the time", code: EBUSY)
    }

    /// Makes one dump. Returns whether it is complete; if not, it was interrupted, or a message was lost.
    private func attemptDump<Fixed: BitwiseCopyable>(
        _ type: Int, _ fixed: Fixed, of what: String, _ attributes: (inout MessageEncoder) -> Void,
        _ body: (MessageView) -> Void
    ) throws(SystemError) -> Bool {
        var request = MessageEncoder()
        let sequence = sequenceNumbers(1)
        request.message(type, flags: Flag.dump, sequence: sequence, fixed, attributes)
        try send(request.octets)
        var isDone = false
        var isWhole = true
        var failure: Refusal?
        while !isDone {
            guard case .octets(let count) = try receive(wait: true) else { return false }
            forEachMessage(count) { message in
                guard message.sequence == sequence else { return }
                if message.flags & Flag.dumpInterrupted != 0 { isWhole = false }
                if message.type == Int(NLMSG_DONE) {
                    isDone = true
                    // A dump may also end with an error.
                    if let code = message.fixed(Int32.self), code < 0 {
                        failure = Refusal(index: 0, code: -code, explanation: nil)
                    }
                } else if let (code, explanation) = message.answer {
                    isDone = true
                    if code != 0 { failure = Refusal(index: 0, code: code, explanation: explanation) }
                } else {
                    body(message)
                }
            }
        }
        if let failure { throw SystemError("read \(what)", code: failure.code) }
        return isWhole
    }
}
