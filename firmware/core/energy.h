#ifndef AUTOVOLT_ENERGY_H
#define AUTOVOLT_ENERGY_H

/*
 * Energy measured but not on flash yet. Milliwatt-seconds (mWs) in 64 bits: 1 mWh = 3,600 mWs, and
 * the counter of a 10 kW node fills in 58,000 years. Integers only, so that no increment is ever
 * too small to count.
 */

#include <stdbool.h>
#include <stdint.h>

#define CHANNELS_MAX 8
#define MWS_PER_MWH 3600u
#define MWS_PER_WH 3600000u

/** A node's energy: its total, and each channel's with the time its relay was on. */
struct energy {
  uint64_t total_mws;
  uint64_t channel_mws[CHANNELS_MAX];
  uint64_t on_time_ms[CHANNELS_MAX];
};

void energy_add(struct energy *to, const struct energy *increment);
/** The increment must have been added before: a difference below zero is a broken invariant. */
void energy_take(struct energy *from, const struct energy *increment);

enum measuring {
  MEASURE_RELAY = 0, /* rated power times measured on-time */
  MEASURE_METER = 1, /* the increments of a meter of the whole node, split among the channels that were on */
};

struct measurement {
  enum measuring mode;
  uint32_t rated_mw[CHANNELS_MAX];
  uint8_t on; /* one bit a channel */
  uint64_t closed_ms; /* uptime up to which intervals are closed */
  struct energy pending;
  uint32_t remainder_uws[CHANNELS_MAX];    /* below one mWs, carried so that nothing is cut */
  uint64_t weight_mws[CHANNELS_MAX];       /* rated energy since the meter last moved: the key of the split */
};

/** Closes the open interval at `now_ms` and opens the next. */
void measurement_advance(struct measurement *m, uint64_t now_ms);
/** Switches a channel: the interval before it is closed first. */
void measurement_switch(struct measurement *m, uint8_t channel, bool on, uint64_t now_ms);
/** New ratings or mode count from `now_ms` on. */
void measurement_configure(struct measurement *m, enum measuring mode, const uint32_t rated_mw[CHANNELS_MAX],
                           uint64_t now_ms);
/**
 * Adds an increment of the meter. It is split by rated energy among the channels that were on since
 * the meter last moved, so that the parts sum exactly to it. With none on, only the total grows.
 */
void measurement_metered(struct measurement *m, uint64_t increment_mws);
/** Sum of the ratings of the channels that are on, in milliwatts. */
uint32_t measurement_power_mw(const struct measurement *m);

#endif
