#ifndef AUTOVOLT_JSON_WRITE_H
#define AUTOVOLT_JSON_WRITE_H

#include <stdbool.h>
#include <stdint.h>

/** Compact JSON into a buffer. What does not fit sets `overflow`; the text is then of no use. */
struct json_writer {
  char *at;
  uint32_t length, capacity;
  bool overflow;
};

void json_begin(struct json_writer *w, char *at, uint32_t capacity);
void json_object(struct json_writer *w);
void json_object_end(struct json_writer *w);
void json_array(struct json_writer *w);
void json_array_end(struct json_writer *w);
/** The name of the member that follows. */
void json_key(struct json_writer *w, const char *name);
void json_string(struct json_writer *w, const char *text);
void json_uint(struct json_writer *w, uint64_t value);
void json_int(struct json_writer *w, int64_t value);
void json_bool(struct json_writer *w, bool value);
void json_null(struct json_writer *w);
/** Thousandths as a number with exactly three decimals: 47012345 is 47012.345. */
void json_milli(struct json_writer *w, uint64_t thousandths);
/** Eight hexadecimal digits in quotes. */
void json_hex32(struct json_writer *w, uint32_t value);

#endif
