#include "cloud.h"

static void a_first_day(void)
{
  begin(16);
  sim.online = true;
  sim.switches = 5;
  run(86400000);
  drain();
  check_cloud();
  EXPECT_EQ(node_energy(&node).total_mws, sim.truth_mws);
  EXPECT_EQ(witness.gaps, 0);
  EXPECT_EQ(machine_state(&node.machine), STATE_LIVE);
  EXPECT_TEXT(sim.subscribed[0], "autovolt/esp32-b2-101/commands");
  EXPECT_TEXT(sim.subscribed[1], "autovolt/esp32-b2-101/resend");
  char will[128];
  snprintf(will, sizeof will, "{\"schema\":1,\"esp32_name\":\"esp32-b2-101\",\"status\":\"offline\",\"boot_id\":\"%08x\"}", node.boot_id);
  EXPECT_TEXT(sim.will, will);
  EXPECT(last_says("/heartbeat", "\"journal\":{\"state\":\"ok\",\"sectors\":16"));
}

static void nothing_is_published_that_is_not_on_flash(void)
{
  begin(16);
  sim.online = true;
  run(60000);
  uint64_t published = witness.highest_sequence_no;
  memset(sim.bad, 1, sizeof sim.bad);
  run(300000);
  EXPECT_EQ(witness.highest_sequence_no, published);
}

static void seven_days_offline(void)
{
  begin(256);
  sim.online = true;
  run(60000);
  sim.online = false;
  for (int hour = 0; hour < 168; hour++) {
    sim.switches = hour % 24 >= 8 && hour % 24 < 18 ? 15 : 0;
    sim_run(&node, 3600000, 30000);
  }
  EXPECT(node_backlog(&node) > 20000);
  sim.online = true;
  drain();
  check_cloud();
  EXPECT_EQ(witness.gaps, 0);
  EXPECT_EQ(node_energy(&node).total_mws, sim.truth_mws);
}

static void a_ring_too_small_announces_a_gap(void)
{
  begin(4);
  sim.online = true;
  run(60000);
  sim.online = false;
  sim.switches = 15;
  sim_run(&node, 86400000, 5000);
  sim.online = true;
  drain();
  check_cloud();
  EXPECT(witness.gaps > 2000);
  EXPECT_EQ(node_energy(&node).total_mws, sim.truth_mws);
  run(60000);
  reboot(RESET_POWER_ON); /* what was announced is not announced again */
  uint64_t gaps = witness.gaps;
  drain();
  run(60000);
  EXPECT_EQ(witness.gaps, gaps);
}

static void live_readings_go_between_the_backlog(void)
{
  begin(64);
  sim_run(&node, 36000000, 5000);
  sim.online = true;
  wait_for_session();
  sim_run(&node, 1000, 1000);
  EXPECT_EQ(machine_state(&node.machine), STATE_REPLAY);
  EXPECT_EQ(witness.highest_sequence_no, node.journal.chain.sequence_no);
  EXPECT(received[1] && received[20] && !received[600]);
  drain();
  run(5000);
  EXPECT_EQ(machine_state(&node.machine), STATE_LIVE);
  check_cloud();
}

static uint32_t damaged_said;

static void hear_damage(const struct sim_message *m)
{
  damaged_said += strstr(m->payload, "\"reason\":\"damaged\"") != NULL;
  witness_read(m);
}

static void a_damaged_sector_in_the_backlog_is_announced(void)
{
  begin(16);
  sim.on_publish = hear_damage;
  damaged_said = 0;
  sim.switches = 3;
  sim_run(&node, 4 * 3600000, 5000);
  /* Two bits turn in the second sector: what stands behind them there cannot be read any more. */
  sim.flash[PORT_FLASH_SECTOR_BYTES + HEADER_BYTES + 1000] ^= 0x04;
  sim.flash[PORT_FLASH_SECTOR_BYTES + HEADER_BYTES + 2000] ^= 0x40;
  sim.online = true;
  drain();
  check_cloud();
  EXPECT_EQ(damaged_said, 1);
  EXPECT(witness.gaps > 10 && witness.gaps < 150);
  EXPECT_EQ(node_energy(&node).total_mws, sim.truth_mws);
}

static void a_header_lost_in_the_backlog_is_announced(void)
{
  begin(16);
  sim.on_publish = hear_damage;
  damaged_said = 0;
  sim_run(&node, 4 * 3600000, 5000);
  sim.flash[PORT_FLASH_SECTOR_BYTES + 7] ^= 0x04;
  sim.online = true;
  drain();
  check_cloud();
  EXPECT_EQ(damaged_said, 1);
}

/* Some messages arrive when they are sent, some only when they are acknowledged, some never. */
static void moody(const struct sim_message *m)
{
  if (sim_chance(100) >= 10) witness_read(m);
}

static void broker_chaos(void)
{
  begin(64);
  sim.random = 42;
  sim.on_publish = moody;
  sim.online = true;
  uint32_t breaks = 0;
  for (int step = 0; step < 40000; step++) {
    sim_pass(5000);
    if (sim_chance(100) == 0) sim.switches = (uint8_t)sim_chance(16);
    node_poll(&node);
    sim_network(&node);
    for (uint64_t i = sim.sent_count < SIM_MESSAGES ? 0 : sim.sent_count - SIM_MESSAGES; i < sim.sent_count; i++) {
      struct sim_message *m = &sim.sent[i % SIM_MESSAGES];
      uint32_t mood = sim_chance(100);
      if (m->id <= 0 || mood < 30) continue; /* late, perhaps for ever */
      witness_read(m); /* what is acknowledged has arrived */
      int32_t id = m->id;
      if (mood >= 90) node_on_mqtt_ack(&node, id); /* doubled */
      m->id = mood < 80 ? 0 : m->id;               /* doubled later */
      node_on_mqtt_ack(&node, id);
    }
    if (sim_chance(200) == 0) {
      breaks++;
      sim.session = false; /* in the middle of a batch: nothing in flight will be acknowledged */
      for (int i = 0; i < SIM_MESSAGES; i++) sim.sent[i].id = 0;
      node_on_mqtt_down(&node);
    }
    if (sim_chance(500) == 0) sim.refuse_publish = !sim.refuse_publish;
    if (sim_chance(2000) == 0) sim.online = !sim.online;
  }
  sim.refuse_publish = false;
  sim.online = true;
  sim.on_publish = witness_read;
  drain();
  check_cloud();
  EXPECT(breaks > 100);
  EXPECT_EQ(node_energy(&node).total_mws, sim.truth_mws);
}

static void an_acknowledgement_that_never_comes(void)
{
  begin(16);
  sim.online = true;
  sim_run(&node, 600000, 1000); /* no PUBACK at all */
  EXPECT(node_backlog(&node) >= 20);
  EXPECT_EQ(node.outbox.settled_through, 0);
  EXPECT(sim.connects >= 5); /* each session is given up after three rounds of silence */
  drain();
  check_cloud();
}

static void without_a_clock(void)
{
  begin(16);
  sim.wall_ms = 0;
  sim.online = true;
  run(60000);
  EXPECT(last_says("/telemetry", "\"measured_at\":null,\"time_quality\":\"none\""));
  EXPECT(last_says("/telemetry", "\"sent_uptime_seconds\":"));
  command("{\"id\":\"x\",\"command\":\"relay\",\"device_id\":\"fan-1\",\"on\":true,\"expires_at\":1799999999000}");
  EXPECT(last_says("/reply", "\"status\":\"refused\",\"reason\":\"no_clock\""));
  EXPECT_EQ(sim.relays, 0);
  sim.wall_ms = 1768456800000;
  run(60000);
  EXPECT(last_says("/telemetry", "\"time_quality\":\"ntp\""));
  sim.wall_ms = UINT64_MAX - 1000000; /* a clock gone mad */
  run(60000);
  EXPECT(last_says("/telemetry", "\"measured_at\":null"));
  sim.wall_ms = 946684800000; /* the year 2000: a clock that was never set */
  run(60000);
  EXPECT(last_says("/telemetry", "\"measured_at\":null"));
  drain();
  check_cloud();
}

static void a_clock_that_jumps_a_year(void)
{
  begin(16);
  sim.online = true;
  sim.switches = 1;
  run(600000);
  sim.wall_ms += 31536000000;
  sim_run(&node, 30000, 5000);
  EXPECT_EQ(node.journal.chain.time_quality, TIME_STEPPED);
  EXPECT_EQ(node.journal.chain.measured_at_ms / 31536000000, (1768456800000 + 31536000000) / 31536000000);
  run(600000);
  EXPECT_EQ(node.journal.chain.time_quality, TIME_NTP);
  sim.wall_ms -= 63072000000; /* and two years back */
  run(600000);
  drain();
  check_cloud();
  EXPECT_EQ(node_energy(&node).total_mws, sim.truth_mws);
  reboot(RESET_BROWNOUT);
  EXPECT_EQ(node_energy(&node).total_mws, sim.truth_mws);
}

static void uptime_beyond_32_bits(void)
{
  begin(64);
  sim.online = true;
  sim.switches = 1;
  run(60000);
  sim.online = false;
  /* 49.7 days of milliseconds in one step of sleep, then over the edge of 2^32 in small ones. */
  sim_pass(4294967296ull - sim.uptime_ms - 300000);
  sim_run(&node, 600000, 5000);
  EXPECT(sim.uptime_ms > 4294967296ull);
  sim.online = true;
  drain();
  check_cloud();
  EXPECT_EQ(node_energy(&node).total_mws, sim.truth_mws);
  EXPECT(last_says("/telemetry", "\"uptime_seconds\":4295"));
}

int main(void)
{
  static const struct test tests[] = {
      {"a first day", a_first_day},
      {"nothing is published that is not on flash", nothing_is_published_that_is_not_on_flash},
      {"seven days offline, then the cloud has every reading", seven_days_offline},
      {"a ring too small announces a gap and loses no energy", a_ring_too_small_announces_a_gap},
      {"live readings go between the backlog", live_readings_go_between_the_backlog},
      {"a damaged sector in the backlog is announced", a_damaged_sector_in_the_backlog_is_announced},
      {"a header lost in the backlog is announced", a_header_lost_in_the_backlog_is_announced},
      {"broker chaos: lost, late, doubled, broken off in mid-batch", broker_chaos},
      {"an acknowledgement that never comes", an_acknowledgement_that_never_comes},
      {"without a clock", without_a_clock},
      {"a clock that jumps a year", a_clock_that_jumps_a_year},
      {"uptime beyond 49.7 days of milliseconds", uptime_beyond_32_bits},
  };
  return RUN(tests);
}
