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
  bool sent = node->machine.link == LINK_UP && port_mqtt_publish(topic, node->text, w.length, false) > 0;
  if (!sent) port_log(LOG_WARNING, "not_answered", c->kind);
}

/* The audit entry comes before the deed: a power cut between them repeats nothing. */
static bool note(struct node *node, const struct command *c, uint8_t kind, uint16_t detail)
{
  struct audit audit = {.kind = kind, .detail = detail, .command_id = command_hash(c->id)};
  bool works = node->machine.storage == STORAGE_WORKS;
  if (works && journal_event(&node->journal, &audit)) return true;
  if (kind != AUDIT_RESTART) journal_owe_command(&node->journal, audit.command_id);
  if (works) node_event(node, (struct event){.kind = EVENT_STORAGE});
  return false;
}

/* Readings not sent yet need their names; the slot of a revision they use is not given away. */
static const char *slot_refusal(const struct node *node, uint16_t revision)
{
  struct cursor oldest;
  uint16_t replaced = node->configurations.slots[revision % REVISIONS_KEPT].revision;
  if (replaced == 0 || node_backlog(node) == 0) return NULL;
  if (!journal_find(&node->journal, node->outbox.settled_through + 1, &oldest)) return oldest.faulty ? "storage_fault" : NULL;
  return oldest.walk.chain.revision == replaced ? "backlog_needs_former_names" : NULL;
}

static const char *configure(struct node *node, struct command *c)
{
  struct configurations *all = &node->configurations;
  struct configuration *next = &c->configuration;
  if (node->machine.storage != STORAGE_WORKS) return "storage_fault";
  next->revision = revision_after(all->current->revision);
  const char *refusal = slot_refusal(node, next->revision);
  if (refusal != NULL) return refusal;
  bool metered = next->mode == MEASURE_METER;
  bool same_register = !metered || (all->current->mode == MEASURE_METER && next->meter_address == all->current->meter_address);
  /*
   * What was measured so far is booked under the names and ratings it was measured with. The new ones
   * are stored where nobody looks yet; then one record makes them count and the command done.
   */
  struct audit audit = node_revision_audit(next, same_register);
  audit.command_id = command_hash(c->id);
  if (!node_take_reading(node, CAUSE_COMMAND)) {
    node_event(node, (struct event){.kind = EVENT_STORAGE});
    return "storage_fault";
  }
  if (!configurations_store(all, next)) return "storage_fault";
  if (!journal_event(&node->journal, &audit)) {
    node_event(node, (struct event){.kind = EVENT_STORAGE});
    return "storage_fault";
  }
  configurations_use(all, next->revision);
  uint32_t rated_mw[CHANNELS_MAX];
  configuration_ratings(next, rated_mw);
  measurement_configure(&node->measurement, next->mode, rated_mw, port_uptime_ms());
  if (!same_register) node_meter_replaced(node);
  node_switch_off_others(node);
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
