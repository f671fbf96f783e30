#ifndef AUTOVOLT_CLOUD_H
#define AUTOVOLT_CLOUD_H

/* A node in a classroom, a broker, and what the cloud has received: the scene of the node's tests. */

#include "node.h"
#include "test.h"
#include "witness.h"

static const struct configuration classroom = {
    .period_ms = 30000, .channel_count = 4,
    .channels = {{"light-1", 36000}, {"light-2", 40000}, {"fan-1", 72000}, {"projector", 285000}}};

static struct node node;

/* What the cloud has: readings received and readings announced as lost. */
#define SEEN_MAX 40000
static uint8_t received[SEEN_MAX], announced[SEEN_MAX];
static uint64_t ledger_mwh, ledger_sequence_no;

static inline void take(uint64_t sequence_no, uint64_t energy_mwh)
{
  if (sequence_no < SEEN_MAX) received[sequence_no] = 1;
  if (sequence_no < ledger_sequence_no) return;
  ledger_sequence_no = sequence_no;
  ledger_mwh = energy_mwh;
}

static inline void take_gap(uint64_t from, uint64_t to)
{
  for (uint64_t i = from; i <= to && i < SEEN_MAX; i++) announced[i] = 1;
}

static inline void begin(uint32_t sectors)
{
  sim_new(sectors);
  for (int i = 0; i < CHANNELS_MAX; i++) sim.load_mw[i] = classroom.channels[i].rated_mw;
  witness_begin();
  witness.on_reading = take;
  witness.on_gap = take_gap;
  memset(received, 0, sizeof received);
  memset(announced, 0, sizeof announced);
  ledger_mwh = ledger_sequence_no = 0;
  node_start(&node, &classroom);
}

static inline void reboot(enum reset_reason reason)
{
  sim_power_on(reason);
  node_start(&node, &classroom);
}

/* Runs with a broker that acknowledges everything. */
static inline void run(uint64_t ms)
{
  for (uint64_t passed = 0; passed < ms; passed += 5000) {
    sim_run(&node, 5000, 5000);
    sim_acknowledge_all(&node);
  }
}

static inline void drain(void)
{
  for (int i = 0; i < 3000 && (node_backlog(&node) > 0 || node.machine.link != LINK_UP); i++) {
    sim_run(&node, 1000, 1000);
    sim_acknowledge_all(&node);
  }
  EXPECT_EQ(node_backlog(&node), 0);
}

/* Waits for a session; the broker acknowledges nothing meanwhile. */
static inline void wait_for_session(void)
{
  for (int i = 0; i < 1000 && node.machine.link != LINK_UP; i++) sim_run(&node, 1000, 1000);
}

/* After a restart nothing is missing but what was not on flash yet: at most one period. */
static inline void check_within_a_period(void)
{
  uint64_t counted_mws = node_energy(&node).total_mws;
  EXPECT(counted_mws <= sim.truth_mws && sim.truth_mws - counted_mws <= 433000u * 30);
}

static inline void check_cloud(void)
{
  uint64_t newest = node.journal.chain.sequence_no;
  uint32_t missing = 0;
  for (uint64_t i = 1; i <= newest && i < SEEN_MAX; i++) missing += !received[i] && !announced[i];
  EXPECT_EQ(missing, 0);
  EXPECT_EQ(ledger_sequence_no, newest);
  EXPECT_EQ(ledger_mwh, node.journal.chain.energy.total_mws / MWS_PER_MWH);
  EXPECT_EQ(witness.contradictions, 0);
  EXPECT_EQ(witness.above_truth, 0);
  EXPECT_EQ(witness.oversized, 0);
}

static inline void command(const char *text)
{
  node_on_mqtt_message(&node, "autovolt/esp32-b2-101/commands", text, (uint32_t)strlen(text));
}

static inline bool last_says(const char *channel, const char *part)
{
  const struct sim_message *m = sim_last(channel);
  if (m && strstr(m->payload, part)) return true;
  printf("  last %s: %s\n", channel, m ? m->payload : "(none)");
  return false;
}

#define VALID "\"expires_at\":1799999999000"

#endif
