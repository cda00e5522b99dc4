internal import CLinux

/// The memory of this process.
public enum Memory {
    /// Returns freed memory to the kernel, after something that used much of it for a short time.
    public static func trim() { clinux_trim_memory() }
}
