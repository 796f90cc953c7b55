#!/usr/bin/env bash
# Runs every fuzz target for a given time and appends a line for each to a record.
#
#   fuzz/run.sh [SECONDS] [RECORD]      60 seconds each, fuzz/record.txt
#
# Needs cargo-fuzz. On a stable toolchain the sanitizers are left out; panics, failed laws, hangs (10 s) and
# memory above 2 GB are found all the same. Inputs found before are kept in fuzz/corpus, crashes in
# fuzz/artifacts: make each a file of fuzz/regressions and a paragraph.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
record=${2:-fuzz/record.txt}
export RUSTC_BOOTSTRAP=1
failed=0
for file in fuzz/fuzz_targets/*.rs; do
    target=$(basename "$file" .rs)
    mkdir -p "fuzz/corpus/$target"
    seeds=()
    [ -d "fuzz/regressions/$target" ] && seeds=("fuzz/regressions/$target")
    log=$(mktemp)
    outcome=passed
    cargo fuzz run --sanitizer none "$target" "fuzz/corpus/$target" "${seeds[@]}" -- \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 >"$log" 2>&1 || outcome=FAILED
    [ "$outcome" = FAILED ] && failed=1
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    coverage=$(grep -o 'cov: [0-9]*' "$log" | tail -1 | cut -d' ' -f2 || true)
    printf '%s %-20s %ss runs %s coverage %s %s\n' "$(date -u +%F)" "$target" "$seconds" "${runs:-0}" "${coverage:-0}" "$outcome" | tee -a "$record"
    [ "$outcome" = FAILED ] && tail -n 20 "$log"
    rm -f "$log"
done
exit $failed
