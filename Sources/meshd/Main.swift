import ControlCommands

/// The mesh agent, or `meshctl` if the program is called by that name: both share most of their code, so images have one file.
@main
enum Main {
    static func main() {
        if CommandLine.arguments.first?.split(separator: "/").last == "meshctl" { Meshctl.main() }
        Meshd.main()
    }
}
