"""Meshes of real routers in real kernels, meshd beside FRR and BIRD: prints a table of medians and ratios.

    python3 Benchmarks/mesh [--routers meshd,frr,bird] [--only WORD,…] [--rounds N] [--json FILE]

Needs root, $KUBERMESH_BINARIES with release builds of meshd and meshlab, and the Debian packages frr, bird2 and strace.
“make bench” sees to all of that.
"""

import argparse
import json
import os
import statistics
import sys
import time

import lab
import scenarios

# What is measured: a word for --only, the function, and how often if there is time.
SCENARIOS = [
    ("start", scenarios.start_square, 3),
    ("grid", scenarios.start_grid, 3),
    ("carrier-here", scenarios.carrier_here, 3),
    ("carrier-beyond", scenarios.carrier_beyond, 3),
    ("anycast", scenarios.anycast, 3),
    ("prefixes", scenarios.many_prefixes, 3),
    ("requests", scenarios.many_requests, 1),
    ("rest", scenarios.at_rest, 1),
]

SECONDS, MILLISECONDS, COUNT, MEGABYTES = "seconds", "milliseconds", "count", "megabytes"

# The rows of the table: what, from which scenario and figure, its unit, and what is asked of meshd.
ROWS = [
    ("square4, start to every route in every kernel", "start", "seconds", SECONDS, 0.5),
    ("grid 5×5, the same", "grid", "seconds", SECONDS, 1),
    ("carrier lost on the path in use, at the sender: outage", "carrier-here", "outage", MILLISECONDS, 3),
    ("carrier lost on the path in use, one hop on: outage", "carrier-beyond", "outage", MILLISECONDS, 3),
    ("anycast holder withdraws, outage of its flows", "anycast", "outage", MILLISECONDS, 3),
    ("10,000 prefixes behind two ways, one lost: requests", "requests", "requests", COUNT, 10),
    ("the same, until the last prefix has moved", "prefixes", "moved", SECONDS, 0.02),
    ("10,000 prefixes announced, until in a kernel two hops away", "prefixes", "announced", SECONDS, 0.25),
    ("the memory of that node's router", "prefixes", "memory", MEGABYTES, 40e6),
    ("at rest in ring:10, memory per node", "rest", "memory", MEGABYTES, 25e6),
    ("at rest in ring:10, processor time per node and minute", "rest", "processor", SECONDS, 0.02),
]


def shown(value, unit):
    match unit:
        case "seconds": return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.3g} ms"
        case "milliseconds": return f"{value / 1000:.2f} s" if value >= 1000 else f"{value:.3g} ms"
        case "count": return f"{value:,.0f}"
        case "megabytes": return f"{value / 1e6:.3g} MB"


def compared(value, base):
    return "" if base is None or base <= 0 or value <= 0 else f" ({value / base:.2g}×)"


def table(figures, routers):
    """The medians as a Markdown table; in brackets, how many times as much as meshd's."""
    lines = ["| | " + " | ".join(routers) + " | asked of meshd |", "|---" * (len(routers) + 2) + "|"]
    for title, scenario, figure, unit, asked in ROWS:
        medians = {}
        for router in routers:
            values = [run[figure] for run in figures.get(router, {}).get(scenario, []) if figure in run]
            if values:
                medians[router] = statistics.median(values)
        if not medians:
            continue
        cells = []
        for router in routers:
            value = medians.get(router)
            cell = "–" if value is None else shown(value, unit)
            if value is not None and router != "meshd":
                cell += compared(value, medians.get("meshd"))
            cells.append(cell)
        lines.append(f"| {title} | " + " | ".join(cells) + f" | {shown(asked, unit)} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--routers", default="meshd,frr,bird", help="which routers to measure")
    parser.add_argument("--only", default="", help="which scenarios: " + ", ".join(name for name, _, _ in SCENARIOS))
    parser.add_argument("--rounds", type=int, help="how often each; its own number when not given")
    parser.add_argument("--limit", type=float, default=600, help="begin no scenario after this many seconds")
    parser.add_argument("--json", help="write every figure to this file")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("The benchmark makes network namespaces, and that needs root: try sudo.")
    routers = options.routers.split(",")
    chosen = [entry for entry in SCENARIOS if not options.only or entry[0] in options.only.split(",")]
    figures = {router: {} for router in routers}
    began = time.monotonic()
    lab.take_all_down()
    try:
        # In turns, so that whatever else the machine does falls on all alike; and everything once before anything twice.
        for turn in range(options.rounds or max(rounds for _, _, rounds in chosen)):
            for name, scenario, rounds in chosen:
                if turn < (options.rounds or rounds) and time.monotonic() - began < options.limit:
                    for router in routers:
                        measure(name, scenario, router, figures)
    finally:
        lab.take_all_down()
        if options.json:
            with open(options.json, "w") as file:
                json.dump(figures, file, indent=1)
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"\n{table(figures, routers)}\n\nMedians; in brackets, how many times meshd's. {os.cpu_count()} processors, "
          f"load {load} at the end, Linux {os.uname().release}.")


def measure(name, scenario, router, figures):
    try:
        result = scenario(router)
    except (RuntimeError, TimeoutError, OSError) as error:
        print(f"{name} {router}: {error}", file=sys.stderr, flush=True)
        return
    figures[router].setdefault(name, []).append(result)
    print(f"{name} {router}: {result}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
