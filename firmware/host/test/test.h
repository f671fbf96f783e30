#ifndef AUTOVOLT_TEST_H
#define AUTOVOLT_TEST_H

/*
 * A test is a function; a program runs its list and prints one line for each, then
 * "N passed, N failed". A failed expectation says where and what, and the test goes on.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int test_failures;

#define EXPECT(condition)                                                        \
  do {                                                                           \
    if (!(condition)) {                                                          \
      printf("  %s:%d: expected %s\n", __FILE__, __LINE__, #condition);          \
      test_failures++;                                                           \
    }                                                                            \
  } while (0)

#define EXPECT_EQ(actual, expected)                                                                   \
  do {                                                                                                \
    long long actual_value = (long long)(actual), expected_value = (long long)(expected);             \
    if (actual_value != expected_value) {                                                             \
      printf("  %s:%d: %s is %lld, expected %lld\n", __FILE__, __LINE__, #actual, actual_value, expected_value); \
      test_failures++;                                                                                \
    }                                                                                                 \
  } while (0)

#define EXPECT_TEXT(actual, expected)                                                                  \
  do {                                                                                                 \
    const char *actual_text = (actual), *expected_text = (expected);                                   \
    if (actual_text == NULL || strcmp(actual_text, expected_text) != 0) {                              \
      printf("  %s:%d: %s is\n    %s\n  expected\n    %s\n", __FILE__, __LINE__, #actual,             \
             actual_text ? actual_text : "(null)", expected_text);                                     \
      test_failures++;                                                                                 \
    }                                                                                                  \
  } while (0)

struct test {
  const char *name;
  void (*run)(void);
};

static inline int run_tests(const struct test *tests, int count)
{
  int failed = 0;
  for (int i = 0; i < count; i++) {
    test_failures = 0;
    tests[i].run();
    printf("%s - %s\n", test_failures ? "FAILED" : "ok", tests[i].name);
    failed += test_failures > 0;
  }
  printf("%d passed, %d failed\n", count - failed, failed);
  return failed > 0;
}

#define RUN(tests) run_tests(tests, (int)(sizeof(tests) / sizeof(tests[0])))

#endif
