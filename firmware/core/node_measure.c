#include "node.h"

#define DEBOUNCE_MS 50u
/* 2020-01-01: a clock before it has never been set. */
#define EARLIEST_WALL_MS 1577836800000ull
#define STEP_MS 60000
/* Turns noted at once; then one for each reading that switches may ask for, which says where they stand. */
#define SWITCH_NOTES 32u

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

/* False for a switch that does not come to rest: its notes would drive the backlog out of the journal. */
static bool worth_noting(struct node *node, uint64_t now_ms)
{
  if (node->switch_noted_ms < now_ms) node->switch_noted_ms = now_ms;
  if (node->switch_noted_ms - now_ms > (SWITCH_NOTES - 1) * SWITCH_READING_MS) return false;
  node->switch_noted_ms += SWITCH_READING_MS;
  return true;
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
    if (node->machine.storage != STORAGE_WORKS || !worth_noting(node, now_ms)) continue;
    if (!journal_event(&node->journal, &audit))
      node_event(node, (struct event){.kind = EVENT_STORAGE});
  }
}

void node_measure(struct node *node, uint64_t now_ms)
{
  serve_switches(node, now_ms);
  if (node->measurement.mode == MEASURE_METER) node_meter(node, now_ms);
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
      .meter_heard = node->meter_heard,
      .meter_doubt_wh = node->meter.doubt_wh,
      .meter_flags = node->meter_flags,
      .on = m->on,
      .cause = cause,
  };
  o.measured_at_ms = node_wall_ms(node, &o.time_quality);
  if (!journal_reading(&node->journal, &o, &m->pending)) return false;
  node->clock_wall_ms = o.measured_at_ms;
  node->clock_uptime_ms = now_ms;
  node->meter_flags = 0;
  node->meter_heard = false;
  return true;
}
