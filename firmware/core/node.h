#ifndef AUTOVOLT_NODE_H
#define AUTOVOLT_NODE_H

/*
 * The whole node: carries out what the machine decides, by way of port.h. One task calls these
 * functions; a `struct node` is static memory of about 20 KB and needs no initialisation.
 */

#include "command.h"
#include "journal.h"
#include "machine.h"
#include "message.h"
#include "meter.h"
#include "outbox.h"

struct node {
  struct machine machine;
  struct measurement measurement;
  struct journal journal;
  struct outbox outbox;
  struct configurations configurations;
  struct configuration factory;
  struct json json;

  char name[NAME_BYTES];
  uint32_t boot_id;
  enum reset_reason reset_reason;
  bool counter_known; /* the journal was recovered since boot: the counter in memory is right */
  bool boot_noted;
  bool version_said; /* in this session */

  /* Clock: the last time taken, to see it step. */
  uint64_t clock_wall_ms, clock_uptime_ms;

  /* Wall switches, debounced. */
  uint8_t switch_raw, switch_stable;
  uint64_t switch_changed_ms[CHANNELS_MAX];
  uint64_t switch_noted_ms; /* up to here audit entries of switches have used up their share of the journal */

  /* Meter. */
  struct meter meter;
  struct meter_sample sample;
  uint8_t meter_frame[METER_ANSWER_BYTES];
  uint32_t meter_bytes;
  uint64_t meter_asked_ms;
  uint64_t meter_before_ms; /* when the register was last read before this boot; 0: no clock told */
  bool meter_undecided;     /* how long that was before the boot is to be told by the clock */
  bool meter_waiting;
  bool meter_heard; /* a value was accepted since the last reading */
  uint8_t meter_flags; /* since the last reading */

  char text[MESSAGE_BYTES]; /* the message being written */
};

/** Starts with what flash and settings hold; `factory` is used while no configuration is stored. */
void node_start(struct node *node, const struct configuration *factory);
/** Lets time pass. At least every 50 ms, or switches and meter are served late. */
void node_poll(struct node *node);

/* What happened outside. */
void node_on_identity(struct node *node, bool identified);
void node_on_wifi(struct node *node, bool joined);
void node_on_mqtt_up(struct node *node);
/** The session ended or could not be opened. */
void node_on_mqtt_down(struct node *node);
/** A PUBACK for a message id given by port_mqtt_publish. */
void node_on_mqtt_ack(struct node *node, int32_t message_id);
/**
 * A whole message of a subscribed topic; `topic` ends with a zero, the payload need not. Of one longer
 * than COMMAND_MAX_BYTES only the length counts, the payload is not read and may be missing: it is refused.
 */
void node_on_mqtt_message(struct node *node, const char *topic, const char *payload, uint32_t length);

/** Energy counted so far, on flash or not yet; exact only while node->counter_known. */
struct energy node_energy(const struct node *node);
/** Readings that no broker has acknowledged. */
uint64_t node_backlog(const struct node *node);

/* ---- Parts of the node, each in its own file ---- */

void node_event(struct node *node, struct event event);
/** Time of day in epoch ms, 0 without a clock. */
uint64_t node_wall_ms(struct node *node, uint8_t *quality);
void node_measure(struct node *node, uint64_t now_ms);
/** Asks the meter and counts what it says. */
void node_meter(struct node *node, uint64_t now_ms);
/** The register goes on from what the journal holds; what it rose by since is counted or in doubt. */
void node_meter_resume(struct node *node);
/** From now on another register: its first value is a base. It is asked for at once. */
void node_meter_replaced(struct node *node);
void node_recover(struct node *node);
struct audit node_revision_audit(const struct configuration *next, bool same_register);
/** A channel that does not exist must not stay on unseen. */
void node_switch_off_others(struct node *node);
bool node_take_reading(struct node *node, uint8_t cause);
/** Sends readings as long as more may be in flight. */
void node_send(struct node *node);
void node_greet(struct node *node);
void node_heartbeat(struct node *node);
void node_connect(struct node *node);
void node_carry_out(struct node *node, const char *text, uint32_t length, bool resend);
/** `autovolt/<name>/<channel>`. */
void node_topic(const struct node *node, const char *channel, char *to, uint32_t capacity);
/** Names and ratings under which a reading was taken; NULL when they are no longer kept. */
const struct configuration *node_named_by(const struct node *node, const struct chain *reading);

#endif
