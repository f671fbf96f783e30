#!/bin/sh
# Configures, builds and runs everything of firmware/host. The last line is "N passed, N failed".
# What cannot be run here is named in a line "skipped: …", and is no failure.
here=$(cd "$(dirname "$0")" && pwd)
build=$here/../build
compiler=${CC:-cc}

missing() { echo "skipped: $1"; echo '0 passed, 0 failed'; exit 0; }
command -v cmake >/dev/null || missing 'the firmware on the host (cmake is missing)'
command -v "$compiler" >/dev/null || missing "the firmware on the host (no C compiler: $compiler)"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
# The tests of the whole stack build there as well (local/native/build.ts), perhaps at the same time.
mkdir -p "$build"
if command -v flock >/dev/null; then
  exec 9>"$build/lock"
  flock 9
fi
if ! { cmake -S "$here" -B "$build" -DCMAKE_BUILD_TYPE=RelWithDebInfo && cmake --build "$build" -j"${JOBS:-2}"; } >"$log" 2>&1; then
  cat "$log"
  echo 'FAILED - the build'
  echo '0 passed, 1 failed'
  exit 1
fi
exec 9>&-
[ -x "$build/autovolt-node" ] || echo 'skipped: autovolt-node (libmosquitto-dev is missing)'

(cd "$build" && ctest -V -j"${JOBS:-2}") >"$log" 2>&1
# The programs' own lines; a fuzz target counts as one; a program that died without saying so as well.
grep -E '^[0-9]+: .*(ok|FAILED) - |^[0-9]+:   ' "$log" | sed -E 's/^[0-9]+: //'
grep -E 'Test +#[0-9]+: fuzz_' "$log" | sed -E 's/.*(fuzz_[a-z]+) \.+ *(.*)/\1: \2/'
passed=$(($(grep -cE '^[0-9]+: ok - ' "$log") + $(grep -cE 'Test +#[0-9]+: fuzz_.* Passed' "$log")))
failed=$(grep -cE '^[0-9]+: FAILED - ' "$log")
died=$(grep -E 'Test +#[0-9]+:' "$log" | grep -vcE ' Passed ')
if [ "$failed" -eq 0 ] && [ "$died" -gt 0 ]; then
  grep -E '(SUMMARY|ERROR|Test +#[0-9]+:.*(\*\*\*|Exception))' "$log"
  failed=$died
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
