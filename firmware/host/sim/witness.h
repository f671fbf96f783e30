#ifndef AUTOVOLT_WITNESS_H
#define AUTOVOLT_WITNESS_H

#include "sim.h"

/*
 * Reads what the node publishes as the cloud would, and keeps what must never be contradicted:
 * the content said under each sequence number, and the highest counter said.
 */
#define WITNESS_KEPT 8192u

struct witness {
  uint64_t sequence_no[WITNESS_KEPT]; /* by remainder; 0: nothing kept */
  uint64_t content[WITNESS_KEPT];     /* hash of the reading's members */
  uint32_t counter_epoch;
  uint64_t highest_mwh, highest_sequence_no;
  uint64_t readings;       /* published, repeats included */
  uint64_t gaps;           /* readings announced as lost */
  uint32_t contradictions; /* a sequence number with other content: never allowed */
  uint32_t epochs;         /* changes of the counter epoch */
  uint32_t above_truth;    /* a counter above what the loads took */
  uint32_t oversized;      /* messages above 4 KB or 25 readings */
  void (*on_reading)(uint64_t sequence_no, uint64_t energy_mwh);
  void (*on_gap)(uint64_t from, uint64_t to);
};

extern struct witness witness;

/** Forgets everything and listens to sim.on_publish. */
void witness_begin(void);
/** Reads one telemetry message. */
void witness_read(const struct sim_message *message);

#endif
