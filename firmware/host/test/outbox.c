#include "outbox.h"
#include "test.h"

static struct outbox o;
static struct span run;

static void send(int32_t id, uint64_t from, uint64_t to)
{
  outbox_sent(&o, id, (struct span){from, to}, 0, false);
}

static void oldest_first_then_nothing(void)
{
  outbox_start(&o, 10);
  EXPECT(outbox_oldest(&o, 60, &run) && run.from == 11 && run.to == 60);
  EXPECT_EQ(outbox_backlog(&o, 60), 50);
  send(1, 11, 35);
  EXPECT(outbox_oldest(&o, 60, &run) && run.from == 36 && run.to == 60);
  send(2, 36, 60);
  EXPECT(!outbox_oldest(&o, 60, &run));
  EXPECT_EQ(outbox_backlog(&o, 60), 50);
  EXPECT(outbox_acknowledged(&o, 1));
  EXPECT_EQ(o.settled_through, 35);
  EXPECT(outbox_acknowledged(&o, 2));
  EXPECT_EQ(o.settled_through, 60);
  EXPECT_EQ(outbox_backlog(&o, 60), 0);
  EXPECT_EQ(outbox_backlog(&o, 59), 0);
}

static void a_live_reading_is_an_island(void)
{
  outbox_start(&o, 0);
  send(7, 100, 100);
  EXPECT(!outbox_unsent(&o, 100) && outbox_unsent(&o, 99));
  EXPECT(outbox_acknowledged(&o, 7));
  EXPECT(!outbox_unsent(&o, 100));
  EXPECT_EQ(o.settled_through, 0);
  EXPECT_EQ(outbox_backlog(&o, 101), 100);
  EXPECT(outbox_oldest(&o, 101, &run) && run.from == 1 && run.to == 99);
  send(8, 101, 101);
  outbox_acknowledged(&o, 8);
  EXPECT_EQ(o.island_count, 1);
  send(9, 1, 99);
  EXPECT(!outbox_oldest(&o, 101, &run));
  outbox_acknowledged(&o, 9);
  EXPECT_EQ(o.settled_through, 101);
  EXPECT_EQ(o.island_count, 0);
}

static void acknowledgements_in_any_order(void)
{
  outbox_start(&o, 0);
  send(1, 1, 25);
  send(2, 26, 50);
  send(3, 51, 75);
  EXPECT(outbox_acknowledged(&o, 3) && outbox_acknowledged(&o, 2));
  EXPECT_EQ(o.settled_through, 0);
  EXPECT_EQ(o.island_count, 1);
  EXPECT(outbox_acknowledged(&o, 1));
  EXPECT_EQ(o.settled_through, 75);
}

static void doubled_and_unknown_acknowledgements_settle_nothing(void)
{
  outbox_start(&o, 0);
  send(1, 1, 25);
  EXPECT(!outbox_acknowledged(&o, 2) && !outbox_acknowledged(&o, 0) && !outbox_acknowledged(&o, -1));
  EXPECT(outbox_acknowledged(&o, 1) && !outbox_acknowledged(&o, 1));
  EXPECT_EQ(o.settled_through, 25);
}

static void a_lost_session_brings_everything_back(void)
{
  outbox_start(&o, 0);
  send(1, 1, 25);
  outbox_sent(&o, 2, (struct span){3, 9}, 0, true);
  outbox_recall(&o);
  EXPECT_EQ(outbox_in_flight(&o), 0);
  EXPECT(outbox_oldest(&o, 25, &run) && run.from == 1 && run.to == 25);
  EXPECT(outbox_next_resend(&o, &run) && run.from == 3 && run.to == 9);
  EXPECT(!outbox_acknowledged(&o, 1));
}

static void late_messages_come_back_alone(void)
{
  outbox_start(&o, 0);
  outbox_sent(&o, 1, (struct span){1, 5}, 1000, false);
  outbox_sent(&o, 2, (struct span){6, 9}, 5000, false);
  EXPECT_EQ(outbox_expire(&o, 20999, 20000), 0);
  EXPECT_EQ(outbox_expire(&o, 21000, 20000), 1);
  EXPECT(outbox_oldest(&o, 9, &run) && run.from == 1 && run.to == 5);
}

static void no_more_than_a_window_in_flight(void)
{
  outbox_start(&o, 0);
  for (int i = 1; i <= OUTBOX_FLIGHTS; i++) {
    EXPECT(outbox_has_room(&o));
    send(i, (uint64_t)i, (uint64_t)i);
  }
  EXPECT(!outbox_has_room(&o));
  send(99, 99, 99);
  EXPECT(!outbox_acknowledged(&o, 99));
}

static void forgotten_islands_are_sent_again(void)
{
  outbox_start(&o, 0);
  for (int i = 1; i <= OUTBOX_ISLANDS + 1; i++) {
    send(i, (uint64_t)i * 10, (uint64_t)i * 10);
    outbox_acknowledged(&o, i);
  }
  EXPECT_EQ(o.island_count, OUTBOX_ISLANDS);
  EXPECT(outbox_unsent(&o, (OUTBOX_ISLANDS + 1) * 10));
  send(50, 5, 25);
  outbox_acknowledged(&o, 50);
  EXPECT_EQ(o.island_count, OUTBOX_ISLANDS - 1); /* 10 and 20 are one with it */
  send(51, 1, 4);
  outbox_acknowledged(&o, 51);
  EXPECT_EQ(o.settled_through, 25);
  send(52, 3, 9); /* settled long ago */
  outbox_acknowledged(&o, 52);
  EXPECT_EQ(o.settled_through, 25);
}

static void repeats_settle_nothing(void)
{
  outbox_start(&o, 50);
  EXPECT(outbox_resend(&o, (struct span){10, 40}));
  EXPECT(outbox_next_resend(&o, &run) && run.from == 10);
  outbox_sent(&o, 1, (struct span){10, 34}, 0, true);
  outbox_resent(&o, 34);
  EXPECT(outbox_next_resend(&o, &run) && run.from == 35 && run.to == 40);
  outbox_acknowledged(&o, 1);
  EXPECT_EQ(o.settled_through, 50);
  outbox_resent(&o, 40);
  EXPECT(!outbox_next_resend(&o, &run));
  outbox_resent(&o, 40);
  for (uint64_t i = 0; i < OUTBOX_RESENDS; i++) EXPECT(outbox_resend(&o, (struct span){i, i}));
  EXPECT(!outbox_resend(&o, (struct span){1, 2}));
}

/* Every number of the accepted ranges is waiting or in flight. */
static bool still_asked_for(uint64_t number)
{
  for (uint32_t i = 0; i < o.resend_count; i++)
    if (o.resends[i].from <= number && number <= o.resends[i].to) return true;
  for (int i = 0; i < OUTBOX_FLIGHTS; i++)
    if (o.flights[i].message_id != 0 && o.flights[i].resend && o.flights[i].span.from <= number && number <= o.flights[i].span.to) return true;
  return false;
}

static void send_again(int32_t id, uint64_t pieces)
{
  if (!outbox_next_resend(&o, &run)) return;
  uint64_t to = run.from + pieces - 1 < run.to ? run.from + pieces - 1 : run.to;
  outbox_sent(&o, id, (struct span){run.from, to}, 0, true);
  outbox_resent(&o, to);
}

static void an_accepted_repeat_is_never_dropped(void)
{
  static const struct span asked[] = {{1, 10}, {100, 110}, {200, 210}, {300, 310}, {400, 410}, {500, 510}, {600, 610}, {700, 710}};
  outbox_start(&o, 1000);
  for (int i = 0; i < 4; i++) EXPECT(outbox_resend(&o, asked[i]));
  for (int32_t id = 1; id <= 4; id++) send_again(id, 25);
  EXPECT_EQ(o.resend_count, 0);
  for (int i = 4; i < 8; i++) EXPECT(outbox_resend(&o, asked[i])); /* four wait, four are in flight */
  outbox_recall(&o);
  EXPECT(o.resend_count <= OUTBOX_RESENDS);
  for (int i = 0; i < 8; i++)
    for (uint64_t number = asked[i].from; number <= asked[i].to; number++) EXPECT(still_asked_for(number));
  /* In pieces, of which some are acknowledged and others lost, again and again. */
  int32_t id = 10;
  for (int round = 0; round < 200; round++) {
    int32_t first = id;
    while (outbox_has_room(&o) && o.resend_count > 0) send_again(id++, 3);
    EXPECT(outbox_acknowledged(&o, first + round % 2));
    outbox_recall(&o);
    EXPECT(o.resend_count <= OUTBOX_RESENDS);
    EXPECT(still_asked_for(710) || o.resend_count == 0);
    if (o.resend_count == 0) break;
  }
  for (int done = 0; done < 1000 && o.resend_count > 0; done++) {
    send_again(id, 25);
    EXPECT(outbox_acknowledged(&o, id++));
  }
  EXPECT_EQ(o.resend_count, 0);
  EXPECT_EQ(o.settled_through, 1000);
}

int main(void)
{
  static const struct test tests[] = {
      {"oldest first, then nothing", oldest_first_then_nothing},
      {"a live reading during replay is an island", a_live_reading_is_an_island},
      {"acknowledgements in any order", acknowledgements_in_any_order},
      {"doubled and unknown acknowledgements settle nothing", doubled_and_unknown_acknowledgements_settle_nothing},
      {"a lost session brings everything back", a_lost_session_brings_everything_back},
      {"late messages come back alone", late_messages_come_back_alone},
      {"no more than a window in flight", no_more_than_a_window_in_flight},
      {"islands without room are sent again", forgotten_islands_are_sent_again},
      {"repeats on demand settle nothing", repeats_settle_nothing},
      {"an accepted repeat is never dropped", an_accepted_repeat_is_never_dropped},
  };
  return RUN(tests);
}
