#include "pins.h"

#include <stdlib.h>

#include "soc/gpio_num.h"

void pins_read(const char *list, int8_t pins[PINS_MAX])
{
  for (uint32_t i = 0; i < PINS_MAX; i++) {
    pins[i] = PIN_NONE;
    if (*list == '\0') continue;
    char *end;
    long number = strtol(list, &end, 10);
    if (end == list) return;
    if (number >= 0 && number < GPIO_NUM_MAX) pins[i] = (int8_t)number;
    list = *end == ',' ? end + 1 : end;
  }
}
