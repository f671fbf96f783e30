#include <stdlib.h>

#include "message.h"

#include "test.h"

/*
 * The golden messages of test/fixtures/wire, which the cloud's tests read as well: what the encoder
 * writes must be these files byte for byte. `test_message --write` writes them anew; the tests of
 * the contract then say whether the cloud still accepts them.
 */

static char text[MESSAGE_BYTES];
static struct json_writer w;
static bool writing;

static const struct configuration unnamed = {.revision = 1};
static const struct configuration classroom = {
    .revision = 2, .channel_count = 3,
    .channels = {{"light-1", 36000}, {"fan-1", 72000}, {"projector", 85000}}};

static struct envelope envelope(void)
{
  return (struct envelope){.esp32_name = "esp32-b2-101", .counter_epoch = 2915847113u, .boot_id = 0x9f3a61c2, .sent_uptime_s = 90000};
}

static struct chain reading(uint64_t sequence_no, uint64_t measured_at_ms, uint64_t uptime_s, uint64_t energy_mwh, uint32_t power_mw)
{
  struct chain r = {.boot_id = 0x9f3a61c2, .sequence_no = sequence_no, .measured_at_ms = measured_at_ms,
                    .time_quality = measured_at_ms ? TIME_NTP : TIME_NONE, .uptime_ms = uptime_s * 1000, .power_mw = power_mw};
  r.energy.total_mws = energy_mwh * MWS_PER_MWH;
  return r;
}

static void begin(void)
{
  json_begin(&w, text, sizeof text);
}

static void golden(const char *name)
{
  char path[512], expected[MESSAGE_BYTES + 2] = {0};
  snprintf(path, sizeof path, "%s/%s.json", FIXTURES, name);
  EXPECT(!w.overflow);
  FILE *file = fopen(path, writing ? "wb" : "rb");
  if (file == NULL) {
    printf("  %s cannot be opened\n", path);
    test_failures++;
    return;
  }
  if (writing) {
    fprintf(file, "%s\n", text);
  } else {
    size_t length = fread(expected, 1, sizeof expected - 1, file);
    if (length > 0 && expected[length - 1] == '\n') expected[length - 1] = 0;
    EXPECT_TEXT(text, expected);
  }
  fclose(file);
}

static void single_reading(void)
{
  struct envelope e = envelope();
  struct chain r = reading(4711, 1768456800000, 86400, 47012345, 412500);
  r.on = 1;
  e.firmware_ver = "2.0.0";
  begin();
  message_reading(&w, &e, &r, &unnamed);
  golden("single-reading");
}

static void batch(void)
{
  struct envelope e = envelope();
  e.replayed = true;
  struct chain r[3] = {reading(4712, 1768456830000, 86430, 47015782, 412500), reading(4713, 1768456860000, 86460, 47019220, 412400),
                       reading(4714, 0, 86490, 47022657, 0)};
  begin();
  message_batch(&w, &e);
  for (int i = 0; i < 3; i++) {
    r[i].on = i < 2;
    EXPECT(message_batch_add(&w, &e, &r[i], &unnamed));
  }
  message_batch_end(&w);
  golden("batch");
}

static struct chain busy_classroom(void)
{
  struct chain r = reading(4715, 1768456920000, 86520, 47026100, 193000);
  const uint64_t energy_mwh[3] = {12000500, 25000250, 10025350}, on_time_s[3] = {1200000, 1250012, 120304};
  for (int i = 0; i < 3; i++) {
    r.energy.channel_mws[i] = energy_mwh[i] * MWS_PER_MWH;
    r.energy.on_time_ms[i] = on_time_s[i] * 1000;
  }
  r.on = 7;
  return r;
}

static void channels(void)
{
  struct envelope e = envelope();
  struct chain r = busy_classroom();
  begin();
  message_reading(&w, &e, &r, &classroom);
  golden("channels");
}

static void gaps(void)
{
  struct envelope e = envelope();
  struct chain r = reading(6000, 1768543200000, 310, 51000000, 193000);
  r.boot_id = e.boot_id = 0xa07c11de;
  r.on = 1;
  r.reset_reason = RESET_BROWNOUT;
  r.loss_bound_mws = 6300000;
  e.gaps[0] = (struct gap){4800, 5100, "ring_full"};
  e.gap_count = 1;
  begin();
  message_reading(&w, &e, &r, &unnamed);
  golden("gaps");
}

static const struct condition healthy = {
    .esp32_name = "esp32-b2-101", .boot_id = 0x9f3a61c2, .measured_at_ms = 1768456800000, .time_quality = TIME_NTP, .uptime_s = 86400,
    .firmware_ver = "2.0.0", .mac = {0x24, 0x6f, 0x28, 0xaa, 0xbb, 0xcc}, .reset_reason = RESET_POWER_ON, .heap = 182344,
    .wifi_rssi = -61, .storage_works = true, .sectors = 256, .erases_max = 12};

static void online(void)
{
  struct condition c = healthy;
  c.measured_at_ms = 1768456790000;
  begin();
  message_online(&w, &c);
  golden("status-online");
}

static void will(void)
{
  begin();
  message_will(&w, "esp32-b2-101", 0x9f3a61c2);
  golden("status-will");
}

static void heartbeat(void)
{
  begin();
  message_heartbeat(&w, &healthy);
  golden("heartbeat");
}

static void heartbeat_with_a_fault(void)
{
  struct condition c = healthy;
  c.storage_works = false;
  c.bad_sectors = 2;
  c.damaged_sectors = 1;
  begin();
  message_heartbeat(&w, &c);
  golden("heartbeat-fault");
}

static void metered(void)
{
  struct envelope e = envelope();
  struct chain r = busy_classroom();
  r.metered = true;
  r.meter_flags = METER_SILENT | METER_IMPLAUSIBLE | METER_RESET | METER_WRAPPED | METER_NO_VOLTAGE;
  r.cause = CAUSE_SWITCH;
  e.replayed = true;
  begin();
  message_reading(&w, &e, &r, &classroom);
  golden("metered");
}

static void batch_over_a_restart(void)
{
  struct envelope e = envelope();
  struct chain r[2] = {reading(4716, 1768456950000, 86550, 47027708, 193000), reading(4717, 1768457010000, 20, 47028000, 193000)};
  e.replayed = true;
  e.boot_id = r[1].boot_id = 0xa07c11de;
  r[1].reset_reason = RESET_POWER_ON;
  r[1].time_quality = TIME_RTC;
  r[1].loss_bound_mws = 1; /* rounded up to the next mWh */
  r[0].cause = CAUSE_COMMAND;
  r[0].time_quality = TIME_STEPPED;
  e.gaps[0] = (struct gap){1, 4715, "journal_lost"};
  e.gap_count = 1;
  begin();
  message_batch(&w, &e);
  for (int i = 0; i < 2; i++) EXPECT(message_batch_add(&w, &e, &r[i], &unnamed));
  message_batch_end(&w);
  golden("batch-over-restart");
}

static void replies(void)
{
  struct reply r = {.esp32_name = "esp32-b2-101", .boot_id = 0x9f3a61c2, .measured_at_ms = 1768456800000,
                    .id = "0b0c6f2e-relay-on", .command = "relay", .revision = 2};
  begin();
  message_reply(&w, &r);
  golden("reply-done");
  r.reason = "expired";
  begin();
  message_reply(&w, &r);
  golden("reply-refused");
  r.id = "";
  r.command = "unknown";
  r.measured_at_ms = 0;
  r.reason = "a command must be a JSON object";
  begin();
  message_reply(&w, &r);
  golden("reply-malformed");
}

static void a_batch_stays_under_4_kb(void)
{
  struct configuration long_names = {.revision = 3, .channel_count = 8};
  struct chain r = reading(999999999999, 1768456830000, 4294967295u, 8999999999999, 100000000);
  struct envelope e = envelope();
  for (int i = 0; i < CHANNELS_MAX; i++) {
    memset(long_names.channels[i].device_id, '"', 63); /* each is escaped */
    long_names.channels[i].device_id[63] = (char)('0' + i);
    r.energy.channel_mws[i] = 8999999999999ull * MWS_PER_MWH;
    r.energy.on_time_ms[i] = 4294967295000;
  }
  begin();
  message_batch(&w, &e);
  int count = 0;
  while (count < READINGS_PER_MESSAGE && message_batch_add(&w, &e, &r, &long_names)) count++;
  message_batch_end(&w);
  EXPECT_EQ(count, 1);
  EXPECT(!w.overflow && w.length < 4096);
  EXPECT(text[w.length - 1] == '}' && text[w.length - 2] == ']');
  begin();
  message_batch(&w, &e);
  r.energy = (struct energy){.total_mws = 3600000};
  for (count = 0; count < READINGS_PER_MESSAGE && message_batch_add(&w, &e, &r, &unnamed);) count++;
  EXPECT(count >= 17);
}

static void words_for_every_number(void)
{
  EXPECT_TEXT(reset_reason_text(RESET_WATCHDOG), "watchdog");
  EXPECT_TEXT(reset_reason_text(200), "other");
  EXPECT_TEXT(time_quality_text(TIME_STEPPED), "stepped");
  begin();
  message_online(&w, &(struct condition){.esp32_name = "n", .firmware_ver = "2"});
  EXPECT(strstr(text, "\"measured_at\":null") != NULL);
}

int main(int argc, char **argv)
{
  writing = argc > 1 && strcmp(argv[1], "--write") == 0;
  static const struct test tests[] = {
      {"golden: single reading", single_reading},
      {"golden: batch", batch},
      {"golden: channels", channels},
      {"golden: gaps", gaps},
      {"golden: online", online},
      {"golden: will", will},
      {"golden: heartbeat", heartbeat},
      {"golden: heartbeat with a storage fault", heartbeat_with_a_fault},
      {"golden: metered, with every flag", metered},
      {"golden: batch over a restart", batch_over_a_restart},
      {"golden: replies", replies},
      {"a batch stays under 4 KB", a_batch_stays_under_4_kb},
      {"words for every number", words_for_every_number},
  };
  return RUN(tests);
}
