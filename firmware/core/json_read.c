#include "json_read.h"

#include <string.h>

struct state {
  struct json *json;
  uint32_t at;
  uint32_t depth;
};

static int peek(const struct state *s)
{
  return s->at < s->json->length ? (unsigned char)s->json->text[s->at] : -1;
}

static void skip_space(struct state *s)
{
  int c = peek(s);
  while (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
    s->at++;
    c = peek(s);
  }
}

static bool is_digit(int c)
{
  return c >= '0' && c <= '9';
}

static int hex_value(int c)
{
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

static int add(struct state *s, enum json_type type, int parent)
{
  if (s->json->count == JSON_TOKENS_MAX) return -1;
  s->json->tokens[s->json->count] =
      (struct json_token){.type = (uint8_t)type, .start = s->at, .end = s->at, .parent = (int16_t)parent};
  return (int)s->json->count++;
}

/* One well-formed UTF-8 character of two to four bytes (RFC 3629: no overlong forms, no surrogates). */
static bool utf8_tail(struct state *s)
{
  int first = peek(s);
  int more = first >= 0xc2 && first <= 0xdf ? 1 : first >= 0xe0 && first <= 0xef ? 2 : first >= 0xf0 && first <= 0xf4 ? 3 : 0;
  if (more == 0) return false;
  s->at++;
  int low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  int high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  for (; more > 0; more--) {
    int c = peek(s);
    if (c < low || c > high) return false;
    low = 0x80;
    high = 0xbf;
    s->at++;
  }
  return true;
}

static bool escape(struct state *s)
{
  s->at++;
  int c = peek(s);
  s->at++;
  if (c != 'u') return c > 0 && strchr("\"\\/bfnrt", c) != NULL;
  for (int i = 0; i < 4; i++, s->at++)
    if (hex_value(peek(s)) < 0) return false;
  return true;
}

static bool string(struct state *s, int parent, int *token)
{
  s->at++;
  *token = add(s, JSON_STRING, parent);
  if (*token < 0) return false;
  for (;;) {
    int c = peek(s);
    if (c == '"') {
      s->json->tokens[*token].end = s->at++;
      return true;
    }
    if (c < 0x20) return false;
    if (c == '\\') {
      if (!escape(s)) return false;
    } else if (c >= 0x80) {
      if (!utf8_tail(s)) return false;
    } else {
      s->at++;
    }
  }
}

static bool digits(struct state *s)
{
  if (!is_digit(peek(s))) return false;
  while (is_digit(peek(s))) s->at++;
  return true;
}

static bool number(struct state *s, int parent)
{
  int token = add(s, JSON_NUMBER, parent);
  if (token < 0) return false;
  if (peek(s) == '-') s->at++;
  if (peek(s) == '0') s->at++;
  else if (!digits(s)) return false;
  if (peek(s) == '.') {
    s->at++;
    if (!digits(s)) return false;
  }
  if (peek(s) == 'e' || peek(s) == 'E') {
    s->at++;
    if (peek(s) == '+' || peek(s) == '-') s->at++;
    if (!digits(s)) return false;
  }
  s->json->tokens[token].end = s->at;
  return true;
}

static bool word(struct state *s, const char *text, enum json_type type, int parent)
{
  uint32_t length = (uint32_t)strlen(text);
  if (s->json->length - s->at < length || memcmp(s->json->text + s->at, text, length) != 0) return false;
  if (add(s, type, parent) < 0) return false;
  s->at += length;
  return true;
}

static bool value(struct state *s, int parent);

static bool members(struct state *s, int container, bool named)
{
  char close = named ? '}' : ']';
  s->at++;
  skip_space(s);
  if (peek(s) == close) {
    s->at++;
    return true;
  }
  for (;;) {
    int parent = container;
    if (named) {
      if (peek(s) != '"' || !string(s, container, &parent)) return false;
      skip_space(s);
      if (peek(s) != ':') return false;
      s->at++;
      skip_space(s);
    }
    if (!value(s, parent)) return false;
    skip_space(s);
    int c = peek(s);
    s->at++;
    if (c == close) return true;
    if (c != ',') return false;
    skip_space(s);
  }
}

static bool container(struct state *s, int parent, bool named)
{
  int token = add(s, named ? JSON_OBJECT : JSON_ARRAY, parent);
  if (token < 0 || s->depth == JSON_DEPTH_MAX) return false;
  s->depth++;
  bool whole = members(s, token, named);
  s->depth--;
  s->json->tokens[token].end = s->at;
  return whole;
}

static bool value(struct state *s, int parent)
{
  int token;
  switch (peek(s)) {
  case '{': return container(s, parent, true);
  case '[': return container(s, parent, false);
  case '"': return string(s, parent, &token);
  case 't': return word(s, "true", JSON_TRUE, parent);
  case 'f': return word(s, "false", JSON_FALSE, parent);
  case 'n': return word(s, "null", JSON_NULL, parent);
  default: return number(s, parent);
  }
}

bool json_parse(struct json *json, const char *text, uint32_t length)
{
  struct state s = {.json = json};
  json->text = text;
  json->length = length;
  json->count = 0;
  skip_space(&s);
  if (!value(&s, -1)) return false;
  skip_space(&s);
  return s.at == length;
}

bool json_is(const struct json *json, int token, enum json_type type)
{
  return token >= 0 && json->tokens[token].type == type;
}

int json_member(const struct json *json, int object, const char *name)
{
  int found = -1;
  if (!json_is(json, object, JSON_OBJECT)) return -1;
  for (int i = object + 1; i + 1 < (int)json->count; i++) {
    if (json->tokens[i].parent != object || !json_text_is(json, i, name)) continue;
    if (found >= 0) return -1;
    found = i + 1;
  }
  return found;
}

int json_element(const struct json *json, int array, uint32_t index)
{
  if (!json_is(json, array, JSON_ARRAY)) return -1;
  for (int i = array + 1; i < (int)json->count; i++)
    if (json->tokens[i].parent == array && index-- == 0) return i;
  return -1;
}

/* The code point of \uXXXX at `at`, which the parser found well-formed. */
static uint32_t code_unit(const char *at)
{
  uint32_t unit = 0;
  for (int i = 0; i < 4; i++) unit = unit << 4 | (uint32_t)hex_value((unsigned char)at[i]);
  return unit;
}

static uint32_t encode_utf8(uint32_t point, char to[4])
{
  if (point < 0x80) {
    to[0] = (char)point;
    return 1;
  }
  uint32_t more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
  static const uint8_t lead[4] = {0, 0xc0, 0xe0, 0xf0};
  for (uint32_t i = more; i > 0; i--, point >>= 6) to[i] = (char)(0x80 | (point & 0x3f));
  to[0] = (char)(lead[more] | point);
  return more + 1;
}

bool json_get_text(const struct json *json, int token, char *to, uint32_t capacity)
{
  static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
  if (!json_is(json, token, JSON_STRING)) return false;
  const char *text = json->text;
  uint32_t length = 0;
  for (uint32_t at = json->tokens[token].start; at < json->tokens[token].end;) {
    char piece[4];
    uint32_t bytes = 1;
    if (text[at] != '\\') {
      piece[0] = text[at++];
    } else if (text[at + 1] != 'u') {
      piece[0] = values[strchr(names, text[at + 1]) - names];
      at += 2;
    } else {
      uint32_t point = code_unit(text + at + 2);
      at += 6;
      if (point >= 0xd800 && point < 0xdc00) {
        bool pair = at + 6 <= json->tokens[token].end && text[at] == '\\' && text[at + 1] == 'u';
        uint32_t low = pair ? code_unit(text + at + 2) : 0;
        if (low < 0xdc00 || low > 0xdfff) return false;
        point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
        at += 6;
      } else if (point == 0 || (point >= 0xdc00 && point < 0xe000)) {
        return false;
      }
      bytes = encode_utf8(point, piece);
    }
    if (length + bytes >= capacity) return false;
    memcpy(to + length, piece, bytes);
    length += bytes;
  }
  if (length >= capacity) return false;
  to[length] = 0;
  return true;
}

bool json_text_is(const struct json *json, int token, const char *text)
{
  char copy[64];
  return json_get_text(json, token, copy, sizeof copy) && strcmp(copy, text) == 0;
}

/* Digits with `decimals` places after the point; neither sign nor exponent, nothing cut off. */
static bool decimal(const struct json *json, int token, uint32_t decimals, uint64_t max, uint64_t *value_out)
{
  if (!json_is(json, token, JSON_NUMBER)) return false;
  uint64_t scaled = 0;
  bool after_point = false;
  for (uint32_t at = json->tokens[token].start; at < json->tokens[token].end; at++) {
    char c = json->text[at];
    if (c == '.') {
      after_point = true;
      continue;
    }
    if (!is_digit(c)) return false;
    if (after_point && decimals == 0) {
      if (c != '0') return false;
      continue;
    }
    if (after_point) decimals--;
    if (scaled > (UINT64_MAX - 9) / 10) return false;
    scaled = scaled * 10 + (uint64_t)(c - '0');
  }
  for (; decimals > 0; decimals--) {
    if (scaled > UINT64_MAX / 10) return false;
    scaled *= 10;
  }
  if (scaled > max) return false;
  *value_out = scaled;
  return true;
}

bool json_get_uint(const struct json *json, int token, uint64_t max, uint64_t *result)
{
  return decimal(json, token, 0, max, result);
}

bool json_get_milli(const struct json *json, int token, uint64_t max, uint64_t *thousandths)
{
  return decimal(json, token, 3, max, thousandths);
}

bool json_get_bool(const struct json *json, int token, bool *result)
{
  if (!json_is(json, token, JSON_TRUE) && !json_is(json, token, JSON_FALSE)) return false;
  *result = json_is(json, token, JSON_TRUE);
  return true;
}
