#include <stddef.h>

#include "meter.h"
#include "sim.h"

/* Frames of the meter, then its register: whatever arrives, no increment is larger than the elapsed time allows. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct meter_sample sample = {0};
  meter_parse(1, data, (uint32_t)size, &sample);
  struct meter m = {0};
  uint64_t now_ms = 0, last_ms = 0, gap_ms = 0;
  for (size_t at = 0; at + 6 <= size; at += 6) {
    uint32_t raw_wh = (uint32_t)data[at] | (uint32_t)data[at + 1] << 8 | (uint32_t)data[at + 2] << 16 | (uint32_t)data[at + 3] << 24;
    uint64_t more = (uint64_t)(data[at + 4] | data[at + 5] << 8) * 1000, increment_wh;
    uint8_t flags = 0;
    now_ms += more;
    switch (raw_wh >> 28) {
    case 14: /* a boot without a clock */
      increment_wh = m.doubt_wh;
      m = (struct meter){.last_wh = m.last_wh, .known = m.known, .doubt_wh = 0};
      if (!m.known) continue;
      m.known = false;
      if (meter_resume(&m, m.last_wh, (uint32_t)increment_wh, 0, now_ms) != 0) __builtin_trap();
      continue;
    case 15: /* the clock comes */
      if (more > gap_ms) gap_ms = more;
      increment_wh = meter_decide(&m, more, &flags);
      if (increment_wh > (now_ms + more) * METER_MAX_W / 3600000 * 6 / 5 + 2) __builtin_trap();
      continue;
    default: break;
    }
    increment_wh = meter_increment(&m, raw_wh & 0xffffff, now_ms, &flags);
    /* Three values that agree may each have risen by 2 Wh more than the time explains. */
    if (increment_wh > (now_ms - last_ms + gap_ms) * METER_MAX_W / 3600000 * 6 / 5 + 6) __builtin_trap();
    if (m.odd_count == 0) last_ms = now_ms;
  }
  return 0;
}
