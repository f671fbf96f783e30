#include "configuration.h"

#include <string.h>

struct configuration configuration_default(void)
{
  return (struct configuration){.mode = MEASURE_RELAY, .meter_address = 1, .period_ms = 30000};
}

uint8_t configuration_channels(const struct configuration *c)
{
  return c->channel_count == 0 ? 1 : c->channel_count;
}

void configuration_ratings(const struct configuration *c, uint32_t rated_mw[CHANNELS_MAX])
{
  for (int i = 0; i < CHANNELS_MAX; i++) rated_mw[i] = i < configuration_channels(c) ? c->channels[i].rated_mw : 0;
}

uint64_t configuration_energy_mws(const struct configuration *c, uint64_t ms)
{
  uint64_t rated_mw = 0;
  for (int i = 0; i < configuration_channels(c); i++) rated_mw += c->channels[i].rated_mw;
  return rated_mw * ms / 1000;
}

int configuration_channel(const struct configuration *c, const char *device_id)
{
  for (int i = 0; i < configuration_channels(c); i++)
    if (strcmp(c->channels[i].device_id, device_id) == 0) return i;
  return -1;
}

/* The wire contract's rule for names; `/` and `#` are separators elsewhere. */
static bool device_id_allowed(const char *id)
{
  for (const char *at = id; *at; at++) {
    unsigned char c = (unsigned char)*at;
    bool c1_control = c == 0xc2 && (unsigned char)at[1] < 0xa0;
    if (c < 0x20 || c == 0x7f || c == '/' || c == '#' || c1_control) return false;
  }
  return id[0] != 0 && strcmp(id, "unassigned") != 0;
}

static bool rule_allowed(const char *rule)
{
  for (; *rule; rule++) {
    char c = *rule;
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')) return false;
  }
  return true;
}

static const char *parse_channels(struct configuration *c, const struct json *json, int list)
{
  memset(c->channels, 0, sizeof c->channels);
  if (!json_is(json, list, JSON_ARRAY) || json_element(json, list, CHANNELS_MAX) >= 0)
    return "channels must be a list of at most 8";
  for (c->channel_count = 0;; c->channel_count++) {
    int item = json_element(json, list, c->channel_count);
    if (item < 0) return NULL;
    struct channel channel;
    memset(&channel, 0, sizeof channel);
    if (!json_get_text(json, json_member(json, item, "device_id"), channel.device_id, DEVICE_ID_BYTES) ||
        !device_id_allowed(channel.device_id))
      return "device_id must be 1 to 64 bytes, without / # and control characters, and not unassigned";
    uint64_t rated_mw;
    if (!json_get_milli(json, json_member(json, item, "rated_w"), RATED_MAX_MW, &rated_mw))
      return "rated_w must be 0 to 100000 with at most three decimals";
    channel.rated_mw = (uint32_t)rated_mw;
    for (int i = 0; i < c->channel_count; i++)
      if (strcmp(c->channels[i].device_id, channel.device_id) == 0) return "channels must not name a device_id twice";
    c->channels[c->channel_count] = channel;
  }
}

static const char *parse_members(struct configuration *c, const struct json *json, int object)
{
  uint64_t number;
  int token = json_member(json, object, "period_ms");
  if (token >= 0) {
    if (!json_get_uint(json, token, PERIOD_MAX_MS, &number) || number < PERIOD_MIN_MS)
      return "period_ms must be 1000 to 3600000";
    c->period_ms = (uint32_t)number;
  }
  token = json_member(json, object, "mode");
  if (token >= 0) {
    if (!json_text_is(json, token, "relay") && !json_text_is(json, token, "meter")) return "mode must be relay or meter";
    c->mode = json_text_is(json, token, "meter") ? MEASURE_METER : MEASURE_RELAY;
  }
  token = json_member(json, object, "meter_address");
  if (token >= 0) {
    if (!json_get_uint(json, token, 248, &number) || number < 1) return "meter_address must be 1 to 248";
    c->meter_address = (uint8_t)number;
  }
  token = json_member(json, object, "telemetry_rule");
  if (token >= 0 && (!json_get_text(json, token, c->telemetry_rule, RULE_NAME_BYTES) || !rule_allowed(c->telemetry_rule)))
    return "telemetry_rule must be at most 64 of the characters a-z A-Z 0-9 _";
  token = json_member(json, object, "channels");
  return token < 0 ? NULL : parse_channels(c, json, token);
}

const char *configuration_parse(struct configuration *c, const struct json *json, int object)
{
  static const char *const known[] = {"period_ms", "mode", "meter_address", "telemetry_rule", "channels"};
  if (!json_is(json, object, JSON_OBJECT)) return "configuration must be an object";
  uint32_t members = 0, understood = 0;
  for (uint32_t i = 0; i < json->count; i++) members += json->tokens[i].parent == object;
  for (uint32_t i = 0; i < sizeof known / sizeof known[0]; i++) understood += json_member(json, object, known[i]) >= 0;
  /* A misspelt member would otherwise be taken for "keep what is". */
  if (members == 0 || members != understood) return "configuration has no member, an unknown one, or one twice";
  return parse_members(c, json, object);
}

uint16_t revision_after(uint16_t revision)
{
  return revision >= REVISION_MAX ? 1 : (uint16_t)(revision + 1);
}
