#ifndef AUTOVOLT_INBOX_H
#define AUTOVOLT_INBOX_H

#include "node.h"
#include "parcel.h"

void inbox_start(void);
/** Hands a parcel to the task that owns the core, and its texts with it. Waits while the inbox is full. */
void inbox_post(struct parcel parcel);
/** The same for a parcel without texts, from the core's own task: a full inbox loses it. */
void inbox_offer(struct parcel parcel);
/** Gives the core what has arrived, waiting at most `wait_ms` for the first. Only the core's task calls this. */
void inbox_deliver(struct node *node, uint32_t wait_ms);

#endif
