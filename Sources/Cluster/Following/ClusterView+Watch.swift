internal import Kubernetes
internal import Services

extension ClusterView.Resource {
    /// Converts the state of a watch.
    init(_ state: WatchState) {
        self.init()
        isSynced = state.isSynced
        isConnected = state.connectedSince != nil
        isRefused = state.isDenied
        objects = state.objects
        problem =
            state.connectedSince == nil
            ? state.lastError
            : state.silentSince.map { _ in "connected, but nothing was received for over a minute" }
    }
}
