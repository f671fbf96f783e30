#include "witness.h"

#include <string.h>

struct witness witness;

static uint64_t number_after(const char *text, const char *key)
{
  const char *at = strstr(text, key);
  uint64_t value = 0;
  if (at == NULL) return 0;
  for (at += strlen(key); *at >= '0' && *at <= '9'; at++) value = value * 10 + (uint64_t)(*at - '0');
  return value;
}

/* "energy_wh_total":47012.345 in milliwatt-hours: the digits without the point. */
static uint64_t milli_after(const char *text, const char *key)
{
  const char *at = strstr(text, key);
  uint64_t value = 0;
  if (at == NULL) return 0;
  for (at += strlen(key); (*at >= '0' && *at <= '9') || *at == '.'; at++)
    if (*at != '.') value = value * 10 + (uint64_t)(*at - '0');
  return value;
}

/* What belongs to the reading ends where its object ends, or where a member of the envelope begins. */
static size_t reading_length(const char *from)
{
  static const char *const envelope[] = {",\"replayed\"", ",\"sent_uptime_seconds\"", ",\"firmware_ver\"", ",\"gaps\""};
  int depth = 0;
  for (size_t i = 0;; i++) {
    if (from[i] == '{' || from[i] == '[') depth++;
    if ((from[i] == '}' || from[i] == ']') && depth-- == 0) return i;
    for (int k = 0; k < 4 && depth == 0; k++)
      if (strncmp(from + i, envelope[k], strlen(envelope[k])) == 0) return i;
    if (from[i] == 0) return i;
  }
}

static void read_one(const char *from, size_t length)
{
  uint64_t sequence_no = number_after(from, "\"sequence_no\":"), hash = 14695981039346656037ull;
  uint64_t energy_mwh = milli_after(from, "\"energy_wh_total\":");
  for (size_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)from[i]) * 1099511628211ull;
  uint32_t at = (uint32_t)(sequence_no % WITNESS_KEPT);
  if (witness.sequence_no[at] == sequence_no && witness.content[at] != hash) witness.contradictions++;
  witness.sequence_no[at] = sequence_no;
  witness.content[at] = hash;
  witness.readings++;
  if (energy_mwh > witness.highest_mwh) witness.highest_mwh = energy_mwh;
  if (sequence_no > witness.highest_sequence_no) witness.highest_sequence_no = sequence_no;
  if (energy_mwh > sim.truth_mws / MWS_PER_MWH) witness.above_truth++;
  if (witness.on_reading) witness.on_reading(sequence_no, energy_mwh);
}

void witness_read(const struct sim_message *message)
{
  size_t topic = strlen(message->topic);
  if (topic < 10 || strcmp(message->topic + topic - 10, "/telemetry") != 0) return;
  uint32_t counter_epoch = (uint32_t)number_after(message->payload, "\"counter_epoch\":");
  if (witness.counter_epoch != counter_epoch) witness.epochs++;
  witness.counter_epoch = counter_epoch;
  uint32_t count = 0;
  for (const char *at = message->payload; (at = strstr(at, "\"sequence_no\":")) != NULL; count++) {
    size_t length = reading_length(at);
    read_one(at, length);
    at += length;
  }
  const char *gaps = strstr(message->payload, "\"gaps\":[{\"from_sequence_no\":");
  if (gaps) {
    uint64_t from = number_after(gaps, "[{\"from_sequence_no\":"), to = number_after(gaps, "\"to_sequence_no\":");
    witness.gaps += to - from + 1;
    if (witness.on_gap) witness.on_gap(from, to);
  }
  if (message->length >= MESSAGE_BYTES || count > READINGS_PER_MESSAGE) witness.oversized++;
}

void witness_begin(void)
{
  memset(&witness, 0, sizeof witness);
  sim.on_publish = witness_read;
}
