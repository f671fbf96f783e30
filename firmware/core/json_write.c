#include "json_write.h"

#include <string.h>

void json_begin(struct json_writer *w, char *at, uint32_t capacity)
{
  *w = (struct json_writer){.at = at, .capacity = capacity};
}

static void put(struct json_writer *w, char c)
{
  /* One byte is kept for the closing zero that C text needs. */
  if (w->length + 1 >= w->capacity) {
    w->overflow = true;
    return;
  }
  w->at[w->length++] = c;
  w->at[w->length] = 0;
}

static void put_text(struct json_writer *w, const char *text)
{
  while (*text) put(w, *text++);
}

/* A comma is due unless the value opens the text, an object or an array, or follows its name. */
static void separate(struct json_writer *w)
{
  char last = w->length == 0 ? '[' : w->at[w->length - 1];
  if (last != '[' && last != '{' && last != ':') put(w, ',');
}

void json_object(struct json_writer *w)
{
  separate(w);
  put(w, '{');
}

void json_object_end(struct json_writer *w)
{
  put(w, '}');
}

void json_array(struct json_writer *w)
{
  separate(w);
  put(w, '[');
}

void json_array_end(struct json_writer *w)
{
  put(w, ']');
}

static void quoted(struct json_writer *w, const char *text)
{
  static const char digits[] = "0123456789abcdef";
  put(w, '"');
  for (; *text; text++) {
    unsigned char c = (unsigned char)*text;
    if (c == '"' || c == '\\') put(w, '\\');
    if (c >= 0x20) {
      put(w, (char)c);
    } else {
      put_text(w, "\\u00");
      put(w, digits[c >> 4]);
      put(w, digits[c & 15]);
    }
  }
  put(w, '"');
}

void json_key(struct json_writer *w, const char *name)
{
  separate(w);
  quoted(w, name);
  put(w, ':');
}

void json_string(struct json_writer *w, const char *text)
{
  separate(w);
  quoted(w, text);
}

static void put_uint(struct json_writer *w, uint64_t value)
{
  char digits[20];
  uint32_t count = 0;
  do {
    digits[count++] = (char)('0' + value % 10);
    value /= 10;
  } while (value > 0);
  while (count > 0) put(w, digits[--count]);
}

void json_uint(struct json_writer *w, uint64_t value)
{
  separate(w);
  put_uint(w, value);
}

void json_int(struct json_writer *w, int64_t value)
{
  separate(w);
  if (value < 0) put(w, '-');
  put_uint(w, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void json_bool(struct json_writer *w, bool value)
{
  separate(w);
  put_text(w, value ? "true" : "false");
}

void json_null(struct json_writer *w)
{
  separate(w);
  put_text(w, "null");
}

void json_milli(struct json_writer *w, uint64_t thousandths)
{
  json_uint(w, thousandths / 1000);
  put(w, '.');
  put(w, (char)('0' + thousandths / 100 % 10));
  put(w, (char)('0' + thousandths / 10 % 10));
  put(w, (char)('0' + thousandths % 10));
}

void json_hex32(struct json_writer *w, uint32_t value)
{
  static const char digits[] = "0123456789abcdef";
  char text[9] = {0};
  for (int i = 0; i < 8; i++) text[i] = digits[value >> (28 - 4 * i) & 15];
  json_string(w, text);
}
