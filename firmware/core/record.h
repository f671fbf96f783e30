#ifndef AUTOVOLT_RECORD_H
#define AUTOVOLT_RECORD_H

/*
 * What the journal's bytes mean. A sector begins with a header that holds everything in full; the
 * records after it, at most 64 bytes each, hold increments. Reading a sector is: decode the header
 * into a `struct chain`, then let each record move it on. After a reading record the chain *is* that
 * reading, so a reading published again months later is built from the same bytes.
 */

#include "bytes.h"
#include "energy.h"
#include "port.h"

#define HEADER_BYTES 256u
#define RECORD_MAX_BYTES 64u
#define RECORD_MIN_BYTES 12u

/** Why a reading was taken. */
enum cause { CAUSE_PERIOD = 0, CAUSE_COMMAND = 1, CAUSE_SWITCH = 2 };

/** What the meter did since the reading before. */
enum meter_flag {
  METER_SILENT = 1,      /* no valid answer */
  METER_IMPLAUSIBLE = 2, /* a value was set aside, nothing was counted for it */
  METER_RESET = 4,       /* its register began again from zero */
  METER_WRAPPED = 8,     /* its register passed its end */
  METER_NO_VOLTAGE = 16, /* it answers, and measures no mains */
};

/** The state after the last record; after a reading record, the reading. */
struct chain {
  uint32_t counter_epoch;
  uint32_t boot_id;
  uint64_t sequence_no;     /* of the last reading; 0 before the first */
  uint64_t settled_through; /* up to here every reading is acknowledged, or its loss announced */
  uint64_t uptime_ms;
  uint64_t measured_at_ms; /* 0 without a clock */
  struct energy energy;    /* cumulative in the counter epoch */
  uint32_t power_mw;
  uint32_t meter_wh; /* last raw value of the meter's register */
  uint64_t meter_at_ms;     /* time of the reading it was noted with, up to a period after it was read; 0 when no clock ever told */
  uint32_t meter_doubt_wh;  /* what the register rose by over a time without power that no clock measured yet */
  uint64_t loss_bound_mws;
  uint16_t revision; /* of the configuration that names and rates the channels */
  uint8_t on;
  uint8_t time_quality;
  uint8_t cause;
  uint8_t meter_flags;
  uint8_t reset_reason; /* RESET_NONE unless this is the first reading after a boot */
  bool meter_known;     /* meter_wh was read at least once */
  bool metered;         /* the total comes from the meter, not from the channels */
  bool restored;        /* first reading after the counter came from the high-water mark, the ring being unreadable */
  bool damaged;         /* first reading after records were lost: numbers are skipped, the counter is a lower bound */
  bool first;           /* the next reading is the first after the boot: it keeps reset_reason */
};

enum record_type { RECORD_READING = 1, RECORD_ENERGY = 2, RECORD_BOOT = 3, RECORD_EVENT = 4 };

/** Entries of the audit trail besides readings. */
enum audit_kind {
  AUDIT_RELAY = 1,
  AUDIT_CONFIGURATION = 2,
  AUDIT_RESEND = 3,
  AUDIT_RESTART = 4,
  AUDIT_SWITCH = 5,
  AUDIT_REVISION = 6,    /* readings from here on are named by configuration revision `detail` */
  AUDIT_OTHER_METER = 7, /* the same, and the meter's register is another: its value is not known */
  AUDIT_LATE = 8,        /* a command carried out while the storage was at fault */
};

struct audit {
  uint8_t kind;
  uint16_t detail;     /* channel and state of a relay, or a configuration revision */
  uint64_t command_id; /* hash of the command's id; 0 for what was no command */
};

/** What a new reading adds to the chain. */
struct observation {
  uint64_t uptime_ms;
  uint64_t measured_at_ms;
  uint64_t settled_through;
  uint32_t power_mw;
  uint32_t meter_wh;
  uint8_t on;
  uint8_t time_quality;
  uint8_t cause;
  uint8_t meter_flags;
  uint32_t meter_doubt_wh;
  bool meter_known;
  bool meter_heard; /* a value was accepted since the reading before */
};

/** A record, finished for flash. */
struct record {
  uint8_t bytes[RECORD_MAX_BYTES];
  uint32_t length; /* a multiple of 4; 0 when the content does not fit */
};

/** False for a state that no counter of ours can be in, whatever its CRC says. */
bool chain_possible(const struct chain *chain);

/** Sector header of 256 bytes for sector number `number` (counted from 1 over the journal's life). */
void header_encode(uint8_t to[HEADER_BYTES], uint32_t number, const struct chain *chain);
/** False when the bytes are no whole header. */
bool header_decode(const uint8_t from[HEADER_BYTES], uint32_t *number, struct chain *chain);

/**
 * An increment, of which this record carries the channels in `mask`. Most readings carry all; when
 * eight long increments do not fit, energy records before the reading carry them.
 */
struct part {
  const struct energy *increment;
  uint8_t mask;
};

void record_reading(struct record *r, const struct chain *before, const struct observation *o, const struct part *part);
void record_energy(struct record *r, const struct part *part);
void record_boot(struct record *r, uint32_t boot_id, uint8_t reset_reason, uint64_t loss_bound_mws);
void record_event(struct record *r, const struct audit *audit);

/** Where a sector's records stand: the seed of the CRC and the link to the record before. */
struct link {
  uint32_t number; /* sector number: records of an earlier lap never pass for this one's */
  uint16_t before; /* low half of the CRC of the record before; of the header for the first */
};

/** Writes length, link and CRC. */
void record_seal(struct record *r, struct link link);
/** Length of the whole record at `at`, or 0. `linked` tells whether it follows the record before. */
uint32_t record_check(const uint8_t *at, uint32_t available, struct link link, bool *linked);
/** The link that the record at `at`, already checked, gives to the next. */
uint16_t record_link(const uint8_t *at);

/** Moves the chain on by a checked record; the type, or 0 when its content makes no sense. */
uint8_t record_apply(struct chain *chain, const uint8_t *at, struct audit *audit);

#endif
