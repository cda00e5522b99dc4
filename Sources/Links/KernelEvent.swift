/// What happened to the links and addresses of this machine.
public enum KernelEvent: Hashable, Sendable {
    /// A link is new or something of it has changed.
    case link(Link)
    /// A link is gone.
    case linkRemoved(Link)
    /// An address is new or its state has changed.
    case address(InterfaceAddress)
    /// An address is gone.
    case addressRemoved(InterfaceAddress)
    /// The kernel dropped notifications, and everything was read again; the events before this one are the differences.
    /// Links may have gone down and up unseen, so what hangs on that is to be checked.
    case resynchronized
}
