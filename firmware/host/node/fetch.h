#ifndef AUTOVOLT_FETCH_H
#define AUTOVOLT_FETCH_H

#include <stdint.h>

/**
 * What a web server on this machine answers with 200, in memory that the caller frees; NULL for any
 * other answer, none, or more than `most` bytes. Plain HTTP only: the local stack's addresses have no more.
 */
uint8_t *fetch(const char *url, uint32_t most, uint32_t *bytes);

#endif
