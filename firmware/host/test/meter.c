#include "meter.h"

#include "crc.h"
#include "record.h"
#include "sim.h"
#include "test.h"

/* An answer of 230.1 V, 412.5 W, 5,000,000 Wh; registers of 16 bits, low word first. */
static void answer(uint8_t frame[25], uint32_t energy_wh)
{
  const uint32_t words[10] = {2301, 1800, 0, 4125, 0, energy_wh & 0xffff, energy_wh >> 16, 500, 98, 0};
  frame[0] = 1;
  frame[1] = 4;
  frame[2] = 20;
  for (int i = 0; i < 10; i++) {
    frame[3 + 2 * i] = (uint8_t)(words[i] >> 8);
    frame[4 + 2 * i] = (uint8_t)words[i];
  }
  uint16_t crc = crc16_modbus(frame, 23);
  frame[23] = (uint8_t)crc;
  frame[24] = (uint8_t)(crc >> 8);
}

static void question_as_documented(void)
{
  uint8_t frame[METER_REQUEST_BYTES];
  meter_request(1, frame);
  const uint8_t expected[] = {0x01, 0x04, 0x00, 0x00, 0x00, 0x0a, 0x70, 0x0d};
  EXPECT(memcmp(frame, expected, sizeof frame) == 0);
}

static void answer_with_both_energy_registers(void)
{
  uint8_t frame[25];
  struct meter_sample sample;
  answer(frame, 5000000); /* 76 x 65,536 + 19,264: the high register counts */
  EXPECT_EQ(meter_parse(1, frame, 25, &sample), METER_ANSWER_OK);
  EXPECT_EQ(sample.energy_wh, 5000000);
  EXPECT_EQ(sample.power_mw, 412500);
  EXPECT_EQ(sample.voltage_mv, 230100);
}

static void broken_answers(void)
{
  uint8_t frame[26] = {0}, copy[26];
  struct meter_sample sample;
  answer(frame, 5000000);
  for (uint32_t bytes = 0; bytes < 25; bytes++) EXPECT_EQ(meter_parse(1, frame, bytes, &sample), METER_ANSWER_PARTIAL);
  EXPECT_EQ(meter_parse(1, frame, 26, &sample), METER_ANSWER_BAD);
  EXPECT_EQ(meter_parse(2, frame, 25, &sample), METER_ANSWER_BAD);
  for (uint32_t bit = 0; bit < 200; bit++) {
    memcpy(copy, frame, sizeof copy);
    copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
    EXPECT(meter_parse(1, copy, 25, &sample) == METER_ANSWER_BAD);
  }
  const uint8_t exception[] = {1, 0x84, 1, 0x82, 0xc0};
  EXPECT_EQ(meter_parse(1, exception, 5, &sample), METER_ANSWER_BAD);
  memcpy(copy, frame, sizeof copy);
  copy[11] = 0xff; /* a power of hundreds of kW, with a CRC that holds */
  uint16_t crc = crc16_modbus(copy, 23);
  copy[23] = (uint8_t)crc;
  copy[24] = (uint8_t)(crc >> 8);
  EXPECT_EQ(meter_parse(1, copy, 25, &sample), METER_ANSWER_BAD);
}

/* Values of the register, 5 s apart unless said otherwise, and what each of them counts. */
static struct meter m;
static uint64_t now_ms;
static uint8_t flags;

static void fresh(uint32_t last_wh)
{
  now_ms = 1000;
  flags = 0;
  m = (struct meter){.last_wh = last_wh, .last_ms = now_ms, .known = last_wh != 0};
}

static uint32_t says_after(uint64_t ms, uint32_t raw_wh)
{
  now_ms += ms;
  return meter_increment(&m, raw_wh, now_ms, &flags);
}

static uint32_t says(uint32_t raw_wh)
{
  return says_after(5000, raw_wh);
}

static void increments(void)
{
  fresh(0);
  EXPECT_EQ(says(5000000), 0); /* the first value is a base */
  EXPECT_EQ(says(5000003), 3);
  EXPECT_EQ(says(5000003), 0);
  EXPECT_EQ(flags, 0);
}

static void wrap_of_the_register(void)
{
  fresh(9999985);
  EXPECT_EQ(says(4), 9);
  EXPECT_EQ(flags, METER_WRAPPED);
  fresh(9999995); /* a firmware of the meter that counts to the last digit */
  EXPECT_EQ(says(4), 4);
}

static void a_drop_from_the_middle_is_no_wrap(void)
{
  fresh(5000000);
  for (int i = 0; i < 3; i++) EXPECT_EQ(says_after(86400000ull * 30, 4000000), 0); /* a month would explain a wrap */
  EXPECT_EQ(flags, METER_IMPLAUSIBLE | METER_RESET);
}

static void a_passing_zero_counts_nothing(void)
{
  fresh(18342);
  EXPECT_EQ(says(0), 0);
  EXPECT_EQ(flags, METER_IMPLAUSIBLE);
  flags = 0;
  EXPECT_EQ(says(18345), 3);
  EXPECT_EQ(flags, 0);
}

static void a_reset_is_believed_the_third_time(void)
{
  fresh(18342);
  says(18342);
  EXPECT_EQ(says(2), 0);
  EXPECT_EQ(says(3), 0);
  EXPECT_EQ(flags, METER_IMPLAUSIBLE);
  EXPECT_EQ(says(5), 5);
  EXPECT_EQ(flags, METER_IMPLAUSIBLE | METER_RESET);
  EXPECT_EQ(says(6), 1);
}

/* Whether it began again from zero or forgot what it had not saved cannot be told: only what it rises by counts. */
static void a_register_that_steps_back_counts_nothing_twice(void)
{
  fresh(18342);
  for (int i = 0; i < 2; i++) EXPECT_EQ(says(18330), 0);
  EXPECT_EQ(says(18331), 1);
  EXPECT_EQ(says(18332), 1);
  fresh(400); /* small enough that a reset could be seen in it */
  says(120), says(120);
  EXPECT_EQ(says(121), 1);
  fresh(18342); /* after an hour of silence the time would explain all of it */
  says_after(3600000, 18300), says(18300);
  EXPECT_EQ(says(18301), 1);
}

static void a_lower_register_of_another_meter_credits_nothing(void)
{
  fresh(18342);
  for (int i = 0; i < 3; i++) EXPECT_EQ(says(9000), 0);
  EXPECT_EQ(says(9001), 1);
}

static void a_jump_is_set_aside_until_three_agree(void)
{
  fresh(100);
  EXPECT_EQ(says(4000000), 0);
  EXPECT_EQ(says(9000), 0); /* does not agree: counting begins again */
  EXPECT_EQ(says(9001), 0);
  EXPECT_EQ(flags, METER_IMPLAUSIBLE);
  EXPECT_EQ(says(9002), 2); /* what it rose by meanwhile */
  EXPECT_EQ(m.last_wh, 9002);
  EXPECT_EQ(says(9004), 2);
  EXPECT_EQ(m.doubt_wh, 0); /* the node was on all the time: no clock will explain it */
}

static void ten_years_of_silence_do_not_overflow(void)
{
  fresh(100);
  EXPECT_EQ(says_after(UINT64_MAX / 2, 9999989), 9999889);
}

static void after_boot(uint32_t before_wh, uint32_t doubt_wh)
{
  fresh(0);
  EXPECT_EQ(meter_resume(&m, before_wh, doubt_wh, 0, now_ms), 0);
}

static void a_small_rise_over_a_boot_counts_without_a_clock(void)
{
  after_boot(500000, 0);
  EXPECT_EQ(says(500003), 3);
  EXPECT_EQ(flags, 0);
}

/* Up to a period's energy was read and not on flash when the power failed. */
static void a_rise_of_a_period_counts_without_a_clock(void)
{
  fresh(0);
  meter_resume(&m, 500000, 0, 30000, now_ms);
  EXPECT_EQ(says(500100), 100);
  fresh(0);
  meter_resume(&m, 500000, 0, 30000, now_ms);
  EXPECT_EQ(says(500500), 0);
}

static void a_large_rise_over_a_boot_waits_for_the_clock(void)
{
  for (int plausible = 0; plausible < 2; plausible++) {
    after_boot(500000, 0);
    EXPECT_EQ(says(502000), 0);
    EXPECT_EQ(says(502001), 0);
    EXPECT_EQ(says(502001), 1); /* counting goes on */
    EXPECT_EQ(m.doubt_wh, 2000);
    flags = 0;
    EXPECT_EQ(meter_decide(&m, plausible ? 3600000 : 60000, &flags), plausible ? 2000 : 0);
    EXPECT_EQ(flags, plausible ? 0 : METER_IMPLAUSIBLE);
    EXPECT_EQ(m.doubt_wh, 0);
    EXPECT_EQ(says(502002), 1);
  }
}

static void a_clock_that_is_there_decides_at_once(void)
{
  after_boot(500000, 0);
  EXPECT_EQ(meter_decide(&m, 3600000, &flags), 0);
  EXPECT_EQ(says(502000), 2000);
  after_boot(500000, 0);
  EXPECT_EQ(says(502000), 0);
  EXPECT_EQ(meter_decide(&m, 3600000, &flags), 0);
  EXPECT_EQ(says(502001), 2001); /* it came while the value was set aside */
  after_boot(500000, 0);
  EXPECT_EQ(meter_decide(&m, 60000, &flags), 0);
  for (int i = 0; i < 3; i++) EXPECT_EQ(says(502000), 0);
  EXPECT_EQ(m.doubt_wh, 0);
}

static void doubts_of_several_boots_are_one(void)
{
  after_boot(500000, 2000);
  for (int i = 0; i < 3; i++) EXPECT_EQ(says(501000), 0);
  EXPECT_EQ(m.doubt_wh, 3000);
  EXPECT_EQ(meter_decide(&m, 3600000, &flags), 3000);
}

/* The whole register was counted again, once: lower by a little after a boot, and a day allowed for. */
static void a_register_lower_after_a_boot_is_not_counted_again(void)
{
  for (int clock = 0; clock < 2; clock++) {
    after_boot(500000, 0);
    if (clock) meter_decide(&m, 86400000, &flags);
    uint32_t counted_wh = says(499990) + says(499990) + says(499991);
    EXPECT_EQ(counted_wh, 1);
    EXPECT_EQ(m.doubt_wh, 0);
    EXPECT_EQ(flags & METER_RESET, METER_RESET);
  }
}

static void what_was_counted_before_the_journal_could_be_read_is_not_counted_again(void)
{
  fresh(0);
  says(500000), says(500004);
  EXPECT_EQ(meter_resume(&m, 499998, 0, 0, now_ms), 2); /* from the journal's last value to the first of this boot */
  EXPECT_EQ(says(500005), 1);
  fresh(0);
  says(500000), says(500004);
  EXPECT_EQ(meter_resume(&m, 490000, 0, 0, now_ms), 0);
  EXPECT_EQ(m.doubt_wh, 10000);
  EXPECT_EQ(says(500005), 1);
  fresh(0);
  says(500000);
  EXPECT_EQ(meter_resume(&m, 600000, 0, 0, now_ms), 0); /* another register */
  EXPECT_EQ(m.doubt_wh, 0);
}

/*
 * A meter with all its faults, over boots with and without a clock: what is counted is never more than
 * what it measured. The register steps back, begins again, is read wrong, is silent, is replaced by a lower one.
 */
static void whatever_happens_no_energy_is_counted_twice(void)
{
  sim_new(4);
  for (uint32_t seed = 1; seed <= 3000; seed++) {
    sim.random = seed;
    uint64_t true_wh = 0, counted_wh = 0, uptime_ms = 1000, off_ms = 0;
    uint32_t reg = sim_chance(2) ? sim_chance(3000) : 8000000 + sim_chance(1999990), load_w = 500 + sim_chance(6000);
    uint64_t base_wh = reg;
    struct meter each = {0};
    bool read_once = false;
    for (int step = 0; step < 120; step++) {
      uint64_t ms = sim_chance(8) ? 5000 : 5000 + sim_chance(7200000);
      uint32_t wh = (uint32_t)(load_w * ms / 3600000);
      uint8_t ignored = 0;
      uptime_ms += ms;
      reg = (reg + wh) % METER_WRAP_WH;
      true_wh += wh;
      uint32_t fault = sim_chance(40);
      if (fault == 0) reg -= reg < 50 ? reg : sim_chance(50);
      /* Just before its end a reset cannot be told from a wrap. */
      bool near_end = reg > METER_WRAP_WH - 100000;
      if (fault == 1 && !near_end) reg = 0;
      if (fault == 2 && !near_end) {
        reg /= 2; /* another meter: nobody puts it in within a minute */
        uptime_ms += 120000;
      }
      if (fault == 3) {
        /* A boot: off for a while, the load goes on. */
        off_ms = (uint64_t)sim_chance(48) * 1800000;
        wh = (uint32_t)(load_w * off_ms / 3600000);
        reg = (reg + wh) % METER_WRAP_WH;
        true_wh += wh;
        uint32_t before_wh = each.last_wh, doubt_wh = each.doubt_wh;
        bool known = each.known;
        uptime_ms = 1000;
        memset(&each, 0, sizeof each);
        if (known) counted_wh += meter_resume(&each, before_wh, doubt_wh, 0, uptime_ms);
        if (sim_chance(2)) counted_wh += meter_decide(&each, off_ms, &ignored);
        continue;
      }
      if (fault == 4) counted_wh += meter_decide(&each, off_ms, &ignored); /* the clock comes, right or wrong */
      if (fault == 5) continue;                                           /* silence */
      /* A wrong value near the right one cannot be told from it. */
      uint32_t value_wh = fault == 6 ? sim_chance(METER_WRAP_WH) : reg;
      if (value_wh + 200000 > reg && value_wh < reg + 200000) value_wh = reg;
      counted_wh += meter_increment(&each, value_wh, uptime_ms, &ignored);
      if (value_wh != reg && each.odd_count == 0) break;
      if (!read_once) base_wh = true_wh;
      read_once = true;
      if (counted_wh <= true_wh - base_wh) continue;
      printf("  seed %u, step %d: counted %llu of %llu\n", seed, step, (unsigned long long)counted_wh, (unsigned long long)(true_wh - base_wh));
      const bool counted_twice = true;
      EXPECT(!counted_twice);
      return;
    }
  }
}

int main(void)
{
  static const struct test tests[] = {
      {"the question as documented", question_as_documented},
      {"the answer with both energy registers", answer_with_both_energy_registers},
      {"broken, short, foreign and impossible answers", broken_answers},
      {"increments from the first value on", increments},
      {"the register wraps at 9,999.99 kWh", wrap_of_the_register},
      {"a drop from the middle of the register is no wrap", a_drop_from_the_middle_is_no_wrap},
      {"a passing zero counts nothing", a_passing_zero_counts_nothing},
      {"a reset is believed the third time, with its energy", a_reset_is_believed_the_third_time},
      {"a register that steps back counts nothing twice", a_register_that_steps_back_counts_nothing_twice},
      {"a lower register of another meter credits nothing", a_lower_register_of_another_meter_credits_nothing},
      {"a jump is set aside until three agree", a_jump_is_set_aside_until_three_agree},
      {"ten years of silence do not overflow", ten_years_of_silence_do_not_overflow},
      {"a small rise over a boot counts without a clock", a_small_rise_over_a_boot_counts_without_a_clock},
      {"a rise of a period counts without a clock", a_rise_of_a_period_counts_without_a_clock},
      {"a large rise over a boot waits for the clock", a_large_rise_over_a_boot_waits_for_the_clock},
      {"a clock that is there decides at once", a_clock_that_is_there_decides_at_once},
      {"doubts of several boots are one", doubts_of_several_boots_are_one},
      {"a register lower after a boot is not counted again", a_register_lower_after_a_boot_is_not_counted_again},
      {"what was counted before the journal could be read is not counted again",
       what_was_counted_before_the_journal_could_be_read_is_not_counted_again},
      {"whatever happens, no energy is counted twice", whatever_happens_no_energy_is_counted_twice},
  };
  return RUN(tests);
}
