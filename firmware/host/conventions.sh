#!/bin/sh
# What the core promises of itself: integers only, no memory from a heap, nothing of an operating
# system or of ESP-IDF, short files. Prints one line for each promise.
cd "$(dirname "$0")/../core" || exit 1
status=0

promise() { # name, lines that break it
  if [ -z "$2" ]; then echo "ok - $1"; else echo "FAILED - $1:"; echo "$2"; status=1; fi
}

# Comments may say "double" in words; code may not.
code() { for file in *.c *.h; do sed -E 's,//.*$,,; s,/\*[^*]*\*/,,g; /^ *\*/d; /\/\*/,/\*\//d' "$file" | sed "s|^|$file: |"; done; }

promise 'integers only' "$(code | grep -nwE 'float|double|long double')"
promise 'no heap' "$(code | grep -nwE 'malloc|calloc|realloc|free|alloca|strdup')"
promise 'only headers of C11 freestanding, string.h and its own' \
  "$(grep -nE '^#include <' ./*.c ./*.h | grep -vE '<(stdbool|stdint|stddef|limits|string)\.h>')"
promise 'no file over 400 lines' "$(wc -l ./*.c ./*.h ../host/*/*.c ../host/*/*.h | awk '$2 != "total" && $1 > 400')"
promise 'outside only through port.h' "$(code | grep -nE '(^|[^_a-z])(extern |s?n?printf|fopen|time\(|esp_|nvs_)')"
exit $status
