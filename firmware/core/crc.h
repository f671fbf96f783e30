#ifndef AUTOVOLT_CRC_H
#define AUTOVOLT_CRC_H

#include <stdint.h>

/** CRC-32 (IEEE 802.3, reflected), continued from `seed`: 0, or the CRC of the bytes before. */
uint32_t crc32_of(uint32_t seed, const void *bytes, uint32_t length);

/** CRC-16 of Modbus RTU (polynomial 0xA001, start 0xFFFF); sent low byte first. */
uint16_t crc16_modbus(const void *bytes, uint32_t length);

#endif
