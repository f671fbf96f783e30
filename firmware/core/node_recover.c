#include "node.h"

/* The audit entry that makes a configuration count; whether the register goes on with it, or is another's. */
struct audit node_revision_audit(const struct configuration *next, bool same_register)
{
  bool metered = next->mode == MEASURE_METER;
  return (struct audit){.kind = same_register ? AUDIT_REVISION : AUDIT_OTHER_METER,
                        .detail = (uint16_t)(next->revision | metered << 15)};
}

/*
 * Names and ratings in use. When those the journal names are gone: the newest that are kept, else what
 * the firmware was built with under a new revision, or, where no setting can be stored, under none.
 */
static bool settle_configuration(struct node *node)
{
  struct journal *j = &node->journal;
  struct configurations *all = &node->configurations;
  if (configurations_use(all, j->chain.revision)) return true;
  if (configurations_newest(all) == 0) {
    struct configuration c = node->factory;
    c.revision = revision_after(j->chain.revision);
    if (!configurations_store(all, &c)) port_log(LOG_ERROR, "settings_fault", 0);
  }
  all->current = &node->factory;
  configurations_use(all, configurations_newest(all));
  bool metered = all->current->mode == MEASURE_METER;
  if (all->current->revision == j->chain.revision && metered == j->chain.metered) return true;
  struct audit audit = node_revision_audit(all->current, metered == j->chain.metered);
  return journal_event(j, &audit);
}

static bool note_boot(struct node *node)
{
  struct journal *j = &node->journal;
  const struct configuration *c = node->configurations.current;
  /*
   * Relay mode may lose one period; a meter keeps its own register and loses nothing, if its value is known. What
   * relays took while the storage was at fault is on no flash: cut off then, it is lost beyond this bound.
   */
  bool in_register = c->mode == MEASURE_METER && (j->chain.meter_known || !j->chain.damaged);
  uint64_t bound_mws = in_register ? 0 : configuration_energy_mws(c, (uint64_t)c->period_ms + 1000);
  /* Of a sector that cannot be read, or not to its end, every reading may be missing. */
  if (j->chain.first && (j->chain.restored || j->chain.damaged))
    bound_mws *= JOURNAL_READINGS_PER_SECTOR * (j->damaged > 1 ? j->damaged : 1) + 1;
  if (j->state == JOURNAL_NEW_EPOCH) bound_mws = 0;
  return journal_boot(j, node->boot_id, node->reset_reason, bound_mws);
}

static void measure_as_configured(struct node *node)
{
  uint32_t rated_mw[CHANNELS_MAX];
  const struct configuration *c = node->configurations.current;
  configuration_ratings(c, rated_mw);
  measurement_configure(&node->measurement, c->mode, rated_mw, port_uptime_ms());
}

void node_switch_off_others(struct node *node)
{
  for (uint8_t i = configuration_channels(node->configurations.current); i < CHANNELS_MAX; i++)
    if (node->measurement.on >> i & 1) node_event(node, (struct event){.kind = EVENT_RELAY, .channel = i});
}

/* Relays come back as they were before the boot. */
static void restore_relays(struct node *node)
{
  uint8_t on = node->journal.chain.on;
  for (uint8_t i = 0; i < configuration_channels(node->configurations.current); i++) {
    measurement_switch(&node->measurement, i, on >> i & 1, port_uptime_ms());
    port_relay_set(i, on >> i & 1);
  }
}

/* The state before the boot goes on. */
static void resume(struct node *node, bool late)
{
  struct measurement *m = &node->measurement;
  enum measuring counted_by = m->mode;
  measure_as_configured(node);
  /* What relays and ratings said so far is in the meter's register as well, and what a meter said is in no relay's. */
  if (late && m->mode != counted_by) memset(&m->pending, 0, sizeof m->pending);
  /* Minutes after the start nothing may switch itself on: people have found it off, and perhaps opened a lamp. */
  if (late) node_switch_off_others(node);
  else restore_relays(node);
  outbox_start(&node->outbox, node->journal.chain.settled_through);
  node_meter_resume(node);
  node_event(node, (struct event){.kind = EVENT_PERIOD, .value = node->configurations.current->period_ms});
}

/* Until the journal names a revision, the newest kept one: with a storage fault too, energy is measured. */
static void load_configurations(struct node *node)
{
  struct configurations *all = &node->configurations;
  configurations_load(all);
  all->current = &node->factory;
  configurations_use(all, configurations_newest(all));
}

static bool recover_first(struct node *node, bool late)
{
  struct journal *j = &node->journal;
  load_configurations(node);
  if (!late) measure_as_configured(node);
  enum journal_state state = journal_recover(j, port_random());
  port_log(state == JOURNAL_CONTINUED ? LOG_INFO : LOG_WARNING, "journal", state);
  if (state == JOURNAL_FAULT || !settle_configuration(node) || !note_boot(node)) return false;
  resume(node, late);
  node->counter_known = true;
  return true;
}

void node_recover(struct node *node)
{
  struct journal *j = &node->journal;
  journal_begin_step(j);
  bool late = node->machine.storage != STORAGE_UNKNOWN;
  /* With the counter known memory holds the truth; a new sector states it in full and outranks what failed. */
  bool works = node->counter_known ? journal_restate(j) : recover_first(node, late);
  works = works && journal_pay_commands(j);
  if (!works) port_log(LOG_ERROR, "storage_fault", j->bad_sectors);
  node_event(node, (struct event){.kind = EVENT_STORAGE, .flag = works});
}
