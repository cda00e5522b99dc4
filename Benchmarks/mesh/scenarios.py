"""What is measured. Each function makes its own lab, takes the name of a router and returns named figures."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import kernel
import process
from lab import Lab

HERE = pathlib.Path(__file__).resolve().parent
SQUARE = [("n1", "n2"), ("n1", "n3"), ("n2", "n4"), ("n3", "n4")]
VIP = "2001:db8:0:1::53"
MANY = [f"2001:db8:1:{number:x}::/64" for number in range(10_000)]


def grid(columns, rows):
    def node(column, row):
        return f"n{row * columns + column + 1}"

    across = [(node(c, r), node(c + 1, r)) for r in range(rows) for c in range(columns - 1)]
    down = [(node(c, r), node(c, r + 1)) for r in range(rows - 1) for c in range(columns)]
    return across + down


# From nothing to routes.

def start(router, count, links):
    with Lab(router, count, links) as lab:
        return {"seconds": lab.start()}


def start_square(router):
    return start(router, 4, SQUARE)


def start_grid(router):
    return start(router, 25, grid(5, 5))


# Outages.

class Probe:
    """A packet a millisecond from n1 to an address; who has it listens on some nodes."""

    def __init__(self, lab, destination, receivers, seconds):
        self.lab = lab
        self.program = subprocess.Popen(
            [sys.executable, HERE / "probe.py", lab.namespace("n1"), str(destination), "7000", str(seconds),
             *[lab.namespace(node) for node in receivers]], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.program.kill()
        self.program.communicate()

    def way(self, candidates):
        """The neighbor of n1, among some, through which the packets go."""
        before = {node: self.sent(node) for node in candidates}
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            time.sleep(0.1)
            # Far more than any router says by itself in that time.
            for node in candidates:
                if self.sent(node) - before[node] > 300:
                    return node
        raise RuntimeError("the probe does not send")

    def sent(self, neighbor):
        port, _ = self.lab.port("n1", neighbor)
        statistics = kernel.json_of(self.lab.ip("n1", "-j", "-s", "link", "show", "dev", port))
        return statistics[0]["stats64"]["tx"]["packets"]

    def finish(self):
        output, errors = self.program.communicate(timeout=60)
        if self.program.returncode != 0:
            raise RuntimeError(errors.strip())
        outage, sent, lost = output.split()
        return {"outage": float(outage), "sent": int(sent), "lost": int(lost)}


def carrier(router, is_near):
    with Lab(router, 4, SQUARE) as lab:
        lab.start()
        lab.settle(quiet=4)
        with Probe(lab, lab.address("n4"), ["n4"], 4) as probe:
            way = probe.way(["n2", "n3"])
            # The end that goes down is the one further away, so that it is carrier that the nearer router loses.
            lab.cut(*((way, "n1") if is_near else ("n4", way)))
            return probe.finish()


def carrier_here(router):
    return carrier(router, is_near=True)


def carrier_beyond(router):
    return carrier(router, is_near=False)


def silent(router, nodes=None):
    """The cable in use keeps its carrier and drops every packet."""
    with Lab(router, 4, SQUARE, nodes) as lab:
        lab.start()
        lab.settle(quiet=4)
        with Probe(lab, lab.address("n4"), ["n4"], 8) as probe:
            lab.silence("n1", probe.way(["n2", "n3"]))
            return probe.finish()


def anycast(router):
    """Two neighbors of n1 hold an address; the one that carries the flow gives it up."""
    vips = f"vips:\n  - name: dns\n    address: {VIP}\n"
    holder = {"config": vips} if router == "meshd" else {}
    with Lab(router, 3, [("n1", "n2"), ("n1", "n3")], {"n2": holder, "n3": holder}) as lab:
        lab.start()
        device = {"frr": "lo", "bird": "node0"}.get(router)
        for node in ("n2", "n3"):
            if device:
                lab.ip(node, "address", "add", f"{VIP}/128", "dev", device)
        # Long enough for an LSA that came too soon after the last one to be sent again.
        lab.settle(quiet=7, limit=30)
        with Probe(lab, VIP, ["n2", "n3"], 4) as probe:
            way = probe.way(["n2", "n3"])
            if device:
                lab.ip(way, "address", "delete", f"{VIP}/128", "dev", device)
            else:
                lab.configure_meshd(way, lambda text: re.sub(r"^vips:\n([ -].*\n)+", "", text, flags=re.MULTILINE))
                lab.reload(lab.pids(way))
            return probe.finish()


# Many prefixes.

class ManyPrefixes:
    """A square whose n4 will announce ten thousand prefixes when it is told to."""

    def __init__(self, router, nodes=None):
        own = dict(nodes or {})
        if router == "bird":
            routes = "\n".join(f"    route {prefix} blackhole;" for prefix in MANY)
            own["n4"] = {"config": f"protocol static many {{\n    disabled;\n    ipv6;\n{routes}\n}}"}
        self.lab = Lab(router, 4, SQUARE, own)

    def __enter__(self):
        lab = self.lab.__enter__()
        if lab.router == "frr":
            routes = "".join(f"route add blackhole {prefix}\n" for prefix in MANY)
            lab.ip("n4", "-batch", "-", input=routes)
        lab.start()
        lab.watch_only("n1")
        lab.settle(quiet=4)
        return self

    def __exit__(self, *reason):
        self.lab.__exit__(*reason)

    def announce(self):
        """Makes n4 announce them; the seconds until the kernel of n1, two hops away, has them all."""
        lab = self.lab
        if lab.router == "meshd":
            lab.configure_meshd("n4", lambda text: f"{text}\nadvertise:\n" + "".join(f'  - "{p}"\n' for p in MANY))
        wanted = {lab.namespace("n1"): set(map(kernel.prefix, MANY))}
        pids = lab.pids("n4")
        began = time.monotonic()
        match lab.router:
            case "meshd": lab.reload(pids)
            case "frr": lab.vtysh("n4", "configure terminal", "router ospf6", "redistribute kernel")
            case "bird": lab.birdc("n4", "enable", "many")
        return lab.watcher.wait_for(wanted, 60) - began

    def lose_one_way(self):
        """Cuts the link from n2 to n4; the seconds until the last of n1's routes has moved to n3 alone."""
        lab = self.lab
        began = lab.cut("n4", "n2")
        latest = lab.watcher.last_change(lab.namespace("n1"), quiet=4, limit=30)
        self.check()
        return latest - began

    def check(self):
        """Makes sure that n1 reaches the prefixes through n3 alone."""
        lab = self.lab
        port, _ = lab.port("n1", "n3")
        for prefix in MANY[::997] + MANY[-1:]:
            for source_port in range(5000, 5008):
                destination = prefix.replace("::/64", f"::{source_port:x}")
                route = lab.ip("n1", "-6", "route", "get", destination, "ipproto", "udp", "sport", source_port,
                               "dport", 7000)
                if f" dev {port} " not in route:
                    raise RuntimeError(f"{prefix} does not go through {port}: {route}")


def many_prefixes(router):
    if router == "kernel":
        return kernel_alone()
    with ManyPrefixes(router) as mesh:
        lab = mesh.lab
        announced = mesh.announce()
        lab.settle(quiet=4, limit=30)
        memory = lab.resident("n1")
        moved = mesh.lose_one_way()
        return {"announced": announced, "memory": memory, "moved": moved}


def only_way(router, is_suspended=False):
    """The way through n2 is the only shortest one from n1, and n3, which is farther away, does not send packets back. With
    `is_suspended`, the router of n1 does not run when carrier is lost: whatever the kernel does, it was not asked to."""
    with ManyPrefixes(router, {"n3": {"ospf": {"cost": 20}}}) as mesh:
        lab = mesh.lab
        mesh.announce()
        lab.settle(quiet=4, limit=30)
        pids = lab.pids("n1") if is_suspended else []
        with Probe(lab, lab.address("n4"), ["n4"], 4) as probe:
            probe.way(["n2"])
            try:
                for pid in pids:
                    os.kill(pid, signal.SIGSTOP)
                lab.cut("n2", "n1")
                return probe.finish()
            finally:
                for pid in pids:
                    os.kill(pid, signal.SIGCONT)


def only_way_suspended(router):
    return only_way(router, is_suspended=True)


def many_requests(router):
    """The same again, with the requests to the kernel of n1 counted and nothing timed."""
    with ManyPrefixes(router) as mesh:
        lab = mesh.lab
        mesh.announce()
        lab.settle(quiet=4, limit=30)
        with process.RequestCounter(lab.pids("n1")) as counter:
            mesh.lose_one_way()
            return {"requests": counter.finish()}


def kernel_alone():
    """What the kernel takes for the same without any router: ten thousand routes are made in n1, and the group they point
    to is replaced while n2 loses as many to a cut link."""
    with Lab("meshd", 4, SQUARE) as lab:
        n1, n2 = (kernel.Routes(lab.namespace(node)) for node in ("n1", "n2"))
        n1.make_group(10, [(lab.port("n1", other)[1], other_address(lab, other, "n1")) for other in ("n2", "n3")])
        n2.make_group(10, [(lab.port("n2", "n4")[1], other_address(lab, "n4", "n2"))])
        prefixes = list(map(kernel.prefix, MANY))
        lab.settle()
        n2.send_all(n2.routes(prefixes, 10))
        lab.watch_only("n1")
        messages = n1.routes(prefixes, 10)
        began = time.monotonic()
        n1.send_all(messages)
        announced = lab.watcher.wait_for({lab.namespace("n1"): set(prefixes)}, 60) - began
        lab.settle()
        began = lab.cut("n4", "n2")
        # A router in n1 cannot have heard of it any sooner, and by then the kernel is at work in n2.
        time.sleep(0.0005)
        n1.replace_group(10, [2])
        moved = lab.watcher.last_change(lab.namespace("n1"), quiet=1, limit=30) - began
        return {"announced": announced, "moved": moved}


def other_address(lab, node, other):
    """The link-local address of a node's port to another."""
    port, _ = lab.port(node, other)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        for link in kernel.json_of(lab.ip(node, "-6", "-j", "address", "show", "dev", port, "scope", "link")):
            for address in link.get("addr_info", []):
                if "local" in address:
                    return address["local"]
        time.sleep(0.05)
    raise TimeoutError(f"{port} of {node} has no link-local address")


# At rest.

def at_rest(router, wait=15, seconds=30):
    count = 10
    links = [(f"n{number + 1}", f"n{(number + 1) % count + 1}") for number in range(count)]
    with Lab(router, count, links) as lab:
        lab.start()
        time.sleep(wait)
        before = {node: lab.processor_time(node) for node in lab.nodes}
        began = time.monotonic()
        time.sleep(seconds)
        elapsed = time.monotonic() - began
        costs = sorted((lab.processor_time(node) - before[node]) * 60 / elapsed for node in lab.nodes)
        memory = sorted(lab.resident(node) for node in lab.nodes)
        return {"memory": memory[count // 2], "processor": costs[count // 2]}
