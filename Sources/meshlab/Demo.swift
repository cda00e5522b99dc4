internal import Addressing
internal import ArgumentParser
internal import Glibc
internal import Lab

struct Demo: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Demonstrate a mesh: a square of four comes up, loses a cable under traffic, recovers, and is removed.")
    @OptionGroup var options: LabOptions

    func run() throws {
        let story = Story()
        // A lab of this name, as an earlier demonstration may have left it, would be in the way.
        if let old = try? Lab.load(options.name ?? Lab.defaultName) { try old.destroy() }
        story.say("$ meshlab up\(options.name.map { " --name \($0)" } ?? "") --topology square4")
        let lab = try story.up(try Topology.read("square4"), name: options.name, timeout: 60)
        do { try demonstrate(story, lab) } catch {
            try? lab.destroy()
            throw error
        }
        story.say("$ \(lab.typed("down"))")
        try lab.destroy()
        story.say("\(lab.title) is down.")
    }

    private func demonstrate(_ story: Story, _ lab: Lab) throws {
        var lab = lab
        let target = lab.addresses.address(of: "n4").description
        try story.show(
            lab, on: "n1", ["ping", "-c", "3", "-i", "0.2", target],
            as: "\(lab.typed("exec")) n1 -- ping -c 3 -i 0.2 \(target)")

        guard let link = try lab.linkInUse(from: "n1", to: "n4") else {
            throw LabError("n1 has no route to n4, so there is no cable to pull.")
        }
        let ping = try lab.command(on: "n1", ["ping", "-i", "0.002", "-W", "1", target]).spawn()
        usleep(500_000)  // microseconds of undisturbed traffic
        story.say(
            "A ping every 2 ms runs from n1 to n4, across \(link). That cable is pulled:\n\n$ \(lab.typed("fail")) \(link)"
        )
        try lab.fail(link, .carrier)
        story.say("\n\(lab.picture())\n")
        usleep(1_000_000)  // microseconds: far more than a change of routes takes
        try showRoute(story, lab, to: target)
        story.say("$ \(lab.typed("heal")) \(link)")
        let began = ContinuousClock.now
        try lab.heal(link)
        try waitForBothPaths(lab)
        let healed = ContinuousClock.now - began
        story.say("\n\(lab.picture())\n\nBoth paths to n4 are back after \(story.seconds(healed)).\n")
        try showRoute(story, lab, to: target)
        usleep(500_000)  // microseconds, undisturbed again
        ping.signal(SIGINT)
        let output = try ping.finish()
        guard let summary = PingSummary(output.text) else {
            throw LabError("Unexpected output of ping: \(output.text)\(output.errors)")
        }
        story.say(
            "The ping sent \(summary.sent) packets through all this and lost \(summary.sent - summary.received).\n")
    }

    private func showRoute(_ story: Story, _ lab: Lab, to target: String) throws {
        let meshctl = [try Binaries.path(of: "meshctl"), "--socket", lab.controlSocket(of: "n1")]
        try story.show(
            lab, on: "n1", meshctl + ["routes", target], as: "\(lab.typed("exec")) n1 -- meshctl routes \(target)")
    }

    private func waitForBothPaths(_ lab: Lab) throws {
        let prefix = IPv6Prefix(host: lab.addresses.address(of: "n4"))
        let deadline = ContinuousClock.now + .seconds(30)
        while try lab.kernelNextHops(of: "n1")[prefix]?.count != 2 {
            guard ContinuousClock.now < deadline else { throw LabError("n1 did not regain its second next hop to n4.") }
            usleep(5_000)
        }
    }
}
