#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include "crc.h"
#include "linux_node.h"

#define TRUTH_MAGIC 0x3148545552545641ull
/* People touch a switch now and then: each five minutes of each channel is decided by the seed. */
#define SLOT_MS 300000u

struct truth *truth;
bool world_restart_asked;

static const struct options *options;
static uint64_t uptime_ms;
static uint8_t relays;
static enum reset_reason reset_reason;
static uint8_t answer[32];
static uint32_t answer_bytes;

static uint64_t real_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t chance_of(uint64_t slot, uint64_t what)
{
  uint64_t z = options->seed * 0x9e3779b97f4a7c15ull + slot * 0xd1342543de82ef95ull + what * 0xaf251af3b0f025b5ull;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

/* In relay mode a load takes what it is rated; with a meter it takes 80 to 120 % of it, changing. */
static uint64_t load_mw(int channel)
{
  uint64_t rated_mw = options->factory.channels[channel].rated_mw;
  if (options->factory.mode == MEASURE_RELAY) return rated_mw;
  return rated_mw * (80 + chance_of(truth->wall_ms / SLOT_MS, 100 + (uint64_t)channel) % 41) / 100;
}

void world_open(const struct options *o)
{
  options = o;
  if (truth->magic == TRUTH_MAGIC) return;
  truth->wall_ms = real_ms() - o->backdate_ms;
  truth->magic = TRUTH_MAGIC;
}

void world_boot(enum reset_reason reason)
{
  uptime_ms = 0;
  relays = 0;
  answer_bytes = 0;
  reset_reason = reason;
  world_restart_asked = false;
  truth->boots++;
  /* Off for a while: the clock goes on, unless this node lives in its own past. */
  if (options->backdate_ms == 0 && real_ms() > truth->wall_ms) truth->wall_ms = real_ms();
}

uint64_t world_behind_ms(void)
{
  uint64_t now_ms = real_ms();
  return now_ms > truth->wall_ms ? now_ms - truth->wall_ms : 0;
}

void world_pass(uint64_t ms)
{
  for (int i = 0; i < CHANNELS_MAX; i++) {
    if (!(relays >> i & 1)) continue;
    uint64_t energy_uws = load_mw(i) * ms;
    truth->meter_mws += (truth->channel_uws[i] % 1000 + energy_uws) / 1000;
    truth->channel_uws[i] += energy_uws;
  }
  uptime_ms += ms;
  truth->wall_ms += ms;
}

uint64_t world_truth_mws(int channel)
{
  return truth->channel_uws[channel] / 1000;
}

uint64_t port_uptime_ms(void)
{
  return uptime_ms;
}

uint64_t port_wall_ms(enum time_quality *quality)
{
  *quality = TIME_NTP;
  return truth->wall_ms;
}

uint32_t port_random(void)
{
  uint32_t value = 0;
  if (getrandom(&value, sizeof value, 0) != sizeof value) value = (uint32_t)chance_of(real_ms(), uptime_ms);
  return value;
}

void port_relay_set(uint8_t channel, bool on)
{
  uint8_t bit = (uint8_t)(1u << channel);
  relays = on ? relays | bit : relays & (uint8_t)~bit;
}

bool port_switch_position(uint8_t channel)
{
  return chance_of(truth->wall_ms / SLOT_MS, channel) & 1;
}

/* The simulated PZEM-004T answers a whole question at once. */
bool port_uart_write(const void *from, uint32_t bytes)
{
  const uint8_t *question = from;
  if (bytes != METER_REQUEST_BYTES) return false;
  uint64_t power_dw = 0;
  for (int i = 0; i < CHANNELS_MAX; i++)
    if (relays >> i & 1) power_dw += load_mw(i) / 100;
  uint32_t energy_wh = (uint32_t)(truth->meter_mws / MWS_PER_WH % METER_WRAP_WH);
  const uint32_t words[10] = {2300, 0, 0, (uint32_t)power_dw & 0xffff, (uint32_t)(power_dw >> 16), energy_wh & 0xffff, energy_wh >> 16, 500, 100, 0};
  answer[0] = question[0];
  answer[1] = 4;
  answer[2] = 20;
  for (int i = 0; i < 10; i++) {
    answer[3 + 2 * i] = (uint8_t)(words[i] >> 8);
    answer[4 + 2 * i] = (uint8_t)words[i];
  }
  uint16_t crc = crc16_modbus(answer, METER_ANSWER_BYTES - 2);
  answer[23] = (uint8_t)crc;
  answer[24] = (uint8_t)(crc >> 8);
  answer_bytes = METER_ANSWER_BYTES;
  return true;
}

uint32_t port_uart_read(void *to, uint32_t capacity)
{
  uint32_t bytes = answer_bytes < capacity ? answer_bytes : capacity;
  memcpy(to, answer, bytes);
  memmove(answer, answer + bytes, answer_bytes - bytes);
  answer_bytes -= bytes;
  return bytes;
}

enum reset_reason port_reset_reason(void)
{
  return reset_reason;
}

bool port_identity(char *name, uint32_t capacity)
{
  if (strlen(options->name) >= capacity) return false;
  strcpy(name, options->name);
  return true;
}

void port_provision(void) {} /* a Linux node gets its certificate on the command line */

void port_mac(uint8_t mac[6])
{
  /* Locally administered, from the name: the same at every start. */
  uint32_t hash = crc32_of(0, options->name, (uint32_t)strlen(options->name));
  mac[0] = 0x02;
  mac[1] = 0x4c;
  for (int i = 0; i < 4; i++) mac[2 + i] = (uint8_t)(hash >> 8 * i);
}

uint32_t port_heap_free(void)
{
  return 0;
}

int32_t port_wifi_rssi(void)
{
  return 0;
}

void port_restart(void)
{
  world_restart_asked = true;
}

void port_log(enum log_level level, const char *event, int64_t value)
{
  static const char *const levels[] = {"error", "warning", "info"};
  if (!options->quiet) fprintf(stderr, "%s %s %s %lld\n", options->name, levels[level], event, (long long)value);
}

void port_led(enum led led)
{
  (void)led;
}
