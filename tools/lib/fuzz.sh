#!/usr/bin/env bash
# usage: fuzz.sh BUILD SECONDS REPORT.xml
# Runs every libFuzzer program of a build (bin/un0-fuzz-*) for SECONDS, from its seeds in test/fuzz/corpus/<name>, and writes a
# JUnit report of which stayed clean. What a run learns stays in the build: the seeds in the tree are not touched.
set -euo pipefail
build=$1 seconds=$2 report=$3
root=$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0")")/../.." && pwd -P)
out=$build/fuzz
mkdir -p "$out"
cases=""
shopt -s nullglob
for fuzzer in "$build"/bin/un0-fuzz-*; do
  name=$(basename "$fuzzer")
  seeds=$root/test/fuzz/corpus/${name#un0-fuzz-}
  learned=$out/$name
  mkdir -p "$learned"
  corpora=("$learned")
  [[ ! -d "$seeds" ]] || corpora+=("$seeds")
  echo "fuzzing $name for $seconds s"
  failure=""
  if ! ASAN_OPTIONS=detect_container_overflow=0:allow_user_poisoning=0:allocator_may_return_null=1 \
    "$fuzzer" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$out/$name-" "${corpora[@]}" >"$out/$name.log" 2>&1 </dev/null; then
    failure='<failure message="not clean"/>'
    tail -n 40 "$out/$name.log" >&2
  fi
  grep -E 'number_of_executed_units|peak_rss_mb' "$out/$name.log" || true
  cases+="<testcase name=\"fuzz.$name\" status=\"run\">$failure</testcase>"
done
[[ -n "$cases" ]] || cases='<testcase name="fuzz" status="fail"><failure message="no fuzzers were built"/></testcase>'
printf '<testsuite>%s</testsuite>\n' "$cases" >"$report"
