import ControlCommands

/// The program `meshctl` without the agent, as it is built in development. Images have `meshd` under this name.
@main
enum Main {
    static func main() { Meshctl.main() }
}
