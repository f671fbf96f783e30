#include "meter.h"

#include "crc.h"
#include "record.h"
#include "sim.h"
#include "test.h"

static const struct configuration metered = {
    .mode = MEASURE_METER, .meter_address = 1, .period_ms = 30000, .channel_count = 2,
    .channels = {{"light-1", 36000}, {"fan-1", 72000}}};

static struct node node;

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

static void increments(void)
{
  struct meter m = {0};
  uint8_t flags = 0;
  EXPECT_EQ(meter_increment(&m, 5000000, 30000, &flags), 0); /* the first value is a base */
  EXPECT_EQ(meter_increment(&m, 5000003, 30000, &flags), 3);
  EXPECT_EQ(meter_increment(&m, 5000003, 30000, &flags), 0);
  EXPECT_EQ(flags, 0);
}

static void wrap_of_the_register(void)
{
  struct meter m = {.known = true, .last_wh = 9999985};
  uint8_t flags = 0;
  EXPECT_EQ(meter_increment(&m, 4, 30000, &flags), 9);
  EXPECT_EQ(flags, METER_WRAPPED);
  m = (struct meter){.known = true, .last_wh = 9999995}; /* a firmware of the meter that counts to the last digit */
  EXPECT_EQ(meter_increment(&m, 4, 30000, &flags), 4);
}

static void a_passing_zero_counts_nothing(void)
{
  struct meter m = {.known = true, .last_wh = 18342};
  uint8_t flags = 0;
  EXPECT_EQ(meter_increment(&m, 0, 30000, &flags), 0);
  EXPECT_EQ(flags, METER_IMPLAUSIBLE);
  flags = 0;
  EXPECT_EQ(meter_increment(&m, 18345, 60000, &flags), 3);
  EXPECT_EQ(flags, 0);
}

static void a_reset_is_believed_the_third_time(void)
{
  struct meter m = {.known = true, .last_wh = 18342};
  uint8_t flags = 0;
  EXPECT_EQ(meter_increment(&m, 2, 30000, &flags), 0);
  EXPECT_EQ(meter_increment(&m, 3, 35000, &flags), 0);
  EXPECT_EQ(flags, METER_IMPLAUSIBLE);
  EXPECT_EQ(meter_increment(&m, 5, 40000, &flags), 5);
  EXPECT_EQ(flags, METER_IMPLAUSIBLE | METER_RESET);
  EXPECT_EQ(meter_increment(&m, 6, 5000, &flags), 1);
}

static void a_lower_register_of_another_meter_credits_nothing(void)
{
  struct meter m = {.known = true, .last_wh = 18342};
  uint8_t flags = 0;
  for (int i = 0; i < 3; i++) EXPECT_EQ(meter_increment(&m, 9000, 30000, &flags), 0);
  EXPECT_EQ(meter_increment(&m, 9001, 30000, &flags), 1);
}

static void a_jump_is_set_aside_until_three_agree(void)
{
  struct meter m = {.known = true, .last_wh = 100};
  uint8_t flags = 0;
  EXPECT_EQ(meter_increment(&m, 4000000, 30000, &flags), 0);
  EXPECT_EQ(meter_increment(&m, 9000, 30000, &flags), 0); /* does not agree: counting begins again */
  EXPECT_EQ(meter_increment(&m, 9001, 30000, &flags), 0);
  EXPECT_EQ(flags, METER_IMPLAUSIBLE);
  EXPECT_EQ(meter_increment(&m, 9002, 30000, &flags), 0);
  EXPECT_EQ(m.last_wh, 9002);
  EXPECT_EQ(meter_increment(&m, 9004, 30000, &flags), 2);
}

static void ten_years_of_silence_do_not_overflow(void)
{
  struct meter m = {.known = true, .last_wh = 100};
  uint8_t flags = 0;
  EXPECT_EQ(meter_increment(&m, 9999989, UINT64_MAX, &flags), 9999889);
}

/* ---- The same, in a node ---- */

static void begin(void)
{
  sim_new(8);
  sim.meter_fitted = true;
  sim.load_mw[0] = 36000;
  sim.load_mw[1] = 72000;
  node_start(&node, &metered);
  sim_run(&node, 1000, 50);
  sim.switches = 3;
}

static void a_metered_node_counts_what_the_loads_took(void)
{
  begin();
  sim_run(&node, 3600000, 1000);
  struct energy energy = node_energy(&node);
  /* The register shows whole Wh, so up to one is still inside the meter. */
  EXPECT(energy.total_mws <= sim.truth_mws && sim.truth_mws - energy.total_mws < MWS_PER_WH);
  EXPECT_EQ(energy.channel_mws[0] + energy.channel_mws[1], energy.total_mws);
  EXPECT(node.journal.chain.metered && node.journal.chain.meter_known);
  EXPECT_EQ(node.journal.chain.power_mw, 108000);
}

static void run_fault(enum meter_fault fault)
{
  begin();
  sim_run(&node, 600000, 1000);
  uint64_t before_mws = node_energy(&node).total_mws;
  sim.meter_fault = fault;
  sim_run(&node, 3600000, 1000);
  EXPECT(node.journal.chain.meter_flags & METER_SILENT);
  EXPECT_EQ(node_energy(&node).total_mws, before_mws);
  EXPECT_EQ(node.journal.chain.power_mw, 0);
  sim.meter_fault = METER_FINE;
  sim_run(&node, 60000, 1000);
  EXPECT(sim.truth_mws - node_energy(&node).total_mws < MWS_PER_WH);
}

static void silence_loses_nothing(void) { run_fault(METER_DEAF); }
static void broken_crc_loses_nothing(void) { run_fault(METER_BROKEN_CRC); }
static void short_answers_lose_nothing(void) { run_fault(METER_SHORT); }
static void noise_loses_nothing(void) { run_fault(METER_NOISE); }

static void no_voltage_is_flagged(void)
{
  begin();
  sim.meter_voltage_dv = 0;
  sim_run(&node, 60000, 1000);
  EXPECT(node.journal.chain.meter_flags & METER_NO_VOLTAGE);
}

static void no_uart_is_silence(void)
{
  begin();
  sim.meter_fitted = false;
  sim_run(&node, 60000, 1000);
  EXPECT(node.journal.chain.meter_flags & METER_SILENT);
}

static void the_register_wraps_in_a_node(void)
{
  begin();
  sim.meter_mws = 9999980ull * MWS_PER_WH;
  node.meter.known = false;
  sim_run(&node, 30000, 1000);
  uint64_t before_mws = node_energy(&node).total_mws, truth_mws = sim.truth_mws;
  sim_run(&node, 3600000, 1000);
  uint64_t counted = node_energy(&node).total_mws - before_mws, taken = sim.truth_mws - truth_mws;
  EXPECT(counted <= taken + MWS_PER_WH && taken <= counted + MWS_PER_WH);
  EXPECT(node.journal.chain.meter_wh < 1000);
}

static void energy_taken_while_the_node_was_off_is_in_the_register(void)
{
  begin();
  sim_run(&node, 600000, 1000);
  sim_pass(17000); /* measured by the meter, never asked for */
  sim_power_on(RESET_BROWNOUT);
  sim.switches = 3;
  node_start(&node, &metered);
  sim_run(&node, 60000, 1000);
  EXPECT(sim.truth_mws - node_energy(&node).total_mws < MWS_PER_WH);
}

static void a_meter_without_a_clock(void)
{
  begin();
  sim.wall_ms = 0;
  sim_run(&node, 60000, 1000);
  sim_power_on(RESET_POWER_ON);
  node_start(&node, &metered);
  EXPECT_EQ(node.meter_gap_ms, 86400000);
  sim_run(&node, 60000, 1000);
  EXPECT(sim.truth_mws - node_energy(&node).total_mws < MWS_PER_WH);
}

int main(void)
{
  static const struct test tests[] = {
      {"the question as documented", question_as_documented},
      {"the answer with both energy registers", answer_with_both_energy_registers},
      {"broken, short, foreign and impossible answers", broken_answers},
      {"increments from the first value on", increments},
      {"the register wraps at 9,999.99 kWh", wrap_of_the_register},
      {"a passing zero counts nothing", a_passing_zero_counts_nothing},
      {"a reset is believed the third time, with its energy", a_reset_is_believed_the_third_time},
      {"a lower register of another meter credits nothing", a_lower_register_of_another_meter_credits_nothing},
      {"a jump is set aside until three agree", a_jump_is_set_aside_until_three_agree},
      {"ten years of silence do not overflow", ten_years_of_silence_do_not_overflow},
      {"a metered node counts what the loads took", a_metered_node_counts_what_the_loads_took},
      {"an hour of silence loses nothing", silence_loses_nothing},
      {"an hour of broken CRCs loses nothing", broken_crc_loses_nothing},
      {"an hour of short answers loses nothing", short_answers_lose_nothing},
      {"an hour of noise loses nothing", noise_loses_nothing},
      {"voltage 0 is flagged", no_voltage_is_flagged},
      {"a dead UART is silence", no_uart_is_silence},
      {"the register wraps in a node", the_register_wraps_in_a_node},
      {"energy taken while the node was off is in the register", energy_taken_while_the_node_was_off_is_in_the_register},
      {"a meter without a clock", a_meter_without_a_clock},
  };
  return RUN(tests);
}
