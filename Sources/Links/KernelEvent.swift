/// A change of the links, addresses, default routes or settings of this machine, a router advertisement, or the loss of
/// notifications.
public enum KernelEvent: Hashable, Sendable {
    /// A link was added or has changed.
    case link(Link)
    /// A link was removed; the value is its last state.
    case linkRemoved(Link)
    /// An address was added or its state has changed.
    case address(InterfaceAddress)
    /// An address was removed; the value is its last state.
    case addressRemoved(InterfaceAddress)
    /// An interface has its first default route of this family and origin (router advertisement or not). Routes that the
    /// agent added do not count.
    case defaultRoute(DefaultRoute)
    /// An interface has no default route of this family and origin any more.
    case defaultRouteRemoved(DefaultRoute)
    /// A router has advertised a prefix on an interface, once or several times since the last such event. The kernel notifies
    /// this only where it accepts router advertisements.
    case routerAdvertised(interface: UInt32)
    /// Forwarding or the reverse-path filter was changed, of all interfaces or of some, or notifications of that may have been
    /// dropped. All kernel settings must be read again: the kernel does not notify changes of most others.
    case settingsChanged
    /// The kernel dropped notifications, and everything was read again; the events before this one are the differences. Links
    /// may have gone down and up unnoticed, so everything that depends on their state must be checked.
    case resynchronized
}
