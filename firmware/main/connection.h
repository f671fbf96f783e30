#ifndef AUTOVOLT_CONNECTION_H
#define AUTOVOLT_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "identity.h"

/*
 * One esp-mqtt client at a time: mutual TLS, MQTT 3.1.1, clean session, no reconnecting and no
 * resending of its own, for both are the core's. Only the session's task calls these functions; what
 * the client reports comes back as parcels by session_post.
 */

struct connection_options {
  uint32_t generation; /* given back with each parcel */
  const char *client_id;
  const char *will_topic, *will; /* NULL: no will */
  uint16_t keep_alive_s;
};

/**
 * Opens a connection with this identity, which it keeps until connection_close. False when it could
 * not be started; otherwise PARCEL_UP or PARCEL_DOWN follows.
 */
bool connection_open(const struct connection_options *options, struct identity identity);
/** Ends the connection, and forgets what it had not sent. May wait for a handshake to end, 10 s at most. */
void connection_close(void);
/** QoS 1. esp-mqtt's message id, above 0; or -1. */
int32_t connection_publish(const char *topic, const char *payload, uint32_t length, bool retain);
/** QoS 1. esp-mqtt's message id, that PARCEL_SUBSCRIBED names; or -1. */
int32_t connection_subscribe(const char *topic);

#endif
