#include "chance.h"

#include "bootloader_random.h"
#include "esp_random.h"
#include "port.h"

void chance_start(bool radio_on)
{
  if (!radio_on) bootloader_random_enable();
}

uint32_t port_random(void)
{
  return esp_random();
}
