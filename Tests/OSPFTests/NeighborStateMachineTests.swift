import Testing

@testable import OSPF

/// The transitions of RFC 2328 §10.3.
@Suite struct NeighborStateMachineTests {
    /// The state after an event: whether an adjacency is wanted, and whether nothing is left to request.
    private func next(
        _ state: NeighborState, _ event: NeighborEvent, wanted: Bool = true, nothing: Bool = false
    ) -> NeighborState {
        state.next(on: event, adjacencyIsWanted: wanted, nothingToRequest: nothing)
    }

    @Test func theWayUp() {
        #expect(next(.initial, .twoWayReceived) == .exStart)
        #expect(next(.initial, .twoWayReceived, wanted: false) == .twoWay)
        #expect(next(.twoWay, .adjacencyReconsidered) == .exStart)
        #expect(next(.exStart, .negotiationDone) == .exchange)
        #expect(next(.exchange, .exchangeDone) == .loading)
        #expect(next(.exchange, .exchangeDone, nothing: true) == .full)
        #expect(next(.loading, .loadingDone) == .full)
    }

    @Test func theWayDown() {
        for state in [NeighborState.initial, .twoWay, .exStart, .exchange, .loading, .full] {
            #expect(next(state, .oneWayReceived) == .initial)
        }
        for state in [NeighborState.exchange, .loading, .full] {
            #expect(next(state, .sequenceNumberMismatch) == .exStart)
            #expect(next(state, .badLinkStateRequest) == .exStart)
            #expect(next(state, .adjacencyUnwanted, wanted: false) == .twoWay)
            #expect(next(state, .adjacencyUnwanted) == state, "it is wanted again")
        }
        #expect(next(.exchange, .adjacencyReconsidered, wanted: false) == .twoWay)
        #expect(next(.full, .sequenceNumberMismatch, wanted: false) == .twoWay, "nothing restarts what is not wanted")
        #expect(next(.full, .adjacencyReconsidered, wanted: false) == .full, "not at once")
    }

    @Test func whatDoesNotBelongToAStateChangesNothing() {
        for state in [NeighborState.initial, .twoWay, .exStart] {
            #expect(next(state, .exchangeDone) == state)
            #expect(next(state, .loadingDone) == state)
            #expect(next(state, .sequenceNumberMismatch) == state)
        }
        for state in [NeighborState.twoWay, .exStart, .exchange, .loading, .full] {
            #expect(next(state, .twoWayReceived) == state)
        }
        #expect(next(.full, .negotiationDone) == .full)
        #expect(next(.exchange, .loadingDone) == .exchange)
    }
}
