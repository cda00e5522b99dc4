internal import CLinux

/// The memory of this process.
public enum Memory {
    /// Gives what was freed back to the kernel, after something that took much for a moment.
    public static func trim() { clinux_trim_memory() }
}
