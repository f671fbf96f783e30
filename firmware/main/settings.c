#include "settings.h"

#include "nvs.h"
#include "nvs_flash.h"
#include "port.h"

static nvs_handle_t handle;
static bool opened;

void settings_start(void)
{
  /*
   * Never erased, whatever it answers: no free page, or pages of a newer version, hold the certificate, its
   * key and the high-water mark. Without settings the node measures on; a person decides.
   */
  esp_err_t err = nvs_flash_init();
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
