#ifndef AUTOVOLT_SETUP_H
#define AUTOVOLT_SETUP_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What the bench wrote into the `setup` partition and the node only reads: Wi-Fi, broker, and
 * either a claim certificate or the node's own. Keys are listed in docs/firmware.md.
 */

/** Opens the partition. Without one the node still measures; it cannot connect. */
void setup_start(void);
/** Text of a key, to be freed; NULL when there is none. */
char *setup_text(const char *key);
/** Number of a key (u16), or `otherwise`. */
uint16_t setup_number(const char *key, uint16_t otherwise);

#endif
