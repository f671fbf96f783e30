#ifndef AUTOVOLT_BYTES_H
#define AUTOVOLT_BYTES_H

/* Little-endian integers and LEB128 varints in byte buffers, bounded: what does not fit sets `failed`. */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct writer {
  uint8_t *at;
  uint32_t length, capacity;
  bool failed;
};

static inline void put_byte(struct writer *w, uint8_t value)
{
  if (w->length < w->capacity) w->at[w->length++] = value;
  else w->failed = true;
}

static inline void put_fixed(struct writer *w, uint64_t value, uint32_t bytes)
{
  for (uint32_t i = 0; i < bytes; i++) put_byte(w, (uint8_t)(value >> (8 * i)));
}

static inline void put_varint(struct writer *w, uint64_t value)
{
  while (value >= 0x80) {
    put_byte(w, (uint8_t)(value | 0x80));
    value >>= 7;
  }
  put_byte(w, (uint8_t)value);
}

/** Signed numbers near zero stay short: 0, -1, 1, -2 become 0, 1, 2, 3. */
static inline void put_signed(struct writer *w, int64_t value)
{
  put_varint(w, value < 0 ? ~((uint64_t)value << 1) : (uint64_t)value << 1);
}

struct reader {
  const uint8_t *at;
  uint32_t position, length;
  bool failed;
};

static inline uint8_t get_byte(struct reader *r)
{
  if (r->position < r->length) return r->at[r->position++];
  r->failed = true;
  return 0;
}

static inline uint64_t get_fixed(struct reader *r, uint32_t bytes)
{
  uint64_t value = 0;
  for (uint32_t i = 0; i < bytes; i++) value |= (uint64_t)get_byte(r) << (8 * i);
  return value;
}

static inline uint64_t get_varint(struct reader *r)
{
  uint64_t value = 0;
  for (uint32_t shift = 0; shift < 64; shift += 7) {
    uint8_t byte = get_byte(r);
    value |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  r->failed = true;
  return 0;
}

static inline int64_t get_signed(struct reader *r)
{
  uint64_t value = get_varint(r);
  uint64_t half = value >> 1;
  return (int64_t)((value & 1) ? ~half : half);
}

#endif
