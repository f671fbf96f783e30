#include "wifi.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "esp_event.h"
#include "esp_netif.h"
#include "esp_wifi.h"
#include "inbox.h"
#include "port.h"
#include "sdkconfig.h"
#include "setup.h"

static atomic_bool joined;
static bool radio_on;

static void tell(bool up)
{
  atomic_store(&joined, up);
  inbox_post((struct parcel){.kind = PARCEL_WIFI, .flag = up});
}

/* Runs in the task of the default event loop. When to try again is the core's decision. */
static void on_event(void *unused, esp_event_base_t base, int32_t id, void *data)
{
  (void)unused;
  if (base == IP_EVENT && id == IP_EVENT_STA_GOT_IP) {
    tell(true);
  } else if (base == IP_EVENT && id == IP_EVENT_STA_LOST_IP) {
    /* Joined but of no use: leaving makes the next attempt a whole one. */
    esp_wifi_disconnect();
    tell(false);
  } else if (base == WIFI_EVENT && id == WIFI_EVENT_STA_DISCONNECTED) {
    const wifi_event_sta_disconnected_t *event = data;
    port_log(LOG_WARNING, "wifi_lost", event->reason);
    tell(false);
  }
}

static bool network_name(wifi_config_t *config)
{
  char *ssid = setup_text("wifi_ssid"), *password = setup_text("wifi_password");
  bool usable = ssid != NULL && strlen(ssid) <= sizeof config->sta.ssid &&
                (password == NULL || strlen(password) <= sizeof config->sta.password);
  if (usable) {
    memcpy(config->sta.ssid, ssid, strlen(ssid));
    if (password != NULL) memcpy(config->sta.password, password, strlen(password));
    config->sta.threshold.authmode = password != NULL ? WIFI_AUTH_WPA2_PSK : WIFI_AUTH_OPEN;
  }
  free(ssid);
  free(password);
  return usable;
}

static esp_err_t start_radio(wifi_config_t *config)
{
  const wifi_init_config_t driver = WIFI_INIT_CONFIG_DEFAULT();
  esp_err_t err = esp_wifi_init(&driver);
  if (err == ESP_OK) err = esp_wifi_set_storage(WIFI_STORAGE_RAM);
  if (err == ESP_OK) err = esp_event_handler_register(WIFI_EVENT, ESP_EVENT_ANY_ID, on_event, NULL);
  if (err == ESP_OK) err = esp_event_handler_register(IP_EVENT, ESP_EVENT_ANY_ID, on_event, NULL);
  if (err == ESP_OK) err = esp_wifi_set_mode(WIFI_MODE_STA);
  if (err == ESP_OK) err = esp_wifi_set_config(WIFI_IF_STA, config);
  if (err == ESP_OK) err = esp_wifi_start();
  /* Without it the driver keeps to the channels that are allowed everywhere. */
  if (err == ESP_OK && esp_wifi_set_country_code(CONFIG_AUTOVOLT_WIFI_COUNTRY, true) != ESP_OK)
    port_log(LOG_WARNING, "wifi_country_unknown", 0);
  return err;
}

bool wifi_start(void)
{
  wifi_config_t config = {0};
  esp_err_t err = esp_netif_init();
  if (err == ESP_OK) err = esp_event_loop_create_default();
  if (err == ESP_OK && esp_netif_create_default_wifi_sta() == NULL) err = ESP_ERR_NO_MEM;
  if (err == ESP_OK && !network_name(&config)) err = ESP_ERR_NOT_FOUND;
  if (err == ESP_OK) err = start_radio(&config);
  radio_on = err == ESP_OK;
  if (!radio_on) port_log(LOG_ERROR, "wifi_fault", err);
  return radio_on;
}

void port_wifi_connect(void)
{
  if (!radio_on) return;
  if (atomic_load(&joined)) {
    inbox_offer((struct parcel){.kind = PARCEL_WIFI, .flag = true});
    return;
  }
  /* Already joining is no fault; a failed attempt is reported by the event. */
  esp_err_t err = esp_wifi_connect();
  if (err != ESP_OK) port_log(LOG_WARNING, "wifi_not_joining", err);
}

int32_t port_wifi_rssi(void)
{
  int rssi = 0;
  return atomic_load(&joined) && esp_wifi_sta_get_rssi(&rssi) == ESP_OK ? rssi : 0;
}
