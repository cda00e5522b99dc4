import ControlCommands

/// Asks the agent of this node.
@main
enum Main {
    static func main() { Meshctl.main() }
}
