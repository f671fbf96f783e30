#include "fakes.h"
#include "port.h"
#include "session.h"
#include "test.h"

#define NEXT "$aws/things/room-101/jobs/start-next/accepted"
#define TEMPLATE "$aws/provisioning-templates/campus/provision/json"
#define UPDATE_JOB                                                                        \
  "{\"timestamp\":1,\"execution\":{\"jobId\":\"j-1\",\"status\":\"IN_PROGRESS\","         \
  "\"jobDocument\":{\"operation\":\"update_firmware\",\"version\":\"1.1.0\","             \
  "\"url\":\"https://bucket.example/node-1.1.0.bin?X-Amz-Signature=a\"}}}"
#define ROTATION_JOB                                                                      \
  "{\"execution\":{\"jobId\":\"r-1\",\"jobDocument\":{\"operation\":\"rotate_certificate\"}}}"

static const struct sent *last_published(void)
{
  static const struct sent none;
  return world.published_count == 0 ? &none : &world.published[world.published_count - 1];
}

static void connect(void)
{
  port_mqtt_connect(&(struct port_session){.client_id = "room-101",
                                           .will_topic = "autovolt/room-101/status",
                                           .will = "{}",
                                           .keep_alive_s = 60});
  session_turn();
  client_reports(PARCEL_UP, 0, false);
  session_turn();
}

/* The broker answers the last `count` subscriptions. */
static void grant(uint32_t count, bool granted)
{
  for (uint32_t i = world.subscribed_count - count; i < world.subscribed_count; i++)
    client_reports(PARCEL_SUBSCRIBED, world.subscribed[i].id, granted);
  session_turn();
}

static void opens_with_its_own_certificate_and_will(void)
{
  connect();
  EXPECT_TEXT(world.client_id, "room-101");
  EXPECT_TEXT(world.will_topic, "autovolt/room-101/status");
  EXPECT_TEXT(world.certificate, "own");
  EXPECT_EQ(core_told(), PARCEL_UP);
}

static void acknowledges_with_the_cores_own_id_and_once(void)
{
  connect();
  core_told();
  int32_t first = port_mqtt_publish("autovolt/room-101/telemetry", "a", 1, false);
  int32_t second = port_mqtt_publish("autovolt/room-101/telemetry", "b", 1, false);
  session_turn();
  EXPECT_EQ(world.published_count, 2);
  client_reports(PARCEL_ACK, world.published[1].id, false);
  session_turn();
  EXPECT_EQ(core_told(), PARCEL_ACK);
  EXPECT_EQ(world.told[world.told_count - 1].id, second);
  client_reports(PARCEL_ACK, world.published[1].id, false);
  session_turn();
  EXPECT_EQ(core_told(), -1);
  client_reports(PARCEL_ACK, world.published[0].id, false);
  session_turn();
  EXPECT_EQ(core_told(), PARCEL_ACK);
  EXPECT_EQ(world.told[world.told_count - 1].id, first);
}

static void says_nothing_of_a_session_the_core_has_left(void)
{
  connect();
  core_told();
  port_mqtt_publish("autovolt/room-101/telemetry", "a", 1, false);
  port_mqtt_disconnect();
  client_reports(PARCEL_DOWN, 0, false);
  session_turn();
  EXPECT_EQ(core_told(), -1);
  EXPECT_EQ(world.published_count, 0);
  EXPECT_EQ(world.open, false);
}

static void ends_a_session_that_takes_no_message(void)
{
  connect();
  core_told();
  world.cannot_send = true;
  port_mqtt_publish("autovolt/room-101/telemetry", "a", 1, false);
  session_turn();
  EXPECT_EQ(core_told(), PARCEL_DOWN);
  EXPECT_EQ(world.open, false);
  EXPECT_EQ(world.told_count, 2);
}

static void follows_the_newest_wish_even_when_its_queue_is_full(void)
{
  connect();
  uint32_t queued = 0;
  while (port_mqtt_publish("autovolt/room-101/telemetry", "a", 1, false) > 0) queued++;
  EXPECT_EQ(queued, 24);
  port_mqtt_disconnect();
  connect();
  EXPECT_EQ(world.open, true);
  EXPECT_EQ(world.opened, 2);
  EXPECT_EQ(world.published_count, 0);
}

static void passes_messages_of_the_node_on_also_too_long_ones(void)
{
  static char long_text[4000];
  connect();
  core_told();
  client_receives("autovolt/room-101/commands", "{\"id\":\"c\"}");
  session_turn();
  EXPECT_EQ(core_told(), PARCEL_MESSAGE);
  EXPECT_TEXT(world.told[world.told_count - 1].payload, "{\"id\":\"c\"}");
  memset(long_text, 'x', sizeof long_text - 1);
  client_receives("autovolt/room-101/commands", long_text);
  session_turn();
  EXPECT_EQ(core_told(), PARCEL_MESSAGE);
  EXPECT_EQ(world.told[world.told_count - 1].length, 3999);
  client_receives_too_long("autovolt/room-101/resend", 100000);
  session_turn();
  EXPECT_EQ(core_told(), PARCEL_MESSAGE);
  EXPECT_TEXT(world.told[world.told_count - 1].topic, "autovolt/room-101/resend");
  EXPECT_EQ(world.told[world.told_count - 1].length, 100000);
  /* An answer of AWS cannot be that long: it is not read. */
  client_receives_too_long(NEXT, 100000);
  session_turn();
  EXPECT_EQ(core_told(), -1);
}

static void ends_a_session_that_cannot_subscribe(void)
{
  connect();
  core_told();
  world.cannot_subscribe = true;
  port_mqtt_subscribe("autovolt/room-101/commands");
  session_turn();
  EXPECT_EQ(core_told(), PARCEL_DOWN);
  EXPECT_EQ(world.open, false);
}

static void goes_on_telling_when_the_broker_refuses_commands(void)
{
  connect();
  core_told();
  port_mqtt_subscribe("autovolt/room-101/commands");
  session_turn();
  grant(1, false);
  EXPECT_EQ(core_told(), -1);
  EXPECT_EQ(world.open, true);
}

static void leaves_a_session_for_the_certificate_on_trial(void)
{
  world.trial_goes_on = true;
  connect();
  EXPECT_EQ(core_told(), PARCEL_DOWN);
  EXPECT_EQ(world.told_count, 1);
  EXPECT_EQ(world.open, false);
}

static void asks_for_no_certificate_it_could_not_keep(void)
{
  world.cannot_store = true;
  port_provision();
  session_turn();
  client_reports(PARCEL_UP, 0, false);
  session_turn();
  EXPECT_EQ(world.subscribed_count, 0);
  EXPECT_EQ(world.published_count, 0);
  EXPECT_EQ(core_told(), PARCEL_IDENTITY);
  EXPECT_EQ(world.told[world.told_count - 1].flag, false);
}

static void asks_for_jobs_only_where_it_may(void)
{
  connect();
  EXPECT_TEXT(world.subscribed[0].topic, "$aws/things/room-101/jobs/notify-next");
  grant(1, false);
  EXPECT_EQ(world.published_count, 0);
  world_begin();
  connect();
  grant(1, true);
  EXPECT_TEXT(last_published()->topic, "$aws/things/room-101/jobs/start-next");
  EXPECT_TEXT(last_published()->payload, "{}");
}

static void installs_an_update_and_reports_it_after_it_proved_itself(void)
{
  connect();
  grant(1, true);
  client_receives(NEXT, UPDATE_JOB);
  client_receives(NEXT, UPDATE_JOB);
  session_turn();
  EXPECT_EQ(world.updates, 1);
  EXPECT_TEXT(world.update_url, "https://bucket.example/node-1.1.0.bin?X-Amz-Signature=a");
  EXPECT_TEXT(world.update_version, "1.1.0");
  session_post((struct parcel){.kind = PARCEL_UPDATE_ENDED, .flag = true}, 0);
  session_turn();
  EXPECT_EQ(core_told(), PARCEL_RESTART);

  /* The new image runs, but the core has not confirmed it. */
  snprintf(world.version, sizeof world.version, "1.1.0");
  world.update_pending = true;
  client_receives(NEXT, UPDATE_JOB);
  session_turn();
  EXPECT_TEXT(last_published()->topic, "$aws/things/room-101/jobs/start-next");
  world.update_pending = false;
  session_post((struct parcel){.kind = PARCEL_UPDATE_CONFIRMED}, 0);
  client_receives(NEXT, UPDATE_JOB);
  session_turn();
  EXPECT_TEXT(last_published()->topic, "$aws/things/room-101/jobs/j-1/update");
  EXPECT_TEXT(last_published()->payload,
              "{\"status\":\"SUCCEEDED\",\"statusDetails\":{\"reason\":\"running\",\"firmware_ver\":\"1.1.0\"}}");
}

static void reports_an_update_that_was_rolled_back(void)
{
  connect();
  grant(1, true);
  client_receives(NEXT, UPDATE_JOB);
  session_turn();
  session_post((struct parcel){.kind = PARCEL_UPDATE_ENDED, .flag = true}, 0);
  client_receives(NEXT, UPDATE_JOB);
  session_turn();
  EXPECT_TEXT(last_published()->payload,
              "{\"status\":\"FAILED\",\"statusDetails\":{\"reason\":\"rolled_back\",\"firmware_ver\":\"1.0.0\"}}");
}

static void starts_an_interrupted_update_again_three_times(void)
{
  for (int power_cut = 0; power_cut < 4; power_cut++) {
    connect();
    grant(1, true);
    client_receives(NEXT, UPDATE_JOB);
    session_turn();
    /* The download ends without a word, as when the power goes. */
    session_post((struct parcel){.kind = PARCEL_UPDATE_ENDED, .generation = 0, .flag = false, .topic = NULL}, 0);
    world.cannot_send = true;
    session_turn();
    world.cannot_send = false;
  }
  EXPECT_EQ(world.updates, 3);
}

static void rejects_a_job_it_does_not_know(void)
{
  connect();
  grant(1, true);
  client_receives(NEXT, "{\"execution\":{\"jobId\":\"x-1\",\"jobDocument\":{\"operation\":\"dance\"}}}");
  session_turn();
  EXPECT_TEXT(last_published()->payload,
              "{\"status\":\"REJECTED\",\"statusDetails\":{\"reason\":\"operation_unknown\",\"firmware_ver\":\"1.0.0\"}}");
}

static void enrol(void)
{
  client_receives("$aws/certificates/create-from-csr/json/accepted",
                  "{\"certificateId\":\"i\",\"certificatePem\":\"-----BEGIN\\nCERT\\n\","
                  "\"certificateOwnershipToken\":\"token\"}");
  session_turn();
  EXPECT_TEXT(last_published()->topic, TEMPLATE);
  EXPECT_TEXT(last_published()->payload,
              "{\"certificateOwnershipToken\":\"token\",\"parameters\":{\"SerialNumber\":\"a0b1c2d3e4f5\"}}");
  client_receives(TEMPLATE "/accepted", "{\"deviceConfiguration\":{},\"thingName\":\"room-101\"}");
  session_turn();
}

static void enrols_with_its_claim(void)
{
  port_provision();
  session_turn();
  EXPECT_TEXT(world.certificate, "claim");
  EXPECT_TEXT(world.client_id, "claim-a0b1c2d3e4f5");
  client_reports(PARCEL_UP, 0, false);
  session_turn();
  EXPECT_EQ(world.subscribed_count, 4);
  EXPECT_EQ(world.published_count, 0);
  grant(4, true);
  EXPECT_TEXT(last_published()->topic, "$aws/certificates/create-from-csr/json");
  EXPECT_TEXT(last_published()->payload,
              "{\"certificateSigningRequest\":\"request\\u000aof a0b1c2d3e4f5\\u000a\"}");
  enrol();
  EXPECT_EQ(world.stored, 1);
  EXPECT_TEXT(world.stored_thing, "room-101");
  EXPECT_TEXT(world.stored_certificate, "-----BEGIN\nCERT\n");
  EXPECT_TEXT(world.stored_key, "key of a0b1c2d3e4f5");
  EXPECT_EQ(core_told(), PARCEL_IDENTITY);
  EXPECT_EQ(world.told[world.told_count - 1].flag, true);
  EXPECT_EQ(world.open, false);
}

static void tells_when_enrolling_fails(void)
{
  world.has_claim = false;
  port_provision();
  session_turn();
  EXPECT_EQ(core_told(), PARCEL_IDENTITY);
  EXPECT_EQ(world.told[world.told_count - 1].flag, false);

  world.has_claim = true;
  port_provision();
  session_turn();
  client_reports(PARCEL_UP, 0, false);
  session_turn();
  grant(4, true);
  client_receives("$aws/certificates/create-from-csr/json/rejected", "{\"statusCode\":400}");
  session_turn();
  EXPECT_EQ(core_told(), PARCEL_IDENTITY);
  EXPECT_EQ(world.told[world.told_count - 1].flag, false);

  port_provision();
  session_turn();
  client_reports(PARCEL_UP, 0, false);
  session_turn();
  world.uptime_ms += 60001;
  session_turn();
  EXPECT_EQ(core_told(), PARCEL_IDENTITY);
  EXPECT_EQ(world.told[world.told_count - 1].flag, false);
  EXPECT_EQ(world.stored, 0);
}

static void rotates_its_certificate_over_the_session_it_has(void)
{
  connect();
  grant(1, true);
  client_receives(NEXT, ROTATION_JOB);
  session_turn();
  grant(4, true);
  enrol();
  EXPECT_EQ(world.stored, 1);
  EXPECT_EQ(core_told(), PARCEL_DOWN);
  connect();
  EXPECT_EQ(world.rotation, ROTATION_ACCEPTED);
  grant(1, true);
  client_receives(NEXT, ROTATION_JOB);
  session_turn();
  EXPECT_TEXT(last_published()->topic, "$aws/things/room-101/jobs/r-1/update");
  EXPECT_TEXT(last_published()->payload,
              "{\"status\":\"SUCCEEDED\",\"statusDetails\":{\"reason\":\"connected\",\"firmware_ver\":\"1.0.0\"}}");
}

static void starts_a_rotation_again_that_lost_its_session(void)
{
  connect();
  grant(1, true);
  client_receives(NEXT, ROTATION_JOB);
  session_turn();
  client_reports(PARCEL_DOWN, 0, false);
  session_turn();
  connect();
  grant(1, true);
  client_receives(NEXT, ROTATION_JOB);
  session_turn();
  grant(4, true);
  EXPECT_TEXT(last_published()->topic, "$aws/certificates/create-from-csr/json");
}

#define CASE(function) {#function, function}

int main(void)
{
  static const struct test tests[] = {
      CASE(opens_with_its_own_certificate_and_will),
      CASE(acknowledges_with_the_cores_own_id_and_once),
      CASE(says_nothing_of_a_session_the_core_has_left),
      CASE(ends_a_session_that_takes_no_message),
      CASE(follows_the_newest_wish_even_when_its_queue_is_full),
      CASE(passes_messages_of_the_node_on_also_too_long_ones),
      CASE(ends_a_session_that_cannot_subscribe),
      CASE(goes_on_telling_when_the_broker_refuses_commands),
      CASE(leaves_a_session_for_the_certificate_on_trial),
      CASE(asks_for_no_certificate_it_could_not_keep),
      CASE(asks_for_jobs_only_where_it_may),
      CASE(installs_an_update_and_reports_it_after_it_proved_itself),
      CASE(reports_an_update_that_was_rolled_back),
      CASE(starts_an_interrupted_update_again_three_times),
      CASE(rejects_a_job_it_does_not_know),
      CASE(enrols_with_its_claim),
      CASE(tells_when_enrolling_fails),
      CASE(rotates_its_certificate_over_the_session_it_has),
      CASE(starts_a_rotation_again_that_lost_its_session),
  };
  int failed = 0;
  for (unsigned i = 0; i < sizeof tests / sizeof tests[0]; i++) {
    world_begin();
    core_told();
    failed |= run_tests(&tests[i], 1);
  }
  return failed;
}
