#ifndef FAKE_QUEUE_H
#define FAKE_QUEUE_H

#include "FreeRTOS.h"

typedef struct fake_queue *QueueHandle_t;
QueueHandle_t xQueueCreate(unsigned length, unsigned item_bytes);
BaseType_t xQueueSend(QueueHandle_t queue, const void *item, TickType_t wait);
/* Where nothing is queued it ends the task's turn, and the test goes on. */
BaseType_t xQueueReceive(QueueHandle_t queue, void *item, TickType_t wait);

#endif
