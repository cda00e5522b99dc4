"""Meshes of real routers in real kernels, meshd beside FRR and BIRD: prints a table of medians and ratios.

    python3 Benchmarks/mesh [--routers meshd,frr,bird] [--only WORD,…] [--rounds N] [--json FILE]

Needs root, $KUBERMESH_BINARIES with release builds of meshd and meshlab, and the Debian packages frr, bird2 and strace.
“make bench” sees to all of that.
"""

import argparse
import dataclasses
import json
import os
import statistics
import sys
import time
import typing

import detection
import lab
import scenarios

SECONDS, MILLISECONDS, COUNT, MEGABYTES = "seconds", "milliseconds", "count", "megabytes"


@dataclasses.dataclass
class Row:
    """A row of the table: what, which figure of a scenario, its unit, and what is asked of meshd."""
    title: str
    figure: str
    unit: str
    asked: float


@dataclasses.dataclass
class Scenario:
    """What is measured: a word for --only, the function, how often, and the rows that come of it."""
    name: str
    function: typing.Callable
    rounds: int
    rows: list[Row]
    has_floor: bool = False  # whether the kernel alone is measured too


SCENARIOS = [
    Scenario("start", scenarios.start_square, 3, [
        Row("square4, start to every route in every kernel", "seconds", SECONDS, 0.5)]),
    Scenario("grid", scenarios.start_grid, 3, [
        Row("grid 5×5, the same", "seconds", SECONDS, 1)]),
    Scenario("carrier-here", scenarios.carrier_here, 3, [
        Row("carrier lost on the path in use, at the sender: outage", "outage", MILLISECONDS, 3)]),
    Scenario("carrier-beyond", scenarios.carrier_beyond, 3, [
        Row("carrier lost on the path in use, one hop on: outage", "outage", MILLISECONDS, 3)]),
    Scenario("only-way", scenarios.only_way, 3, [
        Row("carrier lost on the only shortest path, at the sender, 10,000 routes: outage", "outage", MILLISECONDS, 1)]),
    Scenario("suspended", scenarios.only_way_suspended, 1, [
        Row("the same while that router is suspended, so with no request: outage", "outage", MILLISECONDS, 1)]),
    Scenario("silent", scenarios.silent, 3, [
        Row("the path in use drops everything and keeps its carrier, default settings: outage", "outage",
            MILLISECONDS, 160)]),
    Scenario("silent-fast", detection.silent_fast, 3, [
        Row("the same, looking every 10 ms, three times (FRR: BFD): outage", "outage", MILLISECONDS, 40)]),
    Scenario("false-failures", detection.false_failures_slow, 1, [
        Row("neighbors lost in a minute on a busy machine, four cables, 50 ms × 3 (FRR: BFD)", "failures", COUNT, 0)]),
    Scenario("false-failures-fast", detection.false_failures_fast, 1, [
        Row("the same, 10 ms × 3", "failures", COUNT, 0)]),
    Scenario("four-cables", detection.four_cables, 1, [
        Row("processor time for looking at four cables, 50 ms × 3, a minute (FRR: BFD)", "processor", SECONDS, 0.25)]),
    Scenario("anycast", scenarios.anycast, 3, [
        Row("anycast holder withdraws, outage of its flows", "outage", MILLISECONDS, 3)]),
    Scenario("requests", scenarios.many_requests, 1, [
        Row("10,000 prefixes behind two ways, one lost: requests", "requests", COUNT, 10)]),
    Scenario("prefixes", scenarios.many_prefixes, 3, [
        Row("the same, until the last prefix has moved", "moved", SECONDS, 0.02),
        Row("10,000 prefixes announced, until in a kernel two hops away", "announced", SECONDS, 0.25),
        Row("the memory of that node's router", "memory", MEGABYTES, 40e6)], has_floor=True),
    Scenario("rest", scenarios.at_rest, 1, [
        Row("at rest in ring:10, memory per node", "memory", MEGABYTES, 25e6),
        Row("at rest in ring:10, processor time per node and minute", "processor", SECONDS, 0.02)]),
]

FLOOR = "kernel"


def shown(value, unit):
    match unit:
        case "seconds": return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.3g} ms"
        case "milliseconds": return f"{value / 1000:.2f} s" if value >= 1000 else f"{value:.3g} ms"
        case "count": return f"{value:,.0f}"
        case "megabytes": return f"{value / 1e6:.3g} MB"


def cell(row, router, runs):
    """The median of a router's runs; in brackets how many times meshd's that is."""
    values = {name: [run[row.figure] for run in runs.get(name, []) if row.figure in run] for name in (router, "meshd")}
    if not values[router]:
        return "–"
    median = statistics.median(values[router])
    text = shown(median, row.unit)
    if router != "meshd" and values["meshd"]:
        base = statistics.median(values["meshd"])
        if base > 0 and median > 0:
            ratio = median / base
            text += f" ({ratio:,.0f}×)" if ratio >= 10 else f" ({ratio:.2g}×)"
    return text


def tell(*columns):
    print("| " + " | ".join(columns) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [scenario.name for scenario in SCENARIOS]
    parser.add_argument("--routers", default="meshd,frr,bird", help="which routers to measure; also meshd+keys, which authenticates")
    parser.add_argument("--only", default=",".join(names), help="which scenarios; all are: %(default)s")
    parser.add_argument("--rounds", type=int, help="how often each; its own number when not given")
    parser.add_argument("--limit", type=float, default=1080, help="begin no run after this many seconds (%(default)s)")
    parser.add_argument("--json", help="write every figure to this file")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("The benchmark makes network namespaces, and that needs root: try sudo.")
    only = options.only.split(",")
    if unknown := set(only) - set(names):
        sys.exit(f"There is no scenario {', '.join(sorted(unknown))}; there are {', '.join(names)}.")
    with lab.alone():
        run([scenario for scenario in SCENARIOS if scenario.name in only], options)


def run(chosen, options):
    """Runs scenarios one after the other and prints the rows of each when it is through."""
    routers = options.routers.split(",")
    columns = routers + [FLOOR] * any(scenario.has_floor for scenario in chosen)
    titles = {FLOOR: "the kernel alone"}
    deadline = time.monotonic() + options.limit
    figures = {}
    tell("", *(titles.get(column, column) for column in columns), "asked of meshd")
    print("|---" * (len(columns) + 2) + "|", flush=True)
    for scenario in chosen:
        runs = figures[scenario.name] = {}
        # In turns, so that whatever else the machine does falls on all alike.
        for _ in range(options.rounds or scenario.rounds):
            for router in routers + [FLOOR] * scenario.has_floor:
                if time.monotonic() < deadline:
                    measure(scenario, router, runs)
        for row in scenario.rows:
            tell(row.title, *(cell(row, column, runs) for column in columns), shown(row.asked, row.unit))
        if options.json:
            with open(options.json, "w") as file:
                json.dump(figures, file, indent=1)
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"\nMedians; in brackets, how many times meshd's. {os.cpu_count()} processors, load {load} at the end, "
          f"Linux {os.uname().release}.")
    if time.monotonic() >= deadline:
        print(f"After {options.limit:.0f} s no more runs were begun: some figures have fewer rounds, or none.")


def measure(scenario, router, runs):
    began = time.monotonic()
    try:
        result = scenario.function(router)
    except (RuntimeError, TimeoutError, OSError) as error:
        result = error
    else:
        runs.setdefault(router, []).append(result)
    print(f"{scenario.name} {router}: {result} ({time.monotonic() - began:.0f} s)", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
