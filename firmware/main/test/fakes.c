#include "fakes.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connection.h"
#include "freertos/queue.h"
#include "freertos/task.h"
#include "inbox.h"
#include "key_request.h"
#include "ota.h"
#include "port.h"
#include "session.h"
#include "setup.h"

#define QUEUE_MAX 64

struct fake_queue {
  struct parcel items[QUEUE_MAX];
  unsigned head, count, capacity;
};

struct world world;
static struct fake_queue the_queue;
static void (*the_task)(void *);
static jmp_buf turn;

/* ---- FreeRTOS ---- */

QueueHandle_t xQueueCreate(unsigned length, unsigned item_bytes)
{
  the_queue.capacity = item_bytes == sizeof(struct parcel) ? length : 0;
  return &the_queue;
}

BaseType_t xQueueSend(QueueHandle_t queue, const void *item, TickType_t wait)
{
  (void)wait;
  if (queue->count == queue->capacity) return 0;
  memcpy(&queue->items[(queue->head + queue->count++) % QUEUE_MAX], item, sizeof(struct parcel));
  return pdTRUE;
}

BaseType_t xQueueReceive(QueueHandle_t queue, void *item, TickType_t wait)
{
  static bool idle;
  (void)wait;
  if (queue->count == 0) {
    /* Once as if the wait had passed, so that what the task does without a parcel is done as well. */
    idle = !idle;
    if (!idle) longjmp(turn, 1);
    return 0;
  }
  memcpy(item, &queue->items[queue->head], sizeof(struct parcel));
  queue->head = (queue->head + 1) % QUEUE_MAX;
  queue->count--;
  return pdTRUE;
}

BaseType_t xTaskCreate(void (*task)(void *), const char *name, unsigned stack_bytes, void *argument, unsigned priority,
                       void *handle)
{
  (void)name, (void)stack_bytes, (void)argument, (void)priority, (void)handle;
  the_task = task;
  return pdPASS;
}

void session_turn(void)
{
  if (setjmp(turn) == 0) the_task(NULL);
}

void world_begin(void)
{
  if (the_task == NULL) session_start();
  /* A session of a former test ends like on the node: by the core's wish. */
  port_mqtt_disconnect();
  session_turn();
  for (uint32_t i = 0; i < world.told_count; i++) parcel_free(&world.told[i]);
  memset(&world, 0, sizeof world);
  snprintf(world.version, sizeof world.version, "1.0.0");
  world.next_id = 100;
  world.has_claim = true;
}

/* ---- Connection ---- */

bool connection_open(const struct connection_options *options, struct identity identity)
{
  world.open = true;
  world.opened++;
  world.generation = options->generation;
  snprintf(world.client_id, sizeof world.client_id, "%s", options->client_id);
  snprintf(world.will_topic, sizeof world.will_topic, "%s", options->will_topic ? options->will_topic : "");
  snprintf(world.certificate, sizeof world.certificate, "%s", identity.certificate);
  identity_close(&identity);
  return true;
}

void connection_close(void)
{
  world.open = false;
}

static int32_t keep(struct sent *list, uint32_t *count, const char *topic, const char *payload)
{
  struct sent *sent = &list[*count % 32];
  (*count)++;
  snprintf(sent->topic, sizeof sent->topic, "%s", topic);
  snprintf(sent->payload, sizeof sent->payload, "%s", payload);
  sent->id = world.next_id++;
  return sent->id;
}

int32_t connection_publish(const char *topic, const char *payload, uint32_t length, bool retain)
{
  (void)length, (void)retain;
  if (!world.open || world.cannot_send) return -1;
  return keep(world.published, &world.published_count, topic, payload);
}

int32_t connection_subscribe(const char *topic)
{
  return world.open && !world.cannot_subscribe ? keep(world.subscribed, &world.subscribed_count, topic, "") : -1;
}

void client_reports(enum parcel_kind kind, int32_t id, bool flag)
{
  session_post((struct parcel){.kind = kind, .generation = world.generation, .id = id, .flag = flag}, 0);
}

void client_receives(const char *topic, const char *payload)
{
  struct parcel parcel = {.kind = PARCEL_MESSAGE, .generation = world.generation};
  if (parcel_pack(&parcel, topic, (uint32_t)strlen(topic), payload, (uint32_t)strlen(payload))) session_post(parcel, 0);
}

void client_receives_too_long(const char *topic, uint32_t length)
{
  struct parcel parcel = {.kind = PARCEL_MESSAGE, .generation = world.generation};
  if (parcel_pack_too_long(&parcel, topic, (uint32_t)strlen(topic), length)) session_post(parcel, 0);
}

/* ---- Core ---- */

void inbox_post(struct parcel parcel)
{
  world.told[world.told_count++ % 32] = parcel;
}

int core_told(void)
{
  static uint32_t seen;
  if (seen > world.told_count) seen = 0;
  if (seen == world.told_count) return -1;
  seen = world.told_count;
  return (int)world.told[(seen - 1) % 32].kind;
}

/* ---- Identity, setup, settings, update ---- */

bool identity_open(struct identity *identity)
{
  *identity = (struct identity){.certificate = strdup("own"), .key = strdup("own key"), .slot = 1};
  return true;
}

void identity_close(struct identity *identity)
{
  free(identity->certificate);
  free(identity->key);
}

bool identity_store(const char *thing, const char *certificate, const char *key)
{
  world.stored++;
  snprintf(world.stored_thing, sizeof world.stored_thing, "%s", thing);
  snprintf(world.stored_certificate, sizeof world.stored_certificate, "%s", certificate);
  snprintf(world.stored_key, sizeof world.stored_key, "%s", key);
  if (world.generation != 0) world.rotation = ROTATION_ON_TRIAL;
  return true;
}

bool identity_accepted(uint8_t slot)
{
  if (slot == 1 && world.rotation == ROTATION_ON_TRIAL) world.rotation = ROTATION_ACCEPTED;
  return !world.trial_goes_on;
}

bool identity_can_store(void)
{
  return !world.cannot_store;
}

enum rotation identity_rotation(void)
{
  return world.rotation;
}

char *setup_text(const char *key)
{
  if (strcmp(key, "template") == 0) return strdup("campus");
  if (strcmp(key, "claim_cert") == 0 && world.has_claim) return strdup("claim");
  if (strcmp(key, "claim_key") == 0 && world.has_claim) return strdup("claim key");
  return NULL;
}

uint32_t port_settings_read(const char *key, void *to, uint32_t capacity)
{
  if (strcmp(key, "job") != 0 || world.settings_bytes > capacity) return 0;
  memcpy(to, world.settings, world.settings_bytes);
  return world.settings_bytes;
}

bool port_settings_write(const char *key, const void *from, uint32_t bytes)
{
  if (strcmp(key, "job") != 0 || bytes > sizeof world.settings) return false;
  memcpy(world.settings, from, bytes);
  world.settings_bytes = bytes;
  return true;
}

bool key_request_make(struct key_request *made, const char *common_name)
{
  snprintf(made->key, sizeof made->key, "key of %s", common_name);
  snprintf(made->request, sizeof made->request, "request\nof %s\n", common_name);
  return true;
}

void key_request_forget(struct key_request *made)
{
  memset(made, 0, sizeof *made);
}

bool ota_begin(const char *url, const char *version)
{
  world.updates++;
  snprintf(world.update_url, sizeof world.update_url, "%s", url);
  snprintf(world.update_version, sizeof world.update_version, "%s", version);
  return true;
}

bool port_ota_pending(void)
{
  return world.update_pending;
}

const char *port_firmware_version(void)
{
  return world.version;
}

uint64_t port_uptime_ms(void)
{
  return world.uptime_ms;
}

void port_mac(uint8_t mac[6])
{
  memcpy(mac, (const uint8_t[]){0xa0, 0xb1, 0xc2, 0xd3, 0xe4, 0xf5}, 6);
}

void port_log(enum log_level level, const char *event, int64_t value)
{
  (void)level, (void)event, (void)value;
}
