/// An Event about an object, which `kubectl describe` shows.
public struct Event: Resource {
    /// `Event`
    public static let kind = "Event"
    /// `v1`
    public static let apiVersion = "v1"
    /// `events`
    public static let plural = "events"
    /// Events are in the namespace of their object; those about objects without a namespace, such as nodes, in `default`.
    public static let isNamespaced = true

    /// Name, version and so on.
    public var metadata: ObjectMetadata
    /// The reason, one word: `AddressAssigned`.
    public var reason: String
    /// The message, a sentence.
    public var message: String

    private enum CodingKeys: CodingKey { case metadata, reason, message }

    /// Decodes the fields in use.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        metadata = try fields.decode(ObjectMetadata.self, forKey: .metadata)
        reason = try fields.value(.reason, else: "")
        message = try fields.value(.message, else: "")
    }
}

/// An Event to create.
public struct NewEvent: Hashable, Sendable {
    /// The object that an Event is about.
    public struct Subject: Hashable, Sendable, Encodable {
        var kind: String
        var apiVersion: String
        var name: String
        var namespace: String
        var uid: String

        /// Refers to an object.
        public init<Object: Resource>(_ object: Object) {
            kind = Object.kind
            apiVersion = Object.apiVersion
            name = object.metadata.name
            namespace = object.metadata.namespace
            uid = object.metadata.uid
        }
    }

    /// The object that the Event is about.
    public var subject: Subject
    /// The reason, one word: `NoAddress`.
    public var reason: String
    /// The message, a sentence; only the first 1000 characters are sent.
    public var message: String
    /// Whether it is a `Warning`, and not `Normal`.
    public var isWarning: Bool
    /// Whether its name is unique. If not, all Events about the same subject with the same reason and message have the same
    /// name, so that only one of them can exist. The API server removes an Event after an hour, unless configured otherwise.
    public var isUnique: Bool
    /// When it happened.
    public var time: MicroTime
    /// The node whose agent creates it.
    public var host: String

    public init(
        about subject: Subject, reason: String, message: String, isWarning: Bool, isUnique: Bool = true,
        at time: MicroTime, host: String
    ) {
        self.subject = subject
        self.reason = reason
        self.message = message
        self.isWarning = isWarning
        self.isUnique = isUnique
        self.time = time
        self.host = host
    }

    /// The namespace it is created in.
    public var namespace: String { subject.namespace.isEmpty ? "default" : subject.namespace }

    /// The subject's name and, if the Event is unique, the time in microseconds, or else a checksum (FNV-1a with 64 bits) of
    /// what it says.
    var name: String {
        let number =
            isUnique
            ? UInt64(bitPattern: time.microseconds)
            : "\(subject.uid) \(reason) \(message)".utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
                ($0 ^ UInt64($1)) &* 0x100_0000_01b3
            }
        return "\(subject.name).\(String(number, radix: 16))"
    }
}

extension NewEvent: Encodable {
    private enum CodingKeys: CodingKey {
        case apiVersion, kind, metadata, involvedObject, reason, message, type, source, firstTimestamp, lastTimestamp
        case count
    }

    /// Encodes the Event in the form of the API.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encode(Event.apiVersion, forKey: .apiVersion)
        try fields.encode(Event.kind, forKey: .kind)
        try fields.encode(["name": name, "namespace": namespace], forKey: .metadata)
        try fields.encode(subject, forKey: .involvedObject)
        try fields.encode(reason, forKey: .reason)
        // Newer versions of the API reject more than 1024 octets.
        try fields.encode(String(message.prefix(1000)), forKey: .message)
        try fields.encode(isWarning ? "Warning" : "Normal", forKey: .type)
        try fields.encode(["component": "kubermesh", "host": host], forKey: .source)
        try fields.encode(time.seconds, forKey: .firstTimestamp)
        try fields.encode(time.seconds, forKey: .lastTimestamp)
        try fields.encode(1, forKey: .count)
    }
}
