#ifndef AUTOVOLT_LAMP_H
#define AUTOVOLT_LAMP_H

/** Starts the blinking of the status LED; port_led chooses the pattern. */
void lamp_start(void);

#endif
