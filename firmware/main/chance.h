#ifndef AUTOVOLT_CHANCE_H
#define AUTOVOLT_CHANCE_H

#include <stdbool.h>

/** The generator is only random with a source of noise: the radio, or without it the converter's. */
void chance_start(bool radio_on);

#endif
