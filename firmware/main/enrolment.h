#ifndef AUTOVOLT_ENROLMENT_H
#define AUTOVOLT_ENROLMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "json_read.h"

/*
 * Getting a certificate over the connection there is: AWS IoT fleet provisioning by MQTT
 * (CreateCertificateFromCsr, then RegisterThing). With the claim certificate it makes the node's
 * first identity, over the node's own session its next one. All in the session's task.
 */

enum enrolment_state { ENROLMENT_IDLE, ENROLMENT_WAITING, ENROLMENT_STORED, ENROLMENT_FAILED };

/** Makes a key and asks for its certificate as soon as the answers are subscribed to. */
void enrolment_begin(void);
/** A subscription was answered; others than this enrolment's are ignored. */
void enrolment_subscribed(int32_t id, bool granted);
/** True when the message was an answer of fleet provisioning. */
bool enrolment_take(const char *topic, const struct json *answer);
/** How it stands; an enrolment without an answer for a minute has failed. */
enum enrolment_state enrolment_state(void);
/** Back to idle, the key forgotten. */
void enrolment_stop(void);

#endif
