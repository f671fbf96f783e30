#ifndef AUTOVOLT_SESSION_H
#define AUTOVOLT_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "parcel.h"

/*
 * The task that owns the connection. A handshake or a send can wait for seconds, so the core's task
 * never calls esp-mqtt itself: port_mqtt_… (mqtt.c) leave a parcel and return.
 */

void session_start(void);
/** Hands the session's task a parcel, and its texts with it. False when it was not taken in time. */
bool session_post(struct parcel parcel, uint32_t wait_ms);

#endif
