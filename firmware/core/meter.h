#ifndef AUTOVOLT_METER_H
#define AUTOVOLT_METER_H

/*
 * PZEM-004T v3 over Modbus RTU (9600 8N1). The energy register has a resolution of 1 Wh and is two
 * 16-bit registers, low word first: reading one alone would wrap at 65,536 Wh. It keeps its value
 * without mains and wraps after 9,999.99 kWh.
 */

#include <stdbool.h>
#include <stdint.h>

#define METER_REQUEST_BYTES 8u
#define METER_ANSWER_BYTES 25u
#define METER_WRAP_WH 9999990u
/** 100 A at 230 V: what the meter can measure at most. */
#define METER_MAX_W 23000u
#define METER_SILENCE_MS 500u

struct meter_sample {
  uint32_t voltage_mv;
  uint32_t power_mw;
  uint32_t energy_wh;
};

enum meter_answer { METER_ANSWER_PARTIAL, METER_ANSWER_OK, METER_ANSWER_BAD };

/** Function 4, ten registers from 0, of the meter at `address` (1 to 247; 0xF8 answers to all). */
void meter_request(uint8_t address, uint8_t to[METER_REQUEST_BYTES]);
/** Judges the bytes received so far: length, address, function, CRC. */
enum meter_answer meter_parse(uint8_t address, const uint8_t *from, uint32_t bytes, struct meter_sample *sample);

/** What the register has told so far. */
struct meter {
  uint32_t last_wh; /* accepted */
  bool known;
  uint32_t odd_wh; /* the last value that did not fit, waiting for others to agree with it */
  uint32_t odd_count;
};

/**
 * Increment in Wh since the last accepted value. `elapsed_ms` since then bounds what is plausible.
 * A value that does not fit is set aside; the third that agree with each other are believed: a lower
 * one is a reset (its energy since zero counts), a higher one re-bases without counting.
 * `flags` gets METER_IMPLAUSIBLE, METER_RESET or METER_WRAPPED.
 */
uint32_t meter_increment(struct meter *m, uint32_t raw_wh, uint64_t elapsed_ms, uint8_t *flags);

#endif
