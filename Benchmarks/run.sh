#!/bin/sh
# Every benchmark, one after the other. Each prints a table.
set -eu
cd "$(dirname "$0")"
export KUBERMESH_CORE=1

echo "## Shortest paths"
./spf.py
echo
echo "## From LSA to route update, 10,000 routers"
${SWIFT:-swift} build -c release --product route-benchmark >&2
.build/release/route-benchmark
