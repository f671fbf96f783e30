#include "journal.h"

#include "sim.h"
#include "test.h"

static struct journal j;
static uint64_t clock_ms;

static bool read_one(uint64_t energy_mws, uint64_t settled)
{
  struct energy pending = {.total_mws = energy_mws, .channel_mws = {energy_mws}, .on_time_ms = {30000}};
  clock_ms += 30000;
  journal_begin_step(&j);
  struct observation o = {.uptime_ms = clock_ms, .settled_through = settled, .on = 1};
  return journal_reading(&j, &o, &pending);
}

static enum journal_state reboot(void)
{
  enum journal_state state = journal_recover(&j, 77);
  clock_ms = 0;
  if (state != JOURNAL_FAULT) EXPECT(journal_boot(&j, 9, RESET_BROWNOUT, 5));
  return state;
}

static void begin(uint32_t sectors)
{
  sim_new(sectors);
  EXPECT_EQ(reboot(), JOURNAL_NEW_EPOCH);
}

static void a_new_node_begins_at_zero(void)
{
  begin(8);
  EXPECT_EQ(j.chain.counter_epoch, 77);
  EXPECT_EQ(j.chain.sequence_no, 0);
  EXPECT_EQ(j.chain.energy.total_mws, 0);
  sim_new(8);
  EXPECT_EQ(journal_recover(&j, 0), JOURNAL_NEW_EPOCH);
  EXPECT_EQ(j.chain.counter_epoch, 1); /* zero would not be an epoch */
}

static void everything_comes_back(void)
{
  begin(8);
  for (int i = 0; i < 500; i++) EXPECT(read_one(1000000, 0));
  struct chain before = j.chain;
  EXPECT_EQ(reboot(), JOURNAL_CONTINUED);
  EXPECT_EQ(j.chain.energy.total_mws, 500000000);
  EXPECT_EQ(j.chain.energy.on_time_ms[0], 15000000);
  EXPECT_EQ(j.chain.sequence_no, 500);
  EXPECT_EQ(j.chain.counter_epoch, before.counter_epoch);
  EXPECT_EQ(j.torn, 0);
  read_one(1, 0);
  EXPECT_EQ(j.chain.reset_reason, RESET_BROWNOUT);
  EXPECT_EQ(j.chain.loss_bound_mws, 5);
  read_one(1, 0);
  EXPECT_EQ(j.chain.reset_reason, RESET_NONE);
}

static void losses_of_boots_without_a_reading_add_up(void)
{
  begin(8);
  reboot();
  reboot();
  EXPECT_EQ(j.chain.loss_bound_mws, 15);
}

static void acknowledgements_ride_in_later_records(void)
{
  begin(8);
  for (uint64_t i = 1; i <= 10; i++) read_one(1, i == 10 ? 7 : 0);
  EXPECT_EQ(reboot(), JOURNAL_CONTINUED);
  EXPECT_EQ(j.chain.settled_through, 7);
}

static void history_is_read_back_in_order(void)
{
  begin(8);
  for (int i = 0; i < 700; i++) read_one(1000, 0);
  struct cursor c;
  EXPECT(journal_find(&j, 1, &c));
  for (uint64_t i = 1; i <= 700; i++) {
    if (c.walk.chain.sequence_no != i || c.walk.chain.energy.total_mws != i * 1000) {
      EXPECT_EQ(c.walk.chain.sequence_no, i);
      return;
    }
    bool more = journal_next(&j, &c);
    EXPECT(more == (i < 700));
  }
  EXPECT(journal_find(&j, 345, &c));
  EXPECT_EQ(c.walk.chain.energy.total_mws, 345000);
  EXPECT(!journal_find(&j, 701, &c));
}

static void a_full_ring_loses_the_oldest_readings_and_no_energy(void)
{
  begin(4);
  for (int i = 0; i < 2000; i++) read_one(1000, 0);
  struct cursor c;
  EXPECT(journal_find(&j, 1, &c));
  uint64_t oldest = c.walk.chain.sequence_no;
  EXPECT(oldest > 1000 && oldest < 1900);
  EXPECT_EQ(c.walk.chain.energy.total_mws, oldest * 1000);
  EXPECT_EQ(j.chain.energy.total_mws, 2000000);
}

static void a_cursor_whose_sector_is_erased_goes_on_behind_it(void)
{
  begin(4);
  for (int i = 0; i < 300; i++) read_one(1000, 0);
  struct cursor c;
  EXPECT(journal_find(&j, 1, &c));
  for (int i = 0; i < 700; i++) read_one(1000, 0);
  EXPECT(journal_next(&j, &c));
  EXPECT(c.walk.chain.sequence_no > 300);
  EXPECT_EQ(c.walk.chain.energy.total_mws, c.walk.chain.sequence_no * 1000);
}

static void a_wiped_ring_goes_on_from_the_mark(void)
{
  begin(8);
  for (int i = 0; i < 1000; i++) read_one(1000, 900);
  memset(sim.flash, 0xff, sizeof sim.flash);
  EXPECT_EQ(reboot(), JOURNAL_RESTORED);
  EXPECT_EQ(j.chain.counter_epoch, 77);
  EXPECT(j.chain.sequence_no > 1000 && j.chain.sequence_no <= 1000 + JOURNAL_READINGS_PER_SECTOR);
  EXPECT(j.chain.energy.total_mws <= 1000000 && j.chain.energy.total_mws >= 1000000 - JOURNAL_READINGS_PER_SECTOR * 1000);
  EXPECT(j.chain.restored);
  read_one(1, 0);
  EXPECT(j.chain.restored);
  read_one(1, 0);
  EXPECT(!j.chain.restored);
  EXPECT_EQ(reboot(), JOURNAL_CONTINUED);
}

static void a_lost_newest_sector_goes_on_from_the_mark(void)
{
  begin(8);
  for (int i = 0; i < 700; i++) read_one(1000, 0);
  memset(sim.flash + j.active * PORT_FLASH_SECTOR_BYTES, 0, 64);
  uint64_t before = j.before[j.active];
  EXPECT_EQ(reboot(), JOURNAL_RESTORED);
  EXPECT_EQ(j.chain.sequence_no, before + JOURNAL_READINGS_PER_SECTOR);
  EXPECT_EQ(j.chain.energy.total_mws, before * 1000);
  struct cursor c;
  EXPECT(journal_find(&j, before, &c)); /* the older sectors are still history */
  EXPECT_EQ(c.walk.chain.sequence_no, before);
}

static void without_ring_and_mark_a_new_epoch_begins(void)
{
  begin(8);
  for (int i = 0; i < 300; i++) read_one(1000, 0);
  memset(sim.flash, 0, sizeof sim.flash);
  memset(sim.settings, 0, sizeof sim.settings);
  EXPECT_EQ(journal_recover(&j, 4242), JOURNAL_NEW_EPOCH);
  EXPECT_EQ(j.chain.counter_epoch, 4242);
  EXPECT_EQ(j.chain.energy.total_mws, 0);
}

static void a_mark_with_a_wrong_bit_is_no_mark(void)
{
  begin(8);
  for (int i = 0; i < 300; i++) read_one(1000, 0);
  memset(sim.flash, 0xff, sizeof sim.flash);
  sim.settings[0].value[50] ^= 1;
  EXPECT_EQ(journal_recover(&j, 4242), JOURNAL_NEW_EPOCH);
}

static void a_lost_mark_is_written_again(void)
{
  begin(8);
  read_one(1000, 0);
  memset(sim.settings, 0, sizeof sim.settings);
  EXPECT_EQ(reboot(), JOURNAL_CONTINUED);
  EXPECT_TEXT(sim.settings[0].key, "mark");
  sim.settings_dead = true;
  EXPECT_EQ(reboot(), JOURNAL_CONTINUED);
  for (int i = 0; i < 300; i++) EXPECT(read_one(1000, 0));
}

static void a_broken_chain_never_repeats_a_number(void)
{
  begin(8);
  for (int i = 0; i < 50; i++) read_one(1000, 0);
  /* One bit of a record in the middle turns; the records behind it are still whole. */
  sim.flash[j.active * PORT_FLASH_SECTOR_BYTES + HEADER_BYTES + 400] ^= 0x10;
  EXPECT_EQ(reboot(), JOURNAL_CONTINUED);
  EXPECT_EQ(j.damaged, 1);
  EXPECT(j.chain.sequence_no >= 50);
  EXPECT(j.chain.energy.total_mws >= 48000 && j.chain.energy.total_mws < 50000);
  read_one(1000, 0);
  struct cursor c;
  EXPECT(journal_find(&j, 1, &c));
  uint64_t seen = 0;
  do {
    EXPECT(c.walk.chain.sequence_no > seen);
    seen = c.walk.chain.sequence_no;
  } while (journal_next(&j, &c));
  EXPECT_EQ(seen, j.chain.sequence_no);
}

static void sectors_that_refuse_are_passed_over(void)
{
  begin(16);
  sim.bad[3] = 1;
  sim.bad[4] = 2;
  sim.bad[9] = 1;
  for (int i = 0; i < 5000; i++) EXPECT(read_one(1000, 0));
  EXPECT(j.bad_sectors > 0);
  EXPECT_EQ(reboot(), JOURNAL_CONTINUED);
  EXPECT_EQ(j.chain.energy.total_mws, 5000000);
  EXPECT_EQ(j.chain.sequence_no, 5000);
}

static void a_sector_that_stops_holding_is_left(void)
{
  begin(16);
  for (int i = 0; i < 10; i++) read_one(1000, 0);
  sim.bad[j.active] = 2; /* writes report success and do not hold */
  EXPECT(read_one(1000, 0));
  sim.bad[j.active] = 1;
  EXPECT(read_one(1000, 0));
  EXPECT_EQ(reboot(), JOURNAL_CONTINUED);
  EXPECT_EQ(j.chain.sequence_no, 12);
  EXPECT_EQ(j.chain.energy.total_mws, 12000);
}

static void a_header_that_does_not_hold_is_written_elsewhere(void)
{
  begin(8);
  for (int i = 0; i < 40; i++) read_one(1000, 0);
  sim.bad[j.next] = 1;
  for (int i = 0; i < 400; i++) EXPECT(read_one(1000, 0));
  EXPECT_EQ(reboot(), JOURNAL_CONTINUED);
  EXPECT_EQ(j.chain.sequence_no, 440);
}

static void flash_that_refuses_everything_is_a_fault(void)
{
  begin(4);
  for (int i = 0; i < 40; i++) read_one(1000, 0);
  memset(sim.bad, 1, sizeof sim.bad);
  struct energy pending = {.total_mws = 5, .channel_mws = {5}};
  struct observation o = {.uptime_ms = clock_ms + 1};
  EXPECT(!journal_reading(&j, &o, &pending));
  EXPECT_EQ(pending.total_mws, 5);
  EXPECT_EQ(j.state, JOURNAL_FAULT);
  EXPECT_EQ(j.chain.sequence_no, 40);
  journal_begin_step(&j);
  EXPECT(!journal_event(&j, &(struct audit){.kind = AUDIT_SWITCH}));
  EXPECT_EQ(journal_recover(&j, 1), JOURNAL_CONTINUED); /* reading works, the sector ahead is blank */
  EXPECT(!journal_boot(&j, 1, RESET_POWER_ON, 0));
  for (uint32_t s = 0; s < 4; s++) sim.flash[s * PORT_FLASH_SECTOR_BYTES + 4000] &= 0xfe;
  EXPECT_EQ(journal_recover(&j, 1), JOURNAL_FAULT);
  memset(sim.bad, 0, sizeof sim.bad);
  EXPECT_EQ(journal_recover(&j, 1), JOURNAL_CONTINUED);
  EXPECT_EQ(j.chain.energy.total_mws, 40000);
}

static void flash_that_does_not_answer_is_a_fault(void)
{
  begin(8);
  read_one(1000, 0);
  sim.flash_dead = true;
  EXPECT_EQ(journal_recover(&j, 5), JOURNAL_FAULT);
  struct walk w;
  EXPECT(!walk_begin(&j, 0, &w));
  EXPECT(!walk_begin(&j, 999, &w));
  sim.flash_dead = false;
  EXPECT_EQ(journal_recover(&j, 5), JOURNAL_CONTINUED);
  EXPECT_EQ(j.chain.counter_epoch, 77);
  sim.sectors = 3;
  EXPECT_EQ(journal_recover(&j, 5), JOURNAL_FAULT);
}

static void sectors_of_another_life_are_no_history(void)
{
  begin(8);
  uint8_t foreign[HEADER_BYTES];
  header_encode(foreign, 1, &(struct chain){.counter_epoch = 5, .sequence_no = 3});
  for (int i = 0; i < 300; i++) read_one(1000, 0);
  memcpy(sim.flash + 6 * PORT_FLASH_SECTOR_BYTES, foreign, HEADER_BYTES);
  EXPECT_EQ(reboot(), JOURNAL_CONTINUED);
  EXPECT_EQ(j.number[6], 0);
  EXPECT_EQ(j.chain.counter_epoch, 77);
}

static void increments_too_long_for_one_record_go_in_three(void)
{
  begin(8);
  struct energy pending = {0};
  for (int i = 0; i < CHANNELS_MAX; i++) {
    pending.channel_mws[i] = (1ull << 43) + (unsigned)i; /* above what one record takes */
    pending.on_time_ms[i] = 1000000000 + (unsigned)i;
    pending.total_mws += pending.channel_mws[i];
  }
  struct energy whole = pending;
  for (int k = 1; k <= 4; k++) {
    struct observation o = {.uptime_ms = 30000u * (unsigned)k, .on = 0xff};
    EXPECT(journal_reading(&j, &o, &pending));
  }
  EXPECT_EQ(pending.total_mws, 0);
  EXPECT(memcmp(&j.chain.energy, &whole, sizeof whole) == 0);
  EXPECT_EQ(j.chain.sequence_no, 4);
  EXPECT_EQ(reboot(), JOURNAL_CONTINUED);
  EXPECT(memcmp(&j.chain.energy, &whole, sizeof whole) == 0);
}

static void a_meters_energy_and_register_stay_in_one_record(void)
{
  begin(8);
  journal_event(&j, &(struct audit){.kind = AUDIT_REVISION, .detail = 1 | 1 << 15});
  EXPECT(j.chain.metered);
  struct energy pending = {0};
  for (int i = 0; i < CHANNELS_MAX; i++) {
    pending.channel_mws[i] = 1ull << 40;
    pending.on_time_ms[i] = 1000000000 + (unsigned)i;
    pending.total_mws += pending.channel_mws[i];
  }
  pending.total_mws += 1ull << 44;
  uint64_t total_mws = pending.total_mws;
  struct observation o = {.uptime_ms = 30000, .on = 0xff, .meter_wh = 5000, .meter_known = true};
  for (int k = 0; k < 5; k++) {
    o.uptime_ms += 1000;
    EXPECT(journal_reading(&j, &o, &pending));
  }
  EXPECT_EQ(j.chain.energy.total_mws, total_mws);
  EXPECT_EQ(j.chain.energy.channel_mws[0], 0); /* the split gave way */
  EXPECT_EQ(j.chain.energy.on_time_ms[7], 1000000007);
  EXPECT_EQ(j.chain.meter_wh, 5000);
}

static void commands_are_remembered_over_a_restart(void)
{
  begin(8);
  journal_event(&j, &(struct audit){.kind = AUDIT_RESTART, .command_id = 123456});
  for (int i = 0; i < 150; i++) read_one(1000, 0); /* into the next sector */
  journal_event(&j, &(struct audit){.kind = AUDIT_RELAY, .command_id = 654321});
  EXPECT_EQ(reboot(), JOURNAL_CONTINUED);
  EXPECT(journal_knows_command(&j, 123456) && journal_knows_command(&j, 654321));
  EXPECT(!journal_knows_command(&j, 1) && !journal_knows_command(&j, 0));
  for (uint64_t i = 0; i < JOURNAL_COMMANDS_KEPT; i++) journal_event(&j, &(struct audit){.kind = AUDIT_RELAY, .command_id = 10 + i});
  EXPECT(!journal_knows_command(&j, 123456) && journal_knows_command(&j, 10));
}

static void sequence_numbers_pass_32_bits(void)
{
  begin(8);
  j.chain.sequence_no = 4294967290u;
  EXPECT(journal_open_sector(&j));
  for (int i = 0; i < 10; i++) read_one(1, 4294967290u);
  EXPECT_EQ(reboot(), JOURNAL_CONTINUED);
  EXPECT_EQ(j.chain.sequence_no, 4294967300);
  struct cursor c;
  EXPECT(journal_find(&j, 4294967296, &c));
  EXPECT_EQ(c.walk.chain.sequence_no, 4294967296);
}

int main(void)
{
  static const struct test tests[] = {
      {"a new node begins at zero", a_new_node_begins_at_zero},
      {"everything comes back", everything_comes_back},
      {"losses of boots without a reading add up", losses_of_boots_without_a_reading_add_up},
      {"acknowledgements ride in later records", acknowledgements_ride_in_later_records},
      {"history is read back in order", history_is_read_back_in_order},
      {"a full ring loses the oldest readings and no energy", a_full_ring_loses_the_oldest_readings_and_no_energy},
      {"a cursor whose sector is erased goes on behind it", a_cursor_whose_sector_is_erased_goes_on_behind_it},
      {"a wiped ring goes on from the high-water mark", a_wiped_ring_goes_on_from_the_mark},
      {"a lost newest sector goes on from the mark", a_lost_newest_sector_goes_on_from_the_mark},
      {"without ring and mark a new epoch begins", without_ring_and_mark_a_new_epoch_begins},
      {"a mark with a wrong bit is no mark", a_mark_with_a_wrong_bit_is_no_mark},
      {"a lost mark is written again", a_lost_mark_is_written_again},
      {"a broken chain of records never repeats a number", a_broken_chain_never_repeats_a_number},
      {"sectors that refuse are passed over", sectors_that_refuse_are_passed_over},
      {"a sector that stops holding is left", a_sector_that_stops_holding_is_left},
      {"a header that does not hold is written elsewhere", a_header_that_does_not_hold_is_written_elsewhere},
      {"flash that refuses everything is a fault, and nothing is lost", flash_that_refuses_everything_is_a_fault},
      {"flash that does not answer is a fault", flash_that_does_not_answer_is_a_fault},
      {"sectors of another life are no history", sectors_of_another_life_are_no_history},
      {"increments too long for one record go in three", increments_too_long_for_one_record_go_in_three},
      {"a meter's energy and register stay in one record", a_meters_energy_and_register_stay_in_one_record},
      {"commands are remembered over a restart", commands_are_remembered_over_a_restart},
      {"sequence numbers pass 32 bits", sequence_numbers_pass_32_bits},
  };
  return RUN(tests);
}
