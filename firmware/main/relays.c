#include "relays.h"

#include "driver/gpio.h"
#include "pins.h"
#include "port.h"
#include "sdkconfig.h"

#if CONFIG_AUTOVOLT_RELAY_ACTIVE_LOW
#define RELAY_ON 0u
#else
#define RELAY_ON 1u
#endif

static int8_t relays[PINS_MAX], switches[PINS_MAX];

static void start_relay(gpio_num_t pin)
{
  const gpio_config_t config = {
      .pin_bit_mask = 1ULL << (unsigned)pin,
      .mode = GPIO_MODE_OUTPUT,
      .pull_up_en = GPIO_PULLUP_DISABLE,
      .pull_down_en = GPIO_PULLDOWN_DISABLE,
      .intr_type = GPIO_INTR_DISABLE,
  };
  /* The level before the direction, or an active-low relay would click at each start. */
  gpio_set_level(pin, 1u - RELAY_ON);
  if (gpio_config(&config) != ESP_OK) port_log(LOG_ERROR, "relay_fault", pin);
}

static void start_switch(gpio_num_t pin)
{
  const gpio_config_t config = {
      .pin_bit_mask = 1ULL << (unsigned)pin,
      .mode = GPIO_MODE_INPUT,
      /* GPIO 34 to 39 have no pull-up inside. */
      .pull_up_en = pin < GPIO_NUM_34 ? GPIO_PULLUP_ENABLE : GPIO_PULLUP_DISABLE,
      .pull_down_en = GPIO_PULLDOWN_DISABLE,
      .intr_type = GPIO_INTR_DISABLE,
  };
  if (gpio_config(&config) != ESP_OK) port_log(LOG_ERROR, "switch_fault", pin);
}

void relays_start(void)
{
  pins_read(CONFIG_AUTOVOLT_RELAY_PINS, relays);
  pins_read(CONFIG_AUTOVOLT_SWITCH_PINS, switches);
  for (uint32_t i = 0; i < PINS_MAX; i++) {
    if (relays[i] != PIN_NONE) start_relay((gpio_num_t)relays[i]);
    if (switches[i] != PIN_NONE) start_switch((gpio_num_t)switches[i]);
  }
}

void port_relay_set(uint8_t channel, bool on)
{
  if (channel >= PINS_MAX || relays[channel] == PIN_NONE) return;
  gpio_set_level((gpio_num_t)relays[channel], on ? RELAY_ON : 1u - RELAY_ON);
}

bool port_switch_position(uint8_t channel)
{
  if (channel >= PINS_MAX || switches[channel] == PIN_NONE) return false;
  /* The switch connects its pin to ground. */
  return gpio_get_level((gpio_num_t)switches[channel]) == 0;
}
