#include "crc.h"
#include "energy.h"
#include "record.h"
#include "test.h"

static void crc_of_known_texts(void)
{
  EXPECT_EQ(crc32_of(0, "123456789", 9), 0xcbf43926u);
  EXPECT_EQ(crc32_of(crc32_of(0, "1234", 4), "56789", 5), 0xcbf43926u);
  EXPECT_EQ(crc16_modbus("123456789", 9), 0x4b37);
}

static void varints_keep_every_width(void)
{
  const uint64_t values[] = {0, 1, 127, 128, 16383, 16384, UINT32_MAX, (uint64_t)UINT32_MAX + 1, UINT64_MAX};
  for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
    uint8_t bytes[16];
    struct writer w = {.at = bytes, .capacity = sizeof bytes};
    put_varint(&w, values[i]);
    struct reader r = {.at = bytes, .length = w.length};
    EXPECT(get_varint(&r) == values[i] && !r.failed && r.position == w.length);
  }
  const int64_t signed_values[] = {0, -1, 1, INT64_MIN, INT64_MAX, -31536000000};
  for (size_t i = 0; i < sizeof signed_values / sizeof signed_values[0]; i++) {
    uint8_t bytes[16];
    struct writer w = {.at = bytes, .capacity = sizeof bytes};
    put_signed(&w, signed_values[i]);
    struct reader r = {.at = bytes, .length = w.length};
    EXPECT(get_signed(&r) == signed_values[i]);
  }
}

static void buffers_have_ends(void)
{
  uint8_t bytes[2];
  struct writer w = {.at = bytes, .capacity = 2};
  put_fixed(&w, 1, 3);
  EXPECT(w.failed && w.length == 2);
  struct reader r = {.at = bytes, .length = 1};
  get_fixed(&r, 2);
  EXPECT(r.failed);
  const uint8_t endless[11] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  struct reader long_one = {.at = endless, .length = 11};
  get_varint(&long_one);
  EXPECT(long_one.failed);
}

static struct measurement lamp_and_fan(void)
{
  struct measurement m = {.rated_mw = {36000, 75500}};
  return m;
}

static void rated_power_times_on_time(void)
{
  struct measurement m = lamp_and_fan();
  measurement_switch(&m, 0, true, 10000);
  measurement_switch(&m, 1, true, 40000);  /* lamp alone for 30 s */
  measurement_switch(&m, 0, false, 100000); /* both for 60 s */
  measurement_advance(&m, 160000);          /* fan alone for 60 s */
  EXPECT_EQ(m.pending.channel_mws[0], 3240000);
  EXPECT_EQ(m.pending.channel_mws[1], 9060000);
  EXPECT_EQ(m.pending.total_mws, 12300000);
  EXPECT_EQ(m.pending.on_time_ms[0], 90000);
  EXPECT_EQ(m.pending.on_time_ms[1], 120000);
  EXPECT_EQ(measurement_power_mw(&m), 75500);
}

static void parts_of_a_milliwatt_second_add_up(void)
{
  struct measurement m = {.rated_mw = {1}}; /* 1 mW: a thousandth of a mWs each millisecond */
  measurement_switch(&m, 0, true, 0);
  for (uint64_t now_ms = 1; now_ms <= 7999; now_ms++) measurement_advance(&m, now_ms);
  EXPECT_EQ(m.pending.total_mws, 7);
  measurement_advance(&m, 8000);
  EXPECT_EQ(m.pending.total_mws, 8);
}

static void time_that_does_not_pass_counts_nothing(void)
{
  struct measurement m = lamp_and_fan();
  measurement_switch(&m, 0, true, 5000);
  measurement_advance(&m, 4000);
  measurement_advance(&m, 5000);
  EXPECT_EQ(m.pending.total_mws, 0);
  EXPECT_EQ(m.closed_ms, 5000);
}

static void new_ratings_count_from_their_instant(void)
{
  struct measurement m = lamp_and_fan();
  const uint32_t rated_mw[CHANNELS_MAX] = {40000, 75500};
  measurement_switch(&m, 0, true, 0);
  measurement_configure(&m, MEASURE_RELAY, rated_mw, 10000);
  measurement_advance(&m, 20000);
  EXPECT_EQ(m.pending.total_mws, 760000);
}

static void a_meters_increment_is_split_without_a_rest(void)
{
  struct measurement m = {.mode = MEASURE_METER, .rated_mw = {36000, 75500, 85001}};
  m.on = 0x07;
  measurement_advance(&m, 30000);
  measurement_metered(&m, 3600000); /* 1 Wh */
  EXPECT_EQ(m.pending.total_mws, 3600000);
  EXPECT_EQ(m.pending.channel_mws[0] + m.pending.channel_mws[1] + m.pending.channel_mws[2], 3600000);
  EXPECT_EQ(m.pending.channel_mws[0], 659538); /* 3,600,000 x 36,000 / 196,501, cut */
}

static void a_meters_increment_with_all_off_is_the_nodes_alone(void)
{
  struct measurement m = {.mode = MEASURE_METER, .rated_mw = {36000}};
  measurement_advance(&m, 30000);
  measurement_metered(&m, 7200000);
  EXPECT_EQ(m.pending.total_mws, 7200000);
  EXPECT_EQ(m.pending.channel_mws[0], 0);
}

static void a_split_after_years_does_not_overflow(void)
{
  struct measurement m = {.mode = MEASURE_METER, .rated_mw = {100000000, 100000000, 1}};
  m.on = 0x07;
  measurement_advance(&m, 315576000000); /* ten years */
  measurement_metered(&m, 9999990ull * MWS_PER_WH);
  EXPECT_EQ(m.pending.channel_mws[0] + m.pending.channel_mws[1] + m.pending.channel_mws[2], 9999990ull * MWS_PER_WH);
  EXPECT(m.pending.channel_mws[1] - m.pending.channel_mws[0] <= 1);
}

static void a_header_comes_back_whole(void)
{
  struct chain chain = {.counter_epoch = 2915847113u, .boot_id = 7, .sequence_no = 5000000000, .settled_through = 4999999999,
                        .uptime_ms = 86400000, .measured_at_ms = 1768456800000, .power_mw = 193000, .meter_wh = 9999989,
                        .loss_bound_mws = 6300000, .revision = 300, .on = 0xa5, .time_quality = 1, .cause = 2,
                        .meter_flags = 3, .reset_reason = 2, .meter_known = true, .first = true};
  chain.energy.total_mws = 32400000000000000;
  for (unsigned i = 0; i < CHANNELS_MAX; i++) {
    chain.energy.channel_mws[i] = 1ull << (56 - i);
    chain.energy.on_time_ms[i] = 1000 + i;
  }
  uint8_t bytes[HEADER_BYTES];
  struct chain back;
  uint32_t number = 0;
  header_encode(bytes, 167000, &chain);
  EXPECT(header_decode(bytes, &number, &back));
  EXPECT_EQ(number, 167000);
  EXPECT(memcmp(&back.energy, &chain.energy, sizeof chain.energy) == 0);
  EXPECT(back.counter_epoch == chain.counter_epoch && back.sequence_no == chain.sequence_no &&
         back.settled_through == chain.settled_through && back.measured_at_ms == chain.measured_at_ms &&
         back.revision == chain.revision && back.on == chain.on && back.first && back.meter_known && !back.metered);
  struct chain beyond[] = {chain, chain, chain, chain};
  beyond[0].counter_epoch = 0;
  beyond[1].sequence_no = 1000000000000;
  beyond[2].settled_through = chain.sequence_no + 1;
  beyond[3].energy.total_mws++;
  for (int i = 0; i < 4; i++) {
    uint8_t other[HEADER_BYTES];
    header_encode(other, 1, &beyond[i]);
    EXPECT(!header_decode(other, &number, &back));
  }
  const uint32_t impossible[] = {0, 0x80000000u};
  for (int i = 0; i < 2; i++) {
    uint8_t other[HEADER_BYTES];
    header_encode(other, impossible[i], &chain);
    EXPECT(!header_decode(other, &number, &back));
  }
  for (uint32_t at = 0; at < 5; at += 4) { /* another magic, another version */
    uint8_t other[HEADER_BYTES];
    header_encode(other, 1, &chain);
    other[at]++;
    uint32_t crc = crc32_of(0, other, HEADER_BYTES - 4);
    for (uint32_t k = 0; k < 4; k++) other[HEADER_BYTES - 4 + k] = (uint8_t)(crc >> 8 * k);
    EXPECT(!header_decode(other, &number, &back));
  }
  for (uint32_t bit = 0; bit < HEADER_BYTES * 8; bit++) {
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    EXPECT(!header_decode(bytes, &number, &back));
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
}

static void a_reading_record_comes_back_whole(void)
{
  struct chain chain = {.counter_epoch = 1, .sequence_no = 41, .settled_through = 30, .measured_at_ms = 1768456800000, .uptime_ms = 1000};
  struct energy increment = {.total_mws = 5000000, .channel_mws = {3000000, 2000000}, .on_time_ms = {30000, 12000}};
  struct observation o = {.uptime_ms = 31000, .measured_at_ms = 1768456830004, .settled_through = 40, .power_mw = 111500,
                          .on = 3, .time_quality = TIME_NTP, .cause = CAUSE_SWITCH};
  struct record r;
  struct audit audit;
  bool linked = false;
  record_reading(&r, &chain, &o, &(struct part){&increment, 0xff});
  record_seal(&r, (struct link){9, 0x1234});
  EXPECT_EQ(r.length % 4, 0);
  EXPECT_EQ(record_check(r.bytes, 64, (struct link){9, 0x1234}, &linked), r.length);
  EXPECT(linked);
  record_check(r.bytes, 64, (struct link){9, 0x1235}, &linked);
  EXPECT(!linked);
  EXPECT_EQ(record_check(r.bytes, 64, (struct link){8, 0x1234}, &linked), 0); /* of another lap */
  EXPECT_EQ(record_check(r.bytes, r.length - 1, (struct link){9, 0x1234}, &linked), 0);
  EXPECT_EQ(record_apply(&chain, r.bytes, &audit), RECORD_READING);
  EXPECT_EQ(chain.sequence_no, 42);
  EXPECT_EQ(chain.settled_through, 40);
  EXPECT_EQ(chain.measured_at_ms, 1768456830004);
  EXPECT_EQ(chain.uptime_ms, 31000);
  EXPECT_EQ(chain.energy.total_mws, 5000000);
  EXPECT_EQ(chain.energy.on_time_ms[0], 30000);
  EXPECT_EQ(chain.energy.on_time_ms[1], 12000);
  EXPECT_EQ(chain.power_mw, 111500);
  EXPECT_EQ(chain.cause, CAUSE_SWITCH);
}

static void eight_busy_channels_fit_one_record(void)
{
  struct chain chain = {.counter_epoch = 1, .sequence_no = 20000, .measured_at_ms = 1768456800000};
  struct energy increment = {0};
  for (int i = 0; i < CHANNELS_MAX; i++) {
    increment.channel_mws[i] = 3000000; /* 100 W for 30 s */
    increment.on_time_ms[i] = 30000;
    increment.total_mws += 3000000;
  }
  struct observation o = {.uptime_ms = 30000, .measured_at_ms = 1768456830000, .on = 0xff, .time_quality = TIME_NTP, .power_mw = 800000};
  struct record r;
  record_reading(&r, &chain, &o, &(struct part){&increment, 0xff});
  EXPECT_EQ(r.length, 56);
}

static void records_of_no_sense_change_nothing(void)
{
  struct chain chain = {.counter_epoch = 1}, before = chain;
  struct audit audit;
  uint8_t bytes[64] = {12, 99};
  EXPECT_EQ(record_apply(&chain, bytes, &audit), 0);
  bytes[1] = RECORD_BOOT; /* its content ends before the loss bound */
  EXPECT_EQ(record_apply(&chain, bytes, &audit), 0);
  EXPECT(memcmp(&chain, &before, sizeof chain) == 0);
  /* A whole record of more energy than the wire contract has numbers for. */
  struct energy beyond = {.total_mws = 32400000000000001, .channel_mws = {32400000000000001}};
  struct record r;
  record_energy(&r, &(struct part){&beyond, 0xff});
  record_seal(&r, (struct link){1, 1});
  EXPECT_EQ(record_apply(&chain, r.bytes, &audit), 0);
  EXPECT_EQ(chain.energy.total_mws, 0);
}

int main(void)
{
  static const struct test tests[] = {
      {"CRCs of known texts", crc_of_known_texts},
      {"varints keep every width", varints_keep_every_width},
      {"buffers have ends", buffers_have_ends},
      {"rated power times on-time", rated_power_times_on_time},
      {"parts of a milliwatt-second add up", parts_of_a_milliwatt_second_add_up},
      {"time that does not pass counts nothing", time_that_does_not_pass_counts_nothing},
      {"new ratings count from their instant", new_ratings_count_from_their_instant},
      {"a meter's increment is split without a rest", a_meters_increment_is_split_without_a_rest},
      {"a meter's increment with all off is the node's alone", a_meters_increment_with_all_off_is_the_nodes_alone},
      {"a split after years does not overflow", a_split_after_years_does_not_overflow},
      {"a header comes back whole, and with any bit turned not at all", a_header_comes_back_whole},
      {"a reading record comes back whole", a_reading_record_comes_back_whole},
      {"eight busy channels fit one record", eight_busy_channels_fit_one_record},
      {"records of no sense change nothing", records_of_no_sense_change_nothing},
  };
  return RUN(tests);
}
