#include "cloud.h"

static void relays_by_command(void)
{
  begin(16);
  sim.online = true;
  run(60000);
  command("{\"id\":\"on\",\"command\":\"relay\",\"device_id\":\"fan-1\",\"on\":true," VALID "}");
  EXPECT_EQ(sim.relays, 4);
  EXPECT(last_says("/reply", "\"id\":\"on\",\"command\":\"relay\",\"status\":\"done\""));
  run(10000);
  EXPECT(last_says("/telemetry", "\"cause\":\"command\""));
  command("{\"id\":\"on\",\"command\":\"relay\",\"device_id\":\"fan-1\",\"on\":false," VALID "}");
  EXPECT(last_says("/reply", "\"reason\":\"repeated\""));
  EXPECT_EQ(sim.relays, 4);
  command("{\"id\":\"late\",\"command\":\"relay\",\"device_id\":\"fan-1\",\"on\":false,\"expires_at\":1768456800000}");
  EXPECT(last_says("/reply", "\"reason\":\"expired\""));
  command("not JSON");
  EXPECT(last_says("/reply", "\"id\":null,\"command\":\"unknown\",\"status\":\"refused\""));
  reboot(RESET_BROWNOUT);
  EXPECT_EQ(sim.relays, 4); /* as before the power went */
  run(60000);
  command("{\"id\":\"on\",\"command\":\"relay\",\"device_id\":\"fan-1\",\"on\":false," VALID "}");
  EXPECT(last_says("/reply", "\"reason\":\"repeated\""));
  check_within_a_period();
  uint64_t sent = sim.sent_count;
  node_on_mqtt_message(&node, "autovolt/another/commands", "{}", 2);
  EXPECT_EQ(sim.sent_count, sent);
}

static void configuration_by_command(void)
{
  begin(16);
  sim.online = true;
  sim.switches = 15;
  run(300000);
  sim.online = false;
  run(300000);
  sim.online = true;
  wait_for_session();
  uint64_t before = node.journal.chain.sequence_no;
  command("{\"id\":\"c1\",\"command\":\"configuration\"," VALID ",\"configuration\":{\"period_ms\":5000,\"telemetry_rule\":\"autovolt_dev_telemetry\","
          "\"channels\":[{\"device_id\":\"lamp\",\"rated_w\":36},{\"device_id\":\"light-2\",\"rated_w\":50}]}}");
  EXPECT(last_says("/reply", "\"status\":\"done\",\"configuration_revision\":2"));
  EXPECT_EQ(sim.relays, 3); /* the channels that are gone are off */
  EXPECT_EQ(node.journal.chain.revision, 2);
  sim.load_mw[1] = 50000;
  /* Readings from before keep their names, however late they are sent. */
  struct cursor c;
  EXPECT(journal_find(&node.journal, before, &c));
  EXPECT_TEXT(node_named_by(&node, &c.walk.chain)->channels[0].device_id, "light-1");
  run(10000);
  EXPECT(last_says("/telemetry", "\"device_id\":\"lamp\""));
  EXPECT(strcmp(sim_last("/telemetry")->topic, "$aws/rules/autovolt_dev_telemetry/autovolt/esp32-b2-101/telemetry") == 0);
  drain();
  check_cloud();
  EXPECT_EQ(node_energy(&node).total_mws, sim.truth_mws);
  reboot(RESET_SOFTWARE);
  EXPECT_EQ(node.configurations.current->revision, 2);
  EXPECT_EQ(node.machine.period_ms, 5000);
}

static void a_meter_by_command(void)
{
  begin(16);
  sim.online = true;
  sim.switches = 3;
  run(300000);
  sim.meter_fitted = true;
  sim.meter_mws = 5000ull * MWS_PER_WH;
  command("{\"id\":\"m\",\"command\":\"configuration\"," VALID ",\"configuration\":{\"mode\":\"meter\",\"meter_address\":1,\"period_ms\":1000}}");
  EXPECT(last_says("/reply", "\"status\":\"done\""));
  run(3600000);
  uint64_t counted_mws = node_energy(&node).total_mws;
  EXPECT(counted_mws <= sim.truth_mws && sim.truth_mws - counted_mws < 2 * MWS_PER_WH);
  EXPECT(node.journal.chain.metered);
  command("{\"id\":\"r\",\"command\":\"configuration\"," VALID ",\"configuration\":{\"mode\":\"relay\"}}");
  run(60000);
  EXPECT(!node.journal.chain.metered);
  EXPECT(node_energy(&node).total_mws > counted_mws);
  EXPECT_EQ(witness.contradictions, 0);
}

static void names_in_use_are_not_given_away(void)
{
  begin(16);
  sim.online = true;
  run(60000);
  static const char form[] = "{\"id\":\"n%d\",\"command\":\"configuration\"," VALID ",\"configuration\":{\"period_ms\":%d}}";
  char text[256];
  int accepted = 0;
  for (int i = 0; i < 6; i++) {
    snprintf(text, sizeof text, form, i, 30000 + i);
    command(text); /* no acknowledgement comes: the oldest names stay needed */
    accepted += strstr(sim_last("/reply")->payload, "\"status\":\"done\"") != NULL;
  }
  EXPECT(accepted >= 3 && accepted < 6);
  EXPECT(last_says("/reply", "\"reason\":\"backlog_needs_former_names\""));
  drain();
  run(10000);
  command("{\"id\":\"again\",\"command\":\"configuration\"," VALID ",\"configuration\":{\"period_ms\":5000}}");
  EXPECT(last_says("/reply", "\"status\":\"done\""));
  /* Readings under names no longer kept are not held any more for a resend. */
  snprintf(text, sizeof text, "{\"id\":\"first\",\"command\":\"resend\"," VALID ",\"counter_epoch\":%u,\"from_sequence_no\":1,\"to_sequence_no\":1}",
           node.journal.chain.counter_epoch);
  command(text);
  run(5000);
  EXPECT(last_says("/telemetry", "\"gaps\":[{\"from_sequence_no\":1,\"to_sequence_no\":1,"));
  command("{\"id\":\"old\",\"command\":\"resend\"," VALID ",\"counter_epoch\":1,\"from_sequence_no\":1,\"to_sequence_no\":1}");
  EXPECT(last_says("/reply", "\"reason\":\"other_counter_epoch\""));
}

static void resend_by_command(void)
{
  begin(16);
  sim.online = true;
  sim.switches = 1;
  run(1800000);
  drain();
  memset(received, 0, sizeof received);
  char text[256];
  snprintf(text, sizeof text, "{\"id\":\"r1\"," VALID ",\"counter_epoch\":%u,\"from_sequence_no\":10,\"to_sequence_no\":50}",
           node.journal.chain.counter_epoch);
  node_on_mqtt_message(&node, "autovolt/esp32-b2-101/resend", text, (uint32_t)strlen(text));
  EXPECT(last_says("/reply", "\"command\":\"resend\",\"status\":\"done\""));
  run(60000);
  for (int i = 10; i <= 50; i++) EXPECT(received[i]);
  EXPECT(!received[9] && !received[51]);
  EXPECT_EQ(witness.contradictions, 0);
  /* Sent again over a break of the session. */
  memset(received, 0, sizeof received);
  snprintf(text, sizeof text, "{\"id\":\"r2\",\"command\":\"resend\"," VALID ",\"counter_epoch\":%u,\"from_sequence_no\":1,\"to_sequence_no\":999999}",
           node.journal.chain.counter_epoch);
  command(text);
  sim_run(&node, 1000, 1000);
  node_on_mqtt_down(&node);
  run(120000);
  drain();
  for (int i = 1; i <= 50; i++) EXPECT(received[i]);
  for (int i = 0; i < 8; i++) {
    snprintf(text, sizeof text, "{\"id\":\"m%d\",\"command\":\"resend\"," VALID ",\"counter_epoch\":%u,\"from_sequence_no\":1,\"to_sequence_no\":9}", i,
             node.journal.chain.counter_epoch);
    command(text);
  }
  EXPECT(last_says("/reply", "\"reason\":\"too_many_resends\""));
}

static void resend_of_what_is_gone(void)
{
  begin(4);
  sim.online = true;
  run(43200000);
  drain();
  char text[256];
  snprintf(text, sizeof text, "{\"id\":\"r\",\"command\":\"resend\"," VALID ",\"counter_epoch\":%u,\"from_sequence_no\":5,\"to_sequence_no\":8}",
           node.journal.chain.counter_epoch);
  command(text);
  run(5000);
  EXPECT(last_says("/telemetry", "\"gaps\":[{\"from_sequence_no\":5,\"to_sequence_no\":8,"));
  EXPECT(last_says("/telemetry", "\"reason\":\"not_held\""));
  EXPECT_EQ(node.outbox.resend_count, 0);
}

static void restart_by_command(void)
{
  begin(16);
  sim.online = true;
  run(60000);
  command("{\"id\":\"boot\",\"command\":\"restart\"," VALID "}");
  EXPECT(last_says("/reply", "\"status\":\"done\""));
  run(5000);
  EXPECT_EQ(sim.restarts, 1);
  reboot(RESET_SOFTWARE);
  run(30000);
  command("{\"id\":\"boot\",\"command\":\"restart\"," VALID "}"); /* delivered again */
  EXPECT(last_says("/reply", "\"reason\":\"repeated\""));
  run(5000);
  EXPECT_EQ(sim.restarts, 1);
}

static void wall_switches_work_offline_and_are_reported(void)
{
  begin(16);
  sim_run(&node, 10000, 50);
  sim.switches = 2;
  sim_run(&node, 20, 20);
  EXPECT_EQ(sim.relays, 0); /* bouncing */
  sim_run(&node, 200, 50);
  EXPECT_EQ(sim.relays, 2);
  sim.switches = 3;
  sim_run(&node, 20, 20);
  sim.switches = 2; /* a spike on the line */
  sim_run(&node, 1000, 50);
  EXPECT_EQ(sim.relays, 2);
  sim_run(&node, 10000, 1000);
  EXPECT_EQ(node.journal.chain.cause, CAUSE_SWITCH);
  sim.online = true;
  drain();
  check_cloud();
  command("{\"id\":\"off\",\"command\":\"relay\",\"device_id\":\"light-2\",\"on\":false," VALID "}");
  EXPECT_EQ(sim.relays, 0);
  sim.switches = 0; /* turning the rocker back switches on again: it toggles */
  sim_run(&node, 200, 50);
  EXPECT_EQ(sim.relays, 2);
  EXPECT_EQ(node_energy(&node).total_mws, sim.truth_mws);
}

int main(void)
{
  static const struct test tests[] = {
      {"relays by command: done, repeated, expired, malformed", relays_by_command},
      {"configuration by command", configuration_by_command},
      {"a meter by command", a_meter_by_command},
      {"names in use are not given away", names_in_use_are_not_given_away},
      {"resend by command", resend_by_command},
      {"resend of what is gone", resend_of_what_is_gone},
      {"restart by command, once", restart_by_command},
      {"wall switches work offline and are reported", wall_switches_work_offline_and_are_reported},
  };
  return RUN(tests);
}
