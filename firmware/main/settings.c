#include "settings.h"

#include "nvs.h"
#include "nvs_flash.h"
#include "port.h"

static nvs_handle_t handle;
static bool opened;

void settings_start(void)
{
  esp_err_t err = nvs_flash_init();
  if (err == ESP_ERR_NVS_NO_FREE_PAGES || err == ESP_ERR_NVS_NEW_VERSION_FOUND) {
    /* Not one page is usable, so there is nothing to lose; the journal still knows the counter. */
    port_log(LOG_ERROR, "settings_erased", err);
    err = nvs_flash_erase();
    if (err == ESP_OK) err = nvs_flash_init();
  }
  if (err == ESP_OK) err = nvs_open("autovolt", NVS_READWRITE, &handle);
  opened = err == ESP_OK;
  if (!opened) port_log(LOG_ERROR, "settings_fault", err);
}

uint32_t port_settings_read(const char *key, void *to, uint32_t capacity)
{
  size_t bytes = 0;
  if (!opened || nvs_get_blob(handle, key, NULL, &bytes) != ESP_OK || bytes > capacity) return 0;
  return nvs_get_blob(handle, key, to, &bytes) == ESP_OK ? (uint32_t)bytes : 0;
}

bool port_settings_write(const char *key, const void *from, uint32_t bytes)
{
  return opened && nvs_set_blob(handle, key, from, bytes) == ESP_OK && nvs_commit(handle) == ESP_OK;
}
