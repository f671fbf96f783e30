#ifndef AUTOVOLT_SIM_H
#define AUTOVOLT_SIM_H

/*
 * A simulated node's surroundings behind port.h: NOR flash that only clears bits and can be cut in
 * the middle of anything, settings, clocks, loads with known true energy, a meter and a broker.
 */

#include <setjmp.h>

#include "node.h"

#define SIM_SECTORS_MAX 256u
#define SIM_SETTINGS 8
#define SIM_MESSAGES 16
#define SIM_TOPIC_BYTES 256

struct sim_message {
  int32_t id;
  char topic[SIM_TOPIC_BYTES];
  char payload[MESSAGE_BYTES];
  uint32_t length;
  bool retain;
};

struct sim_setting {
  char key[16];
  uint8_t value[1024];
  uint32_t bytes;
};

enum meter_fault { METER_FINE, METER_DEAF, METER_BROKEN_CRC, METER_SHORT, METER_NOISE };

enum sim_operation { SIM_WRITE, SIM_ERASE, SIM_SETTING };

struct sim {
  /* Flash */
  uint32_t sectors;
  uint32_t erases[SIM_SECTORS_MAX];
  uint8_t bad[SIM_SECTORS_MAX]; /* 1: writes and erases fail; 2: they report success and do not hold; 3: writes fail */
  bool flash_dead;              /* nothing answers */
  bool settings_dead;
  uint64_t reads, fail_read_at;  /* this read fails, alone; 0: none */
  uint64_t fail_operation_at;    /* this write, erase or setting fails, alone; 0: none */
  uint32_t set_bits; /* writes that asked to set a cleared bit: always a mistake of the core */
  struct sim_setting settings[SIM_SETTINGS];

  /* Power */
  uint64_t operations;
  uint64_t cut_at; /* power fails during this operation; 0: never */
  jmp_buf cut;
  void (*on_operation)(enum sim_operation kind, uint32_t offset, const void *from, uint32_t bytes);

  /* Clocks and chance */
  uint64_t uptime_ms;
  uint64_t wall_ms; /* of uptime 0 in this boot; 0: no clock */
  enum time_quality quality;
  uint64_t random;

  /* Mains */
  uint8_t relays, switches;
  uint32_t load_mw[CHANNELS_MAX];
  uint64_t truth_mws; /* energy the loads really took */

  /* Meter: energy in mWs so that its register is exact */
  bool meter_fitted;
  uint64_t meter_mws;
  uint32_t meter_voltage_dv;
  enum meter_fault meter_fault;
  uint8_t meter_out[64];
  uint32_t meter_length;

  /* Network */
  bool online, session, refuse_publish, refuse_subscribe;
  int32_t next_id;
  uint32_t connects;
  struct sim_message sent[SIM_MESSAGES]; /* ring of the last ones */
  uint64_t sent_count;
  char subscribed[2][SIM_TOPIC_BYTES];
  uint32_t subscriptions;
  char will[MESSAGE_BYTES];
  void (*on_publish)(const struct sim_message *message);

  /* The node */
  char name[NAME_BYTES];
  bool provisioned, provision_asked;
  enum reset_reason reset_reason;
  bool ota_pending, ota_confirmed, ota_rolled_back;
  uint32_t restarts;
  enum led led;
  const char *logged; /* the last line of the log, and its figure */
  int64_t logged_value;

  uint8_t flash[SIM_SECTORS_MAX * PORT_FLASH_SECTOR_BYTES];
};

extern struct sim sim;

/** A new node with blank flash, `sectors` of it, provisioned as esp32-b2-101, clock set to 2026-01-15. */
void sim_new(uint32_t sectors);
/** Power returns: relays off, uptime zero, session gone; flash and settings stay. */
void sim_power_on(enum reset_reason reason);
/** Time passes for clocks and loads. */
void sim_pass(uint64_t ms);
/** Lets time pass in steps, polling the node after each; the network follows sim.online. */
void sim_run(struct node *node, uint64_t ms, uint64_t step_ms);
/** Answers what the node asked of the network. */
void sim_network(struct node *node);
/** PUBACK for everything sent and not acknowledged yet (the last 16 messages). */
void sim_acknowledge_all(struct node *node);
/** The last message whose topic ends in `channel`; NULL when there is none. */
const struct sim_message *sim_last(const char *channel);
/** Applies an operation to flash: whole, or torn after `bytes_done` bytes with chance bits in the next. */
void sim_apply(enum sim_operation kind, uint32_t offset, const void *from, uint32_t bytes, uint32_t bytes_done);
uint32_t sim_chance(uint32_t below);

#endif
