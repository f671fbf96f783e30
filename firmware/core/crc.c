#include "crc.h"

/* One entry for each half byte: 64 bytes of table, and still two look-ups a byte. */
static const uint32_t nibbles[16] = {
    0x00000000u, 0x1db71064u, 0x3b6e20c8u, 0x26d930acu, 0x76dc4190u, 0x6b6b51f4u, 0x4db26158u, 0x5005713cu,
    0xedb88320u, 0xf00f9344u, 0xd6d6a3e8u, 0xcb61b38cu, 0x9b64c2b0u, 0x86d3d2d4u, 0xa00ae278u, 0xbdbdf21cu,
};

uint32_t crc32_of(uint32_t seed, const void *bytes, uint32_t length)
{
  const uint8_t *at = bytes;
  uint32_t crc = ~seed;
  for (uint32_t i = 0; i < length; i++) {
    crc = (crc >> 4) ^ nibbles[(crc ^ at[i]) & 15];
    crc = (crc >> 4) ^ nibbles[(crc ^ (uint32_t)(at[i] >> 4)) & 15];
  }
  return ~crc;
}

uint16_t crc16_modbus(const void *bytes, uint32_t length)
{
  const uint8_t *at = bytes;
  uint16_t crc = 0xffff;
  for (uint32_t i = 0; i < length; i++) {
    crc ^= at[i];
    for (int bit = 0; bit < 8; bit++) crc = (crc & 1) ? (uint16_t)((crc >> 1) ^ 0xa001) : (uint16_t)(crc >> 1);
  }
  return crc;
}
