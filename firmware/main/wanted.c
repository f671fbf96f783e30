#include "wanted.h"

#include <stdlib.h>
#include <string.h>

#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"

static SemaphoreHandle_t lock;
static struct wanted newest; /* its texts are NULL once they are taken */

void wanted_start(void)
{
  lock = xSemaphoreCreateMutex();
  configASSERT(lock != NULL);
}

static void forget(struct wanted *wanted)
{
  free(wanted->client_id);
  free(wanted->will_topic);
  free(wanted->will);
  wanted->client_id = wanted->will_topic = wanted->will = NULL;
}

static void copy(struct wanted *to, const struct port_session *session)
{
  to->client_id = strdup(session->client_id);
  to->will_topic = strdup(session->will_topic);
  to->will = strdup(session->will);
  to->keep_alive_s = session->keep_alive_s;
  /* Without memory for all of it there is no session; the core's attempt then times out. */
  if (to->client_id == NULL || to->will_topic == NULL || to->will == NULL) to->mode = SESSION_NONE;
}

void wanted_set(enum session_mode mode, const struct port_session *session)
{
  struct wanted wish = {.mode = mode};
  if (session != NULL) copy(&wish, session);
  xSemaphoreTake(lock, portMAX_DELAY);
  wish.generation = newest.generation + 1;
  forget(&newest);
  newest = wish;
  xSemaphoreGive(lock);
}

uint32_t wanted_generation(void)
{
  /* Only the core's task changes it, so it may read it without the lock. */
  return newest.generation;
}

bool wanted_take(struct wanted *present)
{
  xSemaphoreTake(lock, portMAX_DELAY);
  bool newer = newest.generation != present->generation;
  if (newer) {
    forget(present);
    *present = newest;
    newest.client_id = newest.will_topic = newest.will = NULL;
  }
  xSemaphoreGive(lock);
  return newer;
}
