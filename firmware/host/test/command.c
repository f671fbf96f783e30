#include "command.h"

#include <stdlib.h>

#include "crc.h"
#include "sim.h"
#include "test.h"

/* The golden commands of test/fixtures/wire: written by the cloud's side, read by the core's. */

static struct json json;
static struct command c;

static const struct configuration current = {
    .revision = 4, .period_ms = 60000, .meter_address = 1, .channel_count = 3,
    .channels = {{"light-1", 36000}, {"fan-1", 72000}, {"projector", 85000}}};

static const char *parse(const char *text)
{
  return command_parse(&c, &json, text, (uint32_t)strlen(text), false, &current);
}

static const char *parse_file(const char *name, bool resend)
{
  static char text[COMMAND_MAX_BYTES];
  char path[512];
  snprintf(path, sizeof path, "%s/%s.json", FIXTURES, name);
  FILE *file = fopen(path, "rb");
  if (file == NULL) return "the file is not there";
  size_t length = fread(text, 1, sizeof text, file);
  fclose(file);
  return command_parse(&c, &json, text, (uint32_t)length, resend, &current);
}

static void golden_relay(void)
{
  EXPECT(parse_file("command-relay", false) == NULL);
  EXPECT_EQ(c.kind, COMMAND_RELAY);
  EXPECT_TEXT(c.id, "0b0c6f2e-relay-on");
  EXPECT_EQ(c.expires_at_ms, 1768456860000);
  EXPECT_EQ(c.channel, 1);
  EXPECT(c.on);
}

static void golden_configuration(void)
{
  EXPECT(parse_file("command-configuration", false) == NULL);
  EXPECT_EQ(c.kind, COMMAND_CONFIGURATION);
  EXPECT_EQ(c.configuration.period_ms, 30000);
  EXPECT_EQ(c.configuration.mode, MEASURE_RELAY);
  EXPECT_EQ(c.configuration.channel_count, 3);
  EXPECT_TEXT(c.configuration.channels[1].device_id, "fan-1");
  EXPECT_EQ(c.configuration.channels[1].rated_mw, 72500);
  EXPECT_TEXT(c.configuration.telemetry_rule, "autovolt_dev_telemetry");
}

static void golden_resend(void)
{
  EXPECT(parse_file("command-resend", false) == NULL);
  EXPECT_EQ(c.kind, COMMAND_RESEND);
  EXPECT_EQ(c.counter_epoch, 2915847113u);
  EXPECT(c.span.from == 4700 && c.span.to == 4711);
  EXPECT(parse_file("command-resend", true) == NULL);
  EXPECT_EQ(c.kind, COMMAND_RESEND);
}

static void golden_restart(void)
{
  EXPECT(parse_file("command-restart", false) == NULL);
  EXPECT_EQ(c.kind, COMMAND_RESTART);
}

#define HEAD "{\"id\":\"a\",\"expires_at\":1,"

static void malformed_with_reasons(void)
{
  static const char *const cases[][2] = {
      {"", "a command must be a JSON object"},
      {"[1]", "a command must be a JSON object"},
      {"{\"command\":\"restart\",\"expires_at\":1}", "id must be text of 1 to 64 bytes"},
      {"{\"id\":\"\",\"command\":\"restart\",\"expires_at\":1}", "id must be text of 1 to 64 bytes"},
      {"{\"id\":\"a\",\"id\":\"b\",\"command\":\"restart\",\"expires_at\":1}", "id must be text of 1 to 64 bytes"},
      {"{\"id\":\"a\",\"command\":\"restart\"}", "expires_at must be UTC epoch milliseconds"},
      {"{\"id\":\"a\",\"command\":\"restart\",\"expires_at\":-1}", "expires_at must be UTC epoch milliseconds"},
      {HEAD "\"schema\":2,\"command\":\"restart\"}", "schema must be 1"},
      {HEAD "\"schema\":0,\"command\":\"restart\"}", "schema must be 1"},
      {HEAD "\"command\":\"reboot\"}", "command must be relay, configuration, resend or restart"},
      {HEAD "\"command\":\"relay\",\"on\":true}", "device_id is no channel of this node"},
      {HEAD "\"command\":\"relay\",\"device_id\":7,\"on\":true}", "device_id must be text"},
      {HEAD "\"command\":\"relay\",\"device_id\":\"heater\",\"on\":true}", "device_id is no channel of this node"},
      {HEAD "\"command\":\"relay\",\"device_id\":\"fan-1\",\"on\":\"yes\"}", "on must be true or false"},
      {HEAD "\"command\":\"resend\",\"counter_epoch\":0,\"from_sequence_no\":1,\"to_sequence_no\":2}", "counter_epoch must be 1 to 4294967295"},
      {HEAD "\"command\":\"resend\",\"counter_epoch\":1,\"from_sequence_no\":0,\"to_sequence_no\":2}", "from_sequence_no must be a positive integer"},
      {HEAD "\"command\":\"resend\",\"counter_epoch\":1,\"from_sequence_no\":1.5,\"to_sequence_no\":2}", "from_sequence_no must be a positive integer"},
      {HEAD "\"command\":\"resend\",\"counter_epoch\":1,\"from_sequence_no\":3,\"to_sequence_no\":2}",
       "to_sequence_no must be an integer not below from_sequence_no"},
      {HEAD "\"command\":\"resend\",\"counter_epoch\":1,\"from_sequence_no\":3}", "to_sequence_no must be an integer not below from_sequence_no"},
      {HEAD "\"command\":\"configuration\"}", "configuration must be an object"},
      {HEAD "\"command\":\"configuration\",\"configuration\":{}}", "configuration has no member, an unknown one, or one twice"},
      {HEAD "\"command\":\"configuration\",\"configuration\":{\"periode_ms\":1000}}", "configuration has no member, an unknown one, or one twice"},
      {HEAD "\"command\":\"configuration\",\"configuration\":{\"period_ms\":999}}", "period_ms must be 1000 to 3600000"},
      {HEAD "\"command\":\"configuration\",\"configuration\":{\"period_ms\":3600001}}", "period_ms must be 1000 to 3600000"},
      {HEAD "\"command\":\"configuration\",\"configuration\":{\"mode\":\"guess\"}}", "mode must be relay or meter"},
      {HEAD "\"command\":\"configuration\",\"configuration\":{\"meter_address\":0}}", "meter_address must be 1 to 248"},
      {HEAD "\"command\":\"configuration\",\"configuration\":{\"meter_address\":249}}", "meter_address must be 1 to 248"},
      {HEAD "\"command\":\"configuration\",\"configuration\":{\"telemetry_rule\":\"a-b\"}}",
       "telemetry_rule must be at most 64 of the characters a-z A-Z 0-9 _"},
      {HEAD "\"command\":\"configuration\",\"configuration\":{\"telemetry_rule\":null}}",
       "telemetry_rule must be at most 64 of the characters a-z A-Z 0-9 _"},
      {HEAD "\"command\":\"configuration\",\"configuration\":{\"channels\":{}}}", "channels must be a list of at most 8"},
      {HEAD "\"command\":\"configuration\",\"configuration\":{\"channels\":[1,2,3,4,5,6,7,8,9]}}", "channels must be a list of at most 8"},
      {HEAD "\"command\":\"configuration\",\"configuration\":{\"channels\":[{\"device_id\":\"a/b\",\"rated_w\":1}]}}",
       "device_id must be 1 to 64 bytes, without / # and control characters, and not unassigned"},
      {HEAD "\"command\":\"configuration\",\"configuration\":{\"channels\":[{\"device_id\":\"unassigned\",\"rated_w\":1}]}}",
       "device_id must be 1 to 64 bytes, without / # and control characters, and not unassigned"},
      {HEAD "\"command\":\"configuration\",\"configuration\":{\"channels\":[{\"device_id\":\"a\\u0085\",\"rated_w\":1}]}}",
       "device_id must be 1 to 64 bytes, without / # and control characters, and not unassigned"},
      {HEAD "\"command\":\"configuration\",\"configuration\":{\"channels\":[{\"device_id\":\"\\u007f\",\"rated_w\":1}]}}",
       "device_id must be 1 to 64 bytes, without / # and control characters, and not unassigned"},
      {HEAD "\"command\":\"configuration\",\"configuration\":{\"channels\":[{\"device_id\":\"#\",\"rated_w\":1}]}}",
       "device_id must be 1 to 64 bytes, without / # and control characters, and not unassigned"},
      {HEAD "\"command\":\"configuration\",\"configuration\":{\"channels\":[{\"device_id\":\"\",\"rated_w\":1}]}}",
       "device_id must be 1 to 64 bytes, without / # and control characters, and not unassigned"},
      {HEAD "\"command\":\"configuration\",\"configuration\":{\"channels\":[{\"device_id\":\"a\\t\",\"rated_w\":1}]}}",
       "device_id must be 1 to 64 bytes, without / # and control characters, and not unassigned"},
      {HEAD "\"command\":\"configuration\",\"configuration\":{\"channels\":[{\"device_id\":\"a\",\"rated_w\":100000.001}]}}",
       "rated_w must be 0 to 100000 with at most three decimals"},
      {HEAD "\"command\":\"configuration\",\"configuration\":{\"channels\":[{\"device_id\":\"a\",\"rated_w\":1},{\"device_id\":\"a\",\"rated_w\":1}]}}",
       "channels must not name a device_id twice"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) EXPECT_TEXT(parse(cases[i][0]), cases[i][1]);
  static char long_text[COMMAND_MAX_BYTES + 2];
  memset(long_text, ' ', sizeof long_text - 1);
  EXPECT_TEXT(parse(long_text), "a command must be at most 2048 bytes");
}

static void what_a_configuration_leaves_out_stays(void)
{
  EXPECT(parse(HEAD "\"command\":\"configuration\",\"configuration\":{\"mode\":\"meter\",\"meter_address\":7}}") == NULL);
  EXPECT_EQ(c.configuration.mode, MEASURE_METER);
  EXPECT_EQ(c.configuration.meter_address, 7);
  EXPECT_EQ(c.configuration.period_ms, 60000);
  EXPECT_EQ(c.configuration.channel_count, 3);
  EXPECT(parse(HEAD "\"command\":\"configuration\",\"configuration\":{\"mode\":\"relay\",\"channels\":[]}}") == NULL);
  EXPECT_EQ(c.configuration.channel_count, 0);
  EXPECT_EQ(configuration_channel(&c.configuration, ""), 0);
}

static void refusals(void)
{
  struct command_facts facts = {.wall_ms = 1768456800000, .counter_epoch = 2915847113u, .newest = 5000};
  parse_file("command-resend", false);
  EXPECT(command_refusal(&c, &facts) == NULL);
  facts.newest = 4699;
  EXPECT_TEXT(command_refusal(&c, &facts), "not_yet_measured");
  facts.counter_epoch = 1;
  EXPECT_TEXT(command_refusal(&c, &facts), "other_counter_epoch");
  facts.wall_ms = c.expires_at_ms;
  EXPECT_TEXT(command_refusal(&c, &facts), "expired");
  facts.wall_ms = 0;
  EXPECT_TEXT(command_refusal(&c, &facts), "no_clock");
  facts.repeated = true;
  EXPECT_TEXT(command_refusal(&c, &facts), "repeated");
}

static void hashes_tell_ids_apart(void)
{
  EXPECT(command_hash("a") == 0xaf63dc4c8601ec8cull);
  EXPECT(command_hash("a") != command_hash("b"));
}

static void revisions_are_kept_four_deep(void)
{
  struct configurations all;
  sim_new(8);
  EXPECT(!configurations_load(&all));
  EXPECT(!configurations_use(&all, 1));
  for (uint16_t revision = 1; revision <= 6; revision++) {
    struct configuration each = current;
    each.revision = revision;
    each.period_ms = 1000u * revision;
    EXPECT(configurations_store(&all, &each));
  }
  EXPECT(configurations_load(&all));
  EXPECT(configurations_find(&all, 2) == NULL && configurations_find(&all, 0) == NULL);
  for (uint16_t revision = 3; revision <= 6; revision++) EXPECT_EQ(configurations_find(&all, revision)->period_ms, 1000u * revision);
  EXPECT_TEXT(configurations_find(&all, 6)->channels[2].device_id, "projector");
  EXPECT(configurations_use(&all, 5));
  EXPECT_EQ(all.current->revision, 5);
  sim.settings[0].value[100] ^= 1;
  sim.settings[1].bytes = 2;
  EXPECT(configurations_load(&all));
  sim.settings_dead = true;
  EXPECT(!configurations_store(&all, &current));
  EXPECT_EQ(revision_after(REVISION_MAX), 1);
  EXPECT_EQ(revision_after(4), 5);
  EXPECT_EQ(configuration_default().period_ms, 30000);
  EXPECT_EQ(configuration_energy_mws(&current, 31000), 193000 * 31);
}

/* Blobs with a CRC that holds and a content that cannot be. */
static void forged_revisions_are_no_configuration(void)
{
  static const struct { uint32_t at; uint8_t value; } forgeries[] = {{0, 2}, {1, 0}, {5, 0}, {74, 9}};
  struct configurations all;
  struct configuration whole = {.revision = 4, .period_ms = 1, .channel_count = 1};
  for (int i = 0; i < 5; i++) {
    sim_new(8);
    EXPECT(configurations_store(&all, &whole));
    struct sim_setting *s = &sim.settings[0];
    if (i < 4) s->value[forgeries[i].at] = forgeries[i].value;
    uint32_t crc = crc32_of(0, s->value, s->bytes - 4);
    for (uint32_t k = 0; k < 4; k++) s->value[s->bytes - 4 + k] = (uint8_t)(crc >> 8 * k);
    EXPECT(configurations_load(&all) == (i == 4));
  }
  sim.settings[0].bytes = 100;
  EXPECT(!configurations_load(&all));
}

static void names_and_rules_at_their_limits(void)
{
  EXPECT(parse(HEAD "\"command\":\"configuration\",\"configuration\":{\"telemetry_rule\":\"aZ09_\"}}") == NULL);
  static const char *const refused[] = {"a{", "a@", "a[", "a/", "a:", "a`"};
  for (int i = 0; i < 6; i++) {
    char text[160];
    snprintf(text, sizeof text, HEAD "\"command\":\"configuration\",\"configuration\":{\"telemetry_rule\":\"%s\"}}", refused[i]);
    EXPECT_TEXT(parse(text), "telemetry_rule must be at most 64 of the characters a-z A-Z 0-9 _");
  }
  EXPECT(parse(HEAD "\"command\":\"configuration\",\"configuration\":{\"channels\":[{\"device_id\":\"\\u00a0 caf\\u00e9\",\"rated_w\":1}]}}") == NULL);
  EXPECT_TEXT(parse(HEAD "\"command\":\"configuration\",\"configuration\":{\"channels\":[{\"rated_w\":1}]}}"),
              "device_id must be 1 to 64 bytes, without / # and control characters, and not unassigned");
  EXPECT_TEXT(parse(HEAD "\"schema\":\"1\",\"command\":\"restart\"}"), "schema must be 1");
}

int main(void)
{
  static const struct test tests[] = {
      {"golden: relay", golden_relay},
      {"golden: configuration", golden_configuration},
      {"golden: resend, on either topic", golden_resend},
      {"golden: restart", golden_restart},
      {"malformed commands, each with its reason", malformed_with_reasons},
      {"what a configuration leaves out stays", what_a_configuration_leaves_out_stays},
      {"refusals", refusals},
      {"hashes tell ids apart", hashes_tell_ids_apart},
      {"forged revisions are no configuration", forged_revisions_are_no_configuration},
      {"names and rules at their limits", names_and_rules_at_their_limits},
      {"revisions are kept four deep", revisions_are_kept_four_deep},
  };
  return RUN(tests);
}
