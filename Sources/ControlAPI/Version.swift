/// What this build calls itself.
public enum Version {
    /// The version.
    public static let text = "0.1.0"
}
