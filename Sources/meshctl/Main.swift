import ControlCommands

/// The program `meshctl`, without `meshd`.
@main
enum Main {
    static func main() { Meshctl.main() }
}
