/* The session as the core sees it. The core's own message ids stand for esp-mqtt's, which are not known until
   the message is sent. */

#include <string.h>

#include "parcel.h"
#include "port.h"
#include "session.h"
#include "wanted.h"

static void want(enum session_mode mode, const struct port_session *session)
{
  wanted_set(mode, session);
  /* Only wakes the task up: it looks at the wish anyway after whatever else it has to do. */
  session_post((struct parcel){.kind = PARCEL_WANTED}, 0);
}

void port_mqtt_connect(const struct port_session *session)
{
  want(SESSION_NODE, session);
}

void port_mqtt_disconnect(void)
{
  want(SESSION_NONE, NULL);
}

void port_provision(void)
{
  want(SESSION_CLAIM, NULL);
}

static bool leave(struct parcel parcel, const char *topic, const char *payload, uint32_t length)
{
  parcel.generation = wanted_generation();
  if (!parcel_pack(&parcel, topic, (uint32_t)strlen(topic), payload, length)) return false;
  if (session_post(parcel, 0)) return true;
  parcel_free(&parcel);
  return false;
}

bool port_mqtt_subscribe(const char *topic)
{
  return leave((struct parcel){.kind = PARCEL_SUBSCRIBE}, topic, NULL, 0);
}

int32_t port_mqtt_publish(const char *topic, const char *payload, uint32_t length, bool retain)
{
  static int32_t last;
  last = last < INT32_MAX ? last + 1 : 1;
  struct parcel parcel = {.kind = PARCEL_PUBLISH, .id = last, .flag = retain};
  return leave(parcel, topic, payload, length) ? last : -1;
}
