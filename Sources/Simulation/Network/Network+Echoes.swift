internal import Addressing
internal import Liveness
internal import Node
internal import OSPF
internal import Timing

/// Echo requests and answers. The kernel of a machine with power answers, whatever its process does.
extension Network {
    /// An echo request or an answer on its way to a port.
    struct Echo: Sendable {
        var request: EchoRequest
        /// The machine that asks, and its process.
        var sender: Int
        var process: Int
        /// When the request was sent.
        var moment: Instant
        var isAnswer = false
    }

    /// Reads waiting answers and does what is due, as the agent's thread for echoes does when it wakes up.
    mutating func runProber(of node: Int) {
        guard nodes[node].state == .running else { return }
        let local = localTime(of: node)
        let answers = nodes[node].unreadAnswers
        nodes[node].unreadAnswers = []
        for answer in answers {
            nodes[node].prober.answered(
                answer.target, answer.sequence, size: answer.size, roundTrip: answer.roundTrip, at: local)
        }
        var requests: [EchoRequest] = []
        var reports: [EchoReport] = []
        nodes[node].prober.advance(to: local, requests: &requests, reports: &reports)
        for request in requests { send(request, from: node) }
        setEchoTimer(node)
        if !reports.isEmpty { handle(.liveness(reports), on: node) }
    }

    mutating func setEchoTimer(_ node: Int) {
        guard let deadline = nodes[node].prober.nextDeadline else { return nodes[node].echoTimer = nil }
        let wanted = max(deadline.nanoseconds - nodes[node].clockOffset.nanoseconds, now.nanoseconds)
        if let timer = nodes[node].echoTimer, timer.nanoseconds <= wanted { return }
        let time = Instant(nanoseconds: wanted) + random.duration(upTo: machine.timerSlack)
        nodes[node].echoTimer = time
        enqueue(.echoTimer(node: node), after: time - now)
    }

    mutating func fireEchoTimer(_ node: Int) {
        guard nodes[node].echoTimer == now else { return }
        nodes[node].echoTimer = nil
        runProber(of: node)
    }

    private mutating func send(_ request: EchoRequest, from node: Int) {
        guard let index = port(of: node, interface: request.target.interface), ports[index].hasCarrier,
            request.source == ports[index].configuration.linkLocalAddress
        else { return nodes[node].prober.notSent(request) }
        statistics.echoes += 1
        let process = nodes[node].processNumber
        carry(Echo(request: request, sender: node, process: process, moment: now), from: index)
    }

    /// Carries a request or an answer from a port to the others of its link.
    private mutating func carry(_ echo: Echo, from sender: Int) {
        let (link, end) = (ports[sender].link, ports[sender].end)
        let quality = links[link].quality
        for other in links[link].ports.indices where other != end {
            // A damaged packet has a wrong checksum.
            guard !links[link][cutFrom: end, to: other], echo.request.size <= quality.largestPacket,
                !random.chance(quality.loss),
                !random.chance(quality.corruption)
            else { continue }
            enqueue(
                .echo(port: links[link].ports[other], echo),
                after: quality.delay + random.duration(upTo: quality.jitter))
        }
    }

    /// A request or an answer arrives at a port.
    mutating func receive(_ echo: Echo, at index: Int) {
        guard ports[index].hasCarrier else { return }
        let address = ports[index].configuration.linkLocalAddress
        if echo.isAnswer {
            let node = ports[index].node
            guard node == echo.sender, nodes[node].processNumber == echo.process, address == echo.request.source,
                nodes[node].unreadAnswers.count < machine.socketBacklog
            else { return }
            nodes[node].unreadAnswers.append(
                Machine.Answer(
                    target: echo.request.target, sequence: echo.request.sequence, size: echo.request.size,
                    roundTrip: now - echo.moment))
        } else if address == echo.request.target.address, !nodes[ports[index].node].dropsEchoRequests {
            var answer = echo
            answer.isAnswer = true
            carry(answer, from: index)
        }
    }
}
