import ControlAPI
import Foundation
import NIOCore
import OSPF
import Timing

@testable import Kubernetes

/// The object of Kubernetes, not the `Node` of `ControlAPI`.
typealias Node = Kubernetes.Node

/// A generator that gives the same numbers in every test.
struct FixedRandom: RandomNumberGenerator {
    var state: UInt64 = 7

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 33
    }
}

extension Instant {
    /// A number of seconds after the origin.
    static func at(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }
}

func decode<Value: Decodable>(_ text: String) throws -> Value { try decode(Value.self, text) }

func decode<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
    try JSONDecoder().decode(Value.self, from: Data(text.utf8))
}

/// The manifest of a Node.
func node(_ name: String, ready: Bool = true) -> JSONValue {
    [
        "kind": "Node", "apiVersion": "v1", "metadata": ["name": .string(name)],
        "status": ["conditions": [["type": "Ready", "status": ready ? "True" : "False"]]],
    ]
}

/// The manifest of a service; `policy` is its `externalTrafficPolicy`.
func service(_ name: String, policy: String = "Cluster") -> JSONValue {
    [
        "kind": "Service", "apiVersion": "v1", "metadata": ["name": .string(name), "namespace": "default"],
        "spec": [
            "type": "LoadBalancer", "clusterIP": "fd00::1", "externalTrafficPolicy": .string(policy),
            "ports": [["port": 80]],
        ],
    ]
}

/// A decoded Node with a `resourceVersion`.
func typedNode(_ name: String, version: String, uid: String = "1", ready: Bool = true) throws -> Node {
    try decode(
        """
        {"metadata":{"name":"\(name)","uid":"\(uid)","resourceVersion":"\(version)"},
         "status":{"conditions":[{"type":"Ready","status":"\(ready ? "True" : "False")"}]}}
        """)
}
