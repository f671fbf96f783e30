#include <string.h>

#include "crc.h"
#include "sim.h"

void sim_new(uint32_t sectors)
{
  memset(&sim, 0, sizeof sim);
  memset(sim.flash, 0xff, sizeof sim.flash);
  sim.sectors = sectors;
  sim.wall_ms = 1768456800000ull;
  sim.quality = TIME_NTP;
  sim.random = 1;
  sim.meter_voltage_dv = 2300;
  strcpy(sim.name, "esp32-b2-101");
  sim.provisioned = true;
  sim.reset_reason = RESET_POWER_ON;
}

void sim_power_on(enum reset_reason reason)
{
  if (sim.wall_ms != 0) sim.wall_ms += sim.uptime_ms;
  sim.uptime_ms = 0;
  sim.relays = 0;
  sim.session = false;
  sim.meter_length = 0;
  sim.reset_reason = reason;
}

void sim_pass(uint64_t ms)
{
  uint64_t power_mw = 0;
  sim.uptime_ms += ms;
  for (int i = 0; i < CHANNELS_MAX; i++)
    if (sim.relays >> i & 1) power_mw += sim.load_mw[i];
  sim.truth_mws += power_mw * ms / 1000;
  sim.meter_mws += power_mw * ms / 1000;
}

void sim_network(struct node *node)
{
  switch (node->machine.link) {
  case LINK_WIFI: node_on_wifi(node, sim.online); break;
  case LINK_CONNECTING:
    sim.session = sim.online;
    if (sim.online) node_on_mqtt_up(node);
    else node_on_mqtt_down(node);
    break;
  case LINK_UP:
    if (!sim.online) {
      sim.session = false;
      node_on_mqtt_down(node);
    }
    break;
  default: break;
  }
}

void sim_run(struct node *node, uint64_t ms, uint64_t step_ms)
{
  for (uint64_t passed = 0; passed < ms; passed += step_ms) {
    sim_pass(step_ms);
    node_poll(node);
    sim_network(node);
  }
}

void sim_acknowledge_all(struct node *node)
{
  for (uint64_t i = sim.sent_count < SIM_MESSAGES ? 0 : sim.sent_count - SIM_MESSAGES; i < sim.sent_count; i++) {
    int32_t id = sim.sent[i % SIM_MESSAGES].id;
    sim.sent[i % SIM_MESSAGES].id = 0;
    if (id > 0) node_on_mqtt_ack(node, id);
  }
}

const struct sim_message *sim_last(const char *channel)
{
  for (uint64_t back = 1; back <= sim.sent_count && back <= SIM_MESSAGES; back++) {
    const struct sim_message *m = &sim.sent[(sim.sent_count - back) % SIM_MESSAGES];
    size_t length = strlen(m->topic), wanted = strlen(channel);
    if (length >= wanted && strcmp(m->topic + length - wanted, channel) == 0) return m;
  }
  return NULL;
}

uint64_t port_uptime_ms(void)
{
  return sim.uptime_ms;
}

uint64_t port_wall_ms(enum time_quality *quality)
{
  *quality = sim.wall_ms == 0 ? TIME_NONE : sim.quality;
  return sim.wall_ms == 0 ? 0 : sim.wall_ms + sim.uptime_ms;
}

uint32_t port_random(void)
{
  return sim_chance(UINT32_MAX);
}

void port_relay_set(uint8_t channel, bool on)
{
  uint8_t bit = (uint8_t)(1u << channel);
  sim.relays = on ? sim.relays | bit : sim.relays & (uint8_t)~bit;
}

bool port_switch_position(uint8_t channel)
{
  return sim.switches >> channel & 1;
}

bool port_uart_write(const void *from, uint32_t bytes)
{
  const uint8_t *frame = from;
  if (!sim.meter_fitted || sim.meter_fault == METER_DEAF || bytes != METER_REQUEST_BYTES) return sim.meter_fitted;
  uint32_t power_dw = 0, energy_wh = (uint32_t)(sim.meter_mws / MWS_PER_WH % METER_WRAP_WH);
  for (int i = 0; i < CHANNELS_MAX; i++)
    if (sim.relays >> i & 1) power_dw += sim.load_mw[i] / 100;
  uint8_t *out = sim.meter_out;
  memset(out, 0, sizeof sim.meter_out);
  out[0] = frame[0];
  out[1] = 4;
  out[2] = 20;
  const uint32_t words[10] = {sim.meter_voltage_dv, 0, 0, power_dw & 0xffff, power_dw >> 16, energy_wh & 0xffff,
                              energy_wh >> 16, 500, 100, 0};
  for (int i = 0; i < 10; i++) {
    out[3 + 2 * i] = (uint8_t)(words[i] >> 8);
    out[4 + 2 * i] = (uint8_t)words[i];
  }
  uint16_t crc = crc16_modbus(out, 23);
  out[23] = (uint8_t)crc;
  out[24] = (uint8_t)(crc >> 8);
  sim.meter_length = sim.meter_fault == METER_SHORT ? 12 : 25;
  if (sim.meter_fault == METER_BROKEN_CRC) out[10] ^= 0x40;
  if (sim.meter_fault == METER_NOISE)
    for (int i = 0; i < 25; i++) out[i] = (uint8_t)sim_chance(256);
  return true;
}

uint32_t port_uart_read(void *to, uint32_t capacity)
{
  uint32_t bytes = sim.meter_length < capacity ? sim.meter_length : capacity;
  memcpy(to, sim.meter_out, bytes);
  memmove(sim.meter_out, sim.meter_out + bytes, sim.meter_length - bytes);
  sim.meter_length -= bytes;
  return bytes;
}

void port_wifi_connect(void) {}

void port_mqtt_connect(const struct port_session *session)
{
  strncpy(sim.will, session->will, sizeof sim.will - 1);
  sim.subscriptions = 0;
  sim.connects++;
}

void port_mqtt_disconnect(void)
{
  sim.session = false;
}

bool port_mqtt_subscribe(const char *topic)
{
  if (!sim.session || sim.refuse_subscribe) return false;
  strncpy(sim.subscribed[sim.subscriptions++ % 2], topic, SIM_TOPIC_BYTES - 1);
  return true;
}

int32_t port_mqtt_publish(const char *topic, const char *payload, uint32_t length, bool retain)
{
  if (!sim.session || sim.refuse_publish) return -1;
  struct sim_message *m = &sim.sent[sim.sent_count++ % SIM_MESSAGES];
  sim.next_id = sim.next_id % 65535 + 1; /* as on the wire: 16 bits, never 0 */
  m->id = sim.next_id;
  m->length = length;
  m->retain = retain;
  strncpy(m->topic, topic, sizeof m->topic - 1);
  memcpy(m->payload, payload, length);
  m->payload[length] = 0;
  if (sim.on_publish) sim.on_publish(m);
  return m->id;
}

enum reset_reason port_reset_reason(void)
{
  return sim.reset_reason;
}

bool port_identity(char *name, uint32_t capacity)
{
  if (!sim.provisioned || strlen(sim.name) >= capacity) return false;
  strcpy(name, sim.name);
  return true;
}

void port_provision(void)
{
  sim.provision_asked = true;
}

const char *port_firmware_version(void)
{
  return "2.0.0";
}

void port_mac(uint8_t mac[6])
{
  memcpy(mac, (const uint8_t[]){0x24, 0x6f, 0x28, 0xaa, 0xbb, 0xcc}, 6);
}

uint32_t port_heap_free(void)
{
  return 182344;
}

int32_t port_wifi_rssi(void)
{
  return sim.online ? -61 : 0;
}

bool port_ota_pending(void)
{
  return sim.ota_pending;
}

void port_ota_confirm(void)
{
  sim.ota_confirmed = true;
  sim.ota_pending = false;
}

void port_ota_rollback(void)
{
  sim.ota_rolled_back = true;
}

void port_restart(void)
{
  sim.restarts++;
}

void port_log(enum log_level level, const char *event, int64_t value)
{
  (void)level;
  sim.logged = event;
  sim.logged_value = value;
}

void port_led(enum led led)
{
  sim.led = led;
}
