#!/bin/sh
# The Linux node without a broker: a virtual day offline with kill -9 in it. Argument: the program.
# The counter must never be above what the loads took, nor short by more than a period for each kill.
node=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
status=0
say() { if [ "$2" = 1 ]; then echo "ok - $1"; else echo "FAILED - $1"; status=1; fi; }
# In a subshell that becomes the program, so that kill -9 hits the program itself.
run() { exec "$node" --name esp32-test --port 1 --flash "$folder/flash" --flash-sectors 64 --quiet --drain-seconds 0 \
  --backdate-seconds 86400 --offline-until-now "$@"; }
value() { echo "$line" | sed -E "s/.*\"$1\":([0-9a-z]+).*/\1/"; }

"$node" --name x 2>/dev/null
say 'a missing option ends it with 2' $(($? == 2))
"$node" --name x --flash "$folder/x" --period-ms 5 2>/dev/null
say 'a value out of range ends it with 2' $(($? == 2))

kills=0
while [ $kills -lt 4 ]; do
  (run --speed 15000) >/dev/null & pid=$!
  sleep 0.7
  kill -9 $pid
  wait $pid 2>/dev/null
  kills=$((kills + 1))
done
line=$(run --speed 1000000 --for-seconds 2)
truth=$(echo "$line" | sed -E 's/.*"counter_mwh":[0-9]+,"truth_mws":([0-9]+),"backlog".*/\1/')
counter=$(echo "$line" | sed -E 's/.*"sequence_no":[0-9]+,"counter_mws":([0-9]+).*/\1/')
say 'the counter is known after kill -9' $([ "$(value counter_known)" = true ] && echo 1 || echo 0)
say 'it counted a day' $((counter > 1000000000 && $(value backlog) > 2000))
# 393 W for a period of 30 s, four times.
say 'never above the truth, at most a period short for each kill' $((counter <= truth && truth - counter <= 393000 * 30 * 4))
say 'it booted five times' $(($(value boots) == 5))
exit $status
