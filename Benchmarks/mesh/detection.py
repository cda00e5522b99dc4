"""What it costs to find dead cables that keep their carrier: time, processor time and false failures. meshd with echo
requests, FRR with BFD; BIRD is left out."""

import contextlib
import os
import re
import subprocess
import time

import scenarios
from lab import Lab, run

STAR = [("n1", f"n{number}") for number in range(2, 6)]
BUSY_LOOPS = 2 * (os.cpu_count() or 1)


def nodes(router, count, links, interval):
    """The configurations of nodes that look every `interval` milliseconds, and miss three times; not at all for None."""
    found = {}
    for number in range(count):
        node = f"n{number + 1}"
        ports = range(sum(node in link for link in links))
        match router:
            case "meshd":
                liveness = "off" if interval is None else f"{{ interval: {interval}ms, multiplier: 3 }}"
                text = f"interfaces: [ {{ match: \"cluster*\", liveness: {liveness} }} ]\n"
            case "frr" if interval is None: text = ""
            case "frr":
                sessions = [f"interface cluster{port}\n ipv6 ospf6 bfd\n ipv6 ospf6 bfd profile mesh\nexit" for port in ports]
                # The section of the router comes before.
                text = "\n".join([
                    " log-adjacency-changes", "exit", *sessions, "bfd", " profile mesh", f"  receive-interval {interval}",
                    f"  transmit-interval {interval}", "  detect-multiplier 3", ""])
            case _: raise RuntimeError(f"{router} is not measured")
        found[node] = {"config": text}
    return found


def silent_fast(router):
    """As `silent`, looking every 10 ms."""
    return scenarios.silent(router, nodes(router, 4, scenarios.SQUARE, 10))


@contextlib.contextmanager
def star(router, interval):
    with Lab(router, 5, STAR, nodes(router, 5, STAR, interval)) as lab:
        lab.start()
        if interval is not None:
            wait_until_watched(lab)
        time.sleep(8)
        yield lab


def metrics(lab):
    return run("ip", "netns", "exec", lab.namespace("n1"), "curl", "-s", "http://[::1]:9179/metrics")


def wait_until_watched(lab, limit=60):
    """Waits until n1 finds all its neighbors alive: who does not look has no false failures."""
    end = time.monotonic() + limit
    while True:
        if lab.router == "frr":
            count = len(re.findall(r"Status: up", lab.vtysh("n1", "show bfd peers")))
        else:
            count = len(re.findall(r"^kubermesh_neighbor_echo_round_trip_seconds\S* ", metrics(lab), re.MULTILINE))
        if count == len(STAR):
            return
        if time.monotonic() > end:
            raise RuntimeError(f"{lab.router} looks at {count} of {len(STAR)} neighbors")
        time.sleep(0.2)


def failures(lab):
    """How often n1 has lost a neighbor."""
    if lab.router == "frr":
        # Not bfdd's counters: they are gone with the session, which ospf6d removes with the neighbor.
        return (lab.directory("n1") / "ospf6d.log").read_text().count(": Full -> ")
    return sum(
        float(count) for count in re.findall(r"^kubermesh_neighbor_losses_total\S* (\S+)$", metrics(lab), re.MULTILINE))


def false_failures(router, interval, seconds=60):
    """The center of a star of five with more busy loops than processors: neighbors lost, none of which has failed."""
    with star(router, interval) as lab:
        before = failures(lab)
        loops = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(BUSY_LOOPS)]
        try:
            time.sleep(seconds)
        finally:
            for loop in loops:
                loop.kill()
                loop.wait()
        return {"failures": (failures(lab) - before) * 60 / seconds}


def false_failures_slow(router):
    return false_failures(router, 50)


def false_failures_fast(router):
    return false_failures(router, 10)


def processor(router, interval, seconds=20):
    with star(router, interval) as lab:
        before = lab.processor_time("n1")
        began = time.monotonic()
        time.sleep(seconds)
        return (lab.processor_time("n1") - before) * 60 / (time.monotonic() - began)


def four_cables(router):
    """What the center of a star of five spends on looking at four cables every 50 ms, a minute."""
    return {"processor": processor(router, 50) - processor(router, None)}
