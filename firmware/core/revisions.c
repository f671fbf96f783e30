#include <string.h>

#include "bytes.h"
#include "configuration.h"
#include "crc.h"
#include "port.h"

/* The kept revisions as settings `cfg0` to `cfg3`: a revision lives in the slot of its remainder by four. */

#define FORMAT 1u
#define BLOB_BYTES 704u
#define CRC_BYTES 4u

static void key_of(uint32_t slot, char key[5])
{
  memcpy(key, "cfg0", 5);
  key[3] = (char)('0' + slot);
}

static uint32_t encode(const struct configuration *c, uint8_t to[BLOB_BYTES])
{
  struct writer w = {.at = to, .capacity = BLOB_BYTES};
  put_byte(&w, FORMAT);
  put_fixed(&w, c->revision, 2);
  put_byte(&w, (uint8_t)c->mode);
  put_byte(&w, c->meter_address);
  put_fixed(&w, c->period_ms, 4);
  for (uint32_t i = 0; i < RULE_NAME_BYTES; i++) put_byte(&w, (uint8_t)c->telemetry_rule[i]);
  put_byte(&w, c->channel_count);
  for (int i = 0; i < CHANNELS_MAX; i++) {
    for (uint32_t k = 0; k < DEVICE_ID_BYTES; k++) put_byte(&w, (uint8_t)c->channels[i].device_id[k]);
    put_fixed(&w, c->channels[i].rated_mw, 4);
  }
  put_fixed(&w, crc32_of(0, to, w.length), CRC_BYTES);
  return w.length;
}

static bool decode(struct configuration *c, const uint8_t *from, uint32_t length)
{
  struct reader r = {.at = from, .length = length};
  memset(c, 0, sizeof *c);
  if (length < CRC_BYTES || get_byte(&r) != FORMAT) return false;
  c->revision = (uint16_t)get_fixed(&r, 2);
  c->mode = get_byte(&r) == MEASURE_METER ? MEASURE_METER : MEASURE_RELAY;
  c->meter_address = get_byte(&r);
  c->period_ms = (uint32_t)get_fixed(&r, 4);
  for (uint32_t i = 0; i < RULE_NAME_BYTES; i++) c->telemetry_rule[i] = (char)get_byte(&r);
  c->channel_count = get_byte(&r);
  for (int i = 0; i < CHANNELS_MAX; i++) {
    for (uint32_t k = 0; k < DEVICE_ID_BYTES; k++) c->channels[i].device_id[k] = (char)get_byte(&r);
    c->channels[i].device_id[DEVICE_ID_BYTES - 1] = 0;
    c->channels[i].rated_mw = (uint32_t)get_fixed(&r, 4);
  }
  uint32_t checked = r.position;
  bool whole = (uint32_t)get_fixed(&r, CRC_BYTES) == crc32_of(0, from, checked < length ? checked : 0);
  c->telemetry_rule[RULE_NAME_BYTES - 1] = 0;
  return whole && !r.failed && c->revision != 0 && c->channel_count <= CHANNELS_MAX && c->period_ms > 0;
}

bool configurations_load(struct configurations *all)
{
  bool any = false;
  memset(all, 0, sizeof *all);
  for (uint32_t slot = 0; slot < REVISIONS_KEPT; slot++) {
    uint8_t blob[BLOB_BYTES];
    char key[5];
    key_of(slot, key);
    uint32_t length = port_settings_read(key, blob, sizeof blob);
    if (decode(&all->slots[slot], blob, length)) any = true;
    else memset(&all->slots[slot], 0, sizeof all->slots[slot]);
  }
  return any;
}

const struct configuration *configurations_find(const struct configurations *all, uint16_t revision)
{
  const struct configuration *slot = &all->slots[revision % REVISIONS_KEPT];
  return slot->revision == revision && revision != 0 ? slot : NULL;
}

bool configurations_store(struct configurations *all, const struct configuration *c)
{
  uint8_t blob[BLOB_BYTES];
  char key[5];
  uint32_t slot = c->revision % REVISIONS_KEPT;
  key_of(slot, key);
  uint32_t length = encode(c, blob);
  if (!port_settings_write(key, blob, length)) return false;
  all->slots[slot] = *c;
  return true;
}

uint16_t configurations_newest(const struct configurations *all)
{
  uint16_t newest = 0;
  for (int i = 0; i < REVISIONS_KEPT; i++)
    if (all->slots[i].revision > newest) newest = all->slots[i].revision;
  return newest;
}

bool configurations_use(struct configurations *all, uint16_t revision)
{
  if (configurations_find(all, revision) == NULL) return false;
  all->current = &all->slots[revision % REVISIONS_KEPT];
  return true;
}
