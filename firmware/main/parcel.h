#ifndef AUTOVOLT_PARCEL_H
#define AUTOVOLT_PARCEL_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What one task hands to another. Two queues carry parcels: the inbox of the task that owns the core
 * (inbox.h), and the one of the task that owns the connection (session.c).
 */

enum parcel_kind {
  /* Both ways: what esp-mqtt reports to the session, and the session to the core. */
  PARCEL_UP,
  PARCEL_DOWN,
  PARCEL_ACK,     /* id */
  PARCEL_MESSAGE, /* topic, payload; flag: too long, the payload is left out and only its length is told */
  /* To the session only. */
  PARCEL_SUBSCRIBED, /* id; flag: granted */
  PARCEL_SUBSCRIBE,  /* topic */
  PARCEL_PUBLISH,    /* id, topic, payload; flag: retain */
  PARCEL_UPDATE_ENDED, /* flag: installed; topic: the reason when not, or NULL */
  PARCEL_UPDATE_CONFIRMED,
  PARCEL_WANTED, /* what the core wants of the session has changed */
  /* To the core only. */
  PARCEL_WIFI,     /* flag: joined */
  PARCEL_IDENTITY, /* flag: provisioned */
  PARCEL_RESTART,  /* an update is installed */
};

struct parcel {
  enum parcel_kind kind;
  uint32_t generation; /* the session it belongs to; what comes from a former one is dropped */
  int32_t id;
  bool flag;
  uint32_t length; /* of the payload */
  char *topic;     /* owns both texts; NULL when there are none */
  char *payload;   /* ends with a zero that is not counted */
};

/** Copies both texts into the parcel; false when there is no memory. */
bool parcel_pack(struct parcel *parcel, const char *topic, uint32_t topic_length, const char *payload,
                 uint32_t length);
/** The same for a message that is too long to be passed on: `length` is told, the payload is left out. */
bool parcel_pack_too_long(struct parcel *parcel, const char *topic, uint32_t topic_length, uint32_t length);
void parcel_free(struct parcel *parcel);

#endif
