#include "session.h"

#include <stdio.h>
#include <string.h>

#include "connection.h"
#include "enrolment.h"
#include "freertos/FreeRTOS.h"
#include "freertos/queue.h"
#include "freertos/task.h"
#include "identity.h"
#include "inbox.h"
#include "jobs.h"
#include "json_read.h"
#include "message_ids.h"
#include "port.h"
#include "setup.h"
#include "wanted.h"

#define QUEUE_PARCELS 24
#define TICK_MS 500
#define STACK_BYTES 10240
#define PRIORITY 5
#define CLAIM_KEEP_ALIVE_S 60

static QueueHandle_t queue;

/* All below belongs to the session's task. */
static struct wanted present; /* the wish it carries out */
static uint8_t slot;          /* of the identity it connects with */
static struct message_ids ids;
static struct json json;
static int32_t core_subscriptions[2]; /* esp-mqtt's ids of what the core subscribed to last */

bool session_post(struct parcel parcel, uint32_t wait_ms)
{
  return xQueueSend(queue, &parcel, pdMS_TO_TICKS(wait_ms)) == pdTRUE;
}

static void tell(enum parcel_kind kind, bool flag)
{
  inbox_post((struct parcel){.kind = kind, .generation = present.generation, .flag = flag});
}

static void hang_up(void)
{
  connection_close();
  enrolment_stop();
  jobs_disconnected();
}

/* Ends the connection and tells the core. */
static void end(bool provisioned)
{
  enum session_mode mode = present.mode;
  hang_up();
  present.mode = SESSION_NONE;
  if (mode == SESSION_NODE) tell(PARCEL_DOWN, false);
  if (mode == SESSION_CLAIM) tell(PARCEL_IDENTITY, provisioned);
}

static bool open_claim(void)
{
  char client_id[32];
  uint8_t mac[6];
  port_mac(mac);
  snprintf(client_id, sizeof client_id, "claim-%02x%02x%02x%02x%02x%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
           mac[5]);
  struct identity claim = {.certificate = setup_text("claim_cert"), .key = setup_text("claim_key")};
  if (claim.certificate == NULL || claim.key == NULL) {
    port_log(LOG_ERROR, "claim_missing", 0);
    identity_close(&claim);
    return false;
  }
  const struct connection_options options = {
      .generation = present.generation, .client_id = client_id, .keep_alive_s = CLAIM_KEEP_ALIVE_S};
  return connection_open(&options, claim);
}

static bool open_node(void)
{
  struct identity identity = {0};
  if (!identity_open(&identity)) return false;
  slot = identity.slot;
  const struct connection_options options = {
      .generation = present.generation,
      .client_id = present.client_id,
      .will_topic = present.will_topic,
      .will = present.will,
      .keep_alive_s = present.keep_alive_s,
  };
  return connection_open(&options, identity);
}

static void follow_wish(void)
{
  if (!wanted_take(&present)) return;
  hang_up();
  memset(&ids, 0, sizeof ids);
  memset(core_subscriptions, 0, sizeof core_subscriptions);
  if (present.mode == SESSION_NONE) return;
  if (!(present.mode == SESSION_CLAIM ? open_claim() : open_node())) end(false);
}

static void on_up(void)
{
  if (present.mode == SESSION_CLAIM) {
    enrolment_begin();
    return;
  }
  /* The old certificate was accepted where the new one had just failed: the new one is tried again. */
  if (!identity_accepted(slot)) {
    end(false);
    return;
  }
  tell(PARCEL_UP, true);
  jobs_connected(present.client_id);
}

/* An enrolment that came to its end: a claim makes the node's first identity, a job its next one. */
static void conclude(enum enrolment_state state)
{
  if (state == ENROLMENT_IDLE || state == ENROLMENT_WAITING) return;
  bool stored = state == ENROLMENT_STORED;
  bool rotation = present.mode == SESSION_NODE;
  if (rotation) jobs_rotation_ended(stored);
  if (!rotation || stored) end(stored);
  else enrolment_stop();
}

static void on_message(struct parcel *parcel)
{
  if (strncmp(parcel->topic, "$aws/", 5) == 0) {
    if (parcel->flag) port_log(LOG_WARNING, "message_too_long", parcel->length);
    else if (!json_parse(&json, parcel->payload, parcel->length)) port_log(LOG_WARNING, "answer_unreadable", parcel->length);
    else if (!enrolment_take(parcel->topic, &json)) jobs_take(parcel->topic, &json);
    return;
  }
  /* One that is too long goes on as well: the core refuses it, with the reason. */
  inbox_post(*parcel);
  parcel->topic = NULL; /* the inbox owns the texts now */
}

/* A node that hears no commands is deaf without knowing it: a session that cannot subscribe is ended. */
static void subscribe(const char *topic)
{
  int32_t id = connection_subscribe(topic);
  core_subscriptions[0] = core_subscriptions[1];
  core_subscriptions[1] = id;
  if (id > 0) return;
  port_log(LOG_WARNING, "not_subscribed", 0);
  end(false);
}

/* Refused by the broker, another session would be as well; measuring and telling go on. */
static void on_subscribed(const struct parcel *parcel)
{
  enrolment_subscribed(parcel->id, parcel->flag);
  jobs_subscribed(parcel->id, parcel->flag);
  bool of_core = parcel->id == core_subscriptions[0] || parcel->id == core_subscriptions[1];
  if (of_core && !parcel->flag) port_log(LOG_ERROR, "commands_not_allowed", parcel->id);
}

static void on_parcel(struct parcel *parcel)
{
  if (parcel->kind == PARCEL_UPDATE_ENDED) jobs_update_ended(parcel->flag, parcel->topic);
  if (parcel->kind == PARCEL_UPDATE_CONFIRMED) jobs_ask();
  if (parcel->generation != present.generation || present.mode == SESSION_NONE) return;
  switch (parcel->kind) {
  case PARCEL_UP: on_up(); break;
  case PARCEL_DOWN: end(false); break;
  case PARCEL_ACK:
    parcel->id = message_ids_take(&ids, parcel->id);
    if (parcel->id != 0) inbox_post(*parcel);
    break;
  case PARCEL_MESSAGE: on_message(parcel); break;
  case PARCEL_SUBSCRIBED: on_subscribed(parcel); break;
  case PARCEL_SUBSCRIBE: subscribe(parcel->topic); break;
  case PARCEL_PUBLISH: {
    int32_t sent = connection_publish(parcel->topic, parcel->payload, parcel->length, parcel->flag);
    if (sent > 0) {
      message_ids_put(&ids, sent, parcel->id);
      break;
    }
    /* A connection that takes no message is of no use; the core sends again on the next. */
    port_log(LOG_WARNING, "not_sent", (int64_t)parcel->length);
    end(false);
    break;
  }
  default: break;
  }
}

static void session_task(void *unused)
{
  struct parcel parcel;
  (void)unused;
  for (;;) {
    bool received = xQueueReceive(queue, &parcel, pdMS_TO_TICKS(TICK_MS)) == pdTRUE;
    follow_wish();
    if (received) {
      on_parcel(&parcel);
      parcel_free(&parcel);
    }
    conclude(enrolment_state());
  }
}

void session_start(void)
{
  wanted_start();
  queue = xQueueCreate(QUEUE_PARCELS, sizeof(struct parcel));
  configASSERT(queue != NULL);
  BaseType_t created = xTaskCreate(session_task, "session", STACK_BYTES, NULL, PRIORITY, NULL);
  configASSERT(created == pdPASS);
  (void)created;
}
