#ifndef AUTOVOLT_SHA256_H
#define AUTOVOLT_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32u

/** FIPS 180-4. */
void sha256(const uint8_t *from, size_t bytes, uint8_t digest[SHA256_BYTES]);

#endif
