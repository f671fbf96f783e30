#include <stdlib.h>
#include <string.h>

#include "chance.h"
#include "clock.h"
#include "esp_task_wdt.h"
#include "flash.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "identity.h"
#include "inbox.h"
#include "lamp.h"
#include "meter_uart.h"
#include "node.h"
#include "port.h"
#include "relays.h"
#include "session.h"
#include "settings.h"
#include "setup.h"
#include "wifi.h"

#define POLL_MS 20
#define CORE_STACK_BYTES 12288
/* Above everything of the shell: switches and meter do not wait for a handshake. */
#define CORE_PRIORITY 10

static struct node node;

/* Names and ratings from the bench, used until the first configuration arrives over the air. */
static struct configuration configuration_of_setup(void)
{
  struct configuration configuration = configuration_default(), given = configuration;
  char *text = setup_text("configuration");
  if (text == NULL) return configuration;
  const char *reason = json_parse(&node.json, text, (uint32_t)strlen(text))
                           ? configuration_parse(&given, &node.json, 0)
                           : "no JSON";
  free(text);
  if (reason == NULL) return given;
  port_log(LOG_WARNING, "setup_configuration_refused", 0);
  return configuration;
}

/* The one task that calls the core. */
static void core_task(void *unused)
{
  (void)unused;
  struct configuration configuration = configuration_of_setup();
  node_start(&node, &configuration);
  ESP_ERROR_CHECK(esp_task_wdt_add(NULL));
  for (;;) {
    inbox_deliver(&node, POLL_MS);
    node_poll(&node);
    esp_task_wdt_reset();
  }
}

void app_main(void)
{
  relays_start();
  lamp_start();
  settings_start();
  setup_start();
  identity_start();
  flash_start();
  meter_uart_start();
  inbox_start();
  session_start();
  chance_start(wifi_start());
  clock_start();
  BaseType_t created = xTaskCreatePinnedToCore(core_task, "core", CORE_STACK_BYTES, NULL, CORE_PRIORITY, NULL, 1);
  configASSERT(created == pdPASS);
  (void)created;
}
