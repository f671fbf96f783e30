#include "enrolment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connection.h"
#include "identity.h"
#include "json_write.h"
#include "key_request.h"
#include "port.h"
#include "setup.h"

#define ANSWER_MS 60000u
/* Request and token together; AWS names no limit of a token, those seen have about 500 bytes. */
#define TEXT_BYTES 4096u
#define TOPIC_BYTES 160
#define CREATE "$aws/certificates/create-from-csr/json"

enum step { STEP_SUBSCRIBE, STEP_CREATE, STEP_REGISTER };

static enum enrolment_state state;
static enum step step;
static uint64_t deadline_ms;
static uint32_t granted_count;
static int32_t subscriptions[4];
static struct key_request made;
static char registration[TOPIC_BYTES]; /* topic of RegisterThing */
static char *certificate;

static void fail(const char *event, int64_t value)
{
  port_log(LOG_ERROR, event, value);
  state = ENROLMENT_FAILED;
}

/* What the certificate is for: the node's hardware address, by which the allow-list knows it. */
static void serial_number(char text[13])
{
  uint8_t mac[6];
  port_mac(mac);
  snprintf(text, 13, "%02x%02x%02x%02x%02x%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

static int32_t subscribe(const char *topic, const char *answer)
{
  char filter[TOPIC_BYTES + 16];
  snprintf(filter, sizeof filter, "%s/%s", topic, answer);
  return connection_subscribe(filter);
}

void enrolment_begin(void)
{
  char serial[13];
  enrolment_stop();
  state = ENROLMENT_WAITING;
  step = STEP_SUBSCRIBE;
  deadline_ms = port_uptime_ms() + ANSWER_MS;
  /* Each attempt would leave a certificate in the cloud that nobody keeps. */
  if (!identity_can_store()) return fail("identity_fault", 1);
  char *template = setup_text("template");
  int length = template == NULL ? -1
                                : snprintf(registration, sizeof registration,
                                           "$aws/provisioning-templates/%s/provision/json", template);
  free(template);
  if (length < 0 || (size_t)length >= sizeof registration) return fail("template_missing", length);
  serial_number(serial);
  if (!key_request_make(&made, serial)) return fail("key_fault", 0);
  subscriptions[0] = subscribe(CREATE, "accepted");
  subscriptions[1] = subscribe(CREATE, "rejected");
  subscriptions[2] = subscribe(registration, "accepted");
  subscriptions[3] = subscribe(registration, "rejected");
}

/* Publishes an object of the given members, and of `serial` as the template's parameter unless it is NULL. */
static void request(const char *topic, const char *name, const char *value, const char *serial)
{
  char *text = malloc(TEXT_BYTES);
  if (text == NULL) return fail("no_memory", TEXT_BYTES);
  struct json_writer w;
  json_begin(&w, text, TEXT_BYTES);
  json_object(&w);
  json_key(&w, name);
  json_string(&w, value);
  if (serial != NULL) {
    json_key(&w, "parameters");
    json_object(&w);
    json_key(&w, "SerialNumber");
    json_string(&w, serial);
    json_object_end(&w);
  }
  json_object_end(&w);
  if (w.overflow || connection_publish(topic, text, w.length, false) < 0) fail("not_sent", w.length);
  free(text);
}

void enrolment_subscribed(int32_t id, bool granted)
{
  if (state != ENROLMENT_WAITING || step != STEP_SUBSCRIBE) return;
  for (uint32_t i = 0; i < 4; i++) {
    if (subscriptions[i] != id) continue;
    if (!granted) return fail("enrolment_not_allowed", i);
    granted_count++;
  }
  /* Only now: AWS sends the answer to subscribers, and to nobody later. */
  if (granted_count < 4) return;
  step = STEP_CREATE;
  request(CREATE, "certificateSigningRequest", made.request, NULL);
}

static void on_created(const struct json *answer)
{
  char serial[13];
  certificate = malloc(TEXT_BYTES);
  char *token = malloc(TEXT_BYTES);
  if (certificate == NULL || token == NULL ||
      !json_get_text(answer, json_member(answer, 0, "certificatePem"), certificate, TEXT_BYTES) ||
      !json_get_text(answer, json_member(answer, 0, "certificateOwnershipToken"), token, TEXT_BYTES)) {
    fail("answer_unreadable", 0);
  } else {
    step = STEP_REGISTER;
    serial_number(serial);
    request(registration, "certificateOwnershipToken", token, serial);
  }
  free(token);
}

static void on_registered(const struct json *answer)
{
  char thing[IDENTITY_THING_BYTES];
  if (!json_get_text(answer, json_member(answer, 0, "thingName"), thing, sizeof thing)) {
    fail("answer_unreadable", 1);
  } else if (!identity_store(thing, certificate, made.key)) {
    fail("identity_fault", 0);
  } else {
    port_log(LOG_INFO, "certificate_stored", 0);
    state = ENROLMENT_STORED;
  }
}

bool enrolment_take(const char *topic, const struct json *answer)
{
  if (strncmp(topic, "$aws/certificates/", 18) != 0 && strncmp(topic, "$aws/provisioning-templates/", 28) != 0)
    return false;
  if (state != ENROLMENT_WAITING) return true;
  bool created = strcmp(topic, CREATE "/accepted") == 0;
  size_t length = strlen(registration);
  bool registered = strncmp(topic, registration, length) == 0 && strcmp(topic + length, "/accepted") == 0;
  uint64_t status = 0;
  if (created && step == STEP_CREATE) {
    on_created(answer);
  } else if (registered && step == STEP_REGISTER) {
    on_registered(answer);
  } else if (!created && !registered) {
    json_get_uint(answer, json_member(answer, 0, "statusCode"), 999, &status);
    fail("enrolment_rejected", (int64_t)status);
  }
  return true;
}

enum enrolment_state enrolment_state(void)
{
  if (state == ENROLMENT_WAITING && port_uptime_ms() > deadline_ms) fail("enrolment_unanswered", step);
  return state;
}

void enrolment_stop(void)
{
  state = ENROLMENT_IDLE;
  granted_count = 0;
  memset(subscriptions, 0, sizeof subscriptions);
  key_request_forget(&made);
  free(certificate);
  certificate = NULL;
}
