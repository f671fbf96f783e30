#ifndef AUTOVOLT_JOURNAL_H
#define AUTOVOLT_JOURNAL_H

/*
 * The journal on flash is the counter, the outbox and the audit trail: a ring of sectors on a raw
 * partition. Sectors are opened in physical order, each with a number one higher than the last, so
 * every sector is erased once a lap. The sector after the active one is always erased and checked
 * before it is needed: closing a full sector never waits for, or depends on, an erase.
 *
 * The order of the writes is the proof: header of the new sector, high-water mark, erase ahead,
 * then records. A power cut after any byte of it leaves the state before or after one step.
 */

#include "record.h"

#define JOURNAL_SECTORS_MAX 256u
#define JOURNAL_SECTORS_MIN 4u
/** A sector holds fewer readings than this, so no sequence number of it is above its header's plus this. */
#define JOURNAL_READINGS_PER_SECTOR 256u
#define JOURNAL_COMMANDS_KEPT 16u
/** Sectors that may refuse in one step: an erase can take 0.4 s, and the watchdog bites after 10 s. */
#define JOURNAL_REFUSALS_PER_STEP 8u

enum journal_state {
  JOURNAL_FAULT = 0,     /* the storage does not work: the counter is not known, or cannot be kept */
  JOURNAL_CONTINUED = 1, /* recovered to the last whole record */
  JOURNAL_RESTORED = 2,  /* ring unreadable: counter from the high-water mark, sequence numbers skipped */
  JOURNAL_NEW_EPOCH = 3, /* ring and mark unreadable (or a new node): the counter begins at zero */
};

/** What a recovery must not forget of the attempts before it. */
struct effort {
  bool searching;   /* for a sector that holds an erase: the last step ended before it found one */
  uint32_t at;      /* where the search goes on */
  uint32_t blank;   /* 1 + the sector this boot has found blank and not written since: a search begins there; 0: none */
  uint32_t refusals_left; /* in this step */
  uint64_t commands[JOURNAL_COMMANDS_KEPT]; /* hashes of the last commands carried out */
  uint32_t command_at;
  uint32_t commands_owed; /* the last of these are not on flash */
};

/** All zero before the first journal_recover. */
struct journal {
  enum journal_state state;
  uint32_t sectors;
  uint32_t number[JOURNAL_SECTORS_MAX];        /* sector number, 0 when the sector holds no readable header */
  uint64_t before[JOURNAL_SECTORS_MAX];        /* sequence_no in the header: the sector's readings are above it */
  uint32_t active, next;
  uint32_t newest;                             /* number of the active sector */
  uint32_t offset;                             /* where the next record goes */
  struct link link;
  struct chain chain;                          /* what is on flash */
  struct effort effort;
  uint32_t torn;        /* places where a record was cut, seen since boot */
  uint32_t bad_sectors; /* sectors passed over because erase or write did not hold */
  uint32_t damaged;     /* sectors whose chain of records is broken */
};

/**
 * Finds the state on flash. `new_epoch` (random) is used only when neither the ring nor the
 * high-water mark can be read. With JOURNAL_FAULT nothing was changed that a later attempt needs,
 * and that attempt goes on where this one ended.
 */
enum journal_state journal_recover(struct journal *j, uint32_t new_epoch);

/** Notes a boot; its reason and loss bound go out with the first reading. False: not on flash. */
bool journal_boot(struct journal *j, uint32_t boot_id, enum reset_reason reason, uint64_t loss_bound_mws);

/**
 * Writes a reading with the pending energy, which is taken from `pending` as far as it is on flash.
 * False: the reading is not on flash and must not be published; `pending` keeps what is not.
 */
bool journal_reading(struct journal *j, const struct observation *o, struct energy *pending);

/** Adds an entry to the audit trail. */
bool journal_event(struct journal *j, const struct audit *audit);

/** True when a command with this hash is among the last carried out. */
bool journal_knows_command(const struct journal *j, uint64_t command_id);
/** A command carried out that could not be written: it is known until the node restarts, and owed to the journal. */
void journal_owe_command(struct journal *j, uint64_t command_id);
/** Writes the commands that are owed. */
bool journal_pay_commands(struct journal *j);

/** States everything in full in a new sector, after a fault or damage: what is in memory outranks what failed. */
bool journal_restate(struct journal *j);

/* ---- Parts, each in its own file ---- */

/** A step of the node begins: so many sectors may refuse in all of it. Of the journal's functions journal_recover alone begins one. */
void journal_begin_step(struct journal *j);
/** Opens the next sector: header, high-water mark, erase ahead. */
bool journal_open_sector(struct journal *j);
/** Makes the first sector after `from` that holds an erase the next; `force` erases even what reads blank. */
bool journal_erase_ahead(struct journal *j, uint32_t from, bool force);
void journal_remember_command(struct journal *j, uint64_t command_id);

/* ---- Reading back ---- */

/** A walk over the records of one sector. */
struct walk {
  uint32_t sector, offset, end; /* end: after the last byte that is not blank */
  struct link link;
  struct chain chain;
  bool broken; /* a record between is missing: increments still add up to a lower bound */
  bool meter_lost; /* with it perhaps the register's first value: what the later ones add up to is none */
  bool faulty; /* the flash did not answer */
  uint32_t torn, records;
};

bool walk_begin(const struct journal *j, uint32_t sector, struct walk *w);
/** Type of the next record, applied to w->chain; 0 at the end of the sector. */
uint8_t walk_next(struct walk *w, struct audit *audit);

/** A place in the history of readings; the chain of `walk` is the reading it stands on. */
struct cursor {
  struct walk walk;
  uint32_t number;
  bool open;
  bool faulty; /* the flash did not answer: there may be more than was found */
};

/**
 * Stands on the first reading held with a sequence number of at least `sequence_no`; false when none
 * is, or when the flash did not answer (`faulty`): then nothing may be concluded from it.
 */
bool journal_find(const struct journal *j, uint64_t sequence_no, struct cursor *c);
bool journal_next(const struct journal *j, struct cursor *c);

#endif
