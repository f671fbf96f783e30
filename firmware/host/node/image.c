#include "image.h"

#include <stdbool.h>
#include <string.h>

#include "sha256.h"

/* esp_image_format.h and esp_app_desc.h of ESP-IDF. */
#define IMAGE_MAGIC 0xe9
#define DESCRIPTION_MAGIC 0xabcd5432u
#define HEADER_BYTES 24u
#define DESCRIPTION_AT 32u
#define VERSION_AT 48u
#define PROJECT_AT 80u
#define TEXT_BYTES 32u
#define DESCRIPTION_END 288u
#define CHECKSUM_SEED 0xefu

static uint32_t word_at(const uint8_t *at)
{
  return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static bool is_whole(const uint8_t *image, uint32_t bytes)
{
  uint8_t digest[SHA256_BYTES];
  uint8_t checksum = CHECKSUM_SEED;
  uint32_t end = HEADER_BYTES;
  for (uint8_t n = 0; n < image[1]; n++) {
    if (end > bytes - 8) return false;
    uint32_t length = word_at(image + end + 4);
    end += 8;
    if (length > bytes - end) return false;
    for (uint32_t i = 0; i < length; i++) checksum ^= image[end + i];
    end += length;
  }
  /* The checksum ends a block of 16; the hash follows. */
  uint32_t hash_at = (end + 16) & ~15u;
  if (image[23] != 1 || hash_at > bytes || SHA256_BYTES > bytes - hash_at) return false;
  sha256(image, hash_at, digest);
  return image[hash_at - 1] == checksum && memcmp(image + hash_at, digest, SHA256_BYTES) == 0;
}

const char *image_wrong(const uint8_t *image, uint32_t bytes, const char *version)
{
  if (bytes < DESCRIPTION_END || image[0] != IMAGE_MAGIC || word_at(image + DESCRIPTION_AT) != DESCRIPTION_MAGIC)
    return "image_unreadable";
  if (strncmp((const char *)image + PROJECT_AT, "autovolt-node", TEXT_BYTES) != 0) return "other_project";
  if (strncmp((const char *)image + VERSION_AT, version, TEXT_BYTES) != 0) return "other_version";
  return is_whole(image, bytes) ? NULL : "image_not_valid";
}
