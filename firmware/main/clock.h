#ifndef AUTOVOLT_CLOCK_H
#define AUTOVOLT_CLOCK_H

/** Prepares SNTP and notes whether a time was kept over the restart. Call after wifi_start. */
void clock_start(void);
/** The network is there: asks for the time, once; SNTP then asks again by itself every hour. */
void clock_network_up(void);

#endif
