#ifndef AUTOVOLT_JSON_READ_H
#define AUTOVOLT_JSON_READ_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A strict reader of RFC 8259 text into a fixed number of tokens. The text is not copied and need
 * not end with a zero. Numbers are read as integers, scaled where they have decimals.
 */

#define JSON_TOKENS_MAX 160
#define JSON_DEPTH_MAX 8

enum json_type { JSON_OBJECT, JSON_ARRAY, JSON_STRING, JSON_NUMBER, JSON_TRUE, JSON_FALSE, JSON_NULL };

struct json_token {
  uint8_t type;
  uint32_t start, end; /* the token's bytes; of a string without its quotes */
  int16_t parent;      /* the object, array or member name it belongs to; -1 for the whole */
};

struct json {
  const char *text;
  uint32_t length, count;
  struct json_token tokens[JSON_TOKENS_MAX];
};

/** True when the text is one JSON value; the value is token 0. */
bool json_parse(struct json *json, const char *text, uint32_t length);
/** Token of a member's value; -1 when the object has no such member, or names it twice. */
int json_member(const struct json *json, int object, const char *name);
/** Token of the nth element of an array, -1 when there is none. */
int json_element(const struct json *json, int array, uint32_t index);
bool json_is(const struct json *json, int token, enum json_type type);
/** A string, its escapes resolved, with a closing zero; false when it does not fit or holds a zero. */
bool json_get_text(const struct json *json, int token, char *to, uint32_t capacity);
bool json_text_is(const struct json *json, int token, const char *text);
/** A non-negative integer up to `max`. */
bool json_get_uint(const struct json *json, int token, uint64_t max, uint64_t *value);
/** A non-negative number with at most three decimals, in thousandths, up to `max`. */
bool json_get_milli(const struct json *json, int token, uint64_t max, uint64_t *thousandths);
bool json_get_bool(const struct json *json, int token, bool *value);

#endif
