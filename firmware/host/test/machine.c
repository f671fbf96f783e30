#include "machine.h"

#include "record.h"
#include "test.h"

static struct machine m;
static struct actions actions;

static void step_with(enum event_kind kind, bool flag, uint64_t value, uint64_t now_ms, uint32_t chance)
{
  machine_step(&m, &(struct event){.kind = kind, .flag = flag, .value = value, .chance = chance}, now_ms, &actions);
}

static void step(enum event_kind kind, bool flag, uint64_t now_ms)
{
  step_with(kind, flag, 0, now_ms, 0);
}

static bool did(enum action_kind kind)
{
  for (uint32_t i = 0; i < actions.count; i++)
    if (actions.list[i].kind == kind) return true;
  return false;
}

static void live(bool update)
{
  step(EVENT_START, update, 0);
  step(EVENT_STORAGE, true, 0);
  step(EVENT_IDENTITY, true, 0);
  step(EVENT_WIFI, true, 1000);
  step(EVENT_MQTT, true, 2000);
}

static void the_way_from_power_to_live(void)
{
  step(EVENT_START, false, 0);
  EXPECT(did(ACTION_RECOVER));
  EXPECT_EQ(machine_state(&m), STATE_RECOVER);
  step(EVENT_TICK, false, 10);
  EXPECT_EQ(actions.count, 0);
  step(EVENT_STORAGE, true, 20);
  EXPECT(did(ACTION_IDENTIFY));
  EXPECT_EQ(machine_state(&m), STATE_IDENTIFY);
  step(EVENT_IDENTITY, true, 30);
  EXPECT(did(ACTION_WIFI_CONNECT));
  EXPECT_EQ(machine_state(&m), STATE_WIFI);
  step(EVENT_WIFI, true, 1000);
  EXPECT(did(ACTION_MQTT_CONNECT));
  EXPECT_EQ(machine_state(&m), STATE_CONNECTING);
  step_with(EVENT_BACKLOG, false, 500, 1500, 0);
  step(EVENT_MQTT, true, 2000);
  EXPECT(did(ACTION_GREET) && did(ACTION_LED));
  EXPECT_EQ(machine_state(&m), STATE_REPLAY);
  step_with(EVENT_BACKLOG, false, 1, 3000, 0);
  EXPECT_EQ(machine_state(&m), STATE_LIVE);
}

static void readings_keep_their_rhythm(void)
{
  live(false);
  step(EVENT_TICK, false, 2000);
  EXPECT(did(ACTION_READING) && did(ACTION_SEND) && did(ACTION_HEARTBEAT));
  step(EVENT_TICK, false, 29999);
  EXPECT(!did(ACTION_READING) && !did(ACTION_HEARTBEAT));
  step(EVENT_TICK, false, 30040);
  EXPECT(did(ACTION_READING));
  step(EVENT_TICK, false, 60000);
  EXPECT(did(ACTION_READING)); /* not 30 s after the late one */
  step(EVENT_TICK, false, 1000000);
  EXPECT(did(ACTION_READING));
  step(EVENT_TICK, false, 1000050);
  EXPECT(!did(ACTION_READING)); /* what was missed is not made up for */
}

static void a_shorter_period_counts_at_once(void)
{
  live(false);
  step(EVENT_TICK, false, 2000);
  step_with(EVENT_PERIOD, false, 5000, 3000, 0);
  step(EVENT_TICK, false, 8000);
  EXPECT(did(ACTION_READING));
  step_with(EVENT_PERIOD, false, 60000, 9000, 0);
  step(EVENT_TICK, false, 13000);
  EXPECT(did(ACTION_READING));
}

static void waits_double_and_are_spread(void)
{
  step(EVENT_START, false, 0);
  step(EVENT_STORAGE, true, 0);
  step(EVENT_IDENTITY, true, 0);
  const uint64_t waits_ms[] = {1000, 2000, 4000, 8000, 16000, 32000, 64000, 128000, 256000, 300000, 300000};
  uint64_t now_ms = 0;
  for (int i = 0; i < 11; i++) {
    step_with(EVENT_WIFI, false, 0, now_ms, UINT32_MAX);
    EXPECT(did(ACTION_MQTT_DISCONNECT));
    EXPECT_EQ(machine_state(&m), STATE_OFFLINE);
    EXPECT(m.retry_ms >= now_ms + waits_ms[i] / 2 && m.retry_ms <= now_ms + waits_ms[i]);
    now_ms = m.retry_ms;
    step(EVENT_TICK, false, now_ms - 1);
    EXPECT(!did(ACTION_WIFI_CONNECT));
    step(EVENT_TICK, false, now_ms);
    EXPECT(did(ACTION_WIFI_CONNECT));
  }
}

static void attempts_that_hang_are_given_up(void)
{
  step(EVENT_START, false, 0);
  step(EVENT_STORAGE, true, 0);
  step(EVENT_IDENTITY, true, 0);
  step(EVENT_TICK, false, ATTEMPT_MS);
  EXPECT_EQ(machine_state(&m), STATE_OFFLINE);
  step(EVENT_WIFI, true, ATTEMPT_MS); /* late: no attempt is under way */
  EXPECT_EQ(machine_state(&m), STATE_OFFLINE);
  step(EVENT_MQTT, true, ATTEMPT_MS);
  EXPECT_EQ(machine_state(&m), STATE_OFFLINE);
  step(EVENT_TICK, false, m.retry_ms);
  step(EVENT_WIFI, true, 40000);
  step(EVENT_MQTT, false, 41000);
  EXPECT_EQ(machine_state(&m), STATE_OFFLINE);
  step(EVENT_MQTT, false, 41000);
  EXPECT(!did(ACTION_MQTT_DISCONNECT));
  step(EVENT_WIFI, false, 41000);
  EXPECT(!did(ACTION_MQTT_DISCONNECT));
}

static void without_a_certificate_it_provisions(void)
{
  step(EVENT_START, false, 0);
  step(EVENT_STORAGE, true, 0);
  step(EVENT_IDENTITY, false, 0);
  EXPECT_EQ(machine_state(&m), STATE_IDENTIFY);
  EXPECT(did(ACTION_WIFI_CONNECT));
  step(EVENT_WIFI, true, 1000);
  EXPECT(did(ACTION_PROVISION) && !did(ACTION_MQTT_CONNECT));
  step(EVENT_TICK, false, IDENTITY_RETRY_MS);
  EXPECT(did(ACTION_IDENTIFY));
  EXPECT(did(ACTION_READING)); /* it measures meanwhile */
  step(EVENT_IDENTITY, false, IDENTITY_RETRY_MS);
  EXPECT_EQ(machine_state(&m), STATE_IDENTIFY);
  step(EVENT_IDENTITY, true, 70000);
  EXPECT(did(ACTION_MQTT_CONNECT));
  EXPECT_EQ(machine_state(&m), STATE_CONNECTING);
}

static void a_storage_fault_is_safe(void)
{
  live(false);
  step(EVENT_TICK, false, 2000);
  step(EVENT_STORAGE, false, 3000);
  EXPECT_EQ(machine_state(&m), STATE_SAFE);
  step(EVENT_TICK, false, 33000);
  EXPECT(!did(ACTION_READING) && !did(ACTION_SEND));
  EXPECT(did(ACTION_HEARTBEAT) && did(ACTION_RECOVER));
  step(EVENT_STORAGE, false, 33000);
  step(EVENT_TICK, false, 34000);
  EXPECT(!did(ACTION_HEARTBEAT) && !did(ACTION_RECOVER));
  step(EVENT_RELAY, true, 35000);
  EXPECT(did(ACTION_RELAY));
  step(EVENT_ACKNOWLEDGED, false, 36000);
  EXPECT(!did(ACTION_SEND));
  step(EVENT_STORAGE, true, 63000);
  EXPECT_EQ(machine_state(&m), STATE_LIVE);
  step(EVENT_TICK, false, 63000);
  EXPECT(did(ACTION_READING) && did(ACTION_HEARTBEAT));
}

static void attempts_on_a_flash_that_refuses_grow_rare(void)
{
  step(EVENT_START, false, 0);
  step(EVENT_STORAGE, false, 0);
  const uint64_t waits_ms[] = {30000, 60000, 120000, 240000, 300000, 300000};
  uint64_t now_ms = 0;
  for (int i = 0; i < 6; i++) {
    step(EVENT_TICK, false, now_ms + waits_ms[i] - 1);
    EXPECT(!did(ACTION_RECOVER));
    now_ms += waits_ms[i];
    step(EVENT_TICK, false, now_ms);
    EXPECT(did(ACTION_RECOVER));
    step(EVENT_STORAGE, false, now_ms);
  }
  step(EVENT_STORAGE, true, now_ms);
  step(EVENT_STORAGE, false, now_ms);
  step(EVENT_TICK, false, now_ms + STORAGE_RETRY_MS);
  EXPECT(did(ACTION_RECOVER));
}

static void a_node_whose_storage_never_worked_still_connects(void)
{
  step(EVENT_START, false, 0);
  step(EVENT_STORAGE, false, 0);
  EXPECT(did(ACTION_IDENTIFY));
  step(EVENT_IDENTITY, true, 0);
  EXPECT(did(ACTION_WIFI_CONNECT));
  EXPECT_EQ(machine_state(&m), STATE_SAFE);
}

static void an_update_is_kept_by_the_first_acknowledgement(void)
{
  live(true);
  EXPECT_EQ(machine_state(&m), STATE_OTA_VERIFY);
  step(EVENT_ACKNOWLEDGED, false, 5000);
  EXPECT(did(ACTION_CONFIRM_UPDATE));
  EXPECT_EQ(machine_state(&m), STATE_LIVE);
  step(EVENT_ACKNOWLEDGED, false, 6000);
  EXPECT(!did(ACTION_CONFIRM_UPDATE));
}

static void an_update_that_does_not_connect_is_rolled_back(void)
{
  step(EVENT_START, true, 0);
  step(EVENT_STORAGE, true, 0);
  step(EVENT_IDENTITY, true, 0);
  step(EVENT_ACKNOWLEDGED, false, 10);
  EXPECT(!did(ACTION_CONFIRM_UPDATE));
  step(EVENT_TICK, false, UPDATE_DEADLINE_MS - 1);
  EXPECT(!did(ACTION_ROLL_BACK));
  step(EVENT_TICK, false, UPDATE_DEADLINE_MS);
  EXPECT_EQ(actions.list[0].kind, ACTION_READING); /* what was measured until now goes on flash before */
  EXPECT_EQ(actions.list[1].kind, ACTION_ROLL_BACK);
}

static void an_update_that_breaks_the_journal_is_rolled_back(void)
{
  live(true);
  step(EVENT_STORAGE, false, 3000);
  step(EVENT_ACKNOWLEDGED, false, 4000);
  EXPECT(!did(ACTION_CONFIRM_UPDATE));
  step(EVENT_TICK, false, UPDATE_DEADLINE_MS);
  EXPECT(did(ACTION_ROLL_BACK) && !did(ACTION_READING));
}

static void switches_ask_for_a_reading_at_most_every_5_s(void)
{
  live(false);
  step(EVENT_TICK, false, 2000);
  int readings = 0;
  for (uint64_t now_ms = 3000; now_ms < 23000; now_ms += 100) {
    step(EVENT_SWITCH, now_ms % 200 == 0, now_ms);
    EXPECT(did(ACTION_RELAY));
    step(EVENT_TICK, false, now_ms);
    readings += did(ACTION_READING);
    if (did(ACTION_READING)) EXPECT_EQ(actions.list[0].channel, CAUSE_SWITCH);
  }
  EXPECT_EQ(readings, 4);
  step(EVENT_RELAY, true, 29990);
  step(EVENT_TICK, false, 30000);
  EXPECT(did(ACTION_READING));
  EXPECT_EQ(actions.list[0].channel, CAUSE_COMMAND);
}

static void a_restart_takes_a_last_reading(void)
{
  live(false);
  step(EVENT_TICK, false, 2000);
  step(EVENT_RESTART, false, 3000);
  step(EVENT_TICK, false, 4999);
  EXPECT(!did(ACTION_RESTART));
  step(EVENT_TICK, false, 5000);
  EXPECT(did(ACTION_READING) && did(ACTION_RESTART));
  step(EVENT_TICK, false, 5001);
  EXPECT(!did(ACTION_RESTART));
  step(EVENT_STORAGE, false, 6000);
  step(EVENT_RESTART, false, 7000);
  step(EVENT_TICK, false, 9000);
  EXPECT(!did(ACTION_READING) && did(ACTION_RESTART));
}

static void three_late_acknowledgements_end_the_session(void)
{
  live(false);
  step(EVENT_STALLED, false, 20000);
  step(EVENT_STALLED, false, 40000);
  step(EVENT_ACKNOWLEDGED, false, 41000);
  for (uint64_t i = 0; i < 2; i++) step(EVENT_STALLED, false, 60000 + i * 20000);
  EXPECT_EQ(machine_state(&m), STATE_LIVE);
  step(EVENT_STALLED, false, 100000);
  EXPECT(did(ACTION_MQTT_DISCONNECT));
  EXPECT_EQ(machine_state(&m), STATE_OFFLINE);
  step(EVENT_STALLED, false, 100000);
  EXPECT(!did(ACTION_MQTT_DISCONNECT));
}

static void times_beyond_32_bits(void)
{
  const uint64_t start_ms = 4294967296ull * 3 - 45000;
  step(EVENT_START, false, start_ms);
  step(EVENT_STORAGE, true, start_ms);
  int readings = 0;
  for (uint64_t now_ms = start_ms; now_ms < start_ms + 300000; now_ms += 1000) {
    step(EVENT_TICK, false, now_ms);
    readings += did(ACTION_READING);
  }
  EXPECT_EQ(readings, 10);
}

int main(void)
{
  static const struct test tests[] = {
      {"the way from power to live", the_way_from_power_to_live},
      {"readings keep their rhythm", readings_keep_their_rhythm},
      {"a shorter period counts at once", a_shorter_period_counts_at_once},
      {"waits double and are spread", waits_double_and_are_spread},
      {"attempts that hang are given up", attempts_that_hang_are_given_up},
      {"without a certificate it provisions, and measures", without_a_certificate_it_provisions},
      {"a storage fault is SAFE: no reading, relays, a heartbeat", a_storage_fault_is_safe},
      {"attempts on a flash that refuses grow rare", attempts_on_a_flash_that_refuses_grow_rare},
      {"a node whose storage never worked still connects", a_node_whose_storage_never_worked_still_connects},
      {"an update is kept by the first acknowledgement", an_update_is_kept_by_the_first_acknowledgement},
      {"an update that does not connect is rolled back", an_update_that_does_not_connect_is_rolled_back},
      {"an update that breaks the journal is rolled back", an_update_that_breaks_the_journal_is_rolled_back},
      {"switches ask for a reading at most every 5 s", switches_ask_for_a_reading_at_most_every_5_s},
      {"a restart takes a last reading", a_restart_takes_a_last_reading},
      {"three late acknowledgements end the session", three_late_acknowledgements_end_the_session},
      {"times beyond 32 bits", times_beyond_32_bits},
  };
  return RUN(tests);
}
