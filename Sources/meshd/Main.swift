import ControlCommands

/// The mesh agent; and under the name `meshctl`, who asks it. Where both are installed, one file is enough for them: what
/// they are made of is the same for the most part.
@main
enum Main {
    static func main() {
        if CommandLine.arguments.first?.split(separator: "/").last == "meshctl" { Meshctl.main() }
        Meshd.main()
    }
}
