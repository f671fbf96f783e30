#include "cloud.h"

static void a_storage_fault_at_work(void)
{
  begin(8);
  sim.online = true;
  sim.switches = 1;
  run(600000);
  memset(sim.bad, 1, sizeof sim.bad);
  run(120000);
  EXPECT_EQ(machine_state(&node.machine), STATE_SAFE);
  EXPECT_EQ(sim.led, LED_FAULT);
  EXPECT(last_says("/heartbeat", "\"state\":\"fault\""));
  EXPECT(last_says("/heartbeat", "\"counter\":\"invalid\""));
  sim.switches = 3;
  run(10000);
  EXPECT_EQ(sim.relays, 3);
  command("{\"id\":\"f\",\"command\":\"relay\",\"device_id\":\"fan-1\",\"on\":true," VALID "}");
  EXPECT_EQ(sim.relays, 7);
  command("{\"id\":\"f\",\"command\":\"relay\",\"device_id\":\"fan-1\",\"on\":true," VALID "}");
  EXPECT(last_says("/reply", "\"reason\":\"repeated\""));
  command("{\"id\":\"g\",\"command\":\"restart\"," VALID "}");
  EXPECT(last_says("/reply", "\"reason\":\"storage_fault\""));
  command("{\"id\":\"h\",\"command\":\"configuration\"," VALID ",\"configuration\":{\"period_ms\":5000}}");
  EXPECT(last_says("/reply", "\"reason\":\"storage_fault\""));
  char text[256];
  snprintf(text, sizeof text, "{\"id\":\"i\",\"command\":\"resend\"," VALID ",\"counter_epoch\":%u,\"from_sequence_no\":1,\"to_sequence_no\":9}",
           node.journal.chain.counter_epoch);
  command(text);
  EXPECT(last_says("/reply", "\"reason\":\"storage_fault\""));
  run(600000);
  memset(sim.bad, 0, sizeof sim.bad);
  run(STORAGE_RETRY_MAX_MS + 5000);
  /* The flash works again: nothing measured meanwhile is lost. */
  EXPECT_EQ(machine_state(&node.machine), STATE_LIVE);
  EXPECT_EQ(node_energy(&node).total_mws, sim.truth_mws);
  drain();
  check_cloud();
  reboot(RESET_POWER_ON);
  check_within_a_period();
}

static void a_storage_fault_from_the_start(void)
{
  begin(8);
  sim.online = true;
  sim.switches = 1;
  run(600000);
  sim.flash_dead = true;
  uint64_t published = witness.readings;
  reboot(RESET_BROWNOUT);
  sim.switches = 0;
  run(300000);
  EXPECT_EQ(machine_state(&node.machine), STATE_SAFE);
  EXPECT(!node.counter_known);
  EXPECT_EQ(witness.readings, published); /* never a zero */
  EXPECT_EQ(sim.relays, 1);
  sim.flash_dead = false;
  run(STORAGE_RETRY_MAX_MS + 5000);
  EXPECT_EQ(machine_state(&node.machine), STATE_LIVE);
  EXPECT_EQ(node_energy(&node).total_mws, sim.truth_mws); /* with what was measured in SAFE */
  drain();
  check_cloud();
}

static void a_lost_ring_skips_numbers_and_says_so(void)
{
  begin(8);
  sim.online = true;
  sim.switches = 1;
  run(7200000);
  drain();
  memset(sim.flash, 0xff, sizeof sim.flash);
  uint32_t epoch = node.journal.chain.counter_epoch;
  reboot(RESET_POWER_ON);
  EXPECT_EQ(node.journal.chain.counter_epoch, epoch);
  EXPECT(node.journal.chain.sequence_no >= witness.highest_sequence_no);
  run(60000);
  drain();
  EXPECT_EQ(witness.contradictions, 0);
  EXPECT(witness.gaps > 0);
}

/* An evening with a configuration, a restart and a full ring; one access to flash or settings fails in it. */
static void an_evening_with(uint64_t read, uint64_t operation)
{
  begin(4);
  sim.fail_read_at = read;
  sim.fail_operation_at = operation;
  sim.online = true;
  sim.switches = 5;
  run(600000);
  command("{\"id\":\"c\",\"command\":\"configuration\"," VALID ",\"configuration\":{\"period_ms\":10000}}");
  run(1800000);
  command("{\"id\":\"s\",\"command\":\"relay\",\"device_id\":\"fan-1\",\"on\":false," VALID "}");
  run(100000);
  reboot(RESET_WATCHDOG);
  run(1200000);
}

static void check_evening(void)
{
  static uint32_t wrong;
  uint64_t counted_mws = node_energy(&node).total_mws;
  bool well = counted_mws <= sim.truth_mws && sim.truth_mws - counted_mws <= 433000u * 30 && witness.contradictions == 0 &&
              witness.above_truth == 0 && witness.epochs == 1 && machine_state(&node.machine) != STATE_SAFE;
  if (!well && wrong++ < 3) printf("  read %llu, operation %llu\n", (unsigned long long)sim.fail_read_at, (unsigned long long)sim.fail_operation_at);
  EXPECT(well);
}

static void any_one_write_or_erase_fails(void)
{
  an_evening_with(0, 0);
  uint64_t operations = sim.operations;
  for (uint64_t i = 1; i <= operations; i++) {
    an_evening_with(0, i);
    check_evening();
  }
  EXPECT(operations > 300);
}

static void any_one_read_fails(void)
{
  an_evening_with(0, 0);
  uint64_t reads = sim.reads;
  /* All of the start, then one in 97: there are tens of thousands. */
  for (uint64_t i = 1; i <= reads; i += i < 200 ? 1 : 97) {
    an_evening_with(i, 0);
    check_evening();
  }
  /* And all of the recovery after the restart. */
  for (uint64_t back = 1; back <= 400; back++) {
    an_evening_with(0, 0);
    sim.fail_read_at = sim.reads + back;
    reboot(RESET_BROWNOUT);
    run(120000);
    check_within_a_period();
    EXPECT(machine_state(&node.machine) != STATE_SAFE && witness.contradictions == 0 && witness.epochs == 1);
  }
}

static void settings_lost_are_replaced(void)
{
  begin(8);
  sim.online = true;
  run(600000);
  memset(sim.settings, 0, sizeof sim.settings);
  reboot(RESET_POWER_ON);
  EXPECT_EQ(node.configurations.current->revision, 2); /* built in, under a new revision */
  run(60000);
  drain();
  check_cloud();
}

static void an_update_confirms_itself(void)
{
  begin(8);
  sim.ota_pending = true;
  reboot(RESET_SOFTWARE);
  sim.online = true;
  sim_run(&node, 5000, 1000);
  EXPECT_EQ(machine_state(&node.machine), STATE_OTA_VERIFY);
  EXPECT(!sim.ota_confirmed);
  run(5000);
  EXPECT(sim.ota_confirmed);
  sim.ota_pending = true;
  sim.online = false;
  reboot(RESET_SOFTWARE);
  sim_run(&node, 700000, 5000);
  EXPECT(sim.ota_rolled_back);
}

static void a_node_without_a_certificate(void)
{
  begin(8);
  sim.provisioned = false;
  reboot(RESET_POWER_ON);
  sim.online = true;
  sim_run(&node, 60000, 5000);
  EXPECT(sim.provision_asked);
  EXPECT(node.journal.chain.sequence_no > 0);
  sim.provisioned = true;
  node_on_identity(&node, true);
  run(60000);
  drain();
  check_cloud();
}

int main(void)
{
  static const struct test tests[] = {
      {"a storage fault at work", a_storage_fault_at_work},
      {"a storage fault from the start", a_storage_fault_from_the_start},
      {"a lost ring skips numbers and says so", a_lost_ring_skips_numbers_and_says_so},
      {"any one write, erase or setting fails", any_one_write_or_erase_fails},
      {"any one read fails", any_one_read_fails},
      {"settings lost are replaced", settings_lost_are_replaced},
      {"an update confirms itself or is rolled back", an_update_confirms_itself},
      {"a node without a certificate", a_node_without_a_certificate},
  };
  return RUN(tests);
}
