#ifndef AUTOVOLT_WIFI_H
#define AUTOVOLT_WIFI_H

#include <stdbool.h>

/** Prepares the station from the setup partition. False when the radio is off: no name of a network, or a fault. */
bool wifi_start(void);

#endif
