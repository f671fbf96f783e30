#include "clock.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/time.h>

#include "esp_netif_sntp.h"
#include "esp_timer.h"
#include "port.h"
#include "sdkconfig.h"
#include "setup.h"

/* 2020-01-01: a clock that says less was never set. */
#define EARLIEST_S 1577836800

static atomic_int known = TIME_NONE;
static bool prepared, asked;

/* Runs in the task of TCP/IP. */
static void on_synchronized(struct timeval *now)
{
  (void)now;
  atomic_store(&known, TIME_NTP);
}

void clock_start(void)
{
  struct timeval now;
  if (gettimeofday(&now, NULL) == 0 && now.tv_sec >= EARLIEST_S) atomic_store(&known, TIME_RTC);

  /* SNTP keeps the pointer for as long as it runs, which is for ever. */
  const char *server = setup_text("sntp");
  if (server == NULL) server = CONFIG_AUTOVOLT_SNTP_SERVER;
  esp_sntp_config_t config = ESP_NETIF_SNTP_DEFAULT_CONFIG(server);
  config.start = false;
  config.wait_for_sync = false;
  config.sync_cb = on_synchronized;
  esp_err_t err = esp_netif_sntp_init(&config);
  prepared = err == ESP_OK;
  if (!prepared) port_log(LOG_ERROR, "clock_fault", err);
}

void clock_network_up(void)
{
  if (!prepared || asked) return;
  asked = esp_netif_sntp_start() == ESP_OK;
}

uint64_t port_uptime_ms(void)
{
  return (uint64_t)esp_timer_get_time() / 1000u;
}

uint64_t port_wall_ms(enum time_quality *quality)
{
  struct timeval now;
  *quality = (enum time_quality)atomic_load(&known);
  if (*quality == TIME_NONE || gettimeofday(&now, NULL) != 0) {
    *quality = TIME_NONE;
    return 0;
  }
  return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_usec / 1000u;
}
