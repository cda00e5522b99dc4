internal import ControlAPI

/// The fields and types that the objects have, as far as clients write them: a client's object with another field is refused, as
/// by a real server with `fieldValidation=Strict`.
indirect enum Schema: Sendable {
    case any
    case text
    /// RFC 3339 with whole seconds.
    case time
    /// RFC 3339 with six digits of the second.
    case microTime
    case integer
    case texts
    case list(Schema)
    case fields([String: Schema])

    /// Throws 400 unless a client may send this object, whole or as a merge patch.
    func check(_ object: JSONValue) throws(Refusal) {
        if let fault = fault(in: object, at: "") {
            throw Refusal(code: 400, reason: "BadRequest", message: "strict decoding error: \(fault)")
        }
    }

    /// What is wrong with a value; `nil` if nothing is. Any field may be `null`, which stands for none.
    private func fault(in value: JSONValue, at path: String) -> String? {
        switch (self, value) {
        case (.any, _), (_, .null), (.text, .string), (.integer, .integer): return nil
        case (.time, .string(let text)): return Self.hasForm(text, "0000-00-00T00:00:00Z") ? nil : "no time: \(path)"
        case (.microTime, .string(let text)):
            return Self.hasForm(text, "0000-00-00T00:00:00.000000Z") ? nil : "no time: \(path)"
        case (.texts, .object(let fields)):
            return fields.values.allSatisfy { $0 == .null || $0.text != nil } ? nil : "no text: \(path)"
        case (.texts, .array(let items)): return items.allSatisfy { $0.text != nil } ? nil : "no text: \(path)"
        case (.list(let schema), .array(let items)):
            return items.lazy.compactMap { schema.fault(in: $0, at: path) }.first
        case (.fields(let known), .object(let fields)):
            return fields.sorted { $0.key < $1.key }.lazy.compactMap { key, value in
                let name = path.isEmpty ? key : "\(path).\(key)"
                return known[key].map { $0.fault(in: value, at: name) } ?? "unknown field \"\(name)\""
            }.first
        default: return "wrong type: \(path)"
        }
    }

    private static func hasForm(_ text: String, _ form: String) -> Bool {
        text.utf8.count == form.utf8.count
            && zip(text.utf8, form.utf8).allSatisfy { octet, sample in
                sample == UInt8(ascii: "0") ? (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(octet) : octet == sample
            }
    }

    /// An object of a kind with these fields, besides those that all objects have.
    static func object(_ fields: [String: Schema]) -> Schema {
        let common: [String: Schema] = ["kind": .text, "apiVersion": .text, "metadata": metadata]
        return .fields(common.merging(fields) { $1 })
    }

    private static let metadata = Schema.fields([
        "name": .text, "generateName": .text, "namespace": .text, "uid": .text, "resourceVersion": .text,
        "generation": .integer, "creationTimestamp": .time, "deletionTimestamp": .time, "labels": .texts,
        "annotations": .texts, "finalizers": .texts, "ownerReferences": .any, "managedFields": .any,
    ])

    static let node = object([
        "spec": .fields([
            "podCIDR": .text, "podCIDRs": .texts, "providerID": .text, "unschedulable": .any, "taints": .any,
            "configSource": .any, "externalID": .text,
        ]),
        "status": .any,
    ])

    static let service = object([
        "spec": .any,
        "status": .fields([
            "loadBalancer": .fields([
                "ingress": .list(.fields(["ip": .text, "hostname": .text, "ipMode": .text, "ports": .any]))
            ]),
            "conditions": .any,
        ]),
    ])

    static let event = object([
        "involvedObject": .fields([
            "kind": .text, "namespace": .text, "name": .text, "uid": .text, "apiVersion": .text,
            "resourceVersion": .text, "fieldPath": .text,
        ]),
        "reason": .text, "message": .text, "source": .fields(["component": .text, "host": .text]),
        "firstTimestamp": .time, "lastTimestamp": .time, "count": .integer, "type": .text, "eventTime": .microTime,
        "series": .fields(["count": .integer, "lastObservedTime": .microTime]), "action": .text, "related": .any,
        "reportingComponent": .text, "reportingInstance": .text,
    ])

    static let lease = object([
        "spec": .fields([
            "holderIdentity": .text, "leaseDurationSeconds": .integer, "acquireTime": .microTime,
            "renewTime": .microTime, "leaseTransitions": .integer, "strategy": .text, "preferredHolder": .text,
        ])
    ])
}
