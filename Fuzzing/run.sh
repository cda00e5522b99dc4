#!/bin/bash
# Fuzzes each target for a number of seconds (60 unless told), one core each, from the captures beside the tests and
# from what earlier runs found. What fails is written to Fuzzing/corpus/TARGET.failed; an input that fails is run
# again with
#
#     Fuzzing/.build-fuzzer/release/FuzzPackets FILE
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-60}
export KUBERMESH_CORE=1

swift build --product Seeds
.build/debug/Seeds .build/seeds
for target in FuzzPackets FuzzRouter; do
    swift build -c release --sanitize=fuzzer --scratch-path .build-fuzzer --product $target
done
for target in packets router; do
    mkdir -p "corpus/$target" "corpus/$target.failed"
    program=.build-fuzzer/release/Fuzz${target^}
    echo "── $target, $seconds s"
    "$program" "corpus/$target" ".build/seeds/$target" -dict=ospf.dict -max_total_time="$seconds" -max_len=40000 \
        -timeout=10 -rss_limit_mb=1024 -artifact_prefix="corpus/$target.failed/" -print_final_stats=1 -verbosity=1
done
