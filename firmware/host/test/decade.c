#include "sim.h"
#include "test.h"

/* Ten years of readings every 30 s, as a classroom with eight channels makes them, on 1 MiB. */

#define READINGS 10519200u /* 3,652.5 days x 2,880 */

static struct journal journal;

static void ten_years(void)
{
  sim_new(256);
  EXPECT_EQ(journal_recover(&journal, 2915847113u), JOURNAL_NEW_EPOCH);
  EXPECT(journal_boot(&journal, 1, RESET_POWER_ON, 0));
  uint64_t expected_mws = 0;
  for (uint32_t i = 1; i <= READINGS; i++) {
    /* On for the ten working hours, six days a week: 3.6 million mWs a reading with all eight on. */
    bool on = i % 2880 < 1200 && i / 2880 % 7 != 6;
    struct energy pending = {0};
    for (int k = 0; k < CHANNELS_MAX && on; k++) {
      pending.channel_mws[k] = 450000u * (unsigned)(k + 1);
      pending.on_time_ms[k] = 30000;
      pending.total_mws += pending.channel_mws[k];
    }
    expected_mws += pending.total_mws;
    struct observation o = {.uptime_ms = 30000ull * i, .measured_at_ms = 1768456800000ull + 30000ull * i + i % 7,
                            .settled_through = i - 1, .power_mw = on ? 540000 : 0, .on = on ? 0xff : 0, .time_quality = TIME_NTP};
    if (!journal_reading(&journal, &o, &pending)) {
      const bool journal_took_the_reading = false;
      EXPECT(journal_took_the_reading);
      return;
    }
  }
  EXPECT_EQ(journal.chain.sequence_no, READINGS);
  EXPECT_EQ(journal.chain.energy.total_mws, expected_mws);
  uint32_t least = UINT32_MAX, most = 0;
  for (uint32_t s = 0; s < 256; s++) {
    if (sim.erases[s] < least) least = sim.erases[s];
    if (sim.erases[s] > most) most = sim.erases[s];
  }
  printf("  erases per sector: %u to %u; flash stands 100,000\n", least, most);
  EXPECT(most < 5000);
  EXPECT(most - least <= 2);
  EXPECT_EQ(sim.set_bits, 0);
  /* The ring still holds the last week. */
  struct cursor c;
  EXPECT(journal_find(&journal, 1, &c));
  printf("  history held: %llu readings, %llu hours\n", (unsigned long long)(READINGS - c.walk.chain.sequence_no + 1),
         (unsigned long long)(READINGS - c.walk.chain.sequence_no + 1) / 120);
  EXPECT(READINGS - c.walk.chain.sequence_no >= 7 * 2880);
}

int main(void)
{
  static const struct test tests[] = {{"ten years at 30 s: wear, and the counter to the mWs", ten_years}};
  return RUN(tests);
}
