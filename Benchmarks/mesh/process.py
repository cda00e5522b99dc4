"""What processes cost."""

import pathlib
import re
import subprocess
import tempfile
import time


def processor_time(pid):
    """Seconds on a processor so far, of all threads; to the nanosecond, unlike /proc/PID/stat."""
    total = 0
    for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
        total += int((thread / "schedstat").read_text().split()[0])
    return total / 1e9


def resident(pid):
    """Octets of memory that a process holds now."""
    return memory(pid, "VmRSS")


def memory(pid, name):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) << 10
    return 0


class RequestCounter:
    """Counts the changes of routes and next hops that processes ask the kernel for, by watching what they send.

    That slows them down, so what is counted is not timed.
    """

    # strace gives numbers when it cannot tell what kind of netlink socket it is, as in another namespace.
    REQUEST = re.compile(r"nlmsg_type=(RTM_(?:NEW|DEL)(?:ROUTE|NEXTHOP)|0x18|0x19|0x68|0x69)\b")

    def __init__(self, pids):
        self.log = tempfile.NamedTemporaryFile(prefix="mesh-bench-", suffix=".strace")
        attach = [argument for pid in pids for argument in ("-p", str(pid))]
        # Nothing but what is sent is decoded, and nothing of it left out.
        self.strace = subprocess.Popen(
            ["strace", "-f", "-qq", "-v", "-s", "1000000", "-e", "trace=sendmsg,sendto,write",
             "-e", "signal=none", "-o", self.log.name, *attach], stderr=subprocess.DEVNULL)
        time.sleep(1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        self.log.close()

    def stop(self):
        self.strace.terminate()
        self.strace.wait()

    def finish(self):
        """How many there were."""
        self.stop()
        with open(self.log.name, errors="replace") as lines:
            return sum(len(self.REQUEST.findall(line)) for line in lines)
