#ifndef AUTOVOLT_SHELL_FAKES_H
#define AUTOVOLT_SHELL_FAKES_H

#include <stdbool.h>
#include <stdint.h>

#include "identity.h"
#include "parcel.h"

/*
 * The world of the session's task, for tests on a host: connection, identity, update, settings and
 * setup as plain variables. What the shell did stands here; what the world answers is set here.
 */

struct sent {
  char topic[256], payload[4096];
  int32_t id;
};

struct world {
  /* Connection: what was asked of it. */
  bool open;
  uint32_t opened, generation;
  char client_id[129], will_topic[160], certificate[64];
  struct sent published[32], subscribed[32];
  uint32_t published_count, subscribed_count;
  int32_t next_id; /* esp-mqtt's */
  bool cannot_send, cannot_subscribe;
  /* Inbox: what the core was told. */
  struct parcel told[32];
  uint32_t told_count;
  /* The rest. */
  uint64_t uptime_ms;
  char version[32];
  bool update_pending;
  char update_url[256], update_version[32];
  uint32_t updates;
  bool has_claim;
  char stored_thing[129], stored_certificate[256], stored_key[64];
  uint32_t stored;
  enum rotation rotation;
  bool trial_goes_on; /* another identity is to be tried instead of the one accepted */
  bool cannot_store;
  uint8_t settings[256];
  uint32_t settings_bytes;
};

extern struct world world;

/** Empties the world, the session's task as after boot. */
void world_begin(void);
/** Lets the session's task work off its queue. */
void session_turn(void);
/** esp-mqtt reports something of the present connection. */
void client_reports(enum parcel_kind kind, int32_t id, bool flag);
void client_receives(const char *topic, const char *payload);
/** A message in pieces, of which esp-mqtt hands over only its length. */
void client_receives_too_long(const char *topic, uint32_t length);
/** The last parcel the core was told of, as a kind; -1 when there was none since the last call. */
int core_told(void);

#endif
