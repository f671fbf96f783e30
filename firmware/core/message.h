#ifndef AUTOVOLT_MESSAGE_H
#define AUTOVOLT_MESSAGE_H

#include "configuration.h"
#include "json_write.h"
#include "record.h"

/** Payloads stay under 4 KB, the size up to which AWS IoT meters a message once. */
#define MESSAGE_BYTES 4096u
#define READINGS_PER_MESSAGE 25
#define GAPS_PER_MESSAGE 2
#define NAME_BYTES 129

/** Readings that the node no longer holds. */
struct gap {
  uint64_t from, to;
  const char *reason; /* ring_full, damaged, journal_lost, not_held */
};

/** What all readings of one telemetry message share. */
struct envelope {
  const char *esp32_name;
  uint32_t counter_epoch;
  uint32_t boot_id; /* of the session that sends */
  uint32_t sent_uptime_s;
  bool replayed;
  const char *firmware_ver; /* NULL: not said again */
  struct gap gaps[GAPS_PER_MESSAGE];
  uint32_t gap_count;
};

/** One reading as a whole message. */
void message_reading(struct json_writer *w, const struct envelope *e, const struct chain *reading,
                     const struct configuration *c);

/** Several readings: begin, add while it fits, end. An add that does not fit leaves the message as it was. */
void message_batch(struct json_writer *w, const struct envelope *e);
bool message_batch_add(struct json_writer *w, const struct envelope *e, const struct chain *reading,
                       const struct configuration *c);
void message_batch_end(struct json_writer *w);

/** How the node itself is: the online message, the will and the heartbeat. */
struct condition {
  const char *esp32_name;
  uint32_t boot_id;
  uint64_t measured_at_ms;
  uint8_t time_quality;
  uint64_t uptime_s;
  const char *firmware_ver;
  uint8_t mac[6];
  uint8_t reset_reason;
  uint32_t heap;
  int32_t wifi_rssi;
  uint64_t backlog;
  bool storage_works;
  uint32_t sectors, erases_max, torn_records, bad_sectors, damaged_sectors;
};

void message_online(struct json_writer *w, const struct condition *c);
void message_will(struct json_writer *w, const char *esp32_name, uint32_t boot_id);
void message_heartbeat(struct json_writer *w, const struct condition *c);

/** The answer to a command; `reason` NULL: it is done. */
struct reply {
  const char *esp32_name;
  uint32_t boot_id;
  uint64_t measured_at_ms;
  const char *id; /* empty when it could not be read */
  const char *command;
  const char *reason;
  uint16_t revision; /* of the configuration now in use */
};

void message_reply(struct json_writer *w, const struct reply *r);

const char *reset_reason_text(uint8_t reason);
const char *time_quality_text(uint8_t quality);

#endif
