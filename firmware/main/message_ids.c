#include "message_ids.h"

void message_ids_put(struct message_ids *ids, int32_t sent, int32_t own)
{
  message_ids_take(ids, sent);
  ids->waiting[ids->next].sent = sent;
  ids->waiting[ids->next].own = own;
  ids->next = (ids->next + 1u) % MESSAGE_IDS;
}

int32_t message_ids_take(struct message_ids *ids, int32_t sent)
{
  for (uint32_t i = 0; i < MESSAGE_IDS; i++) {
    if (ids->waiting[i].own == 0 || ids->waiting[i].sent != sent) continue;
    int32_t own = ids->waiting[i].own;
    ids->waiting[i].own = 0;
    return own;
  }
  return 0;
}
