#include "meter.h"

#include "record.h"
#include "sim.h"
#include "test.h"

/* A node with a meter: faults of the line, of the register, of the flash, and boots with and without a clock. */

static const struct configuration metered = {
    .mode = MEASURE_METER, .meter_address = 1, .period_ms = 30000, .channel_count = 2,
    .channels = {{"light-1", 36000}, {"fan-1", 72000}}};

static struct node node;

static void begin(void)
{
  sim_new(8);
  sim.meter_fitted = true;
  sim.load_mw[0] = 36000;
  sim.load_mw[1] = 72000;
  node_start(&node, &metered);
  sim_run(&node, 1000, 50);
  sim.switches = 3;
}

static void a_metered_node_counts_what_the_loads_took(void)
{
  begin();
  sim_run(&node, 3600000, 1000);
  struct energy energy = node_energy(&node);
  /* The register shows whole Wh, so up to one is still inside the meter. */
  EXPECT(energy.total_mws <= sim.truth_mws && sim.truth_mws - energy.total_mws < MWS_PER_WH);
  EXPECT_EQ(energy.channel_mws[0] + energy.channel_mws[1], energy.total_mws);
  EXPECT(node.journal.chain.metered && node.journal.chain.meter_known);
  EXPECT_EQ(node.journal.chain.power_mw, 108000);
}

static void run_fault(enum meter_fault fault)
{
  begin();
  sim_run(&node, 600000, 1000);
  uint64_t before_mws = node_energy(&node).total_mws;
  sim.meter_fault = fault;
  sim_run(&node, 3600000, 1000);
  EXPECT(node.journal.chain.meter_flags & METER_SILENT);
  EXPECT_EQ(node_energy(&node).total_mws, before_mws);
  EXPECT_EQ(node.journal.chain.power_mw, 0);
  sim.meter_fault = METER_FINE;
  sim_run(&node, 60000, 1000);
  EXPECT(sim.truth_mws - node_energy(&node).total_mws < MWS_PER_WH);
}

static void silence_loses_nothing(void) { run_fault(METER_DEAF); }
static void broken_crc_loses_nothing(void) { run_fault(METER_BROKEN_CRC); }
static void short_answers_lose_nothing(void) { run_fault(METER_SHORT); }
static void noise_loses_nothing(void) { run_fault(METER_NOISE); }

static void no_voltage_is_flagged(void)
{
  begin();
  sim.meter_voltage_dv = 0;
  sim_run(&node, 60000, 1000);
  EXPECT(node.journal.chain.meter_flags & METER_NO_VOLTAGE);
}

static void no_uart_is_silence(void)
{
  begin();
  sim.meter_fitted = false;
  sim_run(&node, 60000, 1000);
  EXPECT(node.journal.chain.meter_flags & METER_SILENT);
}

static void the_register_wraps_in_a_node(void)
{
  begin();
  sim.meter_mws = 9999980ull * MWS_PER_WH;
  node_meter_replaced(&node);
  sim_run(&node, 30000, 1000);
  uint64_t before_mws = node_energy(&node).total_mws, truth_mws = sim.truth_mws;
  sim_run(&node, 3600000, 1000);
  uint64_t counted = node_energy(&node).total_mws - before_mws, taken = sim.truth_mws - truth_mws;
  EXPECT(counted <= taken + MWS_PER_WH && taken <= counted + MWS_PER_WH);
  EXPECT(node.journal.chain.meter_wh < 1000);
}

static void energy_taken_while_the_node_was_off_is_in_the_register(void)
{
  begin();
  sim_run(&node, 600000, 1000);
  sim_pass(17000); /* measured by the meter, never asked for */
  sim_power_on(RESET_BROWNOUT);
  sim.switches = 3;
  node_start(&node, &metered);
  sim_run(&node, 60000, 1000);
  EXPECT(sim.truth_mws - node_energy(&node).total_mws < MWS_PER_WH);
}

/* The node restarts; the loads of other circuits on the same meter went on for `off_ms`. */
static void boot_after(uint64_t off_ms, uint64_t wh)
{
  sim.uptime_ms += off_ms; /* of the clock, where there is one */
  sim_power_on(RESET_POWER_ON);
  sim.meter_mws += wh * MWS_PER_WH;
  sim.truth_mws += wh * MWS_PER_WH;
  node_start(&node, &metered);
}

static void expect_within_a_wh(void)
{
  uint64_t counted_mws = node_energy(&node).total_mws;
  EXPECT(counted_mws <= sim.truth_mws && sim.truth_mws - counted_mws < MWS_PER_WH);
}

static void a_meter_without_a_clock(void)
{
  begin();
  sim.wall_ms = 0;
  sim_run(&node, 60000, 1000);
  boot_after(0, 0);
  sim_run(&node, 60000, 1000);
  expect_within_a_wh();
}

/* Two days off, 3 kWh: for a boot without a clock too much, until the clock comes; over more boots and a power cut. */
static void the_clock_decides_over_the_time_without_power(void)
{
  begin();
  sim_run(&node, 600000, 1000);
  uint64_t wall_ms = sim.wall_ms + sim.uptime_ms, before_mws = node_energy(&node).total_mws;
  sim.wall_ms = 0;
  boot_after(0, 3000);
  sim_run(&node, 60000, 1000);
  EXPECT_EQ(node.journal.chain.meter_doubt_wh, 3000);
  uint64_t counted_mws = node_energy(&node).total_mws;
  EXPECT(counted_mws - before_mws < 5 * MWS_PER_WH);
  boot_after(0, 1000);
  sim_run(&node, 60000, 1000);
  EXPECT_EQ(node.journal.chain.meter_doubt_wh, 4000);
  EXPECT(node.journal.chain.meter_flags == 0);
  sim.wall_ms = wall_ms + 2 * 86400000; /* SNTP answers */
  sim_run(&node, 60000, 1000);
  EXPECT_EQ(node.journal.chain.meter_doubt_wh, 0);
  expect_within_a_wh();
  boot_after(0, 0);
  sim_run(&node, 60000, 1000);
  expect_within_a_wh();
}

static void a_clock_that_cannot_tell_refuses(void)
{
  begin();
  sim_run(&node, 600000, 1000);
  uint64_t wall_ms = sim.wall_ms + sim.uptime_ms, before_mws = node_energy(&node).total_mws;
  sim.wall_ms = 0;
  boot_after(0, 3000);
  sim_run(&node, 60000, 1000);
  sim.quality = TIME_RTC;
  sim.wall_ms = wall_ms - 86400000; /* a day before the journal's last reading, and not confirmed: it may be set right */
  sim_run(&node, 60000, 1000);
  EXPECT_EQ(node.journal.chain.meter_doubt_wh, 3000);
  sim.quality = TIME_NTP;
  sim_run(&node, 30000, 1000);
  EXPECT_EQ(node.journal.chain.meter_doubt_wh, 0);
  EXPECT(node.journal.chain.meter_flags & METER_IMPLAUSIBLE);
  EXPECT(node_energy(&node).total_mws - before_mws < 10 * MWS_PER_WH);
}

/* 500 kWh on the register, and after the boot 10 Wh less: with a day allowed for, all of it was taken for a reset. */
static void a_node_does_not_count_its_register_again(void)
{
  begin();
  sim.meter_mws = 500000ull * MWS_PER_WH;
  node_meter_replaced(&node);
  sim_run(&node, 600000, 1000);
  sim.wall_ms = 0;
  boot_after(0, 0);
  sim.meter_mws -= 10ull * MWS_PER_WH;
  sim_run(&node, 600000, 1000);
  uint64_t counted_mws = node_energy(&node).total_mws;
  EXPECT(counted_mws <= sim.truth_mws && sim.truth_mws - counted_mws < 3 * MWS_PER_WH);
}

static void a_long_silence_with_other_configurations_loses_nothing(void)
{
  begin();
  sim.online = true;
  sim_run(&node, 600000, 1000);
  sim.meter_fault = METER_DEAF;
  sim_run(&node, 7200000, 1000);
  static const char form[] = "{\"id\":\"%d\",\"command\":\"configuration\",\"expires_at\":1799999999000,"
                             "\"configuration\":{\"period_ms\":%d}}";
  sim_acknowledge_all(&node);
  for (int i = 0; i < 3; i++) {
    char text[160];
    snprintf(text, sizeof text, form, i, 20000 + i);
    node_on_mqtt_message(&node, "autovolt/esp32-b2-101/commands", text, (uint32_t)strlen(text));
    EXPECT(strstr(sim_last("/reply")->payload, "\"done\"") != NULL);
  }
  sim.meter_fault = METER_FINE;
  sim_run(&node, 60000, 1000);
  expect_within_a_wh();
}

/* The journal can be read only after ten minutes, in which the register was counted already. */
static void a_late_recovery_does_not_count_the_register_twice(void)
{
  for (int clock = 0; clock < 2; clock++) {
    begin();
    sim_run(&node, 600000, 1000);
    if (!clock) sim.wall_ms = 0;
    sim.flash_dead = true;
    boot_after(0, 0);
    sim.switches ^= 1; /* the loads are off after the start */
    sim_run(&node, 600000, 1000);
    EXPECT_EQ(machine_state(&node.machine), STATE_SAFE);
    EXPECT(sim.relays != 0);
    sim.flash_dead = false;
    sim_run(&node, STORAGE_RETRY_MAX_MS + 60000, 1000);
    EXPECT(machine_state(&node.machine) != STATE_SAFE);
    expect_within_a_wh();
    boot_after(0, 0);
    sim_run(&node, 60000, 1000);
    expect_within_a_wh();
  }
}

static void another_address_is_another_meter(void)
{
  begin();
  sim.online = true;
  sim_run(&node, 600000, 1000);
  static const char other[] = "{\"id\":\"o\",\"command\":\"configuration\",\"expires_at\":1799999999000,"
                              "\"configuration\":{\"meter_address\":2}}";
  sim.meter_mws += 7 * MWS_PER_WH; /* the other one shows a little more: it would pass for a rise */
  node_on_mqtt_message(&node, "autovolt/esp32-b2-101/commands", other, (uint32_t)strlen(other));
  EXPECT(!node.journal.chain.meter_known);
  boot_after(0, 0); /* nothing is known of it after a power cut either */
  sim_run(&node, 600000, 1000);
  uint64_t counted_mws = node_energy(&node).total_mws;
  EXPECT(counted_mws <= sim.truth_mws && sim.truth_mws - counted_mws < 2 * MWS_PER_WH);
}

/* Of a new node's first sector the reading with the register's first value rots; the later ones only say how much it rose. */
static void a_lost_first_value_is_not_counted(void)
{
  sim_new(8);
  sim.meter_fitted = true;
  sim.load_mw[0] = 36000;
  sim.load_mw[1] = 72000;
  sim.meter_mws = 500000ull * MWS_PER_WH;
  node_start(&node, &metered);
  sim.switches = 3;
  sim_run(&node, 1200000, 1000);
  struct walk w;
  struct audit audit;
  uint32_t first = 0;
  EXPECT(walk_begin(&node.journal, node.journal.active, &w));
  while (!w.chain.meter_known) {
    first = w.end;
    EXPECT(walk_next(&w, &audit) != 0);
  }
  sim.flash[node.journal.active * PORT_FLASH_SECTOR_BYTES + first + 8] ^= 0x10;
  boot_after(86400000, 0); /* a day off: 500 kWh would be plausible */
  EXPECT_EQ(node.journal.damaged, 1);
  EXPECT(node.journal.chain.loss_bound_mws >= sim.truth_mws - node_energy(&node).total_mws);
  sim_run(&node, 600000, 1000);
  EXPECT(node_energy(&node).total_mws <= sim.truth_mws);
}

int main(void)
{
  static const struct test tests[] = {
      {"a metered node counts what the loads took", a_metered_node_counts_what_the_loads_took},
      {"an hour of silence loses nothing", silence_loses_nothing},
      {"an hour of broken CRCs loses nothing", broken_crc_loses_nothing},
      {"an hour of short answers loses nothing", short_answers_lose_nothing},
      {"an hour of noise loses nothing", noise_loses_nothing},
      {"voltage 0 is flagged", no_voltage_is_flagged},
      {"a dead UART is silence", no_uart_is_silence},
      {"the register wraps in a node", the_register_wraps_in_a_node},
      {"energy taken while the node was off is in the register", energy_taken_while_the_node_was_off_is_in_the_register},
      {"a meter without a clock", a_meter_without_a_clock},
      {"the clock decides over the time without power, boots later", the_clock_decides_over_the_time_without_power},
      {"a clock that cannot tell refuses", a_clock_that_cannot_tell_refuses},
      {"a node does not count its register again", a_node_does_not_count_its_register_again},
      {"a long silence with other configurations loses nothing", a_long_silence_with_other_configurations_loses_nothing},
      {"a late recovery does not count the register twice", a_late_recovery_does_not_count_the_register_twice},
      {"another address is another meter", another_address_is_another_meter},
      {"a first value that is lost is not counted", a_lost_first_value_is_not_counted},
  };
  return RUN(tests);
}
