#include <stddef.h>

#include "meter.h"
#include "sim.h"

/* Frames of the meter, then its register: whatever arrives, no increment is larger than the elapsed time allows. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct meter_sample sample = {0};
  meter_parse(1, data, (uint32_t)size, &sample);
  struct meter m = {0};
  uint64_t elapsed_ms = 0;
  for (size_t at = 0; at + 6 <= size; at += 6) {
    uint32_t raw_wh = (uint32_t)data[at] | (uint32_t)data[at + 1] << 8 | (uint32_t)data[at + 2] << 16 | (uint32_t)data[at + 3] << 24;
    uint8_t flags = 0;
    elapsed_ms += (uint64_t)(data[at + 4] | data[at + 5] << 8) * 1000;
    uint32_t increment_wh = meter_increment(&m, raw_wh, elapsed_ms, &flags);
    if (increment_wh > elapsed_ms * METER_MAX_W / 3600000 * 6 / 5 + 2) __builtin_trap();
    if (increment_wh > 0) elapsed_ms = 0;
  }
  return 0;
}
