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
  run(120000);
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
  run(120000);
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
  sim.settings_dead = true;
  memset(sim.settings, 0, sizeof sim.settings);
  reboot(RESET_POWER_ON);
  run(60000);
  EXPECT_EQ(machine_state(&node.machine), STATE_SAFE);
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
      {"settings lost are replaced", settings_lost_are_replaced},
      {"an update confirms itself or is rolled back", an_update_confirms_itself},
      {"a node without a certificate", a_node_without_a_certificate},
  };
  return RUN(tests);
}
