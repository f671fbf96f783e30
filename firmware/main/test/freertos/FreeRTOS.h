/* As much of FreeRTOS as the session's task needs to run on a host, step by step: fakes.c. */
#ifndef FAKE_FREERTOS_H
#define FAKE_FREERTOS_H

#include <stdint.h>
#include <stdlib.h>

typedef int BaseType_t;
typedef uint32_t TickType_t;
#define pdTRUE 1
#define pdPASS 1
#define portMAX_DELAY UINT32_MAX
#define pdMS_TO_TICKS(ms) (ms)
#define configASSERT(condition) \
  do {                          \
    if (!(condition)) abort();  \
  } while (0)

#endif
