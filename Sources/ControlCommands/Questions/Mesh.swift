import Addressing
import ArgumentParser
import ControlAPI
import Glibc
import Linux
import MeshModel
import OSPFPacket

/// Where the mesh that is asked about comes from.
struct MeshOptions: ParsableArguments {
    @OptionGroup var agent: AgentOptions

    @Option(help: "Ask about the mesh in this file (meshctl snapshot save) and not about the real one.")
    var snapshot: String?

    /// Reads the mesh.
    func read() throws -> Mesh {
        guard let snapshot else { return try Mesh(agent.get("/v1/snapshot"), source: "the answer of the agent") }
        return try Mesh(File.read(snapshot), source: snapshot)
    }
}

/// A mesh to be asked about, with the names of things.
struct Mesh {
    var model: MeshModel
    /// The node that told of the mesh.
    let teller: RouterID
    /// The names of ports, as far as they are known: those of the node that told of the mesh.
    let portNames: [PortID: String]

    /// Reads a snapshot; `source` is what errors call it.
    init(_ body: [UInt8], source: String) throws {
        let document: SnapshotDocument
        do {
            document = try JSON.decode(SnapshotDocument.self, from: body)
        } catch {
            throw Failure.usage(
                "\(source) is no snapshot: \(Self.reason(error))", hint: "meshctl snapshot save FILE makes one")
        }
        guard let teller = RouterID(document.routerID) else {
            throw Failure.usage("\(source): routerID is “\(document.routerID)”, which is no router ID")
        }
        var lsas: [OSPFPacket.LSA] = []
        for (place, octets) in document.octets.enumerated() {
            guard let octets else {
                throw Failure.usage("\(source): lsas[\(place)] is no LSA: it has other than hexadecimal digits")
            }
            do { lsas.append(try OSPFPacket.LSA(octets: octets)) } catch {
                throw Failure.usage("\(source): lsas[\(place)] is no LSA: \(Self.reason(error))")
            }
        }
        model = MeshModel(lsas)
        guard !model.routers.isEmpty else { throw Failure.usage("\(source) has no nodes") }
        self.teller = teller
        portNames = Dictionary(
            document.ports.compactMap { port in
                UInt32(exactly: port.interfaceID).map {
                    (PortID(router: teller, interfaceID: $0), port.name.asOneLine)
                }
            }, uniquingKeysWith: { first, _ in first })
    }

    private static func reason(_ error: any Error) -> String {
        func path(_ context: Swift.DecodingError.Context) -> String {
            context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }.joined().drop { $0 == "." }
                .description
        }
        switch error {
        case Swift.DecodingError.keyNotFound(let key, let context):
            return "\(path(context).isEmpty ? "it" : path(context)) has no \(key.stringValue)"
        case Swift.DecodingError.typeMismatch(_, let context), Swift.DecodingError.valueNotFound(_, let context):
            return "\(path(context).isEmpty ? "it" : path(context)) is of the wrong type"
        case is Swift.DecodingError: return "it is not valid JSON"
        case OSPFPacket.DecodingError.lsaChecksum: return "its checksum is wrong"
        case OSPFPacket.DecodingError.truncated: return "it is too short"
        case OSPFPacket.DecodingError.length: return "its length is not that in its header"
        default: return "\(error)"
        }
    }

    /// The name of a router. Names are from the network.
    func name(_ router: RouterID) -> String { model.name(of: router).asOneLine }

    /// The name of a port, or its number where the name is not known.
    func name(_ port: PortID) -> String {
        portNames[port] ?? model.name(of: port)?.asOneLine ?? "port \(port.interfaceID)"
    }

    /// Names of routers, at most ten of them.
    func names(_ routers: [RouterID]) -> String {
        routers.prefix(10).map(name).joined(separator: ", ")
            + (routers.count > 10 ? " and \(routers.count - 10) more" : "")
    }

    func router(_ text: String) throws -> RouterID {
        do { return try model.knownRouter(text) } catch { throw Failure(error) }
    }
}

extension Failure {
    init(_ error: ChangeError) { self.init(code: 4, message: error.description, hint: error.hint) }
}

/// Files of the operator's.
enum File {
    /// The largest snapshot that is read: some 100,000 LSAs.
    private static let mostOctets = 64 << 20

    static func read(_ path: String) throws -> [UInt8] {
        do { return try SmallFile.read(path, upTo: mostOctets, isAnyKind: true) } catch {
            throw Failure.notFound("\(error)")
        }
    }

    /// Replaces a file, or what a symbolic link leads to, so that it is whole or as it was before. What is no regular file stays.
    static func write(_ octets: [UInt8], to path: String) throws {
        let target = realpath(path, nil).map { pointer in
            defer { free(pointer) }
            return String(cString: pointer)
        }
        do {
            // It tells everything about the mesh.
            try SmallFile.write(String(decoding: octets, as: UTF8.self), to: target ?? path, durably: true, mode: 0o600)
        } catch {
            throw Failure.usage("\(error)")
        }
    }
}

struct SnapshotCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot", abstract: "Save what this node knows of the mesh, to ask about it elsewhere.",
        subcommands: [Save.self])

    struct Save: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "save", abstract: "Write the link-state database to a file for path, whatif and topology.")
        @OptionGroup var agent: AgentOptions
        @Argument(help: "The file; - writes to standard output.")
        var file: String

        func run() throws {
            let body = try agent.get("/v1/snapshot")
            let mesh = try Mesh(body, source: "the answer of the agent")
            if file == "-" { return Console.write(String(decoding: body, as: UTF8.self)) }
            try File.write(body, to: file)
            Console.write("\(file): \(mesh.model.routers.count) nodes, \(mesh.model.lsas.count) LSAs\n")
        }
    }
}
