#include "lamp.h"

#include <stdatomic.h>
#include <stddef.h>

#include "driver/gpio.h"
#include "esp_timer.h"
#include "port.h"
#include "sdkconfig.h"

/* Sixteen eighths of a second, the lowest bit first: told apart from across a room, see docs/firmware.md. */
#define STEP_US 125000
#define STEPS 16u

static const uint16_t patterns[] = {
    [LED_OFFLINE] = 0x0001,    /* one short flash every two seconds */
    [LED_CONNECTING] = 0x3333, /* even blinking, twice a second */
    [LED_REPLAY] = 0x0005,     /* two short flashes every two seconds */
    [LED_LIVE] = 0xffff,       /* steady */
    [LED_UPDATE] = 0xfffe,     /* steady with a short gap every two seconds */
    [LED_FAULT] = 0x5555,      /* flickering */
};

static atomic_uint shown = LED_OFFLINE;

static void show_step(void *unused)
{
  static unsigned step;
  (void)unused;
  step = (step + 1u) % STEPS;
  gpio_set_level((gpio_num_t)CONFIG_AUTOVOLT_LED_PIN, (uint32_t)(patterns[atomic_load(&shown)] >> step) & 1u);
}

void lamp_start(void)
{
  if (CONFIG_AUTOVOLT_LED_PIN < 0) return;
  const gpio_config_t pin = {
      .pin_bit_mask = 1ULL << ((unsigned)CONFIG_AUTOVOLT_LED_PIN & 63u),
      .mode = GPIO_MODE_OUTPUT,
      .pull_up_en = GPIO_PULLUP_DISABLE,
      .pull_down_en = GPIO_PULLDOWN_DISABLE,
      .intr_type = GPIO_INTR_DISABLE,
  };
  const esp_timer_create_args_t every_step = {.callback = show_step, .name = "lamp"};
  esp_timer_handle_t timer = NULL;
  esp_err_t err = gpio_config(&pin);
  if (err == ESP_OK) err = esp_timer_create(&every_step, &timer);
  if (err == ESP_OK) err = esp_timer_start_periodic(timer, STEP_US);
  if (err != ESP_OK) port_log(LOG_WARNING, "led_fault", err);
}

void port_led(enum led led)
{
  if ((unsigned)led < sizeof patterns / sizeof patterns[0]) atomic_store(&shown, (unsigned)led);
}
