#include "outbox.h"

#include <string.h>

void outbox_start(struct outbox *o, uint64_t settled_through)
{
  memset(o, 0, sizeof *o);
  o->settled_through = settled_through;
}

/* The range that covers a number, or the start of the nearest above it. */
static const struct span *covering(const struct outbox *o, uint64_t sequence_no, uint64_t *next_from)
{
  const struct span *found = NULL;
  for (uint32_t i = 0; i < o->island_count + OUTBOX_FLIGHTS; i++) {
    const struct span *span;
    if (i < o->island_count) {
      span = &o->islands[i];
    } else {
      const struct flight *flight = &o->flights[i - o->island_count];
      if (flight->message_id == 0 || flight->resend) continue;
      span = &flight->span;
    }
    if (span->from <= sequence_no && sequence_no <= span->to) found = span;
    else if (span->from > sequence_no && span->from < *next_from) *next_from = span->from;
  }
  return found;
}

bool outbox_oldest(const struct outbox *o, uint64_t newest, struct span *run)
{
  uint64_t from = o->settled_through + 1;
  while (from <= newest) {
    uint64_t next_from = newest + 1;
    const struct span *span = covering(o, from, &next_from);
    if (span == NULL) {
      *run = (struct span){from, next_from - 1};
      return true;
    }
    from = span->to + 1;
  }
  return false;
}

bool outbox_unsent(const struct outbox *o, uint64_t sequence_no)
{
  uint64_t ignored = UINT64_MAX;
  return sequence_no > o->settled_through && covering(o, sequence_no, &ignored) == NULL;
}

uint64_t outbox_backlog(const struct outbox *o, uint64_t newest)
{
  uint64_t backlog = newest > o->settled_through ? newest - o->settled_through : 0;
  for (uint32_t i = 0; i < o->island_count; i++) backlog -= o->islands[i].to - o->islands[i].from + 1;
  return backlog;
}

uint32_t outbox_in_flight(const struct outbox *o)
{
  uint32_t count = 0;
  for (int i = 0; i < OUTBOX_FLIGHTS; i++) count += o->flights[i].message_id != 0;
  return count;
}

bool outbox_has_room(const struct outbox *o)
{
  return outbox_in_flight(o) < OUTBOX_FLIGHTS;
}

void outbox_sent(struct outbox *o, int32_t message_id, struct span span, uint64_t now_ms, bool resend)
{
  for (int i = 0; i < OUTBOX_FLIGHTS; i++) {
    if (o->flights[i].message_id != 0) continue;
    o->flights[i] = (struct flight){message_id, span, now_ms, resend};
    return;
  }
}

static void remove_island(struct outbox *o, uint32_t at)
{
  o->islands[at] = o->islands[--o->island_count];
}

/* Joins a range with all it touches; the settled prefix swallows what reaches it. */
static void settle(struct outbox *o, struct span span)
{
  if (span.to <= o->settled_through) return;
  for (uint32_t i = 0; i < o->island_count;) {
    struct span island = o->islands[i];
    if (island.from <= span.to + 1 && span.from <= island.to + 1) {
      if (island.from < span.from) span.from = island.from;
      if (island.to > span.to) span.to = island.to;
      remove_island(o, i);
      i = 0;
    } else {
      i++;
    }
  }
  if (span.from <= o->settled_through + 1) {
    o->settled_through = span.to;
  } else if (o->island_count < OUTBOX_ISLANDS) {
    o->islands[o->island_count++] = span;
  }
  /* With no room the acknowledgement is forgotten: the readings go again, the ledger knows them. */
}

bool outbox_acknowledged(struct outbox *o, int32_t message_id)
{
  for (int i = 0; i < OUTBOX_FLIGHTS; i++) {
    struct flight flight = o->flights[i];
    if (message_id <= 0 || flight.message_id != message_id) continue;
    o->flights[i].message_id = 0;
    if (!flight.resend) settle(o, flight.span);
    return true;
  }
  return false;
}

void outbox_recall(struct outbox *o)
{
  outbox_expire(o, UINT64_MAX, 0);
}

static bool touch(struct span a, struct span b)
{
  return a.from <= b.to + 1 && b.from <= a.to + 1;
}

static uint64_t distance(struct span a, struct span b)
{
  if (touch(a, b)) return 0;
  return a.to < b.from ? b.from - a.to : a.from - b.to;
}

/*
 * A range that was in flight goes back to its range. With no room it joins the nearest one: what lies
 * between them is sent once more, which harms nothing; forgotten it would never be sent.
 */
static void keep_resend(struct outbox *o, struct span span)
{
  uint32_t nearest = 0;
  for (uint32_t i = 1; i < o->resend_count; i++)
    if (distance(o->resends[i], span) < distance(o->resends[nearest], span)) nearest = i;
  if (o->resend_count == 0 || (o->resend_count < OUTBOX_RESENDS && !touch(o->resends[nearest], span))) {
    o->resends[o->resend_count++] = span;
    return;
  }
  struct span *joined = &o->resends[nearest];
  if (span.from < joined->from) joined->from = span.from;
  if (span.to > joined->to) joined->to = span.to;
}

uint32_t outbox_expire(struct outbox *o, uint64_t now_ms, uint64_t limit_ms)
{
  uint32_t taken_back = 0;
  for (int i = 0; i < OUTBOX_FLIGHTS; i++) {
    struct flight flight = o->flights[i];
    if (flight.message_id == 0 || now_ms - flight.sent_ms < limit_ms) continue;
    o->flights[i].message_id = 0;
    taken_back++;
    if (flight.resend) keep_resend(o, flight.span);
  }
  return taken_back;
}

bool outbox_resend(struct outbox *o, struct span span)
{
  if (o->resend_count == OUTBOX_RESENDS) return false;
  o->resends[o->resend_count++] = span;
  return true;
}

bool outbox_next_resend(const struct outbox *o, struct span *span)
{
  if (o->resend_count == 0) return false;
  *span = o->resends[0];
  return true;
}

void outbox_resent(struct outbox *o, uint64_t through)
{
  if (o->resend_count == 0) return;
  o->resends[0].from = through + 1;
  if (o->resends[0].from <= o->resends[0].to) return;
  o->resend_count--;
  memmove(&o->resends[0], &o->resends[1], o->resend_count * sizeof o->resends[0]);
}
