#include "cloud.h"

/* A header that rots while no mark can be kept, headers that are refused, and sectors that refuse one after the other. */

static uint8_t *active_sector(void)
{
  return sim.flash + node.journal.active * PORT_FLASH_SECTOR_BYTES;
}

static const char on[] = "{\"id\":\"on\",\"command\":\"relay\",\"device_id\":\"fan-1\",\"on\":true," VALID "}";

/* Into a sector that no mark names, with a command and some readings in it. */
static void live_without_a_mark(uint32_t sectors_more)
{
  begin(8);
  sim.online = true;
  sim.switches = 3;
  run(600000);
  sim.settings_dead = true;
  for (uint32_t more = 0; more < sectors_more; more++) {
    uint32_t before = node.journal.active;
    while (node.journal.active == before) run(30000);
  }
  run(600000);
  command(on);
  run(600000);
  drain();
}

/* `cut`: the power fails again at that operation of the recovery; 0: it does not. */
static void rot_and_restart(uint32_t cut)
{
  memset(active_sector() + 20, 0, 40);
  sim_power_on(RESET_BROWNOUT);
  sim.cut_at = cut == 0 ? 0 : sim.operations + cut;
  if (setjmp(sim.cut) == 0) node_start(&node, &classroom);
  sim.cut_at = 0;
  if (cut > 0) reboot(RESET_POWER_ON);
}

static void a_header_that_rots_without_a_mark_repeats_no_number(void)
{
  for (uint32_t sectors_more = 1; sectors_more <= 9; sectors_more += 4)
    for (uint32_t cut = 0; cut < 10; cut++) {
      live_without_a_mark(sectors_more);
      uint64_t published = witness.highest_sequence_no;
      if (cut & 1) sim.settings_dead = false; /* can be read again, and holds the old mark */
      rot_and_restart(cut);
      EXPECT(node.journal.chain.sequence_no >= published);
      EXPECT(node.journal.chain.sequence_no <= published + 2 * JOURNAL_READINGS_PER_SECTOR);
      EXPECT_EQ(sim.relays, 7);
      uint64_t lost_mws = sim.truth_mws - node_energy(&node).total_mws;
      sim_run(&node, 5000, 5000);
      EXPECT(node.journal.chain.damaged && lost_mws <= node.journal.chain.loss_bound_mws);
      run(600000);
      command(on);
      EXPECT(last_says("/reply", "\"reason\":\"repeated\""));
      drain();
      EXPECT_EQ(witness.contradictions, 0);
      EXPECT_EQ(witness.above_truth, 0);
      EXPECT_EQ(witness.highest_sequence_no, node.journal.chain.sequence_no);
      /* Found once: the next start only goes on. */
      uint64_t newest = node.journal.chain.sequence_no;
      reboot(RESET_POWER_ON);
      EXPECT_EQ(node.journal.chain.sequence_no, newest);
      EXPECT_EQ(node.journal.damaged, 0);
    }
}

/* Headers refused before it, or a second one that rots: its number is not the next. */
static void numbers_between_are_skipped_as_well(void)
{
  for (int rots = 0; rots < 2; rots++) {
    live_without_a_mark(1);
    uint32_t former = node.journal.active;
    if (rots == 0) sim.bad[node.journal.next] = 3;
    while (node.journal.active == former) run(30000);
    run(1200000);
    drain();
    if (rots == 1) memset(sim.flash + former * PORT_FLASH_SECTOR_BYTES + 20, 0, 40);
    uint64_t published = witness.highest_sequence_no;
    rot_and_restart(0);
    EXPECT(node.journal.chain.sequence_no >= published);
    EXPECT_EQ(node.journal.damaged, rots + 1);
    uint64_t lost_mws = sim.truth_mws - node_energy(&node).total_mws;
    run(600000);
    struct cursor c;
    EXPECT(journal_find(&node.journal, published + 1, &c));
    EXPECT(c.walk.chain.damaged && lost_mws <= c.walk.chain.loss_bound_mws);
    drain();
    EXPECT_EQ(witness.contradictions, 0);
  }
}

static void commands_are_known_behind_a_refused_header(void)
{
  begin(8);
  sim.online = true;
  run(600000);
  command(on);
  uint32_t former = node.journal.active, newest = node.journal.newest;
  sim.bad[node.journal.next] = 3;
  while (node.journal.active == former) run(30000);
  EXPECT_EQ(node.journal.newest, newest + 2);
  reboot(RESET_POWER_ON);
  run(60000);
  command(on);
  EXPECT(last_says("/reply", "\"reason\":\"repeated\""));
}

/* ---- Sectors that refuse ---- */

static uint32_t erases;

static void count_erase(enum sim_operation kind, uint32_t offset, const void *from, uint32_t bytes)
{
  (void)offset, (void)from, (void)bytes;
  erases += kind == SIM_ERASE;
}

static void the_last_sector_is_not_written_over(void)
{
  begin(16);
  sim.switches = 1;
  uint32_t former = node.journal.active;
  for (uint32_t s = 0; s < 16; s++) sim.bad[s] = s != former && s != node.journal.next;
  while (node.journal.active == former) run(30000);
  EXPECT_EQ(machine_state(&node.machine), STATE_SAFE);
  EXPECT_EQ(node.journal.next, node.journal.active);
  /* Another reading in the step that found no sector ahead, and its write does not hold. */
  uint8_t header[HEADER_BYTES];
  memcpy(header, active_sector(), sizeof header);
  sim.fail_operation_at = sim.operations + 1;
  journal_begin_step(&node.journal);
  EXPECT(!node_take_reading(&node, CAUSE_SWITCH));
  EXPECT(memcmp(header, active_sector(), sizeof header) == 0);
  EXPECT_EQ(sim.set_bits, 0);
  memset(sim.bad, 0, sizeof sim.bad);
  run(STORAGE_RETRY_MAX_MS + 5000);
  EXPECT(machine_state(&node.machine) != STATE_SAFE);
  EXPECT_EQ(node_energy(&node).total_mws, sim.truth_mws);
}

/* A start that passes seven sectors, and whose first record then does not hold: all of it is one step. */
static void the_bound_holds_for_the_whole_step(void)
{
  begin(64);
  sim.switches = 1;
  run(600000);
  uint32_t active = node.journal.active;
  for (uint32_t ahead = 1; ahead <= 30; ahead++) {
    sim.flash[(active + ahead) % 64 * PORT_FLASH_SECTOR_BYTES + 9] = 0; /* none is blank */
    sim.bad[(active + ahead) % 64] = ahead != 8;
  }
  sim.bad[active] = 3;
  sim_power_on(RESET_WATCHDOG);
  erases = 0;
  sim.on_operation = count_erase;
  node_start(&node, &classroom);
  EXPECT(erases >= 8 && erases <= 9);
  for (int seconds = 0; seconds < 3600; seconds++) {
    erases = 0;
    sim_run(&node, 1000, 1000);
    EXPECT(erases <= 9);
  }
  sim.on_operation = NULL;
  EXPECT(machine_state(&node.machine) != STATE_SAFE);
  check_within_a_period();
}

int main(void)
{
  static const struct test tests[] = {
      {"a header that rots without a mark repeats no number", a_header_that_rots_without_a_mark_repeats_no_number},
      {"numbers of refused and of further rotten headers are skipped as well", numbers_between_are_skipped_as_well},
      {"commands are known behind a refused header", commands_are_known_behind_a_refused_header},
      {"the last sector that states the counter is not written over", the_last_sector_is_not_written_over},
      {"the bound on refusals holds for the whole step", the_bound_holds_for_the_whole_step},
  };
  return RUN(tests);
}
