#include "command.h"

#include <string.h>

/* Largest number that JSON numbers of every peer hold exactly. */
#define SAFE_INTEGER 9007199254740991ull

const char *command_name(enum command_kind kind)
{
  static const char *const names[] = {"unknown", "relay", "configuration", "resend", "restart"};
  return names[kind];
}

uint64_t command_hash(const char *id)
{
  uint64_t hash = 14695981039346656037ull;
  for (; *id; id++) hash = (hash ^ (unsigned char)*id) * 1099511628211ull;
  return hash == 0 ? 1 : hash;
}

static enum command_kind kind_of(const struct json *json, bool resend)
{
  if (resend) return COMMAND_RESEND;
  int token = json_member(json, 0, "command");
  for (int kind = COMMAND_RELAY; kind <= COMMAND_RESTART; kind++)
    if (json_text_is(json, token, command_name((enum command_kind)kind))) return (enum command_kind)kind;
  return COMMAND_UNKNOWN;
}

static const char *parse_relay(struct command *c, const struct json *json, const struct configuration *current)
{
  char device_id[DEVICE_ID_BYTES] = "";
  int token = json_member(json, 0, "device_id");
  if (token >= 0 && !json_get_text(json, token, device_id, sizeof device_id)) return "device_id must be text";
  int channel = configuration_channel(current, device_id);
  if (channel < 0) return "device_id is no channel of this node";
  if (!json_get_bool(json, json_member(json, 0, "on"), &c->on)) return "on must be true or false";
  c->channel = (uint8_t)channel;
  return NULL;
}

static const char *parse_resend(struct command *c, const struct json *json)
{
  uint64_t epoch;
  if (!json_get_uint(json, json_member(json, 0, "counter_epoch"), UINT32_MAX, &epoch) || epoch == 0)
    return "counter_epoch must be 1 to 4294967295";
  if (!json_get_uint(json, json_member(json, 0, "from_sequence_no"), SAFE_INTEGER, &c->span.from) || c->span.from == 0)
    return "from_sequence_no must be a positive integer";
  if (!json_get_uint(json, json_member(json, 0, "to_sequence_no"), SAFE_INTEGER, &c->span.to) ||
      c->span.to < c->span.from)
    return "to_sequence_no must be an integer not below from_sequence_no";
  c->counter_epoch = (uint32_t)epoch;
  return NULL;
}

const char *command_parse(struct command *c, struct json *json, const char *text, uint32_t length, bool resend,
                          const struct configuration *current)
{
  uint64_t schema;
  memset(c, 0, sizeof *c);
  if (length > COMMAND_MAX_BYTES) return "a command must be at most 2048 bytes";
  if (!json_parse(json, text, length) || !json_is(json, 0, JSON_OBJECT)) return "a command must be a JSON object";
  if (!json_get_text(json, json_member(json, 0, "id"), c->id, sizeof c->id) || c->id[0] == 0) {
    c->id[0] = 0;
    return "id must be text of 1 to 64 bytes";
  }
  c->kind = kind_of(json, resend);
  if (json_member(json, 0, "schema") >= 0 && (!json_get_uint(json, json_member(json, 0, "schema"), 1, &schema) || schema != 1))
    return "schema must be 1";
  if (!json_get_uint(json, json_member(json, 0, "expires_at"), SAFE_INTEGER, &c->expires_at_ms))
    return "expires_at must be UTC epoch milliseconds";
  switch (c->kind) {
  case COMMAND_RELAY: return parse_relay(c, json, current);
  case COMMAND_CONFIGURATION:
    c->configuration = *current;
    return configuration_parse(&c->configuration, json, json_member(json, 0, "configuration"));
  case COMMAND_RESEND: return parse_resend(c, json);
  case COMMAND_RESTART: return NULL;
  default: return "command must be relay, configuration, resend or restart";
  }
}

const char *command_refusal(const struct command *c, const struct command_facts *facts)
{
  if (facts->repeated) return "repeated";
  if (facts->wall_ms == 0) return "no_clock";
  if (c->expires_at_ms <= facts->wall_ms) return "expired";
  if (c->kind == COMMAND_RESEND && c->counter_epoch != facts->counter_epoch) return "other_counter_epoch";
  if (c->kind == COMMAND_RESEND && c->span.from > facts->newest) return "not_yet_measured";
  return NULL;
}
