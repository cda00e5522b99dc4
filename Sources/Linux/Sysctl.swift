internal import Glibc

/// Kernel settings under `/proc/sys`, as seen from the calling thread's network namespace.
public enum Sysctl {
    /// The value of a setting, such as `net.ipv6.conf.all.forwarding`, without the final newline. Names with slashes
    /// are used unchanged, for interfaces with a dot in their name: `net/ipv6/conf/eth0.5/mtu`.
    public static func read(_ name: String) throws(SystemError) -> String {
        let path = path(of: name)
        let file = try FileDescriptor(open(path, O_RDONLY | O_CLOEXEC), "open \(path)")
        // The settings read here are numbers or short words.
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(file.rawValue, &buffer, buffer.count)
        guard count >= 0 else { throw .last("read \(path)") }
        let text = buffer[..<count]
        return String(decoding: text.last == 0x0a ? text.dropLast() : text, as: UTF8.self)
    }

    /// Writes a setting, whose name is as for ``read(_:)``.
    public static func write(_ name: String, _ value: String) throws(SystemError) {
        let path = path(of: name)
        let file = try FileDescriptor(open(path, O_WRONLY | O_CLOEXEC), "open \(path) for writing")
        let octets = Array(value.utf8)
        guard Glibc.write(file.rawValue, octets, octets.count) == octets.count else {
            throw .last("write \(value) to \(path)")
        }
    }

    /// The name of a setting of an interface; `family` is `ipv4` or `ipv6`: `net.ipv6.conf.eth0.mtu`, with slashes if the
    /// interface's name has a dot.
    public static func name(_ family: String, _ interface: String, _ variable: String) -> String {
        let parts = ["net", family, "conf", interface, variable]
        return parts.joined(separator: interface.contains(".") ? "/" : ".")
    }

    static func path(of name: String) -> String {
        "/proc/sys/" + (name.contains("/") ? name : name.split(separator: ".").joined(separator: "/"))
    }
}
