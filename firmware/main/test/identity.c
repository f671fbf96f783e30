#include "../identity.h"

#include <limits.h>
#include <stdlib.h>

#include "nvs.h"
#include "port.h"
#include "setup.h"
#include "test.h"

static bool given_at_the_bench;

char *setup_text(const char *key)
{
  if (!given_at_the_bench) return NULL;
  if (strcmp(key, "thing") == 0) return strdup("room-101");
  if (strcmp(key, "cert") == 0) return strdup("bench");
  return strcmp(key, "key") == 0 ? strdup("bench key") : NULL;
}

void port_log(enum log_level level, const char *event, int64_t value)
{
  (void)level, (void)event, (void)value;
}

static void begin(bool given)
{
  given_at_the_bench = given;
  nvs_begin();
  identity_start();
}

/* The certificate the node would connect with, checked to go with its key; and its slot. */
static const char *connects_with(uint8_t *slot)
{
  static char certificate[64];
  char key[80];
  struct identity identity = {0};
  if (!identity_open(&identity)) return "none";
  snprintf(certificate, sizeof certificate, "%s", identity.certificate);
  snprintf(key, sizeof key, "%s key", certificate);
  EXPECT_TEXT(identity.key, key);
  *slot = identity.slot;
  identity_close(&identity);
  return certificate;
}

static void has_none_until_it_is_given_one(void)
{
  char name[129];
  uint8_t slot;
  begin(false);
  EXPECT_EQ(port_identity(name, sizeof name), false);
  EXPECT_TEXT(connects_with(&slot), "none");
  EXPECT_EQ(identity_store("room-101", "first", "first key"), true);
  EXPECT_EQ(port_identity(name, sizeof name), true);
  EXPECT_TEXT(name, "room-101");
  EXPECT_TEXT(connects_with(&slot), "first");
  EXPECT_EQ(identity_rotation(), ROTATION_NONE);
}

static void uses_the_one_from_the_bench(void)
{
  char name[129];
  uint8_t slot;
  begin(true);
  EXPECT_EQ(port_identity(name, sizeof name), true);
  EXPECT_TEXT(connects_with(&slot), "bench");
  EXPECT_EQ(identity_store("room-101", "next", "next key"), true);
  EXPECT_TEXT(connects_with(&slot), "next");
  identity_accepted(slot);
  EXPECT_EQ(identity_rotation(), ROTATION_ACCEPTED);
  EXPECT_TEXT(connects_with(&slot), "next");
}

static void begin_rotation(void)
{
  begin(false);
  identity_store("room-101", "first", "first key");
  identity_store("room-101", "second", "second key");
  EXPECT_EQ(identity_rotation(), ROTATION_ON_TRIAL);
}

static void keeps_the_old_one_until_the_new_one_is_accepted(void)
{
  uint8_t slot;
  begin_rotation();
  /* Five times the broker takes the old one right after it did not take the new one. */
  for (int attempt = 1; attempt <= 5; attempt++) {
    EXPECT_TEXT(connects_with(&slot), "second");
    EXPECT_TEXT(connects_with(&slot), "first");
    EXPECT_EQ(identity_accepted(slot), attempt == 5);
  }
  EXPECT_EQ(identity_rotation(), ROTATION_REFUSED);
  EXPECT_TEXT(connects_with(&slot), "first");
  EXPECT_EQ(identity_accepted(slot), true);

  identity_store("room-101", "third", "third key");
  EXPECT_TEXT(connects_with(&slot), "third");
  EXPECT_EQ(identity_accepted(slot), true);
  EXPECT_EQ(identity_rotation(), ROTATION_ACCEPTED);
  EXPECT_TEXT(connects_with(&slot), "third");
}

static void an_outage_says_nothing_about_a_certificate(void)
{
  uint8_t slot;
  begin_rotation();
  /* A week without a broker: the two take turns, and none is refused. */
  for (int attempt = 0; attempt < 2000; attempt++) EXPECT_TEXT(connects_with(&slot), attempt % 2 ? "first" : "second");
  EXPECT_EQ(identity_rotation(), ROTATION_ON_TRIAL);
  EXPECT_TEXT(connects_with(&slot), "second");
  EXPECT_EQ(identity_accepted(slot), true);
  EXPECT_EQ(identity_rotation(), ROTATION_ACCEPTED);
}

static void one_that_crashes_the_node_gives_way(void)
{
  uint8_t slot;
  begin_rotation();
  for (int crash = 1; crash <= 5; crash++) {
    EXPECT_TEXT(connects_with(&slot), "second");
    identity_start(); /* the node starts anew */
    EXPECT_TEXT(connects_with(&slot), "first");
    EXPECT_EQ(identity_accepted(slot), crash == 5);
  }
  EXPECT_EQ(identity_rotation(), ROTATION_REFUSED);
}

/* The power goes after each single write of a whole rotation: the node always has an identity that works. */
static void survives_a_power_cut_at_every_write(void)
{
  uint8_t slot;
  for (int writes = 0; writes < 40; writes++) {
    begin(false);
    identity_store("room-101", "first", "first key");
    nvs_writes_left = writes;
    if (identity_store("room-101", "second", "second key")) {
      connects_with(&slot);
      identity_accepted(slot);
    }
    nvs_writes_left = INT_MAX;
    identity_start();
    char name[129];
    EXPECT_EQ(port_identity(name, sizeof name), true);
    const char *certificate = connects_with(&slot);
    EXPECT_EQ(strcmp(certificate, "first") == 0 || strcmp(certificate, "second") == 0, true);
  }
}

#define CASE(function) {#function, function}

int main(void)
{
  static const struct test tests[] = {
      CASE(has_none_until_it_is_given_one),
      CASE(uses_the_one_from_the_bench),
      CASE(keeps_the_old_one_until_the_new_one_is_accepted),
      CASE(an_outage_says_nothing_about_a_certificate),
      CASE(one_that_crashes_the_node_gives_way),
      CASE(survives_a_power_cut_at_every_write),
  };
  return RUN(tests);
}
