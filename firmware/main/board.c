/* What the chip tells about itself, and the line of a log. */

#include <inttypes.h>
#include <string.h>

#include "esp_app_desc.h"
#include "esp_log.h"
#include "esp_mac.h"
#include "esp_system.h"
#include "port.h"

static const char tag[] = "autovolt";

enum reset_reason port_reset_reason(void)
{
  switch (esp_reset_reason()) {
  case ESP_RST_POWERON: return RESET_POWER_ON;
  case ESP_RST_BROWNOUT:
  case ESP_RST_PWR_GLITCH: return RESET_BROWNOUT;
  case ESP_RST_SW: return RESET_SOFTWARE;
  case ESP_RST_INT_WDT:
  case ESP_RST_TASK_WDT:
  case ESP_RST_WDT: return RESET_WATCHDOG;
  case ESP_RST_PANIC:
  case ESP_RST_CPU_LOCKUP: return RESET_PANIC;
  case ESP_RST_UNKNOWN:
  case ESP_RST_EXT:
  case ESP_RST_DEEPSLEEP:
  case ESP_RST_SDIO:
  case ESP_RST_USB:
  case ESP_RST_JTAG:
  case ESP_RST_EFUSE: break;
  }
  return RESET_OTHER;
}

const char *port_firmware_version(void)
{
  return esp_app_get_description()->version;
}

void port_mac(uint8_t mac[6])
{
  if (esp_read_mac(mac, ESP_MAC_WIFI_STA) != ESP_OK) memset(mac, 0, 6);
}

uint32_t port_heap_free(void)
{
  return esp_get_free_heap_size();
}

void port_restart(void)
{
  esp_restart();
}

void port_log(enum log_level level, const char *event, int64_t value)
{
  switch (level) {
  case LOG_ERROR: ESP_LOGE(tag, "%s %" PRId64, event, value); break;
  case LOG_WARNING: ESP_LOGW(tag, "%s %" PRId64, event, value); break;
  case LOG_INFO: ESP_LOGI(tag, "%s %" PRId64, event, value); break;
  }
}
