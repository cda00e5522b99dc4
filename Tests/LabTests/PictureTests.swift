import Testing

@testable import Lab

@Suite struct PictureTests {
    /// The picture of a named topology; `state` gives the state of each link by its index.
    private func picture(_ name: String, _ state: (Int) -> Topology.LinkState = { _ in .up }) throws -> String {
        try #require(try Topology.named(name)).picture(state)
    }

    @Test func squareIsDrawnAsASquare() throws {
        #expect(
            try picture("square4") == """
                    n1 ───── n2
                    │        │
                    n3 ───── n4
                """)
    }

    @Test func failedLinksAreMarked() throws {
        #expect(
            try picture("square4") { [.cut, .silent, .up, .silent][$0] } == """
                    n1 ──✕── n2
                    ✕        │
                    n3 ┄┄✕┄┄ n4
                """)
    }

    /// A link that the grid has no place for is drawn too.
    @Test func everyLinkIsDrawn() throws {
        var topology = try #require(try Topology.named("grid:3x1"))
        #expect(topology.picture { _ in .up } == "    n1 ───── n2 ───── n3")
        topology.links.append(Topology.Link("n1", "n3"))
        let picture = topology.picture { $0 == 2 ? .cut : .up }
        #expect(picture.split(separator: "\n").contains { $0.contains("n1") && $0.contains("n3") && $0.contains("✕") })
    }

    @Test func ringsOfEvenAndOddSizeAreDrawnClosed() throws {
        #expect(
            try picture("ring:6") == """
                    n1 ───── n2 ───── n3
                    │                 │
                    n6 ───── n5 ───── n4
                """)
        #expect(
            try picture("ring:5") == """
                    n1 ───── n2 ───── n3
                    │                 │
                    n5 ────────────── n4
                """)
    }

    @Test func aSegmentIsDrawnAsALineWithItsMembers() throws {
        #expect(
            try picture("lan:3") == """
                      n1    n2    n3
                      │     │     │
                    ━━┷━━━━━┷━━━━━┷━━━ lan
                """)
    }

    @Test func otherTopologiesHaveAColumnPerNodeAndARowPerLink() throws {
        #expect(
            try picture("ha:2+1") { $0 == 2 ? .cut : .up } == """
                     cp1  cp2  w1
                      ●────●    │    cp1-cp2
                      ●─────────●    cp1-w1
                      │    ●    ●    cp2-w1  ✕ cut
                """)
    }
}
