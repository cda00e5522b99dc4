/// The version of all programs of this build, as `--version`, the status and the metrics show it.
public enum Version {
    public static let text = "0.1.0"
}
