#ifndef AUTOVOLT_FLASH_H
#define AUTOVOLT_FLASH_H

/** Finds the journal's partition. */
void flash_start(void);

#endif
