#include "node.h"

#define METER_PERIOD_MS 5000u

/*
 * The clock decides over the time without power as soon as there is one. Energy that it finds to be
 * true belongs to the node's total alone: which relays were on then is not known.
 */
static void judge_gap(struct node *node, uint64_t now_ms)
{
  uint8_t quality;
  if (!node->meter_undecided) return;
  uint64_t wall_ms = node_wall_ms(node, &quality);
  if (wall_ms == 0) return;
  bool tells = node->meter_before_ms > 0 && wall_ms > now_ms && wall_ms - now_ms >= node->meter_before_ms;
  /* A clock kept over a restart that contradicts the journal may still be set right. */
  if (!tells && quality == TIME_RTC) return;
  node->meter_undecided = false;
  uint32_t doubt_wh = node->meter.doubt_wh;
  uint32_t counted_wh = meter_decide(&node->meter, tells ? wall_ms - now_ms - node->meter_before_ms : 0, &node->meter_flags);
  node->measurement.pending.total_mws += (uint64_t)counted_wh * MWS_PER_WH;
  if (doubt_wh == 0) return;
  if (counted_wh > 0) port_log(LOG_INFO, "meter_gap_counted", counted_wh);
  else port_log(LOG_WARNING, "meter_gap_refused", doubt_wh);
}

void node_meter_resume(struct node *node)
{
  const struct chain *chain = &node->journal.chain;
  if (!chain->metered || !chain->meter_known) return;
  node->meter_before_ms = chain->meter_at_ms;
  node->meter_undecided = true;
  uint32_t period_ms = node->configurations.current->period_ms;
  uint32_t risen_wh = meter_resume(&node->meter, chain->meter_wh, chain->meter_doubt_wh, period_ms, port_uptime_ms());
  node->measurement.pending.total_mws += (uint64_t)risen_wh * MWS_PER_WH;
}

void node_meter_replaced(struct node *node)
{
  memset(&node->meter, 0, sizeof node->meter);
  memset(&node->sample, 0, sizeof node->sample);
  node->meter_undecided = node->meter_waiting = node->meter_heard = false;
  node->meter_asked_ms = 0;
}

static void count(struct node *node, uint64_t now_ms)
{
  uint32_t increment_wh = meter_increment(&node->meter, node->sample.energy_wh, now_ms, &node->meter_flags);
  if (node->sample.voltage_mv == 0) node->meter_flags |= METER_NO_VOLTAGE;
  measurement_metered(&node->measurement, (uint64_t)increment_wh * MWS_PER_WH);
  if (node->meter.odd_count == 0) node->meter_heard = true;
}

static void listen(struct node *node, uint8_t address, uint64_t now_ms)
{
  uint32_t room = METER_ANSWER_BYTES - node->meter_bytes;
  node->meter_bytes += port_uart_read(node->meter_frame + node->meter_bytes, room);
  enum meter_answer answer = meter_parse(address, node->meter_frame, node->meter_bytes, &node->sample);
  bool silent = now_ms - node->meter_asked_ms >= METER_SILENCE_MS;
  if (answer == METER_ANSWER_PARTIAL && !silent) return;
  node->meter_waiting = false;
  if (answer == METER_ANSWER_OK) {
    count(node, now_ms);
    return;
  }
  /* No answer is not zero: the power shown is unknown and set to none, the register waits. */
  node->sample.power_mw = 0;
  node->meter_flags |= METER_SILENT;
}

void node_meter(struct node *node, uint64_t now_ms)
{
  uint8_t address = node->configurations.current->meter_address;
  judge_gap(node, now_ms);
  if (node->meter_waiting) {
    listen(node, address, now_ms);
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
