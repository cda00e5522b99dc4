import ControlCommands

/// The mesh agent, or `meshctl` if the program is called by that name: one program is enough for both, because they share most
/// of their code.
@main
enum Main {
    static func main() {
        if CommandLine.arguments.first?.split(separator: "/").last == "meshctl" { Meshctl.main() }
        Meshd.main()
    }
}
