#ifndef AUTOVOLT_RELAYS_H
#define AUTOVOLT_RELAYS_H

/** Relays off, wall switches as inputs. The core then restores what was on. */
void relays_start(void);

#endif
