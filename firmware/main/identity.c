#include "identity.h"

#include <stdlib.h>
#include <string.h>

#include "mbedtls/platform_util.h"
#include "nvs.h"
#include "port.h"
#include "setup.h"

#define NO_SLOT 0xffu
#define SLOT_OF_SETUP 2u
#define TRIAL_ATTEMPTS 5u

static const char *const certificate_keys[] = {"cert0", "cert1"};
static const char *const key_keys[] = {"key0", "key1"};

static nvs_handle_t handle;
static bool opened;
static bool after_trial; /* the identity opened last follows an attempt with the one on trial */

static uint8_t number(const char *key, uint8_t otherwise)
{
  uint8_t value;
  return opened && nvs_get_u8(handle, key, &value) == ESP_OK ? value : otherwise;
}

static bool put(const char *key, uint8_t value)
{
  return nvs_set_u8(handle, key, value) == ESP_OK && nvs_commit(handle) == ESP_OK;
}

static char *text(const char *key)
{
  size_t bytes = 0;
  if (!opened || nvs_get_str(handle, key, NULL, &bytes) != ESP_OK || bytes < 2) return NULL;
  char *value = malloc(bytes);
  if (value != NULL && nvs_get_str(handle, key, value, &bytes) == ESP_OK) return value;
  free(value);
  return NULL;
}

void identity_start(void)
{
  esp_err_t err = nvs_open("identity", NVS_READWRITE, &handle);
  opened = err == ESP_OK;
  if (!opened) port_log(LOG_ERROR, "identity_fault", err);
}

static uint8_t slot_in_use(void)
{
  uint8_t active = number("active", NO_SLOT);
  return active < 2 ? active : SLOT_OF_SETUP;
}

static bool open_slot(struct identity *identity, uint8_t slot)
{
  identity->slot = slot;
  identity->certificate = slot < 2 ? text(certificate_keys[slot]) : setup_text("cert");
  identity->key = slot < 2 ? text(key_keys[slot]) : setup_text("key");
  if (identity->certificate != NULL && identity->key != NULL) return true;
  identity_close(identity);
  return false;
}

static void refuse_trial(uint8_t attempts)
{
  port_log(LOG_ERROR, "certificate_refused", attempts);
  put("outcome", ROTATION_REFUSED);
  put("trial", NO_SLOT);
}

/*
 * The slot on trial when it is its turn, else NO_SLOT. That it was tried is on flash before it is, so
 * that one that crashes the node gives way to the one in use after the restart.
 */
static uint8_t slot_on_trial(void)
{
  uint8_t slot = number("trial", NO_SLOT), tried = number("tried", 0);
  if (slot > 1) return NO_SLOT;
  after_trial = tried != 0;
  return put("tried", !tried) && !tried ? slot : NO_SLOT;
}

bool identity_open(struct identity *identity)
{
  after_trial = false;
  uint8_t trial = slot_on_trial();
  return (trial != NO_SLOT && open_slot(identity, trial)) || open_slot(identity, slot_in_use());
}

void identity_close(struct identity *identity)
{
  if (identity->key != NULL) mbedtls_platform_zeroize(identity->key, strlen(identity->key));
  free(identity->certificate);
  free(identity->key);
  *identity = (struct identity){.slot = NO_SLOT};
}

bool identity_store(const char *thing, const char *certificate, const char *key)
{
  struct identity present = {0};
  uint8_t in_use = slot_in_use();
  uint8_t slot = in_use == 0 ? 1 : 0;
  bool first = !open_slot(&present, in_use);
  identity_close(&present);
  /* What makes the slot count is written last: a power cut before it leaves everything as it was. */
  if (!opened || nvs_set_str(handle, certificate_keys[slot], certificate) != ESP_OK ||
      nvs_set_str(handle, key_keys[slot], key) != ESP_OK)
    return false;
  if (first) return nvs_set_str(handle, "thing", thing) == ESP_OK && put("active", slot);
  return put("attempts", 0) && put("tried", 0) && put("outcome", ROTATION_NONE) && put("trial", slot);
}

bool identity_accepted(uint8_t slot)
{
  uint8_t trial = number("trial", NO_SLOT);
  if (trial > 1) return true;
  if (slot != trial) {
    uint8_t attempts = (uint8_t)(number("attempts", 0) + 1u);
    if (!after_trial) return true;
    after_trial = false;
    if (attempts < TRIAL_ATTEMPTS) return !put("attempts", attempts);
    refuse_trial(attempts);
    return true;
  }
  uint8_t former = slot == 0 ? 1 : 0;
  if (!put("active", slot) || !put("trial", NO_SLOT)) return true;
  put("outcome", ROTATION_ACCEPTED);
  nvs_erase_key(handle, key_keys[former]);
  nvs_erase_key(handle, certificate_keys[former]);
  nvs_commit(handle);
  port_log(LOG_INFO, "certificate_rotated", slot);
  return true;
}

bool identity_can_store(void)
{
  return opened;
}

enum rotation identity_rotation(void)
{
  return number("trial", NO_SLOT) < 2 ? ROTATION_ON_TRIAL : (enum rotation)number("outcome", ROTATION_NONE);
}

bool port_identity(char *name, uint32_t capacity)
{
  struct identity identity = {0};
  bool usable = open_slot(&identity, slot_in_use());
  identity_close(&identity);
  char *thing = text("thing");
  if (thing == NULL) thing = setup_text("thing");
  usable = usable && thing != NULL && strlen(thing) < capacity;
  if (usable) memcpy(name, thing, strlen(thing) + 1);
  free(thing);
  return usable;
}
