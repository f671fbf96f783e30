#include "machine.h"

#include <string.h>

#include "record.h"

/* The state is what the facts say, so that no two facts can contradict it. */
enum node_state machine_state(const struct machine *m)
{
  if (m->storage == STORAGE_UNKNOWN) return STATE_RECOVER;
  if (m->storage == STORAGE_FAULT) return STATE_SAFE;
  if (!m->identified) return STATE_IDENTIFY;
  switch (m->link) {
  case LINK_DOWN: return STATE_OFFLINE;
  case LINK_WIFI: return STATE_WIFI;
  case LINK_CONNECTING: return STATE_CONNECTING;
  default: break;
  }
  if (m->update_pending) return STATE_OTA_VERIFY;
  return m->has_backlog ? STATE_REPLAY : STATE_LIVE;
}

static void act(struct actions *a, enum action_kind kind, uint8_t channel, bool flag)
{
  if (a->count < ACTIONS_MAX) a->list[a->count++] = (struct action){kind, channel, flag};
}

/* Doubling waits, one to 300 s, half of each by chance: a campus that comes back does not come at once. */
static void back_off(struct machine *m, uint64_t now_ms, uint32_t chance)
{
  uint32_t wait_ms = m->failures >= 9 ? BACKOFF_MAX_MS : 1000u << m->failures;
  if (wait_ms > BACKOFF_MAX_MS) wait_ms = BACKOFF_MAX_MS;
  if (m->failures < 30) m->failures++;
  m->link = LINK_DOWN;
  m->retry_ms = now_ms + wait_ms / 2 + chance % (wait_ms / 2 + 1);
}

static void disconnect(struct machine *m, uint64_t now_ms, uint32_t chance, struct actions *a)
{
  act(a, ACTION_MQTT_DISCONNECT, 0, false);
  back_off(m, now_ms, chance);
}

static void join(struct machine *m, uint64_t now_ms, struct actions *a)
{
  m->link = LINK_WIFI;
  m->retry_ms = now_ms + ATTEMPT_MS;
  act(a, ACTION_WIFI_CONNECT, 0, false);
}

static void on_storage(struct machine *m, bool works, uint64_t now_ms, struct actions *a)
{
  enum storage_state before = m->storage;
  m->storage = works ? STORAGE_WORKS : STORAGE_FAULT;
  uint64_t wait_ms = (uint64_t)STORAGE_RETRY_MS << m->storage_failures;
  m->storage_retry_ms = now_ms + (wait_ms < STORAGE_RETRY_MAX_MS ? wait_ms : STORAGE_RETRY_MAX_MS);
  if (works) m->storage_failures = 0;
  else if (m->storage_failures < 8) m->storage_failures++;
  if (before == STORAGE_UNKNOWN) act(a, ACTION_IDENTIFY, 0, false);
  if (before == m->storage) return;
  if (works) m->next_reading_ms = now_ms;
  /* That the counter is invalid is told at once, and that it is valid again. */
  m->next_heartbeat_ms = now_ms;
}

static void on_identity(struct machine *m, bool identified, uint64_t now_ms, struct actions *a)
{
  m->identified = identified;
  m->identity_retry_ms = now_ms + IDENTITY_RETRY_MS;
  /* Provisioning needs the network as well, so joining starts either way. */
  if (m->link == LINK_DOWN) join(m, now_ms, a);
  else if (identified && m->link == LINK_CONNECTING) act(a, ACTION_MQTT_CONNECT, 0, false);
}

static void on_wifi(struct machine *m, const struct event *e, uint64_t now_ms, struct actions *a)
{
  if (!e->flag) {
    if (m->link != LINK_DOWN) disconnect(m, now_ms, e->chance, a);
    return;
  }
  if (m->link != LINK_WIFI) return;
  m->link = LINK_CONNECTING;
  m->retry_ms = now_ms + (m->identified ? ATTEMPT_MS : PROVISION_MS);
  act(a, m->identified ? ACTION_MQTT_CONNECT : ACTION_PROVISION, 0, false);
}

static void on_mqtt(struct machine *m, const struct event *e, uint64_t now_ms, struct actions *a)
{
  if (!e->flag) {
    if (m->link >= LINK_CONNECTING) disconnect(m, now_ms, e->chance, a);
    return;
  }
  if (m->link != LINK_CONNECTING) return;
  m->link = LINK_UP;
  m->failures = 0;
  m->stalls = 0;
  m->next_heartbeat_ms = now_ms;
  act(a, ACTION_GREET, 0, false);
}

static void on_acknowledged(struct machine *m, struct actions *a)
{
  m->stalls = 0;
  if (m->link != LINK_UP || m->storage != STORAGE_WORKS) return;
  act(a, ACTION_SEND, 0, false);
  if (!m->update_pending) return;
  /* Journal, network, certificate and broker have worked together: the image may stay. */
  m->update_pending = false;
  act(a, ACTION_CONFIRM_UPDATE, 0, false);
}

static void on_relay(struct machine *m, const struct event *e, struct actions *a)
{
  act(a, ACTION_RELAY, e->channel, e->flag);
  m->switched = e->kind == EVENT_SWITCH ? CAUSE_SWITCH : CAUSE_COMMAND;
}

static void take_readings(struct machine *m, uint64_t now_ms, struct actions *a)
{
  if (m->storage != STORAGE_WORKS) return;
  bool due = now_ms >= m->next_reading_ms;
  if (due) {
    act(a, ACTION_READING, m->switched ? m->switched : CAUSE_PERIOD, false);
    /* The rhythm is kept, unless more than a whole period was missed. */
    m->next_reading_ms += m->period_ms;
    if (m->next_reading_ms <= now_ms) m->next_reading_ms = now_ms + m->period_ms;
    m->switched = 0;
  } else if (m->switched && now_ms >= m->switch_reading_ms) {
    act(a, ACTION_READING, m->switched, false);
    m->switch_reading_ms = now_ms + SWITCH_READING_MS;
    m->switched = 0;
  }
}

static void keep_link(struct machine *m, const struct event *e, uint64_t now_ms, struct actions *a)
{
  if (m->storage == STORAGE_UNKNOWN) return;
  if (m->link == LINK_UP) {
    if (m->storage == STORAGE_WORKS) act(a, ACTION_SEND, 0, false);
    if (now_ms >= m->next_heartbeat_ms) {
      act(a, ACTION_HEARTBEAT, 0, false);
      m->next_heartbeat_ms = now_ms + HEARTBEAT_MS;
    }
    return;
  }
  if (!m->identified && now_ms >= m->identity_retry_ms) {
    m->identity_retry_ms = now_ms + IDENTITY_RETRY_MS;
    act(a, ACTION_IDENTIFY, 0, false);
  }
  if (now_ms < m->retry_ms) return;
  if (m->link == LINK_DOWN) join(m, now_ms, a);
  else disconnect(m, now_ms, e->chance, a);
}

static void on_tick(struct machine *m, const struct event *e, uint64_t now_ms, struct actions *a)
{
  if (m->update_pending && now_ms >= m->update_deadline_ms) {
    m->update_pending = false;
    if (m->storage == STORAGE_WORKS) act(a, ACTION_READING, CAUSE_PERIOD, false);
    act(a, ACTION_ROLL_BACK, 0, false);
  }
  if (m->restart_ms != 0 && now_ms >= m->restart_ms) {
    m->restart_ms = 0;
    if (m->storage == STORAGE_WORKS) act(a, ACTION_READING, CAUSE_COMMAND, false);
    act(a, ACTION_RESTART, 0, false);
  }
  if (m->storage == STORAGE_FAULT && now_ms >= m->storage_retry_ms) {
    m->storage_retry_ms = now_ms + STORAGE_RETRY_MAX_MS; /* the answer sets it anew */
    act(a, ACTION_RECOVER, 0, false);
  }
  take_readings(m, now_ms, a);
  keep_link(m, e, now_ms, a);
}

static void on_start(struct machine *m, const struct event *e, uint64_t now_ms, struct actions *a)
{
  memset(m, 0, sizeof *m);
  m->shown = STATE_RECOVER;
  m->period_ms = 30000;
  m->update_pending = e->flag;
  m->update_deadline_ms = now_ms + UPDATE_DEADLINE_MS;
  act(a, ACTION_RECOVER, 0, false);
}

static void dispatch(struct machine *m, const struct event *e, uint64_t now_ms, struct actions *a)
{
  switch (e->kind) {
  case EVENT_START: on_start(m, e, now_ms, a); break;
  case EVENT_TICK: on_tick(m, e, now_ms, a); break;
  case EVENT_STORAGE: on_storage(m, e->flag, now_ms, a); break;
  case EVENT_IDENTITY: on_identity(m, e->flag, now_ms, a); break;
  case EVENT_WIFI: on_wifi(m, e, now_ms, a); break;
  case EVENT_MQTT: on_mqtt(m, e, now_ms, a); break;
  case EVENT_ACKNOWLEDGED: on_acknowledged(m, a); break;
  case EVENT_BACKLOG: m->has_backlog = e->value > 1; break; /* the newest reading alone is no backlog */
  case EVENT_STALLED:
    /* One lost acknowledgement is sent again; three in a row are a session that is dead and looks alive. */
    if (m->link == LINK_UP && ++m->stalls >= 3) disconnect(m, now_ms, e->chance, a);
    break;
  case EVENT_SWITCH:
  case EVENT_RELAY: on_relay(m, e, a); break;
  case EVENT_PERIOD:
    m->period_ms = (uint32_t)e->value;
    if (m->next_reading_ms > now_ms + m->period_ms) m->next_reading_ms = now_ms + m->period_ms;
    break;
  case EVENT_RESTART: m->restart_ms = now_ms + RESTART_DELAY_MS; break;
  }
}

void machine_step(struct machine *m, const struct event *event, uint64_t now_ms, struct actions *actions)
{
  actions->count = 0;
  dispatch(m, event, now_ms, actions);
  enum node_state state = machine_state(m);
  if (state == m->shown && event->kind != EVENT_START) return;
  m->shown = state;
  act(actions, ACTION_LED, (uint8_t)state, false);
}
