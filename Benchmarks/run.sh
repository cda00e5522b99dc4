#!/bin/sh
# Every benchmark, one after the other; each prints its rows as they are measured. Some 20 minutes.
#
#     run.sh [PART …]     spf, routes, cluster, or scenarios of mesh (see mesh/__main__.py); all of them when none is named
set -eu
cd "$(dirname "$0")"
swift=${SWIFT:-swift}

# Whether part $1 is asked for.
wanted="$*"
is_wanted() {
    case " $wanted " in "  " | *" $1 "*) ;; *) return 1 ;; esac
}

if is_wanted spf; then
    echo "## Shortest paths"
    echo
    ./spf.py
    echo
fi

if is_wanted routes; then
    echo "## From LSA to route update, 10,000 routers"
    echo
    KUBERMESH_CORE=1 $swift build -c release --product route-benchmark >&2
    .build/release/route-benchmark
    echo
fi

scenarios=
for part in $wanted; do
    case $part in spf | routes | cluster) ;; *) scenarios="$scenarios${scenarios:+,}$part" ;; esac
done
if [ -n "$wanted" ] && [ -z "$scenarios" ] && ! is_wanted cluster; then exit; fi

cd ..
build="$swift build -c release -Xswiftc -static-stdlib --scratch-path .build-release"
for product in meshd meshlab; do $build --product $product >&2; done
KUBERMESH_BINARIES=$($build --show-bin-path)
export KUBERMESH_BINARIES
as_root=
[ "$(id -u)" -eq 0 ] || as_root="sudo -E"

if is_wanted cluster; then
    echo "## A cluster of 1,000 services"
    echo
    $swift build --build-tests >&2
    $as_root env KUBERMESH_MEASURE=1 "$swift" test --skip-build --no-parallel --filter ClusterFigures 2>&1 |
        grep -E '^(from|one|storm|the|resident) |failed'
    echo
fi
if [ -n "$wanted" ] && [ -z "$scenarios" ]; then exit; fi

echo "## Meshes of real routers in real kernels"
echo
# In place of this shell, so that whoever ends it ends the benchmark, which then cleans up.
exec $as_root python3 Benchmarks/mesh ${scenarios:+--only "$scenarios"}
