#include "node.h"

static void answer(struct node *node, const struct command *c, const char *reason)
{
  char topic[NAME_BYTES + 32];
  struct json_writer w;
  uint8_t quality;
  struct reply reply = {
      .esp32_name = node->name,
      .boot_id = node->boot_id,
      .measured_at_ms = node_wall_ms(node, &quality),
      .id = c->id,
      .command = command_name(c->kind),
      .reason = reason,
      .revision = node->configurations.current->revision,
  };
  node_topic(node, "reply", topic, sizeof topic);
  json_begin(&w, node->text, sizeof node->text);
  message_reply(&w, &reply);
  if (node->machine.link == LINK_UP) port_mqtt_publish(topic, node->text, w.length, false);
}

/* The audit entry comes before the deed: a power cut between them repeats nothing. */
static bool note(struct node *node, const struct command *c, uint8_t kind, uint16_t detail)
{
  struct audit audit = {.kind = kind, .detail = detail, .command_id = command_hash(c->id)};
  if (node->machine.storage != STORAGE_WORKS) {
    journal_remember_command(&node->journal, audit.command_id);
    return false;
  }
  if (journal_event(&node->journal, &audit)) return true;
  node_event(node, (struct event){.kind = EVENT_STORAGE});
  return false;
}

static const char *configure(struct node *node, struct command *c)
{
  struct journal *j = &node->journal;
  struct configurations *all = &node->configurations;
  struct configuration *next = &c->configuration;
  if (node->machine.storage != STORAGE_WORKS) return "storage_fault";
  next->revision = revision_after(all->current->revision);
  /* Readings not sent yet need their names; the slot of a revision they use is not given away. */
  struct cursor oldest;
  uint16_t replaced = all->slots[next->revision % REVISIONS_KEPT].revision;
  if (replaced != 0 && node_backlog(node) > 0 &&
      journal_find(j, node->outbox.settled_through + 1, &oldest) && oldest.walk.chain.revision == replaced)
    return "backlog_needs_former_names";
  /* What was measured so far is booked under the names and ratings it was measured with. */
  if (!node_take_reading(node, CAUSE_COMMAND) || !note(node, c, AUDIT_CONFIGURATION, next->revision)) return "storage_fault";
  bool metered = next->mode == MEASURE_METER;
  struct audit audit = {.kind = AUDIT_REVISION, .detail = (uint16_t)(next->revision | metered << 15)};
  if (!configurations_store(all, next) || !journal_event(j, &audit) || !configurations_use(all, next->revision))
    return "storage_fault";
  uint32_t rated_mw[CHANNELS_MAX];
  configuration_ratings(next, rated_mw);
  uint64_t now_ms = port_uptime_ms();
  measurement_configure(&node->measurement, next->mode, rated_mw, now_ms);
  /* A channel that no longer exists must not stay on unseen. */
  for (uint8_t i = configuration_channels(next); i < CHANNELS_MAX; i++)
    if (node->measurement.on >> i & 1)
      node_event(node, (struct event){.kind = EVENT_RELAY, .channel = i});
  if (metered) node->meter_accepted_ms = now_ms;
  node_event(node, (struct event){.kind = EVENT_PERIOD, .value = next->period_ms});
  return NULL;
}

static const char *resend(struct node *node, struct command *c)
{
  uint64_t newest = node->journal.chain.sequence_no;
  if (node->machine.storage != STORAGE_WORKS) return "storage_fault";
  if (c->span.to > newest) c->span.to = newest;
  if (!outbox_resend(&node->outbox, c->span)) return "too_many_resends";
  note(node, c, AUDIT_RESEND, 0);
  return NULL;
}

static const char *execute(struct node *node, struct command *c)
{
  switch (c->kind) {
  case COMMAND_CONFIGURATION: return configure(node, c);
  case COMMAND_RESEND: return resend(node, c);
  case COMMAND_RESTART:
    /* Not kept, the same command delivered again after the restart would restart the node for ever. */
    if (!note(node, c, AUDIT_RESTART, 0)) return "storage_fault";
    node_event(node, (struct event){.kind = EVENT_RESTART});
    return NULL;
  default:
    /* Relays work in SAFE as well, without an audit entry. */
    note(node, c, AUDIT_RELAY, (uint16_t)(c->channel << 1 | c->on));
    node_event(node, (struct event){.kind = EVENT_RELAY, .channel = c->channel, .flag = c->on});
    return NULL;
  }
}

void node_carry_out(struct node *node, const char *text, uint32_t length, bool resend_topic)
{
  struct command c;
  const char *reason =
      command_parse(&c, &node->json, text, length, resend_topic, node->configurations.current);
  if (reason == NULL) {
    uint8_t quality;
    struct command_facts facts = {
        .wall_ms = node_wall_ms(node, &quality),
        .repeated = journal_knows_command(&node->journal, command_hash(c.id)),
        .counter_epoch = node->journal.chain.counter_epoch,
        .newest = node->journal.chain.sequence_no,
    };
    reason = command_refusal(&c, &facts);
  }
  if (reason == NULL) reason = execute(node, &c);
  port_log(reason ? LOG_WARNING : LOG_INFO, reason ? "command_refused" : "command_done", c.kind);
  answer(node, &c, reason);
}
