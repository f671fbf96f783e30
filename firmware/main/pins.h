#ifndef AUTOVOLT_PINS_H
#define AUTOVOLT_PINS_H

#include <stdint.h>

#define PINS_MAX 8
#define PIN_NONE (-1)

/** Reads a list such as "16,17,-1" into `pins`; what the list does not name is PIN_NONE. */
void pins_read(const char *list, int8_t pins[PINS_MAX]);

#endif
