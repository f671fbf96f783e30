#ifndef AUTOVOLT_LINUX_NODE_H
#define AUTOVOLT_LINUX_NODE_H

#include "node.h"

/* ---- Options (options.c) ---- */

struct options {
  const char *name, *host, *cafile, *cert, *key, *flash;
  int port;
  uint32_t flash_sectors;
  uint64_t seed;
  uint32_t speed;            /* virtual seconds in a real one, while behind the real time */
  uint64_t backdate_ms;      /* a new node's clock begins this long ago and catches up */
  bool offline_until_now;    /* no network while behind */
  uint64_t for_ms;           /* 0: until a signal */
  uint32_t drain_ms;         /* how long to wait for acknowledgements at the end */
  uint32_t cut_after_acks;   /* power cut at this acknowledgement of the process; 0: never */
  bool with_parent;          /* ends with the process that started it */
  bool quiet;
  struct configuration factory;
};

/** Reads the command line; on a mistake says which and ends the process with 2. */
void options_read(struct options *o, int argc, char **argv);

/* ---- Flash and settings in files (files.c): they survive kill -9 as flash survives a power cut ---- */

void files_open(const struct options *o);

/* ---- Clock, loads and meter (world.c) ---- */

/** What really happened, in a mapped file next to the flash: it survives kill -9 as well. */
struct truth {
  uint64_t magic;
  uint64_t wall_ms;                      /* virtual time of day */
  uint64_t channel_uws[CHANNELS_MAX];    /* energy each load took */
  uint64_t meter_mws;                    /* register of the meter, which keeps its value without power */
  uint64_t boots, published, acknowledged;
};

extern struct truth *truth;

void world_open(const struct options *o);
/** Power returns; `reason` for the node. */
void world_boot(enum reset_reason reason);
/** Lets the virtual time pass. */
void world_pass(uint64_t ms);
/** Virtual milliseconds that the clock still has to catch up. */
uint64_t world_behind_ms(void);
uint64_t world_truth_mws(int channel);
extern bool world_restart_asked;

/* ---- Updates (updates.c) ---- */

/** Decides what boots: a new image has one boot to prove itself. Before node_start. */
void updates_boot(void);
/** Goes on with the update that a job ordered. */
void updates_serve(struct node *node);

/* ---- Broker (broker.c) ---- */

void broker_open(const struct options *o);
/** Serves the socket for at most `wait_ms` and hands what happened to the node. */
void broker_serve(struct node *node, int wait_ms, bool reachable);
/** Leaves without a farewell, as a power cut does: the broker publishes the will. */
void broker_close(void);

#endif
