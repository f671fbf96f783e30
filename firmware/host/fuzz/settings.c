#include <stddef.h>
#include <string.h>

#include "crc.h"
#include "sim.h"

/* Any bytes in the slot of a configuration; half of them with a CRC that holds. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static struct configurations all;
  static char text[MESSAGE_BYTES];
  if (sim.sectors == 0) sim_new(4);
  if (size < 8 || size > 1000) return 0;
  struct sim_setting *s = &sim.settings[0];
  memcpy(s->key, "cfg0", 5);
  s->bytes = (uint32_t)size;
  memcpy(s->value, data, size);
  if (data[0] & 2) {
    const uint32_t blob_bytes = 631;
    s->value[0] = 1;
    s->bytes = blob_bytes;
    uint32_t crc = crc32_of(0, s->value, blob_bytes - 4);
    for (uint32_t i = 0; i < 4; i++) s->value[blob_bytes - 4 + i] = (uint8_t)(crc >> 8 * i);
  }
  if (!configurations_load(&all)) return 0;
  const struct configuration *c = &all.slots[0];
  struct json_writer w;
  struct envelope e = {.esp32_name = "n", .counter_epoch = 1};
  json_begin(&w, text, sizeof text);
  message_reading(&w, &e, &(struct chain){.on = 0xff}, c);
  configuration_energy_mws(c, 31000);
  if (configuration_channel(c, "fan-1") >= configuration_channels(c)) __builtin_trap();
  return 0;
}
