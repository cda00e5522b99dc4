import ControlCommands

/// The mesh agent, and `meshctl` when it is called by that name: one file is enough for both, because they share most of
/// their code.
@main
enum Main {
    static func main() {
        if CommandLine.arguments.first?.split(separator: "/").last == "meshctl" { Meshctl.main() }
        Meshd.main()
    }
}
