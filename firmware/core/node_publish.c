#include "node.h"

/* A live reading is one of this session's last moments; what waited longer was replayed. */
#define LIVE_PERIODS 2u
#define KEEP_ALIVE_S 60u

static void append(char *to, uint32_t capacity, const char *text)
{
  size_t length = strlen(to), more = strlen(text);
  if (length + more < capacity) memcpy(to + length, text, more + 1);
}

void node_topic(const struct node *node, const char *channel, char *to, uint32_t capacity)
{
  to[0] = 0;
  append(to, capacity, "autovolt/");
  append(to, capacity, node->name);
  append(to, capacity, "/");
  append(to, capacity, channel);
}

static void telemetry_topic(const struct node *node, char *to, uint32_t capacity)
{
  const char *rule = node->configurations.current->telemetry_rule;
  char topic[NAME_BYTES + 32];
  node_topic(node, "telemetry", topic, sizeof topic);
  to[0] = 0;
  if (rule[0] != 0) {
    /* Basic Ingest: straight to the rule, without a charge for messaging. */
    append(to, capacity, "$aws/rules/");
    append(to, capacity, rule);
    append(to, capacity, "/");
  }
  append(to, capacity, topic);
}

const struct configuration *node_named_by(const struct node *node, const struct chain *reading)
{
  return reading->revision == 0 ? &node->factory : configurations_find(&node->configurations, reading->revision);
}

/* Stands on the next reading whose names are still known. */
static bool find_named(struct node *node, uint64_t from, struct cursor *c)
{
  struct journal *j = &node->journal;
  bool found = journal_find(j, from, c);
  /*
   * Not even the newest reading can be read back: the active sector is damaged. A new one states the
   * counter in full; the next reading is found there, and announces what was lost. One that holds no
   * reading yet only waits for it.
   */
  bool damaged = !found && !c->faulty && j->before[j->active] < j->chain.sequence_no;
  /* Once a step: what did not hold now does not for the next message either. */
  if (damaged && node->machine.storage != STORAGE_WORKS) return false;
  if (damaged) {
    port_log(LOG_WARNING, "journal_damaged", j->active);
    j->damaged++;
    if (!journal_restate(j)) node_event(node, (struct event){.kind = EVENT_STORAGE});
    return false;
  }
  while (found && node_named_by(node, &c->walk.chain) == NULL) found = journal_next(j, c);
  return found;
}

static const char *gap_reason(const struct node *node, const struct cursor *c, bool resend)
{
  const struct journal *j = &node->journal;
  if (resend) return "not_held";
  if (c->walk.chain.restored) return "journal_lost";
  if (c->walk.chain.damaged) return "damaged";
  for (uint32_t s = 0; s < j->sectors; s++)
    if (j->number[s] != 0 && j->number[s] < c->number) return "damaged";
  return "ring_full";
}

static void write_batch(struct node *node, struct json_writer *w, const struct envelope *e, struct cursor *c,
                        struct span run, struct span *covered)
{
  const struct chain *reading = &c->walk.chain;
  uint32_t count = 0;
  message_batch(w, e);
  while (message_batch_add(w, e, reading, node_named_by(node, reading))) {
    count++;
    if (reading->sequence_no > covered->to && reading->sequence_no <= run.to) covered->to = reading->sequence_no;
    uint64_t expected = reading->sequence_no + 1;
    if (count == READINGS_PER_MESSAGE || expected > run.to || !journal_next(&node->journal, c)) break;
    /* A hole ends the message; the next one announces it. */
    if (reading->sequence_no != expected || node_named_by(node, reading) == NULL) break;
  }
  message_batch_end(w);
}

/*
 * Writes the message that begins with the run. `covered` is what its PUBACK settles: the readings
 * in it, and the gap before them that it announces.
 */
static bool compose(struct node *node, struct span run, bool resend, struct json_writer *w, struct span *covered)
{
  struct cursor c;
  uint64_t now_ms = port_uptime_ms();
  if (!find_named(node, run.from, &c)) return false;
  const struct chain *reading = &c.walk.chain;
  uint64_t age_ms = now_ms - reading->uptime_ms;
  bool fresh = reading->boot_id == node->boot_id && age_ms < (uint64_t)LIVE_PERIODS * node->machine.period_ms;
  struct envelope e = {
      .esp32_name = node->name,
      .counter_epoch = node->journal.chain.counter_epoch,
      .boot_id = node->boot_id,
      .sent_uptime_s = (uint32_t)(now_ms / 1000),
      .replayed = resend || !fresh,
  };
  json_begin(w, node->text, sizeof node->text);
  *covered = (struct span){run.from, run.from};
  if (reading->sequence_no > run.from) {
    /* Where the next reading held is beyond the run, it is said again only to carry the gap. */
    covered->to = reading->sequence_no > run.to ? run.to : reading->sequence_no - 1;
    e.gaps[0] = (struct gap){run.from, covered->to, gap_reason(node, &c, resend)};
    e.gap_count = 1;
  }
  if (!e.replayed && reading->sequence_no >= run.to) {
    if (!node->version_said) e.firmware_ver = port_firmware_version();
    message_reading(w, &e, reading, node_named_by(node, reading));
    if (reading->sequence_no == run.to) covered->to = run.to;
  } else {
    write_batch(node, w, &e, &c, run, covered);
  }
  return !w->overflow;
}

/* What goes next: the newest reading as it is taken, then the backlog from its oldest, then repeats. */
enum turn { TURN_NEWEST, TURN_BACKLOG, TURN_REPEAT, TURNS };

static bool choose(const struct node *node, enum turn turn, struct span *run)
{
  uint64_t newest = node->journal.chain.sequence_no;
  switch (turn) {
  case TURN_NEWEST:
    *run = (struct span){newest, newest};
    return newest > 0 && outbox_unsent(&node->outbox, newest);
  case TURN_BACKLOG: return outbox_oldest(&node->outbox, newest, run);
  default: return outbox_next_resend(&node->outbox, run);
  }
}

/* One message; what cannot be written now does not keep back what can. */
static bool send_one(struct node *node)
{
  char topic[NAME_BYTES + RULE_NAME_BYTES + 48];
  struct json_writer w;
  struct span run, covered;
  enum turn turn = TURN_NEWEST;
  while (!choose(node, turn, &run) || !compose(node, run, turn == TURN_REPEAT, &w, &covered))
    if (++turn == TURNS) return false;
  telemetry_topic(node, topic, sizeof topic);
  int32_t message_id = port_mqtt_publish(topic, node->text, w.length, false);
  if (message_id <= 0) return false;
  node->version_said = true;
  outbox_sent(&node->outbox, message_id, covered, port_uptime_ms(), turn == TURN_REPEAT);
  if (turn == TURN_REPEAT) outbox_resent(&node->outbox, covered.to);
  return true;
}

void node_send(struct node *node)
{
  while (outbox_has_room(&node->outbox) && node->machine.storage == STORAGE_WORKS && send_one(node)) continue;
}

static struct condition condition_of(struct node *node)
{
  struct condition c = {
      .esp32_name = node->name,
      .boot_id = node->boot_id,
      .uptime_s = port_uptime_ms() / 1000,
      .firmware_ver = port_firmware_version(),
      .reset_reason = (uint8_t)node->reset_reason,
      .heap = port_heap_free(),
      .wifi_rssi = port_wifi_rssi(),
      .backlog = node_backlog(node),
      .storage_works = node->machine.storage == STORAGE_WORKS,
      .sectors = node->journal.sectors,
      .torn_records = node->journal.torn,
      .bad_sectors = node->journal.bad_sectors,
      .damaged_sectors = node->journal.damaged,
  };
  if (c.sectors > 0) c.erases_max = (node->journal.newest + c.sectors) / c.sectors;
  c.measured_at_ms = node_wall_ms(node, &c.time_quality);
  port_mac(c.mac);
  return c;
}

void node_connect(struct node *node)
{
  char topic[NAME_BYTES + 32];
  struct json_writer w;
  node_topic(node, "status", topic, sizeof topic);
  json_begin(&w, node->text, sizeof node->text);
  message_will(&w, node->name, node->boot_id);
  port_mqtt_connect(&(struct port_session){
      .client_id = node->name, .will_topic = topic, .will = node->text, .keep_alive_s = KEEP_ALIVE_S});
}

void node_greet(struct node *node)
{
  char topic[NAME_BYTES + 32];
  struct json_writer w;
  node_topic(node, "commands", topic, sizeof topic);
  bool subscribed = port_mqtt_subscribe(topic);
  node_topic(node, "resend", topic, sizeof topic);
  if (!subscribed || !port_mqtt_subscribe(topic)) {
    /* A session that hears no commands is none: another is opened. */
    port_log(LOG_WARNING, "not_subscribed", 0);
    node_event(node, (struct event){.kind = EVENT_MQTT});
    return;
  }
  struct condition c = condition_of(node);
  node_topic(node, "status", topic, sizeof topic);
  json_begin(&w, node->text, sizeof node->text);
  message_online(&w, &c);
  port_mqtt_publish(topic, node->text, w.length, true);
  node->version_said = false;
}

void node_heartbeat(struct node *node)
{
  char topic[NAME_BYTES + 32];
  struct json_writer w;
  struct condition c = condition_of(node);
  node_topic(node, "heartbeat", topic, sizeof topic);
  json_begin(&w, node->text, sizeof node->text);
  message_heartbeat(&w, &c);
  port_mqtt_publish(topic, node->text, w.length, false);
}
