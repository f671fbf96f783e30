#include "record.h"

#include "crc.h"

/* A record: length, type, link (2), content, CRC-32 (4). */
#define CONTENT_AT 4u
#define CRC_BYTES 4u

/* Flags of a reading record. */
#define FLAG_QUALITY 0x03u
#define FLAG_CAUSE 0x0cu
#define FLAG_CAUSE_SHIFT 2
#define FLAG_METER 0x10u
#define FLAG_METER_KNOWN 0x20u
#define FLAG_METER_HEARD 0x40u
#define FLAG_METER_DOUBT 0x80u /* what is in doubt has changed: its new value follows */

#define REVISION_BITS 0x7fffu

static struct writer start(struct record *r, enum record_type type)
{
  memset(r->bytes, 0, sizeof r->bytes);
  struct writer w = {.at = r->bytes, .length = CONTENT_AT, .capacity = RECORD_MAX_BYTES - CRC_BYTES};
  r->bytes[1] = (uint8_t)type;
  return w;
}

static void finish(struct record *r, const struct writer *w)
{
  /* Zero padding up to a multiple of four; the content's end follows from the content. */
  r->length = w->failed ? 0 : (w->length + 3) / 4 * 4 + CRC_BYTES;
}

/*
 * Increments: channels with energy, channels that were on for all of `steady_ms` (their on-time is
 * said once for all), channels with another on-time.
 */
static void put_part(struct writer *w, const struct part *part, uint64_t steady_ms)
{
  uint8_t with_energy = 0, steady = 0, timed = 0;
  for (int i = 0; i < CHANNELS_MAX; i++) {
    uint8_t bit = (uint8_t)(part->mask & (1u << i));
    if (part->increment->channel_mws[i] > 0) with_energy |= bit;
    if (part->increment->on_time_ms[i] == 0) continue;
    if (part->increment->on_time_ms[i] == steady_ms) steady |= bit;
    else timed |= bit;
  }
  put_byte(w, with_energy);
  put_byte(w, steady);
  put_byte(w, timed);
  for (int i = 0; i < CHANNELS_MAX; i++) {
    if (with_energy & (1u << i)) put_varint(w, part->increment->channel_mws[i]);
    if (timed & (1u << i)) put_varint(w, part->increment->on_time_ms[i]);
  }
}

static void get_part(struct reader *r, struct energy *increment, uint64_t steady_ms)
{
  uint8_t with_energy = get_byte(r), steady = get_byte(r), timed = get_byte(r);
  for (int i = 0; i < CHANNELS_MAX; i++) {
    if (with_energy & (1u << i)) increment->channel_mws[i] = get_varint(r);
    if (timed & (1u << i)) increment->on_time_ms[i] = get_varint(r);
    else if (steady & (1u << i)) increment->on_time_ms[i] = steady_ms;
  }
}

/* What the channels say of the total; the rest (a meter's energy with no channel on) is written out. */
static uint64_t sum_of(const struct energy *increment)
{
  uint64_t sum_mws = 0;
  for (int i = 0; i < CHANNELS_MAX; i++) sum_mws += increment->channel_mws[i];
  return sum_mws;
}

void record_reading(struct record *r, const struct chain *before, const struct observation *o, const struct part *part)
{
  struct writer w = start(r, RECORD_READING);
  uint64_t passed_ms = o->uptime_ms - before->uptime_ms;
  uint32_t cause = o->cause;
  bool doubt_changed = before->metered && o->meter_doubt_wh != before->meter_doubt_wh;
  put_byte(&w, (uint8_t)((o->time_quality & FLAG_QUALITY) | (cause << FLAG_CAUSE_SHIFT & FLAG_CAUSE) |
                         (before->metered ? FLAG_METER : 0) | (o->meter_known ? FLAG_METER_KNOWN : 0) |
                         (before->metered && o->meter_heard ? FLAG_METER_HEARD : 0) | (doubt_changed ? FLAG_METER_DOUBT : 0)));
  put_varint(&w, before->sequence_no + 1 - o->settled_through);
  put_varint(&w, passed_ms);
  if (o->time_quality != TIME_NONE) {
    uint64_t expected_ms = before->measured_at_ms == 0 ? 0 : before->measured_at_ms + passed_ms;
    put_signed(&w, (int64_t)(o->measured_at_ms - expected_ms));
  }
  put_byte(&w, o->on);
  put_part(&w, part, passed_ms);
  if (before->metered) {
    put_varint(&w, part->increment->total_mws - sum_of(part->increment));
    put_varint(&w, o->power_mw);
    put_signed(&w, (int64_t)o->meter_wh - (int64_t)before->meter_wh);
    put_byte(&w, o->meter_flags);
    if (doubt_changed) put_varint(&w, o->meter_doubt_wh);
  } else {
    put_varint(&w, o->power_mw);
  }
  finish(r, &w);
}

void record_energy(struct record *r, const struct part *part)
{
  struct writer w = start(r, RECORD_ENERGY);
  put_part(&w, part, 0);
  finish(r, &w);
}

void record_boot(struct record *r, uint32_t boot_id, uint8_t reset_reason, uint64_t loss_bound_mws)
{
  struct writer w = start(r, RECORD_BOOT);
  put_fixed(&w, boot_id, 4);
  put_byte(&w, reset_reason);
  put_varint(&w, loss_bound_mws);
  finish(r, &w);
}

void record_event(struct record *r, const struct audit *audit)
{
  struct writer w = start(r, RECORD_EVENT);
  put_byte(&w, audit->kind);
  put_fixed(&w, audit->detail, 2);
  put_fixed(&w, audit->command_id, 8);
  finish(r, &w);
}

void record_seal(struct record *r, struct link link)
{
  r->bytes[0] = (uint8_t)r->length;
  r->bytes[2] = (uint8_t)link.before;
  r->bytes[3] = (uint8_t)(link.before >> 8);
  uint32_t crc = crc32_of(link.number, r->bytes, r->length - CRC_BYTES);
  struct writer w = {.at = r->bytes, .length = r->length - CRC_BYTES, .capacity = r->length};
  put_fixed(&w, crc, CRC_BYTES);
}

uint32_t record_check(const uint8_t *at, uint32_t available, struct link link, bool *linked)
{
  uint32_t length = available > 0 ? at[0] : 0;
  if (length < RECORD_MIN_BYTES || length > RECORD_MAX_BYTES || length % 4 != 0 || length > available) return 0;
  struct reader r = {.at = at, .position = length - CRC_BYTES, .length = length};
  if (crc32_of(link.number, at, length - CRC_BYTES) != (uint32_t)get_fixed(&r, CRC_BYTES)) return 0;
  *linked = (uint16_t)(at[2] | at[3] << 8) == link.before;
  return length;
}

uint16_t record_link(const uint8_t *at)
{
  uint32_t crc_at = at[0] - CRC_BYTES;
  return (uint16_t)(at[crc_at] | at[crc_at + 1] << 8);
}

static void apply_reading(struct chain *chain, struct reader *r)
{
  struct energy increment = {0};
  uint8_t flags = get_byte(r);
  uint64_t unsettled = get_varint(r);
  uint64_t passed_ms = get_varint(r);
  chain->time_quality = flags & FLAG_QUALITY;
  chain->cause = (uint8_t)((flags & FLAG_CAUSE) >> FLAG_CAUSE_SHIFT);
  if (chain->time_quality == TIME_NONE) {
    chain->measured_at_ms = 0;
  } else {
    uint64_t expected_ms = chain->measured_at_ms == 0 ? 0 : chain->measured_at_ms + passed_ms;
    chain->measured_at_ms = expected_ms + (uint64_t)get_signed(r);
  }
  chain->uptime_ms += passed_ms;
  chain->on = get_byte(r);
  get_part(r, &increment, passed_ms);
  increment.total_mws = sum_of(&increment);
  chain->metered = (flags & FLAG_METER) != 0;
  chain->meter_known = (flags & FLAG_METER_KNOWN) != 0;
  chain->meter_flags = 0;
  if (chain->metered) {
    increment.total_mws += get_varint(r);
    chain->power_mw = (uint32_t)get_varint(r);
    chain->meter_wh = (uint32_t)((int64_t)chain->meter_wh + get_signed(r));
    chain->meter_flags = get_byte(r);
    if (flags & FLAG_METER_DOUBT) chain->meter_doubt_wh = (uint32_t)get_varint(r);
    if (flags & FLAG_METER_HEARD && chain->measured_at_ms != 0) chain->meter_at_ms = chain->measured_at_ms;
  } else {
    chain->power_mw = (uint32_t)get_varint(r);
  }
  if (!chain->first) {
    chain->reset_reason = RESET_NONE;
    chain->loss_bound_mws = 0;
    chain->restored = false;
    chain->damaged = false;
  }
  chain->first = false;
  chain->sequence_no++;
  chain->settled_through = unsettled > chain->sequence_no ? 0 : chain->sequence_no - unsettled;
  energy_add(&chain->energy, &increment);
}

static void apply_event(struct chain *chain, const struct audit *audit)
{
  uint8_t channel = audit->detail >> 1 & (CHANNELS_MAX - 1), bit = (uint8_t)(1u << channel);
  switch (audit->kind) {
  case AUDIT_RELAY:
  case AUDIT_SWITCH:
    /* After a power cut the relays come back as they were switched last, not as the last reading saw them. */
    chain->on = audit->detail & 1 ? chain->on | bit : chain->on & (uint8_t)~bit;
    break;
  case AUDIT_REVISION:
  case AUDIT_OTHER_METER:
    chain->revision = audit->detail & REVISION_BITS;
    chain->metered = audit->detail >> 15;
    if (audit->kind == AUDIT_REVISION) break;
    chain->meter_known = false;
    chain->meter_doubt_wh = 0;
    chain->meter_at_ms = 0;
    break;
  default: break;
  }
}

uint8_t record_apply(struct chain *chain, const uint8_t *at, struct audit *audit)
{
  struct reader r = {.at = at, .position = CONTENT_AT, .length = at[0] - CRC_BYTES};
  struct chain after = *chain;
  switch (at[1]) {
  case RECORD_READING:
    apply_reading(&after, &r);
    break;
  case RECORD_ENERGY: {
    struct energy increment = {0};
    get_part(&r, &increment, 0);
    increment.total_mws = sum_of(&increment);
    energy_add(&after.energy, &increment);
    break;
  }
  case RECORD_BOOT:
    after.boot_id = (uint32_t)get_fixed(&r, 4);
    after.reset_reason = get_byte(&r);
    after.loss_bound_mws = get_varint(&r);
    after.uptime_ms = 0;
    after.measured_at_ms = 0;
    after.first = true;
    break;
  case RECORD_EVENT:
    audit->kind = get_byte(&r);
    audit->detail = (uint16_t)get_fixed(&r, 2);
    audit->command_id = get_fixed(&r, 8);
    apply_event(&after, audit);
    break;
  default:
    return 0;
  }
  /* What a header could not say again must not be believed of a record either. */
  if (r.failed || !chain_possible(&after)) return 0;
  *chain = after;
  return at[1];
}
