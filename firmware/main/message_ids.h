#ifndef AUTOVOLT_MESSAGE_IDS_H
#define AUTOVOLT_MESSAGE_IDS_H

#include <stdint.h>

/** Which of the core's message ids stands behind each of esp-mqtt's that waits for its PUBACK. */
#define MESSAGE_IDS 16u

struct message_ids {
  struct {
    int32_t sent, own;
  } waiting[MESSAGE_IDS];
  uint32_t next;
};

/** The oldest is forgotten when more than MESSAGE_IDS wait; the core then sends that message again. */
void message_ids_put(struct message_ids *ids, int32_t sent, int32_t own);
/** The core's id, and the pair is forgotten; 0 when esp-mqtt's id stands for none of the core's. */
int32_t message_ids_take(struct message_ids *ids, int32_t sent);

#endif
