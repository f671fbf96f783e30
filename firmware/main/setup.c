#include "setup.h"

#include <stdlib.h>

#include "nvs.h"
#include "nvs_flash.h"
#include "port.h"
#include "sdkconfig.h"

static nvs_handle_t handle;
static bool opened;

static esp_err_t open_partition(void)
{
#if CONFIG_NVS_ENCRYPTION
  /* The bench encrypts the image with the keys it writes into nvs_keys. */
  nvs_sec_cfg_t keys;
  esp_err_t err = nvs_flash_read_security_cfg_v2(nvs_flash_get_default_security_scheme(), &keys);
  return err == ESP_OK ? nvs_flash_secure_init_partition("setup", &keys) : err;
#else
  return nvs_flash_init_partition("setup");
#endif
}

void setup_start(void)
{
  esp_err_t err = open_partition();
  if (err == ESP_OK) err = nvs_open_from_partition("setup", "autovolt", NVS_READONLY, &handle);
  opened = err == ESP_OK;
  if (!opened) port_log(LOG_ERROR, "setup_missing", err);
}

char *setup_text(const char *key)
{
  size_t bytes = 0;
  if (!opened || nvs_get_str(handle, key, NULL, &bytes) != ESP_OK || bytes < 2) return NULL;
  char *text = malloc(bytes);
  if (text != NULL && nvs_get_str(handle, key, text, &bytes) == ESP_OK) return text;
  free(text);
  return NULL;
}

uint16_t setup_number(const char *key, uint16_t otherwise)
{
  uint16_t number;
  return opened && nvs_get_u16(handle, key, &number) == ESP_OK ? number : otherwise;
}
