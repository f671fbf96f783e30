#include "node.h"

#define DEBOUNCE_MS 50u
#define METER_PERIOD_MS 5000u
/* 2020-01-01: a clock before it has never been set. */
#define EARLIEST_WALL_MS 1577836800000ull
#define STEP_MS 60000

uint64_t node_wall_ms(struct node *node, uint8_t *quality)
{
  enum time_quality told = TIME_NONE;
  uint64_t wall_ms = port_wall_ms(&told), uptime_ms = port_uptime_ms();
  if (told == TIME_NONE || wall_ms < EARLIEST_WALL_MS || wall_ms > (uint64_t)INT64_MAX) {
    *quality = TIME_NONE;
    return 0;
  }
  *quality = (uint8_t)told;
  int64_t step_ms = (int64_t)(wall_ms - node->clock_wall_ms) - (int64_t)(uptime_ms - node->clock_uptime_ms);
  if (node->clock_wall_ms != 0 && (step_ms > STEP_MS || step_ms < -STEP_MS)) *quality = TIME_STEPPED;
  return wall_ms;
}

static void serve_switches(struct node *node, uint64_t now_ms)
{
  for (uint8_t i = 0; i < configuration_channels(node->configurations.current); i++) {
    uint8_t bit = (uint8_t)(1u << i);
    bool position = port_switch_position(i);
    if (position != ((node->switch_raw & bit) != 0)) {
      node->switch_raw ^= bit;
      node->switch_changed_ms[i] = now_ms;
    }
    bool settled = now_ms - node->switch_changed_ms[i] >= DEBOUNCE_MS;
    if (!settled || ((node->switch_raw ^ node->switch_stable) & bit) == 0) continue;
    node->switch_stable ^= bit;
    /* A rocker toggles: it works whatever a command did to the relay before. */
    bool on = (node->measurement.on & bit) == 0;
    struct audit audit = {.kind = AUDIT_SWITCH, .detail = (uint16_t)(i << 1 | on)};
    node_event(node, (struct event){.kind = EVENT_SWITCH, .channel = i, .flag = on});
    if (node->machine.storage == STORAGE_WORKS && !journal_event(&node->journal, &audit))
      node_event(node, (struct event){.kind = EVENT_STORAGE});
  }
}

static void count_meter(struct node *node, uint64_t now_ms)
{
  uint64_t elapsed_ms = now_ms - node->meter_accepted_ms + node->meter_gap_ms;
  uint8_t flags = 0;
  uint32_t increment_wh = meter_increment(&node->meter, node->sample.energy_wh, elapsed_ms, &flags);
  node->meter_flags |= flags;
  if (node->sample.voltage_mv == 0) node->meter_flags |= METER_NO_VOLTAGE;
  measurement_metered(&node->measurement, (uint64_t)increment_wh * MWS_PER_WH);
  if (node->meter.odd_count > 0) return;
  node->meter_accepted_ms = now_ms;
  node->meter_gap_ms = 0;
}

static void serve_meter(struct node *node, uint64_t now_ms)
{
  uint8_t address = node->configurations.current->meter_address;
  if (node->meter_waiting) {
    uint32_t room = METER_ANSWER_BYTES - node->meter_bytes;
    node->meter_bytes += port_uart_read(node->meter_frame + node->meter_bytes, room);
    enum meter_answer answer = meter_parse(address, node->meter_frame, node->meter_bytes, &node->sample);
    bool silent = now_ms - node->meter_asked_ms >= METER_SILENCE_MS;
    if (answer == METER_ANSWER_PARTIAL && !silent) return;
    node->meter_waiting = false;
    if (answer == METER_ANSWER_OK) {
      count_meter(node, now_ms);
    } else {
      /* No answer is not zero: the power shown is unknown and set to none, the register waits. */
      node->sample.power_mw = 0;
      node->meter_flags |= METER_SILENT;
    }
    return;
  }
  uint32_t period_ms = node->machine.period_ms < METER_PERIOD_MS ? node->machine.period_ms : METER_PERIOD_MS;
  if (node->meter_asked_ms != 0 && now_ms - node->meter_asked_ms < period_ms) return;
  uint8_t late[METER_ANSWER_BYTES];
  while (port_uart_read(late, sizeof late) > 0) continue; /* an answer to a former question */
  uint8_t request[METER_REQUEST_BYTES];
  meter_request(address, request);
  node->meter_asked_ms = now_ms;
  node->meter_bytes = 0;
  node->meter_waiting = true;
  if (!port_uart_write(request, sizeof request)) node->meter_flags |= METER_SILENT;
}

void node_measure(struct node *node, uint64_t now_ms)
{
  serve_switches(node, now_ms);
  if (node->measurement.mode == MEASURE_METER) serve_meter(node, now_ms);
  measurement_advance(&node->measurement, now_ms);
}

bool node_take_reading(struct node *node, uint8_t cause)
{
  struct measurement *m = &node->measurement;
  uint64_t now_ms = port_uptime_ms();
  bool metered = m->mode == MEASURE_METER;
  measurement_advance(m, now_ms);
  struct observation o = {
      .uptime_ms = now_ms,
      .settled_through = node->outbox.settled_through,
      .power_mw = metered ? node->sample.power_mw : measurement_power_mw(m),
      .meter_wh = node->meter.last_wh,
      .meter_known = node->meter.known,
      .meter_flags = node->meter_flags,
      .on = m->on,
      .cause = cause,
  };
  o.measured_at_ms = node_wall_ms(node, &o.time_quality);
  if (!journal_reading(&node->journal, &o, &m->pending)) return false;
  node->clock_wall_ms = o.measured_at_ms;
  node->clock_uptime_ms = now_ms;
  node->meter_flags = 0;
  return true;
}

/* Names and ratings in use; the first time, what the firmware was built with becomes revision 1. */
static bool settle_configuration(struct node *node)
{
  struct journal *j = &node->journal;
  if (configurations_use(&node->configurations, j->chain.revision)) return true;
  struct configuration c = node->factory;
  c.revision = revision_after(j->chain.revision);
  if (!configurations_store(&node->configurations, &c)) return false;
  bool metered = c.mode == MEASURE_METER;
  struct audit audit = {.kind = AUDIT_REVISION, .detail = (uint16_t)(c.revision | metered << 15)};
  return journal_event(j, &audit) && configurations_use(&node->configurations, c.revision);
}

static bool note_boot(struct node *node)
{
  struct journal *j = &node->journal;
  const struct configuration *c = node->configurations.current;
  /* Relay mode may lose one period; a meter keeps its own register and loses nothing. */
  uint64_t bound_mws = c->mode == MEASURE_METER ? 0 : configuration_energy_mws(c, (uint64_t)c->period_ms + 1000);
  if (j->state == JOURNAL_RESTORED) bound_mws *= JOURNAL_READINGS_PER_SECTOR + 1;
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

/* The state before the boot goes on: relays, the meter's register, what is acknowledged. */
static void resume(struct node *node)
{
  struct measurement *m = &node->measurement;
  const struct chain *chain = &node->journal.chain;
  uint64_t now_ms = port_uptime_ms();
  uint8_t quality;
  measure_as_configured(node);
  for (uint8_t i = 0; i < configuration_channels(node->configurations.current); i++) {
    bool on = (chain->on | m->on) >> i & 1;
    measurement_switch(m, i, on, now_ms);
    port_relay_set(i, on);
  }
  outbox_start(&node->outbox, chain->settled_through);
  node->meter = (struct meter){.last_wh = chain->meter_wh, .known = chain->meter_known};
  uint64_t wall_ms = node_wall_ms(node, &quality);
  /* Without a clock the time without power is unknown: a day is allowed for. */
  node->meter_gap_ms = wall_ms > chain->measured_at_ms && chain->measured_at_ms > 0 ? wall_ms - chain->measured_at_ms
                                                                                     : 86400000u;
  node->meter_accepted_ms = now_ms;
  node_event(node, (struct event){.kind = EVENT_PERIOD, .value = node->configurations.current->period_ms});
}

/* Until the journal names a revision, the newest kept one: with a storage fault too, energy is measured. */
static void load_configurations(struct node *node)
{
  struct configurations *all = &node->configurations;
  configurations_load(all);
  all->current = &node->factory;
  for (int i = 0; i < REVISIONS_KEPT; i++)
    if (all->slots[i].revision > all->current->revision) all->current = &all->slots[i];
  measure_as_configured(node);
}

static bool recover_first(struct node *node)
{
  struct journal *j = &node->journal;
  load_configurations(node);
  enum journal_state state = journal_recover(j, port_random());
  port_log(state == JOURNAL_CONTINUED ? LOG_INFO : LOG_WARNING, "journal", state);
  if (state == JOURNAL_FAULT || !settle_configuration(node)) return false;
  /* resume needs the clock reading from before the boot, which the boot record clears. */
  struct chain before = j->chain;
  if (!note_boot(node)) return false;
  struct chain after = j->chain;
  j->chain.measured_at_ms = before.measured_at_ms;
  resume(node);
  j->chain.measured_at_ms = after.measured_at_ms;
  node->counter_known = true;
  return true;
}

void node_recover(struct node *node)
{
  struct journal *j = &node->journal;
  bool works;
  if (node->counter_known) {
    /* Memory holds the truth; a new sector states it in full and outranks what failed. */
    works = journal_erase_ahead(j, j->active, true) && journal_open_sector(j);
    if (works) j->state = JOURNAL_CONTINUED;
  } else {
    works = recover_first(node);
  }
  if (!works) port_log(LOG_ERROR, "storage_fault", j->bad_sectors);
  node_event(node, (struct event){.kind = EVENT_STORAGE, .flag = works});
}
