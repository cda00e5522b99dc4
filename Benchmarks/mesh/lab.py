"""Labs: meshes of real routers in namespaces, made by meshlab."""

import contextlib
import fcntl
import json
import os
import pathlib
import signal
import subprocess
import time

import kernel
import process

DIRECTORY = pathlib.Path("/run/kubermesh-bench")
BINARIES = pathlib.Path(os.environ.get("KUBERMESH_BINARIES", "."))
BASE = 0x20010db8 << 96
PROGRAMS = {"meshd": ["meshd"], "frr": ["zebra", "ospf6d", "bfdd"], "bird": ["bird"]}
counter = 0


def run(*arguments, **options):
    result = subprocess.run([str(argument) for argument in arguments], capture_output=True, text=True, **options)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, arguments))[:200]} failed: {result.stderr or result.stdout}")
    return result.stdout


def meshlab(*arguments):
    return run(BINARIES / "meshlab", *arguments, env={**os.environ, "KUBERMESH_LAB_DIRECTORY": str(DIRECTORY)})


def take_all_down():
    meshlab("down", "--all")


@contextlib.contextmanager
def alone():
    """Within it no other benchmark runs, and afterwards no lab of ours is left, however it ends."""
    def stop(number, _):
        raise SystemExit(128 + number)

    with open(DIRECTORY.with_suffix(".lock"), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit("Another benchmark is running, and would be disturbed.") from None
        signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        take_all_down()
        for number in signals:
            signal.signal(number, stop)
        try:
            yield
        finally:
            for number in signals:
                signal.signal(number, signal.SIG_IGN)
            take_all_down()


def make_keys():
    path = DIRECTORY.with_suffix(".keys.yaml")
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(run(BINARIES / "meshd", "make-key"))
    return path


class Lab:
    """A lab that is there within “with Lab(…) as lab:”. Nodes are n1, n2, …; nothing routes before start(). The router
    “meshd+keys” is meshd that authenticates all packets."""

    def __init__(self, router, count, links, nodes=None):
        global counter
        counter += 1
        self.router, self.has_keys = router.removesuffix("+keys"), router.endswith("+keys")
        self.name = f"bench-{os.getpid() % 10000}-{counter}"
        self.nodes = [f"n{number + 1}" for number in range(count)]
        self.links = links
        own = {node: dict((nodes or {}).get(node, {})) for node in self.nodes}
        if self.has_keys:
            for node in own.values():
                node["config"] = f"{node.get('config', '')}\nauth: {{ keys: {make_keys()}, required: true }}\n"
        self.topology = {
            "name": self.name,
            "nodes": [{"name": node, "router": self.router, **own[node]} for node in self.nodes],
            "links": [[first, second] for first, second in links],
        }

    def __enter__(self):
        path = pathlib.Path("/tmp") / f"mesh-{self.name}.yaml"
        path.write_text(json.dumps(self.topology))  # JSON is YAML.
        try:
            meshlab("up", "--name", self.name, "--topology", path, "--no-start")
        finally:
            path.unlink()
        self.watcher = kernel.RouteWatcher([self.namespace(node) for node in self.nodes])
        return self

    def __exit__(self, *_):
        self.watcher.close()
        meshlab("down", "--name", self.name)

    def namespace(self, node):
        return f"mesh-{self.name}-{node}"

    def directory(self, node):
        return DIRECTORY / self.name / node

    def mac(self, node):
        return 0x02_00_00_00_00_00 | (self.nodes.index(node) + 1) << 7

    def address(self, node):
        return kernel.ipaddress.IPv6Address(BASE | self.mac(node) << 9)

    def prefixes(self, node):
        """What others need routes to because of a node."""
        own = [f"{self.address(node)}/128"]
        if self.router == "meshd":
            own.append(f"{self.address(node) + 0x100}/120")
        return own

    def port(self, node, other):
        """A node's port to another: its name and index."""
        number = 0
        for place, (first, second) in enumerate(self.links):
            if node in (first, second):
                if other in (first, second):
                    return f"cluster{number}", 100 + 2 * place + (node == second)
                number += 1
        raise KeyError(f"{node} has no link to {other}")

    def ip(self, node, *arguments, **options):
        return run("ip", "-n", self.namespace(node), *arguments, **options)

    def start(self, limit=60):
        """Starts all routers; the seconds until every node's kernel has a route to every prefix of every other."""
        wanted = {
            self.namespace(node): {
                kernel.prefix(prefix) for other in self.nodes if other != node for prefix in self.prefixes(other)
            } for node in self.nodes
        }
        began = time.monotonic()
        meshlab("start", "--name", self.name)
        return self.watcher.wait_for(wanted, limit) - began

    def settle(self, quiet=1.0, limit=15):
        """Waits until the kernels' routes have not changed for a while, and forgets their changes."""
        self.watcher.wait_for_calm(quiet, limit)
        for heard in self.watcher.heard.values():
            heard.clear()

    def watch_only(self, node):
        """Listens to one kernel alone from now on, so that listening costs little."""
        self.watcher.close()
        self.watcher = kernel.RouteWatcher([self.namespace(node)])

    def cut(self, node, other):
        """Takes down a node's end of the link to another, which loses carrier; returns the moment."""
        return kernel.take_down(self.namespace(node), self.port(node, other)[1])

    def silence(self, node, other):
        """Makes the link between two nodes drop every packet, with carrier."""
        first, second = next(link for link in self.links if set(link) == {node, other})
        meshlab("fail", "--name", self.name, "--silent", f"{first}-{second}")

    def pids(self, node):
        """The processes of a node's router."""
        found = []
        for pid in run("ip", "netns", "pids", self.namespace(node)).split():
            name = pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
            if name in PROGRAMS[self.router]:
                found.append(int(pid))
        return found

    def resident(self, node):
        return sum(process.resident(pid) for pid in self.pids(node))

    def processor_time(self, node):
        return sum(process.processor_time(pid) for pid in self.pids(node))

    # What the routers are told while they run.

    def configure_meshd(self, node, change):
        """Changes the configuration file of a node's meshd; reload() is what makes it look."""
        path = self.directory(node) / "kubermesh.yaml"
        draft = path.with_suffix(".draft")
        draft.write_text(change(path.read_text()))
        draft.rename(path)

    @staticmethod
    def reload(pids):
        """Has meshd look at its configuration; whose processes they are was found out before, for that takes its time."""
        for pid in pids:
            os.kill(pid, signal.SIGHUP)

    def vtysh(self, node, *commands):
        words = [word for command in commands for word in ("-c", command)]
        return run("vtysh", "--vty_socket", self.directory(node) / "frr", *words)

    def birdc(self, node, *words):
        return run("birdc", "-s", self.directory(node) / "bird" / "bird.ctl", *words)
