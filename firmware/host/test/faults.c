#include "cloud.h"

/* Flash, settings and broker at their worst: what must hold then, and what must come back afterwards. */

/* ---- Flash that refuses ---- */

static uint32_t erases, erases_of_a_step, most_of_a_step;

static void count_erase(enum sim_operation kind, uint32_t offset, const void *from, uint32_t bytes)
{
  (void)offset, (void)from, (void)bytes;
  erases += kind == SIM_ERASE;
  erases_of_a_step += kind == SIM_ERASE;
  if (erases_of_a_step > most_of_a_step) most_of_a_step = erases_of_a_step;
}

static void run_counting(uint64_t ms)
{
  erases = most_of_a_step = 0;
  sim.on_operation = count_erase;
  for (uint64_t passed = 0; passed < ms; passed += 1000) {
    erases_of_a_step = 0;
    sim_run(&node, 1000, 1000);
    sim_acknowledge_all(&node);
  }
  sim.on_operation = NULL;
}

/* An erase may take 0.4 s and the watchdog bites after 10 s. */
static void no_step_outlasts_the_watchdog(void)
{
  for (uint8_t fault = 1; fault <= 3; fault++) {
    begin(256);
    sim.online = true;
    run(600000);
    memset(sim.bad, fault, sizeof sim.bad);
    run_counting(3600000);
    EXPECT(most_of_a_step >= 1 && most_of_a_step <= 9);
    EXPECT(erases <= 160); /* not worn out by trying */
    EXPECT_EQ(machine_state(&node.machine), STATE_SAFE);
    sim_power_on(RESET_WATCHDOG);
    erases_of_a_step = erases = most_of_a_step = 0;
    sim.on_operation = count_erase;
    node_start(&node, &classroom);
    EXPECT(most_of_a_step <= 9);
    run_counting(3600000);
    EXPECT(most_of_a_step <= 9);
    EXPECT(erases <= 160);
    memset(sim.bad, 0, sizeof sim.bad);
    run(STORAGE_RETRY_MAX_MS + 5000);
    EXPECT(machine_state(&node.machine) != STATE_SAFE);
    drain();
    EXPECT_EQ(witness.contradictions, 0);
  }
}

static void a_long_run_of_bad_sectors_is_passed_in_steps(void)
{
  begin(64);
  sim.online = true;
  sim.switches = 3;
  run(600000);
  memset(sim.bad + 4, 1, 30);
  run(3 * 86400000);
  EXPECT(node.journal.active < 4 || node.journal.active >= 34);
  EXPECT_EQ(machine_state(&node.machine), STATE_LIVE);
  EXPECT_EQ(node_energy(&node).total_mws, sim.truth_mws);
  drain();
  check_cloud();
  EXPECT_EQ(witness.gaps, 0);
  /* The same after a restart that meets them at once, with the counter still to be found. */
  begin(32);
  sim.switches = 3;
  run(3 * 86400000);
  for (uint32_t ahead = 1; ahead <= 20; ahead++) sim.bad[(node.journal.active + ahead) % 32] = 1;
  sim.flash[node.journal.next * PORT_FLASH_SECTOR_BYTES + 9] = 0; /* and the erased one does not hold */
  reboot(RESET_BROWNOUT);
  EXPECT_EQ(machine_state(&node.machine), STATE_SAFE);
  run(600000);
  EXPECT(machine_state(&node.machine) != STATE_SAFE);
  check_within_a_period();
}

/* The active sector is damaged and no other can be opened: it is tried once a step, not for each message that waits. */
static void damage_with_no_other_sector_does_not_outlast_the_watchdog(void)
{
  begin(64);
  sim.switches = 1;
  run(600000);
  sim.flash[node.journal.active * PORT_FLASH_SECTOR_BYTES + HEADER_BYTES + 8] ^= 0x10; /* the first record: none after it counts */
  for (uint32_t s = 0; s < 64; s++) sim.bad[s] = s != node.journal.active;
  sim.online = true;
  run_counting(600000);
  EXPECT_EQ(node.journal.damaged, 1);
  EXPECT(most_of_a_step >= 1 && most_of_a_step <= 9);
  memset(sim.bad, 0, sizeof sim.bad);
  run(STORAGE_RETRY_MAX_MS + 5000);
  drain();
  check_cloud();
  EXPECT_EQ(node_energy(&node).total_mws, sim.truth_mws);
}

/* ---- Damage ---- */

static void damage_active(uint32_t at)
{
  sim.flash[node.journal.active * PORT_FLASH_SECTOR_BYTES + HEADER_BYTES + at] ^= 0x10;
}

/* The energy lost to damage, against what the first reading after the boot says may be lost. */
static void check_loss_bound(void)
{
  uint64_t lost_mws = sim.truth_mws - node_energy(&node).total_mws;
  sim_run(&node, 5000, 5000);
  EXPECT(node.journal.chain.reset_reason != RESET_NONE);
  EXPECT(lost_mws <= node.journal.chain.loss_bound_mws);
}

static void what_damage_may_have_lost_is_said(void)
{
  for (uint32_t cut = 0; cut < 8; cut++) {
    begin(8);
    sim.switches = 15;
    /* Half an hour into a sector, of which the first minutes can be read. */
    run(30 * 60000);
    while (node.journal.offset < 1500) run(30000);
    uint64_t before_mws = node_energy(&node).total_mws;
    for (uint32_t at = 300; at < 1000; at += 8) damage_active(at); /* a dozen readings, and whole ones behind them */
    sim_power_on(RESET_BROWNOUT);
    /* Power fails again at each step of that recovery. */
    sim.cut_at = cut == 0 ? 0 : sim.operations + cut;
    if (setjmp(sim.cut) == 0) node_start(&node, &classroom);
    sim.cut_at = 0;
    if (cut > 0) reboot(RESET_POWER_ON);
    EXPECT(before_mws - node_energy(&node).total_mws > 10 * 433000ull * 30);
    check_loss_bound();
  }
}

static uint32_t damaged_said;

static void hear_damage(const struct sim_message *m)
{
  damaged_said += strstr(m->payload, "\"reason\":\"damaged\"") != NULL;
  witness_read(m);
}

static void damage_in_the_active_sector_does_not_stop_sending(void)
{
  begin(16);
  sim.on_publish = hear_damage;
  damaged_said = 0;
  sim.online = true;
  sim.switches = 3;
  run(600000);
  drain();
  sim.online = false;
  run(600000);
  damage_active(node.journal.offset - HEADER_BYTES - 400); /* readings before it can still be read */
  sim.online = true;
  wait_for_session();
  run(60000);
  EXPECT_EQ(witness.highest_sequence_no, node.journal.chain.sequence_no);
  drain();
  check_cloud();
  EXPECT_EQ(damaged_said, 1);
  EXPECT(witness.gaps > 0 && witness.gaps < 20);
  EXPECT_EQ(node.journal.damaged, 1);
  EXPECT_EQ(node_energy(&node).total_mws, sim.truth_mws);
  reboot(RESET_POWER_ON); /* the new sector states the counter in full */
  check_within_a_period();
}

static void a_read_that_fails_announces_no_loss(void)
{
  uint32_t seen = 0;
  for (uint64_t at = 1; at < 4000; at += at < 400 ? 3 : 41) {
    begin(8);
    sim.switches = 1;
    run(3 * 3600000);
    sim.fail_read_at = sim.reads + at;
    sim.online = true;
    drain();
    seen += sim.reads >= sim.fail_read_at;
    EXPECT_EQ(witness.gaps, 0);
    check_cloud();
  }
  EXPECT(seen > 100);
}

/* A sector that does not answer during the start is not thrown out of the history, and no command is forgotten. */
static void a_read_that_fails_at_the_start_forgets_nothing(void)
{
  static const char on[] = "{\"id\":\"x\",\"command\":\"relay\",\"device_id\":\"fan-1\",\"on\":true," VALID "}";
  for (uint64_t at = 1; at < 120; at++) {
    begin(8);
    run(2 * 3600000);
    command(on);
    EXPECT_EQ(sim.relays, 4);
    sim.fail_read_at = sim.reads + at;
    reboot(RESET_BROWNOUT);
    sim.online = true;
    run(120000);
    drain();
    EXPECT_EQ(witness.gaps, 0);
    check_cloud();
    command(on);
    EXPECT(last_says("/reply", "\"reason\":\"repeated\""));
  }
}

/* ---- Settings ---- */

static void without_settings_it_measures_and_sends(void)
{
  begin(8);
  /* A new node whose settings never worked. */
  sim.settings_dead = true;
  memset(sim.settings, 0, sizeof sim.settings);
  memset(sim.flash, 0xff, sizeof sim.flash);
  reboot(RESET_POWER_ON);
  sim.online = true;
  sim.switches = 1;
  run_counting(600000);
  EXPECT_EQ(machine_state(&node.machine), STATE_LIVE);
  EXPECT(erases <= 2);
  EXPECT_EQ(node.configurations.current->revision, 0);
  drain();
  check_cloud();
  sim.online = false;
  run(600000);
  reboot(RESET_POWER_ON);
  check_within_a_period();
  sim.settings_dead = false;
  run(600000);
  reboot(RESET_POWER_ON);
  EXPECT(node.configurations.current->revision > 0);
  sim.online = true;
  run(60000);
  drain(); /* what was measured without a stored name has its name */
  check_cloud();
  EXPECT_EQ(witness.gaps, 0);
}

static void a_configuration_that_could_not_be_read_comes_back(void)
{
  static struct sim_setting kept[SIM_SETTINGS];
  begin(8);
  sim.online = true;
  run(60000);
  command("{\"id\":\"c\",\"command\":\"configuration\"," VALID ",\"configuration\":{\"period_ms\":5000}}");
  run(60000);
  memcpy(kept, sim.settings, sizeof kept);
  memset(sim.settings, 0, sizeof sim.settings);
  sim.settings_dead = true;
  reboot(RESET_POWER_ON);
  run(60000);
  EXPECT_EQ(node.machine.period_ms, 30000);
  command("{\"id\":\"d\",\"command\":\"configuration\"," VALID ",\"configuration\":{\"period_ms\":7000}}");
  EXPECT(last_says("/reply", "\"reason\":\"storage_fault\""));
  sim.settings_dead = false;
  memcpy(sim.settings, kept, sizeof kept);
  reboot(RESET_POWER_ON);
  run(60000);
  EXPECT_EQ(node.machine.period_ms, 5000);
  drain();
  check_cloud();
}

/* ---- Out of SAFE, late ---- */

static void a_late_recovery_leaves_relays_and_remembers_commands(void)
{
  static const char on[] = "{\"id\":\"s1\",\"command\":\"relay\",\"device_id\":\"fan-1\",\"on\":true," VALID "}";
  static const char off[] = "{\"id\":\"s2\",\"command\":\"relay\",\"device_id\":\"fan-1\",\"on\":false," VALID "}";
  for (int from_the_start = 0; from_the_start < 2; from_the_start++) {
    begin(8);
    sim.online = true;
    sim.switches = 7;
    run(600000);
    if (from_the_start) {
      sim.flash_dead = true;
      reboot(RESET_BROWNOUT);
    } else {
      memset(sim.bad, 1, sizeof sim.bad);
    }
    run(60000);
    EXPECT_EQ(machine_state(&node.machine), STATE_SAFE);
    command(on);
    EXPECT(last_says("/reply", "\"status\":\"done\""));
    command(off);
    EXPECT(last_says("/reply", "\"status\":\"done\""));
    uint8_t relays = sim.relays;
    sim.flash_dead = false;
    memset(sim.bad, 0, sizeof sim.bad);
    run(STORAGE_RETRY_MAX_MS + 5000);
    EXPECT_EQ(machine_state(&node.machine), STATE_LIVE);
    EXPECT_EQ(sim.relays, relays);
    EXPECT_EQ(node.journal.chain.on, relays);
    for (int boots = 0; boots < 2; boots++) {
      command(on);
      EXPECT(last_says("/reply", "\"reason\":\"repeated\""));
      EXPECT_EQ(sim.relays, relays);
      reboot(RESET_POWER_ON);
      run(60000);
    }
    drain();
    check_cloud();
  }
}

/* ---- Updates ---- */

static void a_rolled_back_update_takes_its_last_reading_along(void)
{
  struct configuration odd = classroom;
  odd.period_ms = 47000; /* none is due at the deadline */
  begin(8);
  memset(sim.settings, 0, sizeof sim.settings);
  memset(sim.flash, 0xff, sizeof sim.flash);
  sim.ota_pending = true;
  node_start(&node, &odd);
  sim.switches = 3;
  for (int i = 0; i < 800 && !sim.ota_rolled_back; i++) sim_run(&node, 1000, 1000);
  EXPECT(sim.ota_rolled_back);
  EXPECT_EQ(node.journal.chain.energy.total_mws, sim.truth_mws);
}

int main(void)
{
  static const struct test tests[] = {
      {"no step outlasts the watchdog, whatever the flash refuses", no_step_outlasts_the_watchdog},
      {"a long run of bad sectors is passed in steps", a_long_run_of_bad_sectors_is_passed_in_steps},
      {"damage with no other sector does not outlast the watchdog", damage_with_no_other_sector_does_not_outlast_the_watchdog},
      {"what damage may have lost is said, also after cuts of its recovery", what_damage_may_have_lost_is_said},
      {"damage in the active sector does not stop sending", damage_in_the_active_sector_does_not_stop_sending},
      {"a read that fails announces no loss", a_read_that_fails_announces_no_loss},
      {"a read that fails at the start forgets nothing", a_read_that_fails_at_the_start_forgets_nothing},
      {"without settings it measures and sends", without_settings_it_measures_and_sends},
      {"a configuration that could not be read comes back", a_configuration_that_could_not_be_read_comes_back},
      {"a late recovery leaves relays and remembers commands", a_late_recovery_leaves_relays_and_remembers_commands},
      {"a rolled back update takes its last reading along", a_rolled_back_update_takes_its_last_reading_along},
  };
  return RUN(tests);
}
