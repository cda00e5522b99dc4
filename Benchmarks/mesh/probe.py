"""A packet a millisecond from one namespace to an address in others, and how long none arrived.

Run as a program of its own, with a scheduling priority above the routers', so that it is the mesh that is measured.
Prints the longest outage in milliseconds, the packets sent and the packets lost.
"""

import os
import socket
import struct
import sys
import time

from kernel import SO_RCVBUFFORCE, inside

INTERVAL = 0.001


def main(source, destination, port, seconds, receivers):
    listeners = []
    for namespace in receivers:
        with inside(namespace):
            listener = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        listener.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        listener.bind(("::", port))
        listener.setblocking(False)
        listeners.append(listener)
    with inside(source):
        sender = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sender.setblocking(False)
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(20))

    stamps = []
    began = due = time.monotonic()
    while due < began + seconds:
        time.sleep(max(0, due - time.monotonic()))
        stamps.append(time.monotonic())
        try:
            sender.sendto(struct.pack("=I", len(stamps) - 1), (destination, port))
        except OSError:
            pass  # No route, or the news that there was none: as good as lost.
        due = max(due + INTERVAL, time.monotonic() - INTERVAL)
    time.sleep(0.2)

    arrived = set()
    for listener in listeners:
        while True:
            try:
                arrived.add(struct.unpack("=I", listener.recv(64))[0])
            except BlockingIOError:
                break
    outage = 0.0
    last = None
    for number, stamp in enumerate(stamps):
        if number in arrived:
            if last is not None and number > last + 1:
                # From the first lost to the first that arrived again.
                outage = max(outage, stamp - stamps[last + 1])
            last = number
    if last is None:
        outage = seconds
    elif last + 1 < len(stamps):
        outage = max(outage, stamps[-1] - stamps[last + 1])
    if arrived and min(arrived) > 300:
        sys.exit(f"The first {min(arrived)} packets were lost: there was no way to begin with.")
    print(round(outage * 1000, 2), len(stamps), len(stamps) - len(arrived))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), sys.argv[5:])
