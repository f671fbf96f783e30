#ifndef AUTOVOLT_OUTBOX_H
#define AUTOVOLT_OUTBOX_H

/*
 * Which readings are still to be sent. The readings themselves stay in the journal; here are only
 * ranges of sequence numbers: settled (acknowledged, or announced as lost), in flight, and asked
 * for again. A reading leaves the backlog by its PUBACK and by nothing else.
 */

#include <stdbool.h>
#include <stdint.h>

#define OUTBOX_ISLANDS 8
#define OUTBOX_FLIGHTS 4
#define OUTBOX_RESENDS 4

/** Sequence numbers, both ends included. */
struct span {
  uint64_t from, to;
};

struct flight {
  int32_t message_id; /* 0: free */
  struct span span;
  uint64_t sent_ms;
  bool resend; /* sent again on demand: its acknowledgement settles nothing */
};

struct outbox {
  uint64_t settled_through;
  /* Acknowledged above settled_through: live readings sent while the backlog is replayed. */
  struct span islands[OUTBOX_ISLANDS];
  uint32_t island_count;
  struct flight flights[OUTBOX_FLIGHTS];
  struct span resends[OUTBOX_RESENDS];
  uint32_t resend_count;
};

void outbox_start(struct outbox *o, uint64_t settled_through);
/**
 * The lowest run of numbers up to `newest` that is neither settled nor in flight; false when there
 * is none. With every number above `settled_through` in flight or settled there is nothing to send.
 */
bool outbox_oldest(const struct outbox *o, uint64_t newest, struct span *run);
/** True when `sequence_no` is neither settled nor in flight. */
bool outbox_unsent(const struct outbox *o, uint64_t sequence_no);
/** Readings up to `newest` that are not acknowledged. */
uint64_t outbox_backlog(const struct outbox *o, uint64_t newest);
bool outbox_has_room(const struct outbox *o);
uint32_t outbox_in_flight(const struct outbox *o);
void outbox_sent(struct outbox *o, int32_t message_id, struct span span, uint64_t now_ms, bool resend);
/** A PUBACK. False for a message that is not in flight: a doubled or late one. */
bool outbox_acknowledged(struct outbox *o, int32_t message_id);
/** Everything in flight is to be sent again: the session is gone. */
void outbox_recall(struct outbox *o);
/** Takes back what waits longer than `limit_ms` for its PUBACK; the number of messages taken back. */
uint32_t outbox_expire(struct outbox *o, uint64_t now_ms, uint64_t limit_ms);

/**
 * Queues a range to be sent again; false when too many are waiting. A range that was accepted is sent
 * and acknowledged: what is taken back is kept, if need be joined with its neighbour and what lies between.
 */
bool outbox_resend(struct outbox *o, struct span span);
/** The next range to be sent again; false when none waits. */
bool outbox_next_resend(const struct outbox *o, struct span *span);
/** The first waiting range is sent through `through`. */
void outbox_resent(struct outbox *o, uint64_t through);

#endif
