#ifndef AUTOVOLT_CONFIGURATION_H
#define AUTOVOLT_CONFIGURATION_H

/*
 * Names, ratings and period. Each accepted change is a new revision; the journal says which revision
 * a reading was taken under, and the last four are kept, so that a reading sent later still has the
 * names and the power it had then.
 */

#include "energy.h"
#include "json_read.h"

#define DEVICE_ID_BYTES 65
#define RULE_NAME_BYTES 65
#define REVISIONS_KEPT 4
#define REVISION_MAX 0x7fffu
#define PERIOD_MIN_MS 1000u
#define PERIOD_MAX_MS 3600000u
#define RATED_MAX_MW 100000000u

struct channel {
  char device_id[DEVICE_ID_BYTES];
  uint32_t rated_mw;
};

struct configuration {
  uint16_t revision; /* 0: an unused slot, or what the node was built with, where no setting can be stored */
  enum measuring mode;
  uint8_t meter_address;
  uint32_t period_ms;
  char telemetry_rule[RULE_NAME_BYTES]; /* Basic Ingest rule of telemetry; empty: the plain topic */
  uint8_t channel_count;                /* 0: one unnamed relay */
  struct channel channels[CHANNELS_MAX];
};

struct configurations {
  struct configuration slots[REVISIONS_KEPT];
  struct configuration *current;
};

/** Period 30 s, relay mode, one unnamed relay without a rating. */
struct configuration configuration_default(void);
/** Channels that exist: the named ones, or the one unnamed. */
uint8_t configuration_channels(const struct configuration *c);
/** Ratings of all channels, 0 for those that do not exist. */
void configuration_ratings(const struct configuration *c, uint32_t rated_mw[CHANNELS_MAX]);
/** Energy that passes in `ms` with everything on. */
uint64_t configuration_energy_mws(const struct configuration *c, uint64_t ms);
/** Channel of a device_id; an unnamed relay has the empty one. -1 when there is none. */
int configuration_channel(const struct configuration *c, const char *device_id);

/**
 * Reads the members of a `configuration` object over `c`, which holds the present values: members
 * that are absent stay. NULL, or the reason why it is refused (then `c` is of no use).
 */
const char *configuration_parse(struct configuration *c, const struct json *json, int object);

/** Reads the kept revisions; false when there is none. */
bool configurations_load(struct configurations *all);
/** The kept configuration of that revision, or NULL. */
const struct configuration *configurations_find(const struct configurations *all, uint16_t revision);
/**
 * Stores `c` in the slot of its revision, whose former revision is no longer known after. It
 * becomes current only by configurations_use, after the journal names it.
 */
bool configurations_store(struct configurations *all, const struct configuration *c);
/** The newest kept revision; 0 when there is none. */
uint16_t configurations_newest(const struct configurations *all);
/** False when that revision is not kept. */
bool configurations_use(struct configurations *all, uint16_t revision);
uint16_t revision_after(uint16_t revision);

#endif
