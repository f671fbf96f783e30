#include "energy.h"

void energy_add(struct energy *to, const struct energy *increment)
{
  to->total_mws += increment->total_mws;
  for (int i = 0; i < CHANNELS_MAX; i++) {
    to->channel_mws[i] += increment->channel_mws[i];
    to->on_time_ms[i] += increment->on_time_ms[i];
  }
}

void energy_take(struct energy *from, const struct energy *increment)
{
  from->total_mws -= increment->total_mws;
  for (int i = 0; i < CHANNELS_MAX; i++) {
    from->channel_mws[i] -= increment->channel_mws[i];
    from->on_time_ms[i] -= increment->on_time_ms[i];
  }
}

void measurement_advance(struct measurement *m, uint64_t now_ms)
{
  if (now_ms <= m->closed_ms) return;
  uint64_t passed_ms = now_ms - m->closed_ms;
  m->closed_ms = now_ms;
  for (int i = 0; i < CHANNELS_MAX; i++) {
    if (!(m->on & (1u << i))) continue;
    m->pending.on_time_ms[i] += passed_ms;
    uint64_t energy_uws = (uint64_t)m->rated_mw[i] * passed_ms + m->remainder_uws[i];
    m->remainder_uws[i] = (uint32_t)(energy_uws % 1000);
    if (m->mode == MEASURE_METER) {
      m->weight_mws[i] += energy_uws / 1000;
    } else {
      m->pending.channel_mws[i] += energy_uws / 1000;
      m->pending.total_mws += energy_uws / 1000;
    }
  }
}

void measurement_switch(struct measurement *m, uint8_t channel, bool on, uint64_t now_ms)
{
  measurement_advance(m, now_ms);
  uint8_t bit = (uint8_t)(1u << channel);
  m->on = on ? (uint8_t)(m->on | bit) : (uint8_t)(m->on & ~bit);
}

void measurement_configure(struct measurement *m, enum measuring mode, const uint32_t rated_mw[CHANNELS_MAX],
                           uint64_t now_ms)
{
  measurement_advance(m, now_ms);
  m->mode = mode;
  for (int i = 0; i < CHANNELS_MAX; i++) m->rated_mw[i] = rated_mw[i];
}

void measurement_metered(struct measurement *m, uint64_t increment_mws)
{
  if (increment_mws == 0) return;
  m->pending.total_mws += increment_mws;
  uint64_t weights = 0;
  for (int i = 0; i < CHANNELS_MAX; i++) weights += m->weight_mws[i];
  /* Both factors are kept below 32 bits, so that their product fits; a split is no finer than that. */
  uint32_t shift = 0;
  while ((weights >> shift) > UINT32_MAX) shift++;
  uint64_t left_mws = increment_mws, left_weight = 0;
  for (int i = 0; i < CHANNELS_MAX; i++) left_weight += m->weight_mws[i] >> shift;
  for (int i = 0; i < CHANNELS_MAX; i++) {
    uint64_t weight = m->weight_mws[i] >> shift;
    m->weight_mws[i] = 0;
    if (weight == 0) continue;
    /* The last channel with a weight takes what is left: the parts sum to the whole. */
    uint64_t part = left_mws / left_weight * weight + left_mws % left_weight * weight / left_weight;
    m->pending.channel_mws[i] += part;
    left_mws -= part;
    left_weight -= weight;
  }
}

uint32_t measurement_power_mw(const struct measurement *m)
{
  uint32_t power_mw = 0;
  for (int i = 0; i < CHANNELS_MAX; i++)
    if (m->on & (1u << i)) power_mw += m->rated_mw[i];
  return power_mw;
}
