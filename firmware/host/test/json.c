#include "json_read.h"
#include "json_write.h"
#include "test.h"

static struct json json;

static bool parses(const char *text)
{
  return json_parse(&json, text, (uint32_t)strlen(text));
}

static void whole_texts_only(void)
{
  static const char *const good[] = {"{}", "[]", " {\"a\":[1,2,{\"b\":null}],\"c\":\"\\u00e9\\n\"} ", "-0.5e+3", "\"\xe2\x82\xb9\"",
                                     "true", "[false]", "[1E5,2e-7,3E+1]", "\t\r\n[\t1\r]", "\"\\u00Af\\u00fF\"", "\"\xe1\x80\x80\xed\x80\x80\xf1\x80\x80\x80\"", "\"\xf0\x9f\x92\xa1\"", "0", "[ ]", "{ }"};
  static const char *const bad[] = {"", "{", "}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "[1,]", "[1 2]", "01", "1.", ".5", "-", "1e",
                                    "+1", "tru", "truex", "\"", "\"\\x\"", "\"\\u12g4\"", "\"\x01\"", "{a:1}", "{\"a\":1}}", "\"\xc0\xaf\"",
                                    "\"\xed\xa0\x80\"", "\"\xff\"", "\"\xe2\x82\"", "nul", "[[[[[[[[[1]]]]]]]]]", "\"\\", "\"\\u00", "{1:2}",
                                    "{\"a\" 1}", "\"\xf5\x80\x80\x80\"", "\"\xe0\x80\x80\"", "\"\xf0\x80\x80\x80\"", "\"\xf4\x90\x80\x80\"", "[1e+]"};
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
    EXPECT(parses(good[i]));
    if (!parses(good[i])) printf("    %s\n", good[i]);
  }
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    EXPECT(!parses(bad[i]));
    if (parses(bad[i])) printf("    %s\n", bad[i]);
  }
}

static void too_many_tokens_are_refused(void)
{
  char text[1024] = "[1";
  for (int i = 0; i < JSON_TOKENS_MAX; i++) strcat(text, ",1");
  strcat(text, "]");
  EXPECT(!parses(text));
  EXPECT(!parses("[[[[[[[[[]]]]]]]]]"));
  char names[2048] = "{\"a\":[";
  for (int i = 0; i < JSON_TOKENS_MAX - 4; i++) strcat(names, "0,");
  strcat(names, "0],\"b\":true}");
  EXPECT(!parses(names));
  for (int last = 0; last < 3; last++) {
    char filled[1024] = "[1";
    static const char *const values[] = {",true]", ",\"x\"]", ",{}]"};
    for (int i = 0; i < JSON_TOKENS_MAX - 2; i++) strcat(filled, ",1");
    strcat(filled, values[last]);
    EXPECT(!parses(filled));
  }
}

static void members_and_elements(void)
{
  EXPECT(parses("{\"a\":{\"b\":7},\"b\":[10,[11],{\"c\":12}],\"twice\":1,\"twice\":2}"));
  uint64_t value = 0;
  EXPECT(json_get_uint(&json, json_member(&json, json_member(&json, 0, "a"), "b"), 10, &value) && value == 7);
  int list = json_member(&json, 0, "b");
  EXPECT(json_get_uint(&json, json_element(&json, list, 0), 10, &value) && value == 10);
  EXPECT(!json_get_uint(&json, json_element(&json, list, 1), 10, &value));
  EXPECT(json_get_uint(&json, json_member(&json, json_element(&json, list, 2), "c"), 12, &value) && value == 12);
  EXPECT_EQ(json_element(&json, list, 3), -1);
  EXPECT_EQ(json_element(&json, 0, 0), -1);
  EXPECT_EQ(json_member(&json, list, "c"), -1);
  EXPECT_EQ(json_member(&json, 0, "c"), -1);
  EXPECT_EQ(json_member(&json, 0, "twice"), -1);
  EXPECT_EQ(json_member(&json, -1, "a"), -1);
}

static void texts_with_escapes(void)
{
  char text[16];
  EXPECT(parses("[\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"\\u20b9\",\"\\ud83d\\udca1\",\"\\ud83d\",\"\\udca1\",\"\\u0000\",\"\\u00e9\",1,\"\\ud83dxxxxxx\",\"\\ud83d\\u0041\"]"));
  EXPECT(json_get_text(&json, 1, text, sizeof text));
  EXPECT_TEXT(text, "a\"\\/\b\f\n\r\t");
  EXPECT(json_get_text(&json, 2, text, sizeof text));
  EXPECT_TEXT(text, "\xe2\x82\xb9");
  EXPECT(json_get_text(&json, 3, text, sizeof text));
  EXPECT_TEXT(text, "\xf0\x9f\x92\xa1");
  EXPECT(!json_get_text(&json, 4, text, sizeof text));
  EXPECT(!json_get_text(&json, 5, text, sizeof text));
  EXPECT(!json_get_text(&json, 6, text, sizeof text));
  EXPECT(json_get_text(&json, 7, text, sizeof text));
  EXPECT_TEXT(text, "\xc3\xa9");
  EXPECT(!json_get_text(&json, 8, text, sizeof text));
  EXPECT(!json_get_text(&json, 9, text, sizeof text));
  EXPECT(!json_get_text(&json, 10, text, sizeof text));
  EXPECT(!json_text_is(&json, 1, "a") && json_text_is(&json, 2, "\xe2\x82\xb9"));
  EXPECT(parses("[\"\\ud83d\\ue000\",\"\\ue000\",\"\\ud83d\\n12345\",\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"));
  EXPECT(!json_get_text(&json, 1, text, sizeof text) && json_get_text(&json, 2, text, sizeof text));
  EXPECT(!json_get_text(&json, 3, text, sizeof text));
  EXPECT(parses("[\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"\"]"));
  EXPECT(!json_get_text(&json, 2, text, 0));
  EXPECT(!json_get_text(&json, 1, text, 9));
  EXPECT(!json_get_text(&json, 1, text, 0));
  EXPECT(json_get_text(&json, 1, text, 10));
}

static void numbers_as_integers(void)
{
  uint64_t value = 0;
  bool flag = false;
  EXPECT(parses("[36.5,0.001,36.5000,36.0005,1e3,-1,18446744073709551615,18446744073709551616,100000.001,7.0,true,1.5,0]"));
  EXPECT(json_get_milli(&json, 1, 1000000, &value) && value == 36500);
  EXPECT(json_get_milli(&json, 2, 1000000, &value) && value == 1);
  EXPECT(json_get_milli(&json, 3, 1000000, &value) && value == 36500);
  EXPECT(!json_get_milli(&json, 4, 1000000, &value));
  EXPECT(!json_get_milli(&json, 5, 1000000, &value));
  EXPECT(!json_get_uint(&json, 6, 1000000, &value));
  EXPECT(!json_get_uint(&json, 7, UINT64_MAX, &value)); /* above every limit in use */
  EXPECT(!json_get_uint(&json, 8, UINT64_MAX, &value));
  EXPECT(!json_get_milli(&json, 9, 100000000, &value));
  EXPECT(json_get_uint(&json, 10, 10, &value) && value == 7);
  EXPECT(!json_get_uint(&json, 11, 10, &value));
  EXPECT(json_get_bool(&json, 11, &flag) && flag);
  EXPECT(!json_get_uint(&json, 12, 10, &value));
  EXPECT(!json_get_bool(&json, 12, &flag));
  EXPECT(!json_get_milli(&json, 7, UINT64_MAX, &value));
  EXPECT(json_get_milli(&json, 13, 0, &value) && value == 0);
  EXPECT(parses("[1844674407370955161]"));
  EXPECT(json_get_uint(&json, 1, UINT64_MAX, &value) && !json_get_milli(&json, 1, UINT64_MAX, &value));
  EXPECT(!json_get_milli(&json, 0, UINT64_MAX, &value));
  EXPECT(!json_get_bool(&json, -1, &flag));
}

static void writing(void)
{
  char text[256];
  struct json_writer w;
  json_begin(&w, text, sizeof text);
  json_object(&w);
  json_key(&w, "wh");
  json_milli(&w, 47012345);
  json_key(&w, "small");
  json_milli(&w, 7);
  json_key(&w, "list");
  json_array(&w);
  json_int(&w, -61);
  json_int(&w, INT64_MIN);
  json_uint(&w, UINT64_MAX);
  json_null(&w);
  json_bool(&w, true);
  json_bool(&w, false);
  json_string(&w, "a\"b\\c\x01\x1f");
  json_hex32(&w, 0x9f3a61c2);
  json_object(&w);
  json_object_end(&w);
  json_array(&w);
  json_array_end(&w);
  json_array_end(&w);
  json_object_end(&w);
  EXPECT(!w.overflow);
  EXPECT_TEXT(text, "{\"wh\":47012.345,\"small\":0.007,\"list\":[-61,-9223372036854775808,18446744073709551615,null,true,false,"
                    "\"a\\\"b\\\\c\\u0001\\u001f\",\"9f3a61c2\",{},[]]}");
  EXPECT(parses(text));
  json_begin(&w, text, 8);
  json_string(&w, "too long");
  EXPECT(w.overflow);
  EXPECT_EQ(strlen(text), 7);
}

int main(void)
{
  static const struct test tests[] = {
      {"whole JSON texts and nothing else", whole_texts_only},
      {"too many tokens or levels are refused", too_many_tokens_are_refused},
      {"members and elements", members_and_elements},
      {"texts with escapes", texts_with_escapes},
      {"numbers as integers, nothing rounded", numbers_as_integers},
      {"writing", writing},
  };
  return RUN(tests);
}
