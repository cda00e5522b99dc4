import ShortestPath

/// Times full shortest-path runs with ECMP first-hop sets on a random 4-regular graph; see `usage`.
@main
enum SPFBenchmark {
    static let usage = """
        usage: spf-benchmark graph VERTICES       prints the graph, a line “from to cost” for each edge
               spf-benchmark time VERTICES RUNS   prints the median and the least of RUNS runs in milliseconds, and
                                                  the sum of all distances, by which others can check theirs
        """

    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        let numbers = arguments.dropFirst().compactMap { Int($0) }
        switch (arguments.first, numbers.count) {
        case ("graph", 1) where numbers[0] > 4:
            for edge in RandomGraph(vertices: numbers[0], seed: 1).edges { print(edge.from, edge.to, edge.cost) }
        case ("time", 2) where numbers[0] > 4 && numbers[1] > 0:
            time(vertices: numbers[0], runs: numbers[1])
        default:
            print(usage)
        }
    }

    private static func time(vertices: Int, runs: Int) {
        let (graph, firstHops) = RandomGraph(vertices: vertices, seed: 1).build()
        var paths = ShortestPaths()
        let clock = ContinuousClock()
        let times = (0..<runs).map { _ in
            clock.measure { paths.search(graph, from: Vertex(rawValue: 0), firstHops: firstHops) } / .milliseconds(1)
        }.sorted()
        let sum = (0..<vertices).reduce(0) { $0 + Int(paths.distance(to: Vertex(rawValue: UInt32($1))) ?? 0) }
        print(times[runs / 2], times[0], sum)
    }
}
