import Testing

@testable import Lab

@Suite struct AnswerTests {
    @Test func equalDatabasesOfFRRAndBIRDAreReadAsEqual() {
        let frr = Lab.frrDatabase(
            """

                    Area Scoped Link State Database (Area 0.0.0.0)


            [Router Id:0.0.0.0 Adv:10.0.0.1]:

            \t00002001 00000000 0a000001 80000003
            \ta8950038 00000013 0100000a 00000064

            [Intra-Prefix Id:0.0.0.0 Adv:10.0.0.2]:

            \t00012009 00000000 0a000002 80000002
            \t7df30034 00012001
            """)
        let bird = Lab.birdDatabase(
            """
            BIRD 2.0.12 ready.

            Area 0.0.0.0

             Type   LS ID           Router          Sequence   Age  Checksum
             2001  0.0.0.0         10.0.0.1         80000003     7    a895
             2009  0.0.0.0         10.0.0.2         80000002     1    7df3
            """)
        #expect(frr.count == 2)
        #expect(frr == bird)
    }

    @Test func neighborsOfBIRDAreRead() {
        let found = Lab.birdNeighbors(
            """
            BIRD 2.0.12 ready.
            mesh:
            Router ID   \tPri\t     State     \tDTime\tInterface  Router IP
            10.0.0.2    \t  1\tFull/PtP  \t 3.750\tcluster0   fe80::ff:fe00:101
            10.0.0.3    \t  1\tFull/BDR  \t 3.666\tcluster1   fe80::ff:fe00:181
            """)
        #expect(
            found == [
                ReportedNeighbor(routerID: "10.0.0.2", port: "cluster0", state: "Full", role: nil),
                ReportedNeighbor(routerID: "10.0.0.3", port: "cluster1", state: "Full", role: "BDR"),
            ])
    }

    @Test func pingsAreCounted() {
        let summary = PingSummary("5 packets transmitted, 3 received, 40% packet loss, time 4ms\n")
        #expect(summary?.sent == 5)
        #expect(summary?.received == 3)
        #expect(PingSummary("ping: connect: Network is unreachable") == nil)
    }
}
