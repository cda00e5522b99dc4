#!/usr/bin/env python3
"""Full shortest-path runs, ours with ECMP first-hop sets against SciPy's without, on the same graphs in the same run.

Builds what it needs; SciPy goes into Benchmarks/.venv. Prints medians in milliseconds and their ratio.
"""

import os
import pathlib
import statistics
import subprocess
import sys
import time
import venv

HERE = pathlib.Path(__file__).resolve().parent
VENV = HERE / ".venv"
ROUNDS = 5
SIZES = {10_000: 200, 100_000: 20}  # vertices: runs in a round


def inside_venv():
    """Starts this script again in the virtual environment, with SciPy there."""
    python = VENV / "bin" / "python"
    if not python.exists():
        print("installing SciPy into", VENV, file=sys.stderr)
        venv.create(VENV, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "scipy"], check=True)
    os.execv(python, [str(python), str(pathlib.Path(__file__).resolve()), *sys.argv[1:]])


def build():
    subprocess.run(
        ["swift", "build", "--package-path", HERE, "-c", "release", "--product", "spf-benchmark"],
        env={**os.environ, "KUBERMESH_CORE": "1"}, check=True, stdout=sys.stderr)
    return HERE / ".build" / "release" / "spf-benchmark"


def ours(program, vertices, runs):
    output = subprocess.run([program, "time", str(vertices), str(runs)], check=True, capture_output=True, text=True)
    median, _, total = output.stdout.split()
    return float(median), int(total)


def load(program, vertices):
    import numpy
    from scipy.sparse import csr_matrix

    output = subprocess.run([program, "graph", str(vertices)], check=True, capture_output=True, text=True).stdout
    rows = numpy.array(output.split(), dtype=numpy.int64).reshape(-1, 3)
    # Of parallel edges a matrix would keep the sum: keep the cheapest.
    rows = rows[numpy.lexsort((rows[:, 2], rows[:, 1], rows[:, 0]))]
    first = numpy.ones(len(rows), dtype=bool)
    first[1:] = (rows[1:, :2] != rows[:-1, :2]).any(axis=1)
    rows = rows[first]
    return csr_matrix((rows[:, 2].astype(float), (rows[:, 0], rows[:, 1])), shape=(vertices, vertices))


def scipys(graph, runs):
    from scipy.sparse.csgraph import dijkstra

    times = []
    for _ in range(runs):
        start = time.perf_counter()
        distances = dijkstra(graph, indices=0)
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times), int(distances.sum())


def main():
    try:
        import scipy  # noqa: F401
    except ImportError:
        if pathlib.Path(sys.prefix) == VENV:
            sys.exit("SciPy is not in Benchmarks/.venv: remove that directory and try again.")
        inside_venv()
    program = build()
    print("| random 4-regular graph | ours, with ECMP sets | SciPy, without | ratio |")
    print("|---|---|---|---|")
    for vertices, runs in SIZES.items():
        graph = load(program, vertices)
        our_times, their_times = [], []
        # In turns, so that whatever else the machine does falls on both.
        for _ in range(ROUNDS):
            median, total = ours(program, vertices, runs)
            our_times.append(median)
            median, expected = scipys(graph, max(1, runs // 4))
            their_times.append(median)
            if total != expected:
                sys.exit(f"the distances differ: ours add up to {total}, SciPy's to {expected}")
        our_median, their_median = statistics.median(our_times), statistics.median(their_times)
        print(
            f"| {vertices:,} routers | {our_median:.2f} ms | {their_median:.2f} ms | {their_median / our_median:.1f} |",
            flush=True)


if __name__ == "__main__":
    main()
