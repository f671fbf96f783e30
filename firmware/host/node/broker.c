#include <mosquitto.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "connection.h"
#include "jobs.h"
#include "linux_node.h"

/*
 * The core decides about attempts, repeats and what is in flight; libmosquitto 2.0.11 keeps messages
 * over a lost session and would send them again in another order. So every session gets a new client.
 */

enum happening_kind { HAPPENED_UP, HAPPENED_DOWN, HAPPENED_ACK, HAPPENED_SUBSCRIBED, HAPPENED_MESSAGE };

struct happening {
  enum happening_kind kind;
  int message_id;
  bool granted;
  char topic[256];
  char payload[COMMAND_MAX_BYTES + 1];
  uint32_t length;
};

#define HAPPENINGS_MAX 64

static const struct options *options;
static struct mosquitto *client;
static bool session, wifi_asked;
static struct happening happenings[HAPPENINGS_MAX];
static uint32_t happened, acknowledged;
/* Messages of jobs without a PUBACK: the core does not know them. */
static int of_jobs[4], jobs_subscription;
static struct json json;

/* Callbacks run inside the library: the node hears of them afterwards, when it may end the session. */
static struct happening *note(enum happening_kind kind)
{
  if (happened == HAPPENINGS_MAX) return NULL;
  struct happening *h = &happenings[happened++];
  h->kind = kind;
  return h;
}

static void on_connect(struct mosquitto *m, void *of, int code)
{
  (void)m;
  (void)of;
  note(code == 0 ? HAPPENED_UP : HAPPENED_DOWN);
}

static void on_disconnect(struct mosquitto *m, void *of, int code)
{
  (void)m;
  (void)of;
  (void)code;
  note(HAPPENED_DOWN);
}

static void on_publish(struct mosquitto *m, void *of, int message_id)
{
  (void)m;
  (void)of;
  struct happening *h = note(HAPPENED_ACK);
  if (h) h->message_id = message_id;
}

static void on_subscribe(struct mosquitto *m, void *of, int message_id, int count, const int *granted)
{
  (void)m;
  (void)of;
  struct happening *h = count > 0 ? note(HAPPENED_SUBSCRIBED) : NULL;
  if (h == NULL) return;
  h->message_id = message_id;
  h->granted = granted[0] <= 2;
}

static void on_message(struct mosquitto *m, void *of, const struct mosquitto_message *message)
{
  (void)m;
  (void)of;
  if (message->payloadlen < 0) return;
  struct happening *h = note(HAPPENED_MESSAGE);
  if (h == NULL) return;
  snprintf(h->topic, sizeof h->topic, "%s", message->topic);
  h->length = (uint32_t)message->payloadlen;
  /* Of one that is too long the node reads only the length, and refuses it. */
  if (h->length > 0 && h->length <= COMMAND_MAX_BYTES) memcpy(h->payload, message->payload, h->length);
}

void broker_open(const struct options *o)
{
  options = o;
  mosquitto_lib_init();
}

void broker_close(void)
{
  /* Destroying closes the socket without DISCONNECT. */
  if (client) mosquitto_destroy(client);
  client = NULL;
  session = false;
  happened = 0;
  memset(of_jobs, 0, sizeof of_jobs);
  jobs_subscription = 0;
  jobs_disconnected();
}

void port_wifi_connect(void)
{
  wifi_asked = true;
}

void port_mqtt_disconnect(void)
{
  broker_close();
}

void port_mqtt_connect(const struct port_session *s)
{
  broker_close();
  client = mosquitto_new(s->client_id, true, NULL);
  bool ready = client != NULL;
  if (ready) {
    mosquitto_connect_callback_set(client, on_connect);
    mosquitto_disconnect_callback_set(client, on_disconnect);
    mosquitto_publish_callback_set(client, on_publish);
    mosquitto_subscribe_callback_set(client, on_subscribe);
    mosquitto_message_callback_set(client, on_message);
    ready = mosquitto_will_set(client, s->will_topic, (int)strlen(s->will), s->will, 1, true) == MOSQ_ERR_SUCCESS;
  }
  if (ready && options->cafile)
    ready = mosquitto_tls_set(client, options->cafile, NULL, options->cert, options->key, NULL) == MOSQ_ERR_SUCCESS;
  if (!ready || mosquitto_connect(client, options->host, options->port, s->keep_alive_s) != MOSQ_ERR_SUCCESS) note(HAPPENED_DOWN);
}

bool port_mqtt_subscribe(const char *topic)
{
  return session && mosquitto_subscribe(client, NULL, topic, 1) == MOSQ_ERR_SUCCESS;
}

int32_t port_mqtt_publish(const char *topic, const char *payload, uint32_t length, bool retain)
{
  int message_id = 0;
  if (!session || mosquitto_publish(client, &message_id, topic, (int)length, payload, 1, retain) != MOSQ_ERR_SUCCESS) return -1;
  truth->published++;
  return message_id;
}

int32_t connection_subscribe(const char *topic)
{
  int message_id = 0;
  jobs_subscription = -1;
  if (session && mosquitto_subscribe(client, &message_id, topic, 1) == MOSQ_ERR_SUCCESS) jobs_subscription = message_id;
  return jobs_subscription;
}

int32_t connection_publish(const char *topic, const char *payload, uint32_t length, bool retain)
{
  int message_id = 0;
  if (!session || mosquitto_publish(client, &message_id, topic, (int)length, payload, 1, retain) != MOSQ_ERR_SUCCESS) return -1;
  memmove(of_jobs + 1, of_jobs, sizeof of_jobs - sizeof of_jobs[0]);
  of_jobs[0] = message_id;
  return message_id;
}

static bool is_of_jobs(int message_id)
{
  for (size_t i = 0; i < sizeof of_jobs / sizeof of_jobs[0]; i++)
    if (of_jobs[i] == message_id) return true;
  return false;
}

static void on_ack(struct node *node, int message_id)
{
  if (is_of_jobs(message_id)) return;
  truth->acknowledged++;
  node_on_mqtt_ack(node, message_id);
  if (++acknowledged == options->cut_after_acks) raise(SIGKILL);
}

static void take_message(struct node *node, const struct happening *h)
{
  if (strncmp(h->topic, "$aws/", 5) != 0) node_on_mqtt_message(node, h->topic, h->payload, h->length);
  else if (h->length > COMMAND_MAX_BYTES) port_log(LOG_WARNING, "message_too_long", h->length);
  else if (!json_parse(&json, h->payload, h->length)) port_log(LOG_WARNING, "answer_unreadable", h->length);
  else jobs_take(h->topic, &json);
}

static void hand_over(struct node *node)
{
  for (uint32_t i = 0; i < happened; i++) {
    struct happening *h = &happenings[i];
    switch (h->kind) {
    case HAPPENED_UP:
      session = true;
      node_on_mqtt_up(node);
      /* Only AWS IoT has jobs, and what stands for it here speaks TLS as it does. */
      if (options->cafile && session) jobs_connected(options->name);
      break;
    case HAPPENED_DOWN:
      session = false;
      happened = 0; /* what came before the end of the session has been handed over */
      jobs_disconnected();
      node_on_mqtt_down(node);
      return;
    case HAPPENED_ACK: on_ack(node, h->message_id); break;
    case HAPPENED_SUBSCRIBED:
      if (h->message_id == jobs_subscription) jobs_subscribed(h->message_id, h->granted);
      else if (!h->granted) port_log(LOG_ERROR, "commands_not_allowed", h->message_id);
      break;
    case HAPPENED_MESSAGE: take_message(node, h); break;
    }
    if (client == NULL) return; /* the node ended the session */
  }
  happened = 0;
}

void broker_serve(struct node *node, int wait_ms, bool reachable)
{
  if (wifi_asked) {
    wifi_asked = false;
    node_on_wifi(node, reachable);
  }
  if (client) {
    int code = mosquitto_loop(client, wait_ms, 1);
    if (code != MOSQ_ERR_SUCCESS && happened == 0) note(HAPPENED_DOWN);
  }
  hand_over(node);
}
