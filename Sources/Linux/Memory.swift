internal import CLinux

/// The memory of this process.
public enum Memory {
    /// Returns memory that was freed, but that the allocator keeps, to the kernel (`malloc_trim`). For use after work that
    /// needed much memory for a short time.
    public static func trim() { clinux_trim_memory() }
}
