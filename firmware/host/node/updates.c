#include <stdio.h>
#include <stdlib.h>

#include "enrolment.h"
#include "fetch.h"
#include "image.h"
#include "inbox.h"
#include "identity.h"
#include "jobs.h"
#include "linux_node.h"
#include "ota.h"

/*
 * What main/jobs.c needs of its surroundings. An image is fetched and checked; of what "boots" then only the
 * version differs, for a process cannot run what was built for an ESP32. The bootloader's part (one boot to
 * prove itself, else back) is played as ESP-IDF does it.
 */

#define FACTORY_VERSION "2.0.0-linux"
#define VERSION_BYTES 32
#define SLOT_BYTES 0x160000u

enum trial { PROVED, NEW, ON_TRIAL };

static struct slots {
  char running[VERSION_BYTES], former[VERSION_BYTES];
  uint8_t trial;
} slots;

static char *ordered_url;
static char ordered_version[VERSION_BYTES];
static bool restart_due, ask_due;

static void keep(void)
{
  if (!port_settings_write("slots", &slots, sizeof slots)) port_log(LOG_ERROR, "settings_fault", 0);
}

static void go_back(void)
{
  memcpy(slots.running, slots.former, sizeof slots.running);
  slots.trial = PROVED;
  keep();
}

void updates_boot(void)
{
  restart_due = ask_due = false;
  if (port_settings_read("slots", &slots, sizeof slots) != sizeof slots) {
    memset(&slots, 0, sizeof slots);
    snprintf(slots.running, sizeof slots.running, "%s", FACTORY_VERSION);
  }
  if (slots.trial == PROVED) return;
  /* The one boot was cut off: the bootloader takes the former image. */
  if (slots.trial == ON_TRIAL) {
    go_back();
    return;
  }
  slots.trial = ON_TRIAL;
  keep();
}

const char *port_firmware_version(void)
{
  return slots.running;
}

bool port_ota_pending(void)
{
  return slots.trial == ON_TRIAL;
}

void port_ota_confirm(void)
{
  slots.trial = PROVED;
  keep();
  ask_due = true;
}

void port_ota_rollback(void)
{
  go_back();
  port_restart();
}

bool ota_begin(const char *url, const char *version)
{
  ordered_url = strdup(url);
  snprintf(ordered_version, sizeof ordered_version, "%s", version);
  return ordered_url != NULL;
}

/* NULL, or why the image was not installed. */
static const char *install(void)
{
  uint32_t bytes = 0;
  uint8_t *image = fetch(ordered_url, SLOT_BYTES, &bytes);
  if (image == NULL) return "not_reached";
  const char *wrong = image_wrong(image, bytes, ordered_version);
  free(image);
  if (wrong != NULL) return wrong;
  memcpy(slots.former, slots.running, sizeof slots.former);
  memcpy(slots.running, ordered_version, sizeof slots.running);
  slots.trial = NEW;
  keep();
  /* Until the restart it is the former one that runs, and says so. */
  memcpy(slots.running, slots.former, sizeof slots.running);
  return NULL;
}

void updates_serve(struct node *node)
{
  if (ordered_url != NULL) {
    port_log(LOG_INFO, "update_started", 0);
    const char *reason = install();
    free(ordered_url);
    ordered_url = NULL;
    jobs_update_ended(reason == NULL, reason);
  }
  if (ask_due) jobs_ask();
  ask_due = false;
  if (restart_due) node_event(node, (struct event){.kind = EVENT_RESTART});
  restart_due = false;
}

/* Of all parcels jobs.c posts one: an update is installed. */
void inbox_post(struct parcel parcel)
{
  restart_due = parcel.kind == PARCEL_RESTART;
}

/* This node gets its certificate on the command line, and cannot ask for another. */
void enrolment_begin(void)
{
  jobs_rotation_ended(false);
}

enum rotation identity_rotation(void)
{
  return ROTATION_NONE;
}
