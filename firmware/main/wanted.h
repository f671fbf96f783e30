#ifndef AUTOVOLT_WANTED_H
#define AUTOVOLT_WANTED_H

#include <stdbool.h>
#include <stdint.h>

#include "port.h"

/*
 * The session the core wants, left where the session's task finds it. A wish replaces the one before,
 * so it cannot be lost in a full queue, and the newest one always counts.
 */

enum session_mode {
  SESSION_NONE,
  SESSION_NODE,  /* as the node, with its own certificate */
  SESSION_CLAIM, /* with the claim certificate, to be given one's own */
};

struct wanted {
  uint32_t generation; /* one more with every wish */
  enum session_mode mode;
  char *client_id, *will_topic, *will; /* owned; NULL with SESSION_NONE and SESSION_CLAIM */
  uint16_t keep_alive_s;
};

void wanted_start(void);
/** Only the core's task calls this. `session` is copied; NULL for the modes that have none. */
void wanted_set(enum session_mode mode, const struct port_session *session);
/** Generation of the newest wish, for the core's task. */
uint32_t wanted_generation(void);
/** Moves a newer wish into `present`, whose texts are freed; false when there is none. */
bool wanted_take(struct wanted *present);

#endif
