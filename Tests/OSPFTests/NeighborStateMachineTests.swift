import Testing

@testable import OSPF

/// The transitions of RFC 2328 §10.3.
@Suite struct NeighborStateMachineTests {
    /// The state after an event. It depends on whether an adjacency is wanted, and whether nothing is left to request.
    private func next(
        _ state: NeighborState, _ event: NeighborEvent, wanted: Bool = true, nothingToRequest: Bool = false
    ) -> NeighborState {
        state.next(on: event, adjacencyIsWanted: wanted, nothingToRequest: nothingToRequest)
    }

    @Test func eventsAdvanceANeighborToFull() {
        #expect(next(.initial, .twoWayReceived) == .exStart)
        #expect(next(.initial, .twoWayReceived, wanted: false) == .twoWay)
        #expect(next(.twoWay, .adjacencyReconsidered) == .exStart)
        #expect(next(.exStart, .negotiationDone) == .exchange)
        #expect(next(.exchange, .exchangeDone) == .loading)
        #expect(next(.exchange, .exchangeDone, nothingToRequest: true) == .full)
        #expect(next(.loading, .loadingDone) == .full)
    }

    @Test func eventsReturnANeighborToAnEarlierState() {
        for state in [NeighborState.initial, .twoWay, .exStart, .exchange, .loading, .full] {
            #expect(next(state, .oneWayReceived) == .initial)
        }
        for state in [NeighborState.exchange, .loading, .full] {
            #expect(next(state, .sequenceNumberMismatch) == .exStart)
            #expect(next(state, .badLinkStateRequest) == .exStart)
            #expect(next(state, .adjacencyUnwanted, wanted: false) == .twoWay)
            #expect(next(state, .adjacencyUnwanted) == state, "an adjacency that is wanted again does not change")
        }
        #expect(next(.exchange, .adjacencyReconsidered, wanted: false) == .twoWay)
        #expect(
            next(.full, .sequenceNumberMismatch, wanted: false) == .twoWay, "an unwanted adjacency does not restart")
        #expect(
            next(.full, .adjacencyReconsidered, wanted: false) == .full, "an unwanted adjacency does not end at once")
    }

    @Test func anEventThatDoesNotApplyToAStateChangesNothing() {
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
