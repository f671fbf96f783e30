#include "jobs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "connection.h"
#include "enrolment.h"
#include "identity.h"
#include "inbox.h"
#include "job_record.h"
#include "json_write.h"
#include "ota.h"
#include "port.h"

#define TOPIC_BYTES 256
#define URL_BYTES 3072u
#define VERSION_BYTES 32
/* A power cut during a download or an enrolment starts it again, but not for ever. */
#define ATTEMPTS_MAX 3u

static char prefix[TOPIC_BYTES]; /* $aws/things/<thing>/jobs/ */
static int32_t subscription;
static bool allowed;
static enum { IDLE, UPDATING, ROTATING } activity;
static struct job_record record;

static void say(const char *topic_end, const char *status, const char *reason)
{
  char topic[TOPIC_BYTES + JOB_ID_BYTES], text[192];
  struct json_writer w;
  if (!allowed) return;
  snprintf(topic, sizeof topic, "%s%s", prefix, topic_end);
  json_begin(&w, text, sizeof text);
  json_object(&w);
  if (status != NULL) {
    json_key(&w, "status");
    json_string(&w, status);
    json_key(&w, "statusDetails");
    json_object(&w);
    json_key(&w, "reason");
    json_string(&w, reason);
    json_key(&w, "firmware_ver");
    json_string(&w, port_firmware_version());
    json_object_end(&w);
  }
  json_object_end(&w);
  if (w.overflow || connection_publish(topic, text, w.length, false) < 0) port_log(LOG_WARNING, "not_sent", w.length);
}

static void report(const char *status, const char *reason)
{
  char topic_end[JOB_ID_BYTES + 8];
  bool done = strcmp(status, "SUCCEEDED") == 0;
  port_log(done ? LOG_INFO : LOG_ERROR, done ? "job_done" : "job_not_done", record.attempts);
  snprintf(topic_end, sizeof topic_end, "%s/update", record.id);
  say(topic_end, status, reason);
}

void jobs_connected(const char *thing)
{
  char topic[TOPIC_BYTES + 16];
  allowed = false;
  snprintf(prefix, sizeof prefix, "$aws/things/%s/jobs/", thing);
  snprintf(topic, sizeof topic, "%snotify-next", prefix);
  subscription = connection_subscribe(topic);
}

void jobs_disconnected(void)
{
  allowed = false;
  subscription = 0;
  /* A download goes on by itself; an enrolment ended with its connection and starts again on the next. */
  if (activity == ROTATING) activity = IDLE;
}

void jobs_subscribed(int32_t id, bool granted)
{
  if (id != subscription) return;
  /* AWS closes the connection of a client that publishes what it may not: so a refusal is taken for all. */
  allowed = granted;
  if (granted) jobs_ask();
  else port_log(LOG_WARNING, "jobs_not_allowed", 0);
}

void jobs_ask(void)
{
  say("start-next", NULL, NULL);
}

/* True when the operation may be tried (again); the attempt is counted on flash first. */
static bool attempt(void)
{
  if (record.attempts >= ATTEMPTS_MAX) {
    report("FAILED", "interrupted");
    return false;
  }
  record.attempts++;
  if (job_record_save(&record)) return true;
  report("FAILED", "settings_fault");
  return false;
}

static void update_firmware(const struct json *job, int document)
{
  char version[VERSION_BYTES];
  if (!json_get_text(job, json_member(job, document, "version"), version, sizeof version)) {
    report("REJECTED", "version_missing");
    return;
  }
  if (strcmp(version, port_firmware_version()) == 0) {
    report("SUCCEEDED", "running");
    return;
  }
  if (record.stage == JOB_INSTALLED) {
    report("FAILED", "rolled_back");
    return;
  }
  char *url = malloc(URL_BYTES);
  if (url == NULL || !json_get_text(job, json_member(job, document, "url"), url, URL_BYTES)) {
    report("REJECTED", "url_missing");
  } else if (attempt()) {
    if (ota_begin(url, version)) activity = UPDATING;
    else report("FAILED", "no_memory");
  }
  free(url);
}

static void rotate_certificate(void)
{
  if (record.stage == JOB_INSTALLED) {
    enum rotation rotation = identity_rotation();
    if (rotation == ROTATION_ACCEPTED) report("SUCCEEDED", "connected");
    else if (rotation != ROTATION_ON_TRIAL) report("FAILED", "certificate_refused");
  } else if (attempt()) {
    activity = ROTATING;
    enrolment_begin();
  }
}

static void on_job(const struct json *answer)
{
  int job = json_member(answer, 0, "execution");
  char id[JOB_ID_BYTES];
  if (activity != IDLE || job < 0 || !json_get_text(answer, json_member(answer, job, "jobId"), id, sizeof id)) return;
  /* A new image first has to prove itself: jobs_ask comes again when it did. */
  if (port_ota_pending()) return;
  job_record_load(&record, id);
  int document = json_member(answer, job, "jobDocument");
  int operation = document < 0 ? -1 : json_member(answer, document, "operation");
  if (json_text_is(answer, operation, "update_firmware")) update_firmware(answer, document);
  else if (json_text_is(answer, operation, "rotate_certificate")) rotate_certificate();
  else report("REJECTED", "operation_unknown");
}

void jobs_take(const char *topic, const struct json *message)
{
  size_t length = strlen(prefix);
  if (length == 0 || strncmp(topic, prefix, length) != 0) return;
  const char *kind = topic + length;
  if (strcmp(kind, "start-next/accepted") == 0) on_job(message);
  else if (strcmp(kind, "notify-next") == 0 && json_member(message, 0, "execution") >= 0) jobs_ask();
  else if (strcmp(kind, "start-next/rejected") == 0) port_log(LOG_WARNING, "jobs_not_allowed", 1);
}

void jobs_update_ended(bool installed, const char *reason)
{
  activity = IDLE;
  if (!installed) {
    report("FAILED", reason != NULL ? reason : "no_memory");
    return;
  }
  record.stage = JOB_INSTALLED;
  job_record_save(&record);
  port_log(LOG_INFO, "update_installed", record.attempts);
  inbox_post((struct parcel){.kind = PARCEL_RESTART});
}

void jobs_rotation_ended(bool stored)
{
  activity = IDLE;
  if (!stored) {
    report("FAILED", "not_enrolled");
    return;
  }
  record.stage = JOB_INSTALLED;
  job_record_save(&record);
}
