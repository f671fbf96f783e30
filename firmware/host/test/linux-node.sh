#!/bin/sh
# The Linux node without a broker: a virtual day offline with kill -9 in it. Argument: the program.
# The counter must never be above what the loads took, nor short by more than a period for each kill.
node=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
status=0
say() { if [ "$2" = 1 ]; then echo "ok - $1"; else echo "FAILED - $1"; status=1; fi; }
# In a subshell that becomes the program, so that signals hit the program itself. Its log says when it is at work.
run() { exec "$node" --name esp32-test --port 1 --flash "$folder/flash" --flash-sectors 64 --drain-seconds 0 \
  --backdate-seconds 86400 --offline-until-now "$@" 2>>"$folder/log"; }
# Waits, at most a minute, until a command succeeds.
await() { tries=0; until "$@"; do tries=$((tries + 1)); [ $tries -gt 600 ] && return 1; sleep 0.1; done; }
at_work() { [ "$(wc -l <"$folder/log")" -gt "$lines" ]; }
# It has caught up with the real time when it says so.
caught_up() { kill -USR1 $pid; line=$(tail -n 1 "$folder/said"); [ "$(value behind_ms)" -lt 2000 ] 2>/dev/null; }
value() { echo "$line" | sed -E "s/.*\"$1\":([0-9a-z]+).*/\1/"; }

"$node" --name x 2>/dev/null
say 'a missing option ends it with 2' $(($? == 2))
"$node" --name x --flash "$folder/x" --period-ms 5 2>/dev/null
say 'a value out of range ends it with 2' $(($? == 2))

kills=0
: >"$folder/log"
while [ $kills -lt 4 ]; do
  lines=$(wc -l <"$folder/log")
  (run --speed 15000) >/dev/null & pid=$!
  await at_work
  sleep 0.5
  kill -9 $pid
  wait $pid 2>/dev/null
  kills=$((kills + 1))
done
lines=$(wc -l <"$folder/log")
(run --speed 1000000) >"$folder/said" & pid=$!
await at_work
await caught_up
kill $pid
wait $pid 2>/dev/null
line=$(tail -n 1 "$folder/said")
truth=$(echo "$line" | sed -E 's/.*"counter_mwh":[0-9]+,"truth_mws":([0-9]+),"backlog".*/\1/')
counter=$(echo "$line" | sed -E 's/.*"sequence_no":[0-9]+,"counter_mws":([0-9]+).*/\1/')
say 'the counter is known after kill -9' $([ "$(value counter_known)" = true ] && echo 1 || echo 0)
say 'it counted a day' $((counter > 1000000000 && $(value backlog) > 2000))
# 393 W for a period of 30 s, four times.
say 'never above the truth, at most a period short for each kill' $((counter <= truth && truth - counter <= 393000 * 30 * 4))
say 'it booted five times' $(($(value boots) == 5))
exit $status
