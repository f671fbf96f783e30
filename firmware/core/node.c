#include "node.h"

static void carry_out(struct node *node, const struct action *action)
{
  static const enum led leds[] = {
      [STATE_RECOVER] = LED_OFFLINE, [STATE_IDENTIFY] = LED_CONNECTING,   [STATE_OFFLINE] = LED_OFFLINE,
      [STATE_WIFI] = LED_CONNECTING, [STATE_CONNECTING] = LED_CONNECTING, [STATE_OTA_VERIFY] = LED_UPDATE,
      [STATE_REPLAY] = LED_REPLAY,   [STATE_LIVE] = LED_LIVE,             [STATE_SAFE] = LED_FAULT,
  };
  uint64_t now_ms = port_uptime_ms();
  switch (action->kind) {
  case ACTION_RECOVER: node_recover(node); break;
  case ACTION_IDENTIFY: node_on_identity(node, port_identity(node->name, sizeof node->name)); break;
  case ACTION_PROVISION: port_provision(); break;
  case ACTION_WIFI_CONNECT: port_wifi_connect(); break;
  case ACTION_MQTT_CONNECT: node_connect(node); break;
  case ACTION_MQTT_DISCONNECT:
    port_mqtt_disconnect();
    outbox_recall(&node->outbox);
    break;
  case ACTION_GREET: node_greet(node); break;
  case ACTION_SEND: node_send(node); break;
  case ACTION_HEARTBEAT: node_heartbeat(node); break;
  case ACTION_READING:
    if (!node_take_reading(node, action->channel)) node_event(node, (struct event){.kind = EVENT_STORAGE});
    break;
  case ACTION_RELAY:
    measurement_switch(&node->measurement, action->channel, action->flag, now_ms);
    port_relay_set(action->channel, action->flag);
    break;
  case ACTION_LED:
    if (action->channel != (uint8_t)node->machine.shown) break; /* overtaken by what an action before it led to */
    port_led(leds[action->channel]);
    port_log(LOG_INFO, "state", action->channel);
    break;
  case ACTION_CONFIRM_UPDATE:
    port_log(LOG_INFO, "update_confirmed", 0);
    port_ota_confirm();
    break;
  case ACTION_ROLL_BACK:
    port_log(LOG_ERROR, "update_rolled_back", 0);
    port_ota_rollback();
    break;
  case ACTION_RESTART: port_restart(); break;
  }
}

void node_event(struct node *node, struct event event)
{
  struct actions actions;
  event.chance = port_random();
  machine_step(&node->machine, &event, port_uptime_ms(), &actions);
  for (uint32_t i = 0; i < actions.count; i++) carry_out(node, &actions.list[i]);
}

void node_start(struct node *node, const struct configuration *factory)
{
  memset(node, 0, sizeof *node);
  node->factory = *factory;
  node->factory.revision = 0;
  node->configurations.current = &node->factory;
  do {
    node->boot_id = port_random();
  } while (node->boot_id == 0);
  node->reset_reason = port_reset_reason();
  node->measurement.closed_ms = port_uptime_ms();
  for (uint8_t i = 0; i < CHANNELS_MAX; i++)
    if (port_switch_position(i)) node->switch_stable |= (uint8_t)(1u << i);
  node->switch_raw = node->switch_stable;
  node_event(node, (struct event){.kind = EVENT_START, .flag = port_ota_pending()});
}

void node_poll(struct node *node)
{
  /* Longer than the longest round trip, so that a slow broker is not taken for a lost message. */
  const uint64_t acknowledgement_ms = 20000;
  uint64_t now_ms = port_uptime_ms();
  journal_begin_step(&node->journal);
  node_measure(node, now_ms);
  uint32_t late = outbox_expire(&node->outbox, now_ms, acknowledgement_ms);
  if (late > 0) {
    port_log(LOG_WARNING, "acknowledgement_late", late);
    node_event(node, (struct event){.kind = EVENT_STALLED});
  }
  node_event(node, (struct event){.kind = EVENT_BACKLOG, .value = node_backlog(node)});
  node_event(node, (struct event){.kind = EVENT_TICK});
}

void node_on_identity(struct node *node, bool identified)
{
  /* After provisioning the name is new. */
  if (identified) identified = port_identity(node->name, sizeof node->name);
  node_event(node, (struct event){.kind = EVENT_IDENTITY, .flag = identified});
}

void node_on_wifi(struct node *node, bool joined)
{
  node_event(node, (struct event){.kind = EVENT_WIFI, .flag = joined});
}

void node_on_mqtt_up(struct node *node)
{
  node_event(node, (struct event){.kind = EVENT_MQTT, .flag = true});
}

void node_on_mqtt_down(struct node *node)
{
  node_event(node, (struct event){.kind = EVENT_MQTT});
}

void node_on_mqtt_ack(struct node *node, int32_t message_id)
{
  /* Status, heartbeats and replies are acknowledged too: they prove the session, and settle nothing. */
  outbox_acknowledged(&node->outbox, message_id);
  node_event(node, (struct event){.kind = EVENT_ACKNOWLEDGED});
}

void node_on_mqtt_message(struct node *node, const char *topic, const char *payload, uint32_t length)
{
  char expected[NAME_BYTES + 32];
  node_topic(node, "commands", expected, sizeof expected);
  bool command = strcmp(topic, expected) == 0;
  node_topic(node, "resend", expected, sizeof expected);
  bool resend = strcmp(topic, expected) == 0;
  if (command || resend) node_carry_out(node, payload, length, resend);
}

struct energy node_energy(const struct node *node)
{
  struct energy energy = node->journal.chain.energy;
  energy_add(&energy, &node->measurement.pending);
  return energy;
}

uint64_t node_backlog(const struct node *node)
{
  return outbox_backlog(&node->outbox, node->journal.chain.sequence_no);
}
