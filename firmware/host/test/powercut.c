#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include "test.h"
#include "witness.h"

/*
 * Power is cut during flash operations, in the middle of bytes, of records, of erases, of the
 * recovery from the cut before. After each cut the counter must be at least what was last published,
 * at most the truth, and short of it by no more than one period since the last record. With a meter
 * nothing is lost at all: once its register was read again, only what it does not show yet is missing.
 */

static const struct configuration classroom = {
    .period_ms = 30000, .channel_count = 4,
    .channels = {{"light-1", 36000}, {"light-2", 40000}, {"fan-1", 72000}, {"projector", 285000}}};

static const struct configuration metered_classroom = {
    .mode = MEASURE_METER, .meter_address = 1, .period_ms = 30000, .channel_count = 4,
    .channels = {{"light-1", 36000}, {"light-2", 40000}, {"fan-1", 72000}, {"projector", 285000}}};

static const struct configuration *factory = &classroom;

#define FULL_LOAD_MW 433000u
#define STEP_MS 5000u /* a part of the period, so that readings fall due on a step */
#define LOSS_MAX_MWS (30000u * (uint64_t)FULL_LOAD_MW / 1000u)
/* The last Wh of the register, and two steps until it is read. */
#define UNREAD_MAX_MWS (MWS_PER_WH + 2 * (uint64_t)STEP_MS * FULL_LOAD_MW / 1000u)

static struct node node;
static uint32_t violations;

static void violated(const char *rule)
{
  if (violations++ < 5) printf("  violated: %s (operation %" PRIu64 ")\n", rule, sim.operations);
}

static void check_published(void)
{
  if (witness.contradictions) violated("a sequence number was published with other content");
  if (witness.above_truth) violated("more was published than the loads took");
  if (witness.oversized) violated("a message was too large");
  if (witness.epochs > 1) violated("the counter epoch changed");
}

/* Channels, on-times and total tell the same story; ratings do not change here, and steps are whole seconds. */
static void check_parts(const struct energy *e)
{
  uint64_t sum_mws = 0;
  for (int i = 0; i < CHANNELS_MAX; i++) {
    sum_mws += e->channel_mws[i];
    if (factory->mode == MEASURE_METER) continue;
    if (e->on_time_ms[i] / 1000 * classroom.channels[i].rated_mw != e->channel_mws[i]) violated("on-time and energy of a channel part");
  }
  /* What the meter shows of times without power is the node's alone. */
  bool adds_up = factory->mode == MEASURE_METER ? sum_mws <= e->total_mws : sum_mws == e->total_mws;
  if (!adds_up) violated("the channels do not sum to the total");
}

/* After the recovery: `counted_mws` was counted (on flash or not) when the power failed. */
static void check_recovered(const struct node *recovered, uint64_t counted_mws)
{
  struct energy energy = node_energy(recovered);
  uint64_t counter_mws = energy.total_mws;
  check_parts(&energy);
  if (!recovered->counter_known) violated("the counter is not known");
  if (counter_mws / MWS_PER_MWH < witness.highest_mwh) violated("the counter is lower than published");
  if (counter_mws > counted_mws) violated("the counter is above the truth");
  if (factory->mode == MEASURE_RELAY && counted_mws - counter_mws > LOSS_MAX_MWS) violated("more than a period is lost");
  if (journal_knows_command(&recovered->journal, command_hash("b")) && recovered->configurations.current->revision != 2)
    violated("a configuration was eaten");
  if (recovered->journal.chain.sequence_no < witness.highest_sequence_no) violated("a published number is forgotten");
  check_published();
}

/* The register was read since the boot, and no time without power is in doubt. */
static bool meter_is_read(const struct node *n)
{
  return n->meter.known && !n->meter.over_gap && n->meter.odd_count == 0 && n->meter.doubt_wh == 0;
}

static void check_metered(const struct node *n)
{
  uint64_t counter_mws = node_energy(n).total_mws;
  if (counter_mws > sim.truth_mws) violated("the meter's energy was counted twice");
  if (meter_is_read(n) && sim.truth_mws - counter_mws > UNREAD_MAX_MWS) violated("the meter's energy was lost");
}

static void new_day(uint32_t sectors, uint64_t seed, const struct configuration *configuration)
{
  factory = configuration;
  sim_new(sectors);
  sim.meter_fitted = factory->mode == MEASURE_METER;
  sim.random = seed;
  for (int i = 0; i < CHANNELS_MAX; i++) sim.load_mw[i] = classroom.channels[i].rated_mw;
  witness_begin();
  violations = 0;
}

/* ---- Every operation of a scripted day, four ways ---- */

static struct sim saved_sim;
static struct witness saved_witness;
static struct node other;
static uint64_t explored;

/* Flash is the last member: only the part in use is copied. */
static void copy_sim(struct sim *to, const struct sim *from)
{
  memcpy(to, from, offsetof(struct sim, flash) + from->sectors * PORT_FLASH_SECTOR_BYTES);
}

/* A second node boots from what this operation, torn after `bytes_done` bytes, left on flash. */
static void boot_from(enum sim_operation kind, uint32_t offset, const void *from, uint32_t bytes, uint32_t bytes_done)
{
  uint64_t counted_mws = sim.truth_mws;
  copy_sim(&saved_sim, &sim);
  memcpy(&saved_witness, &witness, sizeof witness);
  sim.on_operation = NULL;
  sim_apply(kind, offset, from, bytes, bytes_done);
  sim_power_on(RESET_BROWNOUT);
  node_start(&other, factory);
  check_recovered(&other, counted_mws);
  /* It goes on: what it publishes now must agree with what was published before the cut. */
  uint64_t lost_mws = sim.truth_mws - node_energy(&other).total_mws;
  for (int i = 0; i < 4; i++) {
    sim_run(&other, 20000, 5000);
    sim_acknowledge_all(&other);
  }
  check_published();
  if (factory->mode == MEASURE_METER) check_metered(&other);
  else if (sim.truth_mws - node_energy(&other).total_mws != lost_mws) violated("energy was lost without a cut");
  memcpy(&witness, &saved_witness, sizeof witness);
  copy_sim(&sim, &saved_sim);
  explored++;
}

static void explore(enum sim_operation kind, uint32_t offset, const void *from, uint32_t bytes)
{
  boot_from(kind, offset, from, bytes, 0);
  boot_from(kind, offset, from, bytes, sim_chance(bytes));
  boot_from(kind, offset, from, bytes, bytes - 1);
  if (kind != SIM_SETTING) boot_from(kind, offset, from, bytes, bytes);
}

static void command(const char *text)
{
  char topic[] = "autovolt/esp32-b2-101/commands";
  node_on_mqtt_message(&node, topic, text, (uint32_t)strlen(text));
}

static void every_operation(const struct configuration *configuration, int minutes, uint64_t least)
{
  new_day(8, 3, configuration);
  explored = 0;
  node_start(&node, factory);
  if (factory->mode == MEASURE_METER) sim_run(&node, 60000, 5000); /* until the register's first value is on flash */
  sim.on_operation = explore;
  for (int minute = 0; minute < minutes; minute++) {
    if (minute % 97 == 3) sim.switches ^= (uint8_t)(1u << minute % 4);
    sim.online = minute % 240 > 60 && minute % 17 != 0;
    if (minute == 300)
      command("{\"id\":\"a\",\"command\":\"relay\",\"device_id\":\"projector\",\"on\":true,\"expires_at\":1799999999000}");
    if (minute == 700)
      command("{\"id\":\"b\",\"command\":\"configuration\",\"expires_at\":1799999999000,"
              "\"configuration\":{\"channels\":[{\"device_id\":\"lamp\",\"rated_w\":36},{\"device_id\":\"light-2\",\"rated_w\":40},"
              "{\"device_id\":\"fan-1\",\"rated_w\":72},{\"device_id\":\"projector\",\"rated_w\":285}]}}");
    sim_run(&node, 60000, 5000);
    if (minute % 5 != 0) sim_acknowledge_all(&node);
  }
  sim.on_operation = NULL;
  check_published();
  EXPECT_EQ(violations, 0);
  if (factory->mode == MEASURE_METER) EXPECT(sim.truth_mws - node_energy(&node).total_mws <= UNREAD_MAX_MWS);
  else EXPECT_EQ(node_energy(&node).total_mws, sim.truth_mws);
  EXPECT(node.configurations.current->revision == 2);
  EXPECT(explored > least);
  printf("  %" PRIu64 " boots from the %" PRIu64 " operations\n", explored, sim.operations);
}

static void every_operation_of_a_day(void)
{
  every_operation(&classroom, 1440, 11000);
}

static void every_operation_of_a_day_with_a_meter(void)
{
  every_operation(&metered_classroom, 1440, 11000);
}

/* ---- Random cuts, one upon the other ---- */

static uint64_t lost_mws, seen_torn;

static void live_a_while(void)
{
  for (;;) {
    uint32_t chance = sim_chance(64);
    if (chance == 0) sim.switches = (uint8_t)sim_chance(16);
    if (chance == 1 && sim_chance(8) == 0) sim.online = sim_chance(2);
    sim_pass(STEP_MS);
    node_poll(&node);
    sim_network(&node);
    if (chance > 40) sim_acknowledge_all(&node);
    if (factory->mode == MEASURE_METER) check_metered(&node);
    else if (sim.truth_mws - node_energy(&node).total_mws != lost_mws) violated("energy was lost or made without a cut");
  }
}

/* An hour without power now and then, in which other circuits go on; some boots have no clock. */
static void stay_off(uint64_t *clock_ms)
{
  if (sim.wall_ms != 0) *clock_ms = sim.wall_ms;
  if (sim_chance(8) == 0) {
    uint64_t taken_mws = sim_chance(3000) * (uint64_t)MWS_PER_WH;
    sim.meter_mws += taken_mws;
    sim.truth_mws += taken_mws;
    *clock_ms += 3600000;
  }
  sim.wall_ms = sim_chance(4) ? *clock_ms : 0;
}

static void random_cuts(const struct configuration *configuration, uint32_t cuts, uint32_t sectors, uint64_t seed)
{
  new_day(sectors, seed, configuration);
  bool metered = factory->mode == MEASURE_METER;
  uint64_t clock_ms = sim.wall_ms;
  if (metered) {
    node_start(&node, factory);
    sim_run(&node, 60000, STEP_MS);
  }
  lost_mws = seen_torn = 0;
  volatile uint32_t done = 0;
  while (done < cuts && violations == 0) {
    /* Half of the cuts hit the recovery from the one before. */
    sim.cut_at = sim.operations + 1 + (sim_chance(2) ? sim_chance(4) : sim_chance(120));
    clock_ms += sim.wall_ms == 0 ? sim.uptime_ms : 0;
    sim_power_on(done % 3 ? RESET_POWER_ON : RESET_BROWNOUT);
    if (metered) stay_off(&clock_ms);
    if (setjmp(sim.cut) == 0) {
      node_start(&node, factory);
      check_recovered(&node, sim.truth_mws - (factory->mode == MEASURE_METER ? 0 : lost_mws));
      lost_mws = sim.truth_mws - node_energy(&node).total_mws;
      seen_torn += node.journal.torn;
      live_a_while();
    }
    done++;
    check_published();
  }
  if (metered) {
    /* With the clock and a minute to read the register nothing is missing, whatever was cut. */
    sim.cut_at = 0;
    clock_ms += sim.wall_ms == 0 ? sim.uptime_ms : 0;
    sim_power_on(RESET_POWER_ON);
    sim.wall_ms = sim.wall_ms == 0 ? clock_ms : sim.wall_ms;
    node_start(&node, factory);
    sim_run(&node, 60000, STEP_MS);
    EXPECT(meter_is_read(&node));
    check_metered(&node);
  }
  EXPECT_EQ(violations, 0);
  EXPECT_EQ(sim.set_bits, 0);
  EXPECT(cuts < 1000 || witness.gaps > 0);
  EXPECT(cuts < 1000 || seen_torn > cuts / 10);
  printf("  %u cuts on %u sectors: %" PRIu64 " readings published, %" PRIu64 " torn records stepped over, %" PRIu64
         " readings announced as lost\n", cuts, sectors, witness.readings, seen_torn, witness.gaps);
}

static uint32_t cuts = 20000;

static void cuts_on_four_sectors(void)
{
  random_cuts(&classroom, cuts / 2, 4, 11);
}

static void cuts_on_eight_sectors(void)
{
  uint64_t seed = (uint64_t)time(NULL);
  printf("  seed %" PRIu64 "\n", seed);
  random_cuts(&classroom, cuts / 2, 8, seed);
}

static void cuts_with_a_meter(void)
{
  uint64_t seed = (uint64_t)time(NULL);
  printf("  seed %" PRIu64 "\n", seed);
  random_cuts(&metered_classroom, cuts / 2, 4, 12);
  random_cuts(&metered_classroom, cuts / 2, 8, seed);
}

int main(int argc, char **argv)
{
  /* By hand: test_powercut 1000000 */
  if (argc > 1) cuts = (uint32_t)strtoul(argv[1], NULL, 10);
  static const struct test tests[] = {
      {"power cut at every flash operation of a day", every_operation_of_a_day},
      {"power cut at every flash operation of a day with a meter", every_operation_of_a_day_with_a_meter},
      {"random cuts upon cuts, 4 sectors", cuts_on_four_sectors},
      {"random cuts upon cuts, 8 sectors, another seed each time", cuts_on_eight_sectors},
      {"random cuts upon cuts with a meter, some without a clock, some after an hour off", cuts_with_a_meter},
  };
  return RUN(tests);
}
