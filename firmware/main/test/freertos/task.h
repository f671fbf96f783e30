#ifndef FAKE_TASK_H
#define FAKE_TASK_H

#include "FreeRTOS.h"

BaseType_t xTaskCreate(void (*task)(void *), const char *name, unsigned stack_bytes, void *argument, unsigned priority,
                       void *handle);

#endif
