#include "connection.h"

#include <stdlib.h>

#include "esp_crt_bundle.h"
#include "mqtt_client.h"
#include "port.h"
#include "session.h"
#include "setup.h"

#define NETWORK_TIMEOUT_MS 10000
/* It never reconnects, but after a lost connection it sleeps half of this before it can be closed. */
#define RECONNECT_MS 200
/* Of what arrives, an answer of fleet provisioning is the longest: a certificate and a token, about 3 KB. */
#define IN_BYTES 6144
/* A message of the core with its topic fits in one piece. */
#define OUT_BYTES 4608
/* Four messages of the core in flight, a heartbeat and an answer. */
#define OUTBOX_BYTES 32768u
/* One hour: the core takes a message back after 20 s, so esp-mqtt never sends one twice by itself. */
#define RETRANSMIT_MS 3600000

/* The session may be waiting for this very task to end: what cannot be passed in time is let go, and the core
   sends again what was not acknowledged. */
#define POST_WAIT_MS 2000u

static esp_mqtt_client_handle_t client;
static struct identity identity_in_use;
static char *endpoint, *authority;

static void pass(struct parcel parcel)
{
  if (!session_post(parcel, POST_WAIT_MS)) {
    parcel_free(&parcel);
    port_log(LOG_WARNING, "session_busy", parcel.kind);
  }
}

static void pass_message(struct parcel parcel, const esp_mqtt_event_t *event)
{
  /* Only the first piece of a message names its topic. One in pieces is longer than anything a node is sent. */
  if (event->topic_len <= 0) return;
  uint32_t topic_length = (uint32_t)event->topic_len;
  bool whole = event->data_len == event->total_data_len;
  parcel.kind = PARCEL_MESSAGE;
  bool packed = whole ? parcel_pack(&parcel, event->topic, topic_length, event->data, (uint32_t)event->data_len)
                      : parcel_pack_too_long(&parcel, event->topic, topic_length, (uint32_t)event->total_data_len);
  if (packed) pass(parcel);
  else port_log(LOG_WARNING, "no_memory", event->total_data_len);
}

/* Runs in esp-mqtt's task. */
static void on_event(void *generation, esp_event_base_t base, int32_t id, void *data)
{
  const esp_mqtt_event_t *event = data;
  struct parcel parcel = {.generation = (uint32_t)(uintptr_t)generation, .id = event->msg_id};
  (void)base;
  switch ((esp_mqtt_event_id_t)id) {
  case MQTT_EVENT_CONNECTED: parcel.kind = PARCEL_UP; break;
  case MQTT_EVENT_DISCONNECTED: parcel.kind = PARCEL_DOWN; break;
  case MQTT_EVENT_PUBLISHED: parcel.kind = PARCEL_ACK; break;
  case MQTT_EVENT_SUBSCRIBED:
    parcel.kind = PARCEL_SUBSCRIBED;
    parcel.flag = event->error_handle == NULL || event->error_handle->error_type != MQTT_ERROR_TYPE_SUBSCRIBE_FAILED;
    break;
  case MQTT_EVENT_DATA: pass_message(parcel, event); return;
  case MQTT_EVENT_ERROR:
    if (event->error_handle->error_type == MQTT_ERROR_TYPE_CONNECTION_REFUSED)
      port_log(LOG_WARNING, "mqtt_refused", event->error_handle->connect_return_code);
    else if (event->error_handle->error_type == MQTT_ERROR_TYPE_TCP_TRANSPORT)
      port_log(LOG_WARNING, "tls_fault", event->error_handle->esp_tls_last_esp_err);
    return;
  default: return;
  }
  pass(parcel);
}

static void configure(esp_mqtt_client_config_t *config, const struct connection_options *options)
{
  config->broker.address.hostname = endpoint;
  config->broker.address.port = setup_number("mqtt_port", 8883);
  config->broker.address.transport = MQTT_TRANSPORT_OVER_SSL;
  if (authority != NULL) config->broker.verification.certificate = authority;
  else config->broker.verification.crt_bundle_attach = esp_crt_bundle_attach;
  config->credentials.client_id = options->client_id;
  config->credentials.authentication.certificate = identity_in_use.certificate;
  config->credentials.authentication.key = identity_in_use.key;
  config->session.protocol_ver = MQTT_PROTOCOL_V_3_1_1;
  config->session.keepalive = options->keep_alive_s;
  config->session.message_retransmit_timeout = RETRANSMIT_MS;
  if (options->will_topic != NULL) {
    config->session.last_will.topic = options->will_topic;
    config->session.last_will.msg = options->will;
    config->session.last_will.qos = 1;
    config->session.last_will.retain = 1;
  }
  config->network.disable_auto_reconnect = true;
  config->network.reconnect_timeout_ms = RECONNECT_MS;
  config->network.timeout_ms = NETWORK_TIMEOUT_MS;
  config->task.stack_size = 8192;
  config->buffer.size = IN_BYTES;
  config->buffer.out_size = OUT_BYTES;
  config->outbox.limit = OUTBOX_BYTES;
}

bool connection_open(const struct connection_options *options, struct identity identity)
{
  connection_close();
  identity_in_use = identity;
  endpoint = setup_text("endpoint");
  authority = setup_text("ca");
  if (endpoint != NULL) {
    esp_mqtt_client_config_t config = {0};
    configure(&config, options);
    client = esp_mqtt_client_init(&config);
  } else {
    port_log(LOG_ERROR, "endpoint_missing", 0);
  }
  if (client != NULL &&
      esp_mqtt_client_register_event(client, MQTT_EVENT_ANY, on_event, (void *)(uintptr_t)options->generation) ==
          ESP_OK &&
      esp_mqtt_client_start(client) == ESP_OK)
    return true;
  connection_close();
  return false;
}

void connection_close(void)
{
  /* Destroying stops it first, with a DISCONNECT where it is connected: then the broker sends no will. */
  if (client != NULL) esp_mqtt_client_destroy(client);
  client = NULL;
  identity_close(&identity_in_use);
  free(endpoint);
  free(authority);
  endpoint = NULL;
  authority = NULL;
}

int32_t connection_publish(const char *topic, const char *payload, uint32_t length, bool retain)
{
  if (client == NULL) return -1;
  int id = esp_mqtt_client_publish(client, topic, payload, (int)length, 1, retain ? 1 : 0);
  return id > 0 ? id : -1;
}

int32_t connection_subscribe(const char *topic)
{
  if (client == NULL) return -1;
  int id = esp_mqtt_client_subscribe_single(client, topic, 1);
  return id > 0 ? id : -1;
}
