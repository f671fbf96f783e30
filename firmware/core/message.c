#include "message.h"

const char *reset_reason_text(uint8_t reason)
{
  static const char *const texts[] = {"none", "power_on", "brownout", "software", "watchdog", "panic", "other"};
  return texts[reason <= RESET_OTHER ? reason : RESET_OTHER];
}

const char *time_quality_text(uint8_t quality)
{
  static const char *const texts[] = {"none", "ntp", "rtc", "stepped"};
  return texts[quality & 3];
}

static void put_time(struct json_writer *w, uint64_t measured_at_ms)
{
  json_key(w, "measured_at");
  if (measured_at_ms == 0) json_null(w);
  else json_uint(w, measured_at_ms);
}

static void put_head(struct json_writer *w, const char *esp32_name)
{
  json_object(w);
  json_key(w, "schema");
  json_uint(w, 1);
  json_key(w, "esp32_name");
  json_string(w, esp32_name);
}

static void put_text(struct json_writer *w, const char *key, const char *text)
{
  json_key(w, key);
  json_string(w, text);
}

static void put_number(struct json_writer *w, const char *key, uint64_t value)
{
  json_key(w, key);
  json_uint(w, value);
}

static void put_milli(struct json_writer *w, const char *key, uint64_t thousandths)
{
  json_key(w, key);
  json_milli(w, thousandths);
}

static void put_boot(struct json_writer *w, uint32_t boot_id)
{
  json_key(w, "boot_id");
  json_hex32(w, boot_id);
}

static void put_channels(struct json_writer *w, const struct chain *reading, const struct configuration *c)
{
  if (c->channel_count == 0) {
    json_key(w, "switch_state");
    json_bool(w, reading->on & 1);
    return;
  }
  json_key(w, "channels");
  json_array(w);
  for (int i = 0; i < c->channel_count; i++) {
    bool on = reading->on >> i & 1;
    json_object(w);
    put_text(w, "device_id", c->channels[i].device_id);
    put_milli(w, "energy_wh_total", reading->energy.channel_mws[i] / MWS_PER_MWH);
    /* With a meter of the whole node, what one channel draws is not measured and not claimed. */
    if (!reading->metered) put_milli(w, "power_w", on ? c->channels[i].rated_mw : 0);
    json_key(w, "on");
    json_bool(w, on);
    put_number(w, "on_time_s", reading->energy.on_time_ms[i] / 1000);
    json_object_end(w);
  }
  json_array_end(w);
}

static void put_meter_flags(struct json_writer *w, uint8_t flags)
{
  static const char *const texts[] = {"silent", "implausible", "reset", "wrapped", "no_voltage"};
  if (flags == 0) return;
  json_key(w, "meter");
  json_array(w);
  for (int i = 0; i < 5; i++)
    if (flags >> i & 1) json_string(w, texts[i]);
  json_array_end(w);
}

/* The members of one reading, from the bytes on flash alone: said again it is the same, byte for byte. */
static void put_reading(struct json_writer *w, const struct chain *reading, const struct configuration *c)
{
  put_number(w, "sequence_no", reading->sequence_no);
  put_time(w, reading->measured_at_ms);
  put_text(w, "time_quality", time_quality_text(reading->time_quality));
  put_number(w, "uptime_seconds", reading->uptime_ms / 1000);
  put_milli(w, "energy_wh_total", reading->energy.total_mws / MWS_PER_MWH);
  put_milli(w, "power_w", reading->power_mw);
  put_channels(w, reading, c);
  if (reading->cause == CAUSE_SWITCH) put_text(w, "cause", "wall_switch");
  if (reading->cause == CAUSE_COMMAND) put_text(w, "cause", "command");
  put_meter_flags(w, reading->meter_flags);
  if (reading->reset_reason == RESET_NONE) return;
  put_text(w, "reset_reason", reset_reason_text(reading->reset_reason));
  put_milli(w, "loss_bound_wh", (reading->loss_bound_mws + MWS_PER_MWH - 1) / MWS_PER_MWH);
}

static void put_gaps(struct json_writer *w, const struct envelope *e)
{
  if (e->gap_count == 0) return;
  json_key(w, "gaps");
  json_array(w);
  for (uint32_t i = 0; i < e->gap_count; i++) {
    json_object(w);
    put_number(w, "from_sequence_no", e->gaps[i].from);
    put_number(w, "to_sequence_no", e->gaps[i].to);
    put_number(w, "counter_epoch", e->counter_epoch);
    put_text(w, "reason", e->gaps[i].reason);
    json_object_end(w);
  }
  json_array_end(w);
}

void message_reading(struct json_writer *w, const struct envelope *e, const struct chain *reading,
                     const struct configuration *c)
{
  put_head(w, e->esp32_name);
  put_number(w, "counter_epoch", e->counter_epoch);
  put_boot(w, reading->boot_id);
  put_reading(w, reading, c);
  if (e->replayed) {
    json_key(w, "replayed");
    json_bool(w, true);
  }
  /* Places a reading without a clock, in the boot that took it. */
  if (reading->measured_at_ms == 0 && e->boot_id == reading->boot_id)
    put_number(w, "sent_uptime_seconds", e->sent_uptime_s);
  if (e->firmware_ver) put_text(w, "firmware_ver", e->firmware_ver);
  put_gaps(w, e);
  json_object_end(w);
}

void message_batch(struct json_writer *w, const struct envelope *e)
{
  put_head(w, e->esp32_name);
  put_number(w, "counter_epoch", e->counter_epoch);
  put_boot(w, e->boot_id);
  put_number(w, "sent_uptime_seconds", e->sent_uptime_s);
  if (e->replayed) {
    json_key(w, "replayed");
    json_bool(w, true);
  }
  put_gaps(w, e);
  json_key(w, "readings");
  json_array(w);
}

bool message_batch_add(struct json_writer *w, const struct envelope *e, const struct chain *reading,
                       const struct configuration *c)
{
  uint32_t length = w->length;
  json_object(w);
  if (reading->boot_id != e->boot_id) put_boot(w, reading->boot_id);
  put_reading(w, reading, c);
  json_object_end(w);
  /* Two more bytes close the message. */
  if (!w->overflow && w->length + 2 < w->capacity) return true;
  w->length = length;
  w->at[length] = 0;
  w->overflow = false;
  return false;
}

void message_batch_end(struct json_writer *w)
{
  json_array_end(w);
  json_object_end(w);
}

static void put_status(struct json_writer *w, const char *esp32_name, const char *status, uint32_t boot_id)
{
  put_head(w, esp32_name);
  put_text(w, "status", status);
  put_boot(w, boot_id);
}

void message_online(struct json_writer *w, const struct condition *c)
{
  static const char digits[] = "0123456789ABCDEF";
  char mac[18] = {0};
  for (int i = 0; i < 6; i++) {
    mac[3 * i] = digits[c->mac[i] >> 4];
    mac[3 * i + 1] = digits[c->mac[i] & 15];
    if (i < 5) mac[3 * i + 2] = ':';
  }
  put_status(w, c->esp32_name, "online", c->boot_id);
  put_time(w, c->measured_at_ms);
  put_text(w, "firmware_ver", c->firmware_ver);
  put_text(w, "mac", mac);
  put_text(w, "reset_reason", reset_reason_text(c->reset_reason));
  json_object_end(w);
}

void message_will(struct json_writer *w, const char *esp32_name, uint32_t boot_id)
{
  put_status(w, esp32_name, "offline", boot_id);
  json_object_end(w);
}

void message_heartbeat(struct json_writer *w, const struct condition *c)
{
  put_head(w, c->esp32_name);
  put_boot(w, c->boot_id);
  put_time(w, c->measured_at_ms);
  put_text(w, "time_quality", time_quality_text(c->time_quality));
  put_number(w, "uptime_seconds", c->uptime_s);
  put_text(w, "firmware_ver", c->firmware_ver);
  put_number(w, "heap", c->heap);
  json_key(w, "wifi_rssi");
  json_int(w, c->wifi_rssi);
  put_number(w, "backlog", c->backlog);
  json_key(w, "journal");
  json_object(w);
  put_text(w, "state", c->storage_works ? "ok" : "fault");
  put_number(w, "sectors", c->sectors);
  put_number(w, "erases_max", c->erases_max);
  put_number(w, "torn_records", c->torn_records);
  if (c->bad_sectors > 0) put_number(w, "bad_sectors", c->bad_sectors);
  if (c->damaged_sectors > 0) put_number(w, "damaged_sectors", c->damaged_sectors);
  /* Said in words, because a consumer must not read a missing counter as zero. */
  if (!c->storage_works) put_text(w, "counter", "invalid");
  json_object_end(w);
  json_object_end(w);
}

void message_reply(struct json_writer *w, const struct reply *r)
{
  put_head(w, r->esp32_name);
  put_boot(w, r->boot_id);
  json_key(w, "id");
  if (r->id[0] == 0) json_null(w);
  else json_string(w, r->id);
  put_text(w, "command", r->command);
  put_text(w, "status", r->reason ? "refused" : "done");
  if (r->reason) put_text(w, "reason", r->reason);
  put_number(w, "configuration_revision", r->revision);
  put_time(w, r->measured_at_ms);
  json_object_end(w);
}
