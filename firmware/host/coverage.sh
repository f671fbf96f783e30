#!/bin/sh
# Branch coverage of firmware/core by the tests, file by file (gcov). Needs cmake, gcc and gcov.
here=$(cd "$(dirname "$0")" && pwd)
build=$here/../build-coverage
cmake -S "$here" -B "$build" -DCMAKE_BUILD_TYPE=Debug -DAUTOVOLT_COVERAGE=ON -DCMAKE_C_COMPILER=gcc >/dev/null || exit 1
cmake --build "$build" -j"${JOBS:-2}" --target core sim test_units test_json test_outbox test_machine test_meter test_metered test_journal \
  test_message test_command test_publish test_control test_storage test_faults test_powercut >/dev/null || exit 1
find "$build" -name '*.gcda' -delete
for test in units json outbox machine meter metered journal message command publish control storage faults; do
  "$build/test_$test" >/dev/null || echo "test_$test failed"
done
"$build/test_powercut" 2000 >/dev/null || echo 'test_powercut failed'
cd "$build/CMakeFiles/core.dir" || exit 1
# gcov: "Branches executed" are reached, "Taken at least once" are the ones a test has gone both ways through.
find . -name '*.gcda' | while read -r counts; do gcov -n -b -o "$(dirname "$counts")" "$counts" 2>/dev/null; done | awk '
  /^File .*core\// { file = $0; sub(/.*core\//, "", file); sub(/\x27.*/, "", file); use = 1; next }
  /^File / { use = 0 }
  use && /^Lines executed/ { split($2, a, ":"); lines = a[2]; sub(/%/, "", lines); line_count = $4 }
  use && /^Taken at least once/ { split($4, a, ":"); taken = a[2]; sub(/%/, "", taken)
    if (!(file in seen) || taken > seen[file]) { seen[file] = taken; count[file] = $6; line_share[file] = lines } use = 0 }
  END { for (f in seen) { printf "%-20s %6.2f %% of %4d branches, %6.2f %% of lines\n", f, seen[f], count[f], line_share[f] | "sort"
          total += count[f]; covered += count[f] * seen[f] / 100 }
        close("sort"); printf "%-20s %6.2f %% of %4d branches\n", "core", 100 * covered / total, total }'
