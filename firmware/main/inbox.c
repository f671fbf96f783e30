#include "inbox.h"

#include "clock.h"
#include "freertos/FreeRTOS.h"
#include "freertos/queue.h"
#include "wanted.h"

#define INBOX_PARCELS 24

static QueueHandle_t inbox;

void inbox_start(void)
{
  inbox = xQueueCreate(INBOX_PARCELS, sizeof(struct parcel));
  configASSERT(inbox != NULL);
}

void inbox_post(struct parcel parcel)
{
  /* The core's task empties the inbox every 20 ms and never waits for its senders. */
  xQueueSend(inbox, &parcel, portMAX_DELAY);
}

void inbox_offer(struct parcel parcel)
{
  xQueueSend(inbox, &parcel, 0);
}

static void deliver(struct node *node, const struct parcel *parcel)
{
  bool current = parcel->generation == wanted_generation();
  switch (parcel->kind) {
  case PARCEL_WIFI:
    if (parcel->flag) clock_network_up();
    node_on_wifi(node, parcel->flag);
    break;
  case PARCEL_IDENTITY:
    if (current) node_on_identity(node, parcel->flag);
    break;
  case PARCEL_UP:
    if (current) node_on_mqtt_up(node);
    break;
  case PARCEL_DOWN:
    if (current) node_on_mqtt_down(node);
    break;
  case PARCEL_ACK:
    if (current) node_on_mqtt_ack(node, parcel->id);
    break;
  case PARCEL_MESSAGE:
    if (current) node_on_mqtt_message(node, parcel->topic, parcel->payload, parcel->length);
    break;
  case PARCEL_RESTART: node_event(node, (struct event){.kind = EVENT_RESTART}); break;
  default: break;
  }
}

void inbox_deliver(struct node *node, uint32_t wait_ms)
{
  struct parcel parcel;
  TickType_t wait = pdMS_TO_TICKS(wait_ms);
  for (uint32_t i = 0; i < INBOX_PARCELS && xQueueReceive(inbox, &parcel, wait) == pdTRUE; i++) {
    deliver(node, &parcel);
    parcel_free(&parcel);
    wait = 0;
  }
}
