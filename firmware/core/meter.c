#include "meter.h"

#include <string.h>

#include "crc.h"
#include "record.h"

#define FUNCTION_READ_INPUT 4u
#define REGISTER_BYTES 20u
#define ANSWER_HEAD_BYTES 3u
#define EXCEPTION_BYTES 5u
#define AGREEING_VALUES 3u

void meter_request(uint8_t address, uint8_t to[METER_REQUEST_BYTES])
{
  const uint8_t frame[6] = {address, FUNCTION_READ_INPUT, 0, 0, 0, REGISTER_BYTES / 2};
  uint16_t crc = crc16_modbus(frame, sizeof frame);
  memcpy(to, frame, sizeof frame);
  to[6] = (uint8_t)crc;
  to[7] = (uint8_t)(crc >> 8);
}

/* Register `index` of the answer, high byte first. */
static uint32_t word(const uint8_t *frame, uint32_t index)
{
  const uint8_t *at = frame + ANSWER_HEAD_BYTES + 2 * index;
  return (uint32_t)at[0] << 8 | at[1];
}

/* Two registers, low word first. */
static uint32_t wide(const uint8_t *frame, uint32_t index)
{
  return word(frame, index + 1) << 16 | word(frame, index);
}

static bool crc_holds(const uint8_t *frame, uint32_t bytes)
{
  uint16_t crc = crc16_modbus(frame, bytes - 2);
  return frame[bytes - 2] == (uint8_t)crc && frame[bytes - 1] == (uint8_t)(crc >> 8);
}

enum meter_answer meter_parse(uint8_t address, const uint8_t *from, uint32_t bytes, struct meter_sample *sample)
{
  if (bytes >= 1 && from[0] != address) return METER_ANSWER_BAD;
  if (bytes >= 2 && from[1] != FUNCTION_READ_INPUT) return METER_ANSWER_BAD; /* also an exception */
  if (bytes >= 3 && from[2] != REGISTER_BYTES) return METER_ANSWER_BAD;
  if (bytes < METER_ANSWER_BYTES) return METER_ANSWER_PARTIAL;
  if (bytes > METER_ANSWER_BYTES || !crc_holds(from, bytes)) return METER_ANSWER_BAD;
  uint32_t power_dw = wide(from, 3);
  /* A power beyond the meter's range is a broken frame that happens to fit its CRC. */
  if (power_dw > METER_MAX_W * 20u) return METER_ANSWER_BAD;
  sample->voltage_mv = word(from, 0) * 100;
  sample->power_mw = power_dw * 100;
  sample->energy_wh = wide(from, 5);
  return METER_ANSWER_OK;
}

static uint64_t plausible_wh(uint64_t elapsed_ms)
{
  /* Full load with a fifth to spare, and 2 Wh for the resolution; capped long before it overflows. */
  uint64_t bounded_ms = elapsed_ms > 31622400000ull ? 31622400000ull : elapsed_ms;
  return bounded_ms * METER_MAX_W / 3600000u * 6 / 5 + 2;
}

static uint32_t accept(struct meter *m, uint32_t raw_wh, uint32_t increment_wh)
{
  m->last_wh = raw_wh;
  m->known = true;
  m->odd_count = 0;
  return increment_wh;
}

static uint32_t set_aside(struct meter *m, uint32_t raw_wh, uint64_t elapsed_ms, uint8_t *flags)
{
  bool agrees = m->odd_count > 0 && raw_wh >= m->odd_wh && raw_wh - m->odd_wh <= plausible_wh(elapsed_ms);
  m->odd_count = agrees ? m->odd_count + 1 : 1;
  m->odd_wh = raw_wh;
  *flags |= METER_IMPLAUSIBLE;
  if (m->odd_count < AGREEING_VALUES) return 0;
  bool since_zero = raw_wh < m->last_wh && raw_wh <= plausible_wh(elapsed_ms);
  if (raw_wh < m->last_wh) *flags |= METER_RESET;
  return accept(m, raw_wh, since_zero ? raw_wh : 0);
}

uint32_t meter_increment(struct meter *m, uint32_t raw_wh, uint64_t elapsed_ms, uint8_t *flags)
{
  if (!m->known) return accept(m, raw_wh, 0);
  if (raw_wh >= m->last_wh) {
    uint32_t increment_wh = raw_wh - m->last_wh;
    if (increment_wh <= plausible_wh(elapsed_ms)) return accept(m, raw_wh, increment_wh);
    return set_aside(m, raw_wh, elapsed_ms, flags);
  }
  uint32_t across_wh = (m->last_wh < METER_WRAP_WH ? METER_WRAP_WH - m->last_wh : 0) + raw_wh;
  if (across_wh <= plausible_wh(elapsed_ms)) {
    *flags |= METER_WRAPPED;
    return accept(m, raw_wh, across_wh);
  }
  return set_aside(m, raw_wh, elapsed_ms, flags);
}
