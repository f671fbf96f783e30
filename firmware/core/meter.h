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

/**
 * What the register has told so far. Nothing is credited but a rise that the register itself showed
 * and that the time known to have passed can explain. So a register that steps back, begins again or
 * is another meter's never counts energy twice.
 */
struct meter {
  uint32_t last_wh; /* accepted */
  uint64_t last_ms; /* uptime at which it was */
  bool known;
  /* The first value of this boot stands over a time without power, whose length only the clock tells. */
  bool over_gap; /* last_wh is from before the boot */
  bool gap_known;
  uint64_t gap_ms; /* at least, until it is known */
  uint32_t first_wh; /* accepted first in this boot */
  uint64_t first_ms;
  uint32_t doubt_wh; /* a rise over such a time, too large without knowing it: neither counted nor refused yet */
  uint64_t doubt_ms; /* uptime that it took as well */
  /* Values that did not fit, waiting for others to agree with them. */
  uint32_t odd_first_wh, odd_wh;
  uint64_t odd_first_ms, odd_ms;
  uint32_t odd_count;
};

/**
 * Increment in Wh since the last accepted value. What the time since then cannot explain is set aside;
 * the third value that agrees with its predecessors is believed: counting goes on from there, and what
 * the register rose by meanwhile counts. A reset that was seen as it happened counts from zero. A rise
 * over a time without power whose length is not known becomes `doubt_wh`.
 * `flags` gets METER_IMPLAUSIBLE, METER_RESET or METER_WRAPPED.
 */
uint32_t meter_increment(struct meter *m, uint32_t raw_wh, uint64_t now_ms, uint8_t *flags);

/**
 * The journal tells what the register was before this boot, read up to `unread_ms` before the power
 * failed, and what was in doubt already. Values of this boot may have been counted before it was known;
 * the increment over the boot, as meter_increment.
 */
uint32_t meter_resume(struct meter *m, uint32_t before_wh, uint32_t doubt_wh, uint32_t unread_ms, uint64_t now_ms);

/**
 * The clock tells how long before the boot the register was last read, at most; 0 when it cannot. The
 * doubt is decided: the energy that counts.
 */
uint32_t meter_decide(struct meter *m, uint64_t gap_ms, uint8_t *flags);

#endif
