#ifndef AUTOVOLT_COMMAND_H
#define AUTOVOLT_COMMAND_H

#include "configuration.h"
#include "outbox.h"

#define COMMAND_ID_BYTES 65
#define COMMAND_MAX_BYTES 2048u

enum command_kind { COMMAND_UNKNOWN, COMMAND_RELAY, COMMAND_CONFIGURATION, COMMAND_RESEND, COMMAND_RESTART };

struct command {
  enum command_kind kind;
  char id[COMMAND_ID_BYTES]; /* empty when it could not be read */
  uint64_t expires_at_ms;
  uint8_t channel;
  bool on;
  struct span span;
  uint32_t counter_epoch;
  struct configuration configuration;
};

/**
 * Reads a message of the commands topic, or of the resend topic (`resend`: it names no command).
 * NULL, or the reason why it is refused; the id is filled wherever it can be read, for the answer.
 */
const char *command_parse(struct command *c, struct json *json, const char *text, uint32_t length, bool resend,
                          const struct configuration *current);

/** What decides whether a well-formed command is carried out. */
struct command_facts {
  uint64_t wall_ms; /* 0 without a clock */
  bool repeated;
  uint32_t counter_epoch;
  uint64_t newest;
};

/**
 * NULL, or the reason of the refusal. Without a clock an expiry cannot be judged, and a command that
 * waited for an hour in the broker must not switch anything: it is refused.
 */
const char *command_refusal(const struct command *c, const struct command_facts *facts);

const char *command_name(enum command_kind kind);
/** Hash of a command's id (FNV-1a, 64 bits), never 0. */
uint64_t command_hash(const char *id);

#endif
