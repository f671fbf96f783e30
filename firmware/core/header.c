#include "crc.h"
#include "meter.h"
#include "record.h"

#define HEADER_MAGIC 0x4a565541u /* "AUVJ" */
#define HEADER_VERSION 1u
#define CRC_AT (HEADER_BYTES - 4u)
/* Beyond these no journal of ours gets, and the arithmetic on them stays far from its ends. */
#define NUMBER_MAX 0x7fffffffu              /* of sectors */
#define SEQUENCE_MAX 999999999999ull              /* of the wire contract */
#define ENERGY_MAX_MWS (9000000000ull * MWS_PER_WH) /* of the wire contract */

bool chain_possible(const struct chain *chain)
{
  return chain->counter_epoch != 0 && chain->sequence_no <= SEQUENCE_MAX &&
         chain->settled_through <= chain->sequence_no && chain->energy.total_mws <= ENERGY_MAX_MWS &&
         chain->meter_doubt_wh <= METER_WRAP_WH;
}

void header_encode(uint8_t to[HEADER_BYTES], uint32_t number, const struct chain *chain)
{
  memset(to, 0, HEADER_BYTES);
  struct writer w = {.at = to, .capacity = HEADER_BYTES};
  put_fixed(&w, HEADER_MAGIC, 4);
  put_byte(&w, HEADER_VERSION);
  put_fixed(&w, number, 4);
  put_fixed(&w, chain->counter_epoch, 4);
  put_fixed(&w, chain->boot_id, 4);
  put_fixed(&w, chain->sequence_no, 8);
  put_fixed(&w, chain->settled_through, 8);
  put_fixed(&w, chain->uptime_ms, 8);
  put_fixed(&w, chain->measured_at_ms, 8);
  put_fixed(&w, chain->energy.total_mws, 8);
  for (int i = 0; i < CHANNELS_MAX; i++) {
    put_fixed(&w, chain->energy.channel_mws[i], 8);
    put_fixed(&w, chain->energy.on_time_ms[i], 8);
  }
  put_fixed(&w, chain->power_mw, 4);
  put_fixed(&w, chain->meter_wh, 4);
  put_fixed(&w, chain->loss_bound_mws, 8);
  put_fixed(&w, chain->revision, 2);
  put_byte(&w, chain->on);
  put_byte(&w, chain->time_quality);
  put_byte(&w, chain->cause);
  put_byte(&w, chain->meter_flags);
  put_byte(&w, chain->reset_reason);
  put_byte(&w, (uint8_t)(chain->meter_known | chain->metered << 1 | chain->restored << 2 | chain->first << 3 | chain->damaged << 4));
  put_fixed(&w, chain->meter_at_ms, 8);
  put_fixed(&w, chain->meter_doubt_wh, 4);
  w.length = CRC_AT;
  put_fixed(&w, crc32_of(0, to, CRC_AT), 4);
}

bool header_decode(const uint8_t from[HEADER_BYTES], uint32_t *number, struct chain *chain)
{
  struct reader r = {.at = from, .position = CRC_AT, .length = HEADER_BYTES};
  if ((uint32_t)get_fixed(&r, 4) != crc32_of(0, from, CRC_AT)) return false;
  r.position = 0;
  if (get_fixed(&r, 4) != HEADER_MAGIC || get_byte(&r) != HEADER_VERSION) return false;
  *number = (uint32_t)get_fixed(&r, 4);
  memset(chain, 0, sizeof *chain);
  chain->counter_epoch = (uint32_t)get_fixed(&r, 4);
  chain->boot_id = (uint32_t)get_fixed(&r, 4);
  chain->sequence_no = get_fixed(&r, 8);
  chain->settled_through = get_fixed(&r, 8);
  chain->uptime_ms = get_fixed(&r, 8);
  chain->measured_at_ms = get_fixed(&r, 8);
  chain->energy.total_mws = get_fixed(&r, 8);
  for (int i = 0; i < CHANNELS_MAX; i++) {
    chain->energy.channel_mws[i] = get_fixed(&r, 8);
    chain->energy.on_time_ms[i] = get_fixed(&r, 8);
  }
  chain->power_mw = (uint32_t)get_fixed(&r, 4);
  chain->meter_wh = (uint32_t)get_fixed(&r, 4);
  chain->loss_bound_mws = get_fixed(&r, 8);
  chain->revision = (uint16_t)get_fixed(&r, 2);
  chain->on = get_byte(&r);
  chain->time_quality = get_byte(&r);
  chain->cause = get_byte(&r);
  chain->meter_flags = get_byte(&r);
  chain->reset_reason = get_byte(&r);
  uint8_t flags = get_byte(&r);
  chain->meter_known = flags & 1;
  chain->metered = flags >> 1 & 1;
  chain->restored = flags >> 2 & 1;
  chain->first = flags >> 3 & 1;
  chain->damaged = flags >> 4 & 1;
  chain->meter_at_ms = get_fixed(&r, 8);
  chain->meter_doubt_wh = (uint32_t)get_fixed(&r, 4);
  return *number != 0 && *number <= NUMBER_MAX && chain_possible(chain);
}
