/// What happened to the links, addresses, default routes and settings of this machine.
public enum KernelEvent: Hashable, Sendable {
    /// A link is new or something of it has changed.
    case link(Link)
    /// A link is gone.
    case linkRemoved(Link)
    /// An address is new or its state has changed.
    case address(InterfaceAddress)
    /// An address is gone.
    case addressRemoved(InterfaceAddress)
    /// An interface has a default route that is not ours, the first of this kind.
    case defaultRoute(DefaultRoute)
    /// An interface has no default route of this kind any more.
    case defaultRouteRemoved(DefaultRoute)
    /// A router advertises a prefix on an interface, for the first time since the interface has carrier. The kernel
    /// notifies this only where it accepts router advertisements.
    case routerAdvertised(interface: UInt32)
    /// Forwarding or the reverse-path filter was changed, for all interfaces or for some. The settings must be read
    /// again; the kernel does not notify changes of others, such as the hash policies.
    case settingsChanged
    /// The kernel dropped notifications, and everything was read again; the events before this one are the differences.
    /// Links may have gone down and up unseen, so what hangs on that is to be checked.
    case resynchronized
}
