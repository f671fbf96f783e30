#ifndef AUTOVOLT_JOBS_H
#define AUTOVOLT_JOBS_H

#include <stdbool.h>
#include <stdint.h>

#include "json_read.h"

/*
 * AWS IoT Jobs over the node's session: `update_firmware` and `rotate_certificate`. Which nodes get a
 * job, how fast, and when it is stopped is decided in the cloud; the node takes one at a time and
 * says how it ended. All in the session's task.
 */

/** The session is up: subscribes to the news of jobs. Where the policy does not allow it, there are none. */
void jobs_connected(const char *thing);
void jobs_disconnected(void);
/** A subscription was answered; others than this one are ignored. */
void jobs_subscribed(int32_t id, bool granted);
/** Asks for the next job, or for the one in progress. */
void jobs_ask(void);
/** A message of a job topic. */
void jobs_take(const char *topic, const struct json *message);
/** `reason` of a failure; NULL when there was no memory to say it. */
void jobs_update_ended(bool installed, const char *reason);
void jobs_rotation_ended(bool stored);

#endif
