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

/* A wrap is believed within an hour of full load of the register's end only: after weeks any drop could be one. */
#define WRAP_MARGIN_WH 27600u
/* Within it nobody can put another meter in, and the register's drop is seen as it happens. */
#define RESET_SEEN_MS 60000u
/* What a meter may forget of its register when its own power fails: no reset, however small the value. */
#define STEP_BACK_WH 1000u
#define LONGEST_MS 31622400000ull /* a year, long before anything overflows */

static uint64_t plausible_wh(uint64_t elapsed_ms)
{
  /* Full load with a fifth to spare, and 2 Wh for the resolution. */
  uint64_t bounded_ms = elapsed_ms > LONGEST_MS ? LONGEST_MS : elapsed_ms;
  return bounded_ms * METER_MAX_W / 3600000u * 6 / 5 + 2;
}

/* What the register rose by, over its end as well; false when it dropped. */
static bool rise(uint32_t from_wh, uint32_t to_wh, uint32_t *risen_wh)
{
  if (to_wh >= from_wh) {
    *risen_wh = to_wh - from_wh;
    return true;
  }
  if (from_wh < METER_WRAP_WH - WRAP_MARGIN_WH || to_wh > WRAP_MARGIN_WH) return false;
  *risen_wh = (from_wh < METER_WRAP_WH ? METER_WRAP_WH - from_wh : 0) + to_wh;
  return true;
}

static uint32_t accept(struct meter *m, uint32_t raw_wh, uint64_t now_ms, uint32_t increment_wh)
{
  if (!m->known || m->over_gap) {
    m->first_wh = raw_wh;
    m->first_ms = now_ms;
  }
  m->last_wh = raw_wh;
  m->last_ms = now_ms;
  m->known = true;
  m->over_gap = false;
  m->odd_count = 0;
  return increment_wh;
}

static void put_in_doubt(struct meter *m, uint32_t risen_wh, uint64_t elapsed_ms)
{
  m->doubt_ms += elapsed_ms;
  m->doubt_wh = risen_wh > METER_WRAP_WH - m->doubt_wh ? METER_WRAP_WH : m->doubt_wh + risen_wh;
}

/* The values set aside agree: from now on they are the register. */
static uint32_t believe(struct meter *m, uint64_t now_ms, uint8_t *flags)
{
  uint32_t risen_wh, counted_wh = m->odd_wh - m->odd_first_wh;
  uint64_t elapsed_ms = m->odd_first_ms - m->last_ms;
  if (!rise(m->last_wh, m->odd_first_wh, &risen_wh)) {
    *flags |= METER_RESET;
    /* The first value alone may itself have been the wrong one. */
    bool seen = !m->over_gap && m->last_ms != m->first_ms && elapsed_ms <= RESET_SEEN_MS && m->odd_first_wh <= plausible_wh(elapsed_ms) &&
                m->last_wh - m->odd_first_wh > STEP_BACK_WH;
    if (seen) counted_wh = m->odd_wh;
  } else if (m->over_gap && !m->gap_known) {
    put_in_doubt(m, risen_wh, elapsed_ms);
  }
  return accept(m, m->odd_wh, now_ms, counted_wh);
}

static uint32_t set_aside(struct meter *m, uint32_t raw_wh, uint64_t now_ms, uint8_t *flags)
{
  bool agrees = m->odd_count > 0 && raw_wh >= m->odd_wh && raw_wh - m->odd_wh <= plausible_wh(now_ms - m->odd_ms);
  if (!agrees) {
    m->odd_count = 0;
    m->odd_first_wh = raw_wh;
    m->odd_first_ms = now_ms;
  }
  m->odd_count++;
  m->odd_wh = raw_wh;
  m->odd_ms = now_ms;
  *flags |= METER_IMPLAUSIBLE;
  return m->odd_count < AGREEING_VALUES ? 0 : believe(m, now_ms, flags);
}

uint32_t meter_increment(struct meter *m, uint32_t raw_wh, uint64_t now_ms, uint8_t *flags)
{
  if (!m->known) return accept(m, raw_wh, now_ms, 0);
  uint32_t risen_wh;
  uint64_t elapsed_ms = now_ms - m->last_ms;
  if (m->over_gap) elapsed_ms += m->gap_ms;
  if (!rise(m->last_wh, raw_wh, &risen_wh) || risen_wh > plausible_wh(elapsed_ms)) return set_aside(m, raw_wh, now_ms, flags);
  if (raw_wh < m->last_wh) *flags |= METER_WRAPPED;
  return accept(m, raw_wh, now_ms, risen_wh);
}

uint32_t meter_resume(struct meter *m, uint32_t before_wh, uint32_t doubt_wh, uint32_t unread_ms, uint64_t now_ms)
{
  uint32_t risen_wh;
  m->doubt_wh = doubt_wh;
  if (!m->known) {
    *m = (struct meter){.last_wh = before_wh, .last_ms = now_ms, .known = true, .over_gap = true, .gap_ms = unread_ms,
                        .doubt_wh = doubt_wh};
    return 0;
  }
  if (!rise(before_wh, m->first_wh, &risen_wh)) return 0;
  if (risen_wh <= plausible_wh(m->first_ms + unread_ms)) return risen_wh;
  put_in_doubt(m, risen_wh, m->first_ms);
  return 0;
}

uint32_t meter_decide(struct meter *m, uint64_t gap_ms, uint8_t *flags)
{
  uint32_t doubt_wh = m->doubt_wh;
  m->doubt_wh = 0;
  m->gap_known = true;
  gap_ms = gap_ms > LONGEST_MS ? LONGEST_MS : gap_ms;
  if (gap_ms > m->gap_ms) m->gap_ms = gap_ms;
  if (doubt_wh <= plausible_wh(gap_ms + m->doubt_ms)) return doubt_wh;
  *flags |= METER_IMPLAUSIBLE;
  return 0;
}
