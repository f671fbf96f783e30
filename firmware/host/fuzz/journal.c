#include <stddef.h>
#include <string.h>

#include "crc.h"
#include "sim.h"

/*
 * Any bytes on flash and in the settings. The input's headers and records get their CRCs made right,
 * so that the fuzzer reaches what lies behind them: recovery, replay, the next readings, a restart.
 */
static void make_headers_whole(void)
{
  for (uint32_t s = 0; s < sim.sectors; s++) {
    uint8_t *at = sim.flash + s * PORT_FLASH_SECTOR_BYTES;
    if (at[0] != 'A') continue;
    memcpy(at, "AUVJ\x01", 5);
    uint32_t crc = crc32_of(0, at, HEADER_BYTES - 4), number = 0;
    for (uint32_t i = 0; i < 4; i++) at[HEADER_BYTES - 4 + i] = (uint8_t)(crc >> 8 * i);
    for (uint32_t i = 0; i < 4; i++) number |= (uint32_t)at[5 + i] << 8 * i;
    uint16_t before = (uint16_t)crc;
    for (uint32_t at_record = HEADER_BYTES; at_record + RECORD_MAX_BYTES < PORT_FLASH_SECTOR_BYTES && at[at_record] != 0xff;) {
      struct record r;
      memcpy(r.bytes, at + at_record, sizeof r.bytes);
      r.length = (uint32_t)(3 + r.bytes[0] % 14) * 4;
      record_seal(&r, (struct link){number, before});
      memcpy(at + at_record, r.bytes, r.length);
      before = record_link(r.bytes);
      at_record += r.length;
    }
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static struct node node;
  static const struct configuration c = {.period_ms = 30000, .channel_count = 2, .channels = {{"light-1", 36000}, {"fan-1", 72000}}};
  if (sim.sectors == 0) sim_new(4);
  memset(sim.settings, 0, sizeof sim.settings);
  memset(sim.flash, 0xff, sim.sectors * PORT_FLASH_SECTOR_BYTES);
  sim.random = 1;
  uint32_t flags = size > 0 ? data[0] : 0;
  for (size_t at = 1, s = 0; at < size && s < sim.sectors; at += 600, s++)
    memcpy(sim.flash + s * PORT_FLASH_SECTOR_BYTES, data + at, size - at < 600 ? size - at : 600);
  if (flags & 1) make_headers_whole();
  if (flags & 2) {
    memcpy(sim.settings[0].key, "mark", 5);
    sim.settings[0].bytes = HEADER_BYTES;
    memcpy(sim.settings[0].value, sim.flash, HEADER_BYTES);
    if (flags & 4) memset(sim.flash, 0, HEADER_BYTES);
  }
  sim_power_on(RESET_BROWNOUT);
  sim.online = true;
  node_start(&node, &c);
  for (int i = 0; i < 12; i++) {
    sim_run(&node, 15000, 5000);
    sim_acknowledge_all(&node);
  }
  uint64_t counter_mws = node.journal.chain.energy.total_mws, sequence_no = node.journal.chain.sequence_no;
  /* Forged numbers within one sector of their limits cannot be carried on from, and need not be. */
  if (node.machine.storage != STORAGE_WORKS || sequence_no > 999999990000 || node.journal.newest > 0x7fffff00u) return 0;
  sim_power_on(RESET_POWER_ON);
  node_start(&node, &c);
  if (node.machine.storage == STORAGE_WORKS &&
      (node.journal.chain.energy.total_mws != counter_mws || node.journal.chain.sequence_no < sequence_no))
    __builtin_trap();
  return 0;
}
