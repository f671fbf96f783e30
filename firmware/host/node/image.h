#ifndef AUTOVOLT_IMAGE_H
#define AUTOVOLT_IMAGE_H

#include <stdint.h>

/**
 * NULL for an image of this project and version that is whole by its checksum and SHA-256; otherwise why not,
 * in the words of main/ota.c. Its signature is not looked at: this process has no key.
 */
const char *image_wrong(const uint8_t *image, uint32_t bytes, const char *version);

#endif
