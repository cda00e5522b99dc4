#!/bin/sh
# Every benchmark, one after the other. Each prints a table.
set -eu
cd "$(dirname "$0")"
swift=${SWIFT:-swift}

echo "## Shortest paths"
./spf.py

echo
echo "## From LSA to route update, 10,000 routers"
KUBERMESH_CORE=1 $swift build -c release --product route-benchmark >&2
.build/release/route-benchmark

echo
echo "## Meshes of real routers in real kernels"
cd ..
build="$swift build -c release -Xswiftc -static-stdlib --scratch-path .build-release"
for product in meshd meshlab; do $build --product $product >&2; done
KUBERMESH_BINARIES=$($build --show-bin-path)
export KUBERMESH_BINARIES
as_root=
[ "$(id -u)" -eq 0 ] || as_root="sudo -E"
$as_root python3 Benchmarks/mesh --limit 420
