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

/* The session's queue is full: the log says which command has no answer, and given again it gets one. */
static void a_command_that_cannot_be_answered(void)
{
  static const char on[] = "{\"id\":\"on\",\"command\":\"relay\",\"device_id\":\"fan-1\",\"on\":true," VALID "}";
  begin(16);
  sim.online = true;
  run(60000);
  sim.refuse_publish = true;
  command(on);
  EXPECT_EQ(sim.relays, 4);
  EXPECT_TEXT(sim.logged, "not_answered");
  EXPECT_EQ(sim.logged_value, COMMAND_RELAY);
  sim.refuse_publish = false;
  command(on);
  EXPECT(last_says("/reply", "\"reason\":\"repeated\""));
  EXPECT_TEXT(sim.logged, "command_refused");
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

/* Contacts that never come to rest, for an hour and offline: what was measured before is not driven out of the journal. */
static void a_broken_switch_does_not_drive_the_backlog_out(void)
{
  begin(32);
  run(3600000);
  for (uint64_t passed = 0; passed < 3600000; passed += 150) {
    sim.switches ^= 1;
    sim_run(&node, 150, 50);
  }
  EXPECT(node.journal.newest < 32);
  EXPECT_EQ(node_energy(&node).total_mws, sim.truth_mws);
  sim.online = true;
  wait_for_session();
  drain();
  check_cloud();
  EXPECT_EQ(witness.gaps, 0);
  /* At rest again, each turn counts at once, over a power cut as well. */
  sim_run(&node, 300000, 1000);
  for (int turn = 0; turn < 4; turn++) {
    sim.switches ^= 2;
    sim_run(&node, 150, 50);
  }
  sim.switches ^= 4;
  sim_run(&node, 150, 50);
  uint8_t relays = sim.relays;
  EXPECT(relays & 4);
  reboot(RESET_BROWNOUT);
  EXPECT_EQ(sim.relays, relays);
}

/* ---- Commands and power cuts ---- */

/* The power fails at each operation of a command; the broker delivers it again after the restart. */
static void deliver_over_a_cut(const char *text, uint64_t at)
{
  begin(8);
  sim.online = true;
  run(60000);
  sim.cut_at = sim.operations + at;
  if (setjmp(sim.cut) == 0) {
    command(text);
    sim_run(&node, 60000, 5000);
  }
  sim.cut_at = 0;
  reboot(RESET_BROWNOUT);
  run(30000);
  command(text);
  run(30000);
}

static void a_configuration_is_never_eaten(void)
{
  for (uint64_t at = 1; at <= 6; at++) {
    deliver_over_a_cut("{\"id\":\"c\",\"command\":\"configuration\"," VALID ",\"configuration\":{\"period_ms\":5000}}", at);
    EXPECT_EQ(node.machine.period_ms, 5000);
    EXPECT_EQ(node.journal.chain.revision, 2);
  }
}

/* Flash or settings refuse: the answer says so, and the same command is carried out when they work again. */
static void a_configuration_that_cannot_be_stored_can_be_given_again(void)
{
  static const char text[] = "{\"id\":\"c\",\"command\":\"configuration\"," VALID ",\"configuration\":{\"period_ms\":5000}}";
  for (uint64_t working = 0; working <= 3; working++) {
    begin(8);
    sim.online = true;
    sim.switches = 3;
    run(60000);
    /* From some operation of the command on nothing is taken any more; 3: the settings alone refuse. */
    sim.settings_dead = working == 3;
    if (working == 0) memset(sim.bad, 1, sizeof sim.bad);
    if (working == 1 || working == 2) sim.fail_operation_at = sim.operations + working;
    command(text);
    bool refused = strstr(sim_last("/reply")->payload, "\"reason\":\"storage_fault\"") != NULL;
    EXPECT(refused == (working != 1)); /* a single write that fails is written elsewhere */
    EXPECT_EQ(node.journal.chain.revision, refused ? 1 : 2);
    memset(sim.bad, 0, sizeof sim.bad);
    sim.settings_dead = false;
    run(STORAGE_RETRY_MAX_MS + 5000);
    command(text);
    EXPECT(last_says("/reply", refused ? "\"status\":\"done\"" : "\"reason\":\"repeated\""));
    EXPECT_EQ(node.machine.period_ms, 5000);
    EXPECT_EQ(node_energy(&node).total_mws, sim.truth_mws);
    drain();
    check_cloud();
  }
}

static void a_relay_command_is_never_eaten(void)
{
  for (uint64_t at = 1; at <= 4; at++) {
    deliver_over_a_cut("{\"id\":\"r\",\"command\":\"relay\",\"device_id\":\"fan-1\",\"on\":true," VALID "}", at);
    EXPECT_EQ(sim.relays, 4);
  }
}

static void an_over_long_command_is_refused(void)
{
  begin(8);
  sim.online = true;
  run(60000);
  static char text[5000];
  memset(text, 'x', sizeof text);
  node_on_mqtt_message(&node, "autovolt/esp32-b2-101/commands", text, sizeof text);
  EXPECT(last_says("/reply", "\"id\":null,\"command\":\"unknown\",\"status\":\"refused\",\"reason\":\"a command must be at most 2048 bytes\""));
  uint64_t sent = sim.sent_count;
  node_on_mqtt_message(&node, "autovolt/esp32-b2-101/commands", NULL, 100000); /* a shell need not hold all of it */
  EXPECT_EQ(sim.sent_count, sent + 1);
}

static void a_session_that_hears_nothing_is_given_up(void)
{
  begin(8);
  sim.online = true;
  sim.refuse_subscribe = true;
  run(60000);
  EXPECT(sim.connects >= 2);
  EXPECT(sim.led != LED_LIVE && sim.led != LED_REPLAY);
  sim.refuse_subscribe = false;
  run(60000);
  EXPECT_EQ(sim.subscriptions, 2);
  EXPECT_EQ(machine_state(&node.machine), STATE_LIVE);
  EXPECT_EQ(sim.led, LED_LIVE);
  drain();
  check_cloud();
}

int main(void)
{
  static const struct test tests[] = {
      {"relays by command: done, repeated, expired, malformed", relays_by_command},
      {"a command that cannot be answered", a_command_that_cannot_be_answered},
      {"configuration by command", configuration_by_command},
      {"a meter by command", a_meter_by_command},
      {"names in use are not given away", names_in_use_are_not_given_away},
      {"resend by command", resend_by_command},
      {"resend of what is gone", resend_of_what_is_gone},
      {"restart by command, once", restart_by_command},
      {"wall switches work offline and are reported", wall_switches_work_offline_and_are_reported},
      {"a broken switch does not drive the backlog out", a_broken_switch_does_not_drive_the_backlog_out},
      {"a configuration is never eaten by a power cut", a_configuration_is_never_eaten},
      {"a configuration that cannot be stored can be given again", a_configuration_that_cannot_be_stored_can_be_given_again},
      {"a relay command is never eaten by a power cut", a_relay_command_is_never_eaten},
      {"an over-long command is refused", an_over_long_command_is_refused},
      {"a session that hears no commands is given up", a_session_that_hears_nothing_is_given_up},
  };
  return RUN(tests);
}
