#include "parcel.h"

#include <stdlib.h>
#include <string.h>

bool parcel_pack(struct parcel *parcel, const char *topic, uint32_t topic_length, const char *payload,
                 uint32_t length)
{
  char *texts = malloc((size_t)topic_length + length + 2u);
  if (texts == NULL) return false;
  memcpy(texts, topic, topic_length);
  texts[topic_length] = '\0';
  parcel->topic = texts;
  parcel->payload = texts + topic_length + 1;
  if (length > 0) memcpy(parcel->payload, payload, length);
  parcel->payload[length] = '\0';
  parcel->length = length;
  return true;
}

bool parcel_pack_too_long(struct parcel *parcel, const char *topic, uint32_t topic_length, uint32_t length)
{
  if (!parcel_pack(parcel, topic, topic_length, NULL, 0)) return false;
  parcel->length = length;
  parcel->flag = true;
  return true;
}

void parcel_free(struct parcel *parcel)
{
  free(parcel->topic);
  parcel->topic = NULL;
  parcel->payload = NULL;
}
