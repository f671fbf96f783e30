#ifndef AUTOVOLT_MACHINE_H
#define AUTOVOLT_MACHINE_H

/*
 * What the node does next, as a pure function: machine_step(context, event, now) gives actions.
 * It calls nothing outside; time and chance come with the event. node.c carries the actions out.
 */

#include <stdbool.h>
#include <stdint.h>

enum node_state {
  STATE_RECOVER,    /* reading the journal */
  STATE_IDENTIFY,   /* no certificate yet: provisioning */
  STATE_OFFLINE,    /* measuring; the next attempt to connect waits */
  STATE_WIFI,       /* joining the network */
  STATE_CONNECTING, /* TLS and MQTT */
  STATE_OTA_VERIFY, /* connected with a new image that has not proved itself */
  STATE_REPLAY,     /* sending the backlog, live readings between */
  STATE_LIVE,
  STATE_SAFE, /* storage fault: relays work, the counter is marked invalid */
};

enum link_state { LINK_DOWN, LINK_WIFI, LINK_CONNECTING, LINK_UP };
enum storage_state { STORAGE_UNKNOWN, STORAGE_WORKS, STORAGE_FAULT };

enum event_kind {
  EVENT_START,        /* flag: an update waits for its confirmation */
  EVENT_TICK,         /* time passes */
  EVENT_STORAGE,      /* flag: the journal works */
  EVENT_IDENTITY,     /* flag: name and certificate are there */
  EVENT_WIFI,         /* flag: joined */
  EVENT_MQTT,         /* flag: session up */
  EVENT_ACKNOWLEDGED, /* the broker acknowledged a message */
  EVENT_BACKLOG,      /* value: readings not acknowledged */
  EVENT_STALLED,      /* acknowledgements did not come in time */
  EVENT_SWITCH,       /* flag: on; channel: a wall switch was turned */
  EVENT_RELAY,        /* flag: on; channel: commanded */
  EVENT_PERIOD,       /* value: period of readings in ms */
  EVENT_RESTART,      /* commanded */
};

struct event {
  enum event_kind kind;
  bool flag;
  uint8_t channel;
  uint64_t value;
  uint32_t chance; /* random: spreads the attempts of many nodes */
};

enum action_kind {
  ACTION_RECOVER,         /* read or reopen the journal; answer EVENT_STORAGE */
  ACTION_IDENTIFY,        /* answer EVENT_IDENTITY */
  ACTION_PROVISION,       /* ask for a certificate */
  ACTION_WIFI_CONNECT,    /* answer EVENT_WIFI */
  ACTION_MQTT_CONNECT,    /* answer EVENT_MQTT */
  ACTION_MQTT_DISCONNECT, /* and take back what is in flight */
  ACTION_GREET,           /* subscribe, online message */
  ACTION_SEND,            /* readings, as many as may be in flight */
  ACTION_HEARTBEAT,
  ACTION_READING, /* channel: its cause */
  ACTION_RELAY,   /* channel, flag */
  ACTION_LED,     /* channel: the node_state to show */
  ACTION_CONFIRM_UPDATE,
  ACTION_ROLL_BACK,
  ACTION_RESTART,
};

struct action {
  enum action_kind kind;
  uint8_t channel;
  bool flag;
};

#define ACTIONS_MAX 12

struct actions {
  struct action list[ACTIONS_MAX];
  uint32_t count;
};

struct machine {
  enum storage_state storage;
  enum link_state link;
  bool identified, update_pending, has_backlog;
  enum node_state shown;
  uint32_t period_ms;
  uint32_t failures;         /* of connecting, in a row */
  uint32_t stalls;           /* of acknowledgements, in a row */
  uint64_t next_reading_ms;
  uint64_t switch_reading_ms; /* earliest reading for a switched relay */
  uint64_t next_heartbeat_ms;
  uint64_t retry_ms;         /* OFFLINE: next attempt; WIFI, CONNECTING: the attempt has failed */
  uint64_t storage_retry_ms;
  uint32_t storage_failures; /* of the journal, in a row */
  uint64_t identity_retry_ms;
  uint64_t update_deadline_ms;
  uint64_t restart_ms; /* 0: none asked for */
  uint8_t switched;    /* cause of the reading that a switch asks for, 0: none */
};

/** Readings for switched relays come at most this often: a broken switch must not wear the flash. */
#define SWITCH_READING_MS 5000u
#define HEARTBEAT_MS 300000u
#define ATTEMPT_MS 30000u
#define PROVISION_MS 120000u
#define BACKOFF_MAX_MS 300000u
/** Doubling from attempt to attempt: each may erase, and a flash that refuses writes must not be worn out. */
#define STORAGE_RETRY_MS 30000u
#define STORAGE_RETRY_MAX_MS 300000u
#define IDENTITY_RETRY_MS 60000u
#define UPDATE_DEADLINE_MS 600000u
#define RESTART_DELAY_MS 2000u

enum node_state machine_state(const struct machine *m);
void machine_step(struct machine *m, const struct event *event, uint64_t now_ms, struct actions *actions);

#endif
