internal import Kubernetes
internal import Services

extension ClusterView.Resource {
    /// Converts the state of a watch.
    init(_ state: WatchState) {
        self.init()
        isSynced = state.isSynced
        isConnected = state.connectedSince != nil
        // Failures are counted since the start, so they say something only while the watch does not work.
        isRefused = !isConnected && state.failures[.forbidden, default: 0] > 0
        objects = state.objects
        problem = state.connectedSince == nil ? state.lastError : nil
    }
}
