import ArgumentParser
import ControlAPI
import Glibc
import MeshConfiguration

struct EventsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Show what has happened on this node: log lines and changes of routes, with their causes.")
    @OptionGroup var agent: AgentOptions
    @OptionGroup var options: OutputOptions
    @Option(help: "Show only events of this time until now, for example 90s, 10m or 2h.")
    var since: String?
    @Option(help: "Show only events of this kind: log or convergence.")
    var kind: String?
    @Flag(name: .shortAndLong, help: "Show new events as they happen, until interrupted.")
    var follow = false

    func validate() throws {
        if let kind, !["log", "convergence"].contains(kind) {
            throw ValidationError("There are no events of the kind \(kind): log or convergence.")
        }
        if follow, options.watch { throw ValidationError("--follow and --watch exclude each other.") }
        _ = try beginning()
    }

    func run() throws {
        if follow { return try followEvents() }
        try options.repeatedly {
            let document = try events()
            return try text(document, headers: !options.noHeaders)
        }
    }

    /// Asks once a second, and shows what was not in the last answer. The numbers of events say nothing here: they begin anew when the
    /// agent is replaced.
    private func followEvents() throws {
        struct Identity: Hashable {
            var time: String
            var message: String
        }
        var known: Set<Identity>?
        while true {
            do {
                var document = try events()
                let identities = document.items.map { Identity(time: $0.time, message: $0.message) }
                document.items = zip(document.items, identities).filter { known?.contains($1) != true }.map(\.0)
                if known == nil || !document.items.isEmpty {
                    Console.write(try text(document, headers: known == nil && !options.noHeaders))
                }
                known = Set(identities)
            } catch let failure as Failure where failure.code == 3 && known != nil {
                // The agent is being replaced.
            }
            sleep(1)
        }
    }

    private func events() throws -> ListDocument<Event> {
        let body = try agent.get("/v1/events")
        var document: ListDocument<Event>
        do { document = try JSON.decode(ListDocument<Event>.self, from: body) } catch {
            throw Failure.no(
                "unexpected answer of the agent: \(error)", hint: "Are meshctl and meshd of the same version?")
        }
        let beginning = try beginning()
        document.items.removeAll { event in
            // Times of one format in UTC are in the order of their text.
            kind.map { event.kind != $0 } ?? false || beginning.map { event.time < $0 } ?? false
        }
        return document
    }

    private func text(_ document: ListDocument<Event>, headers: Bool) throws -> String {
        try options.text(JSON.encode(document), as: ListDocument<Event>.self) {
            $0.items.isEmpty && headers
                ? "No events.\n" : Event.table($0.items, wide: options.output == .wide).text(headers: headers)
        }
    }

    /// The time of ``since``, as text.
    private func beginning() throws -> String? {
        guard let since else { return nil }
        guard let duration = Duration(configurationText: since), duration >= .zero else {
            throw ValidationError("\(since) is no time, as 90s, 10m or 2h is.")
        }
        return Timestamp.text(before: duration)
    }
}
