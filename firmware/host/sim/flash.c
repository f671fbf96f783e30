#include <string.h>

#include "sim.h"

struct sim sim;

uint32_t sim_chance(uint32_t below)
{
  /* splitmix64: every seed gives a full-period sequence, and a failing run can be repeated. */
  uint64_t z = sim.random += 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return (uint32_t)((z ^ (z >> 31)) >> 16) % below;
}

void sim_apply(enum sim_operation kind, uint32_t offset, const void *from, uint32_t bytes, uint32_t bytes_done)
{
  const uint8_t *data = from;
  if (kind == SIM_SETTING) return; /* atomic: a torn one did not happen */
  uint32_t sector = offset / PORT_FLASH_SECTOR_BYTES;
  if (sim.bad[sector] == 2) return;
  if (kind == SIM_ERASE) {
    sim.erases[sector]++;
    bytes = PORT_FLASH_SECTOR_BYTES;
    memset(sim.flash + offset, 0xff, bytes_done);
    if (bytes_done >= bytes) return;
    /* Past the point of the cut, an erase leaves some bits set and some as they were. */
    for (uint32_t i = bytes_done; i < bytes; i++)
      if (sim_chance(4) == 0) sim.flash[offset + i] |= (uint8_t)sim_chance(256);
    return;
  }
  for (uint32_t i = 0; i < bytes_done; i++) {
    if (data[i] & ~sim.flash[offset + i]) sim.set_bits++;
    sim.flash[offset + i] &= data[i];
  }
  if (bytes_done < bytes) sim.flash[offset + bytes_done] &= (uint8_t)(data[bytes_done] | sim_chance(256));
}

/* True when the power fails during this operation; what was done of it is on flash then. */
static void count(enum sim_operation kind, uint32_t offset, const void *from, uint32_t bytes)
{
  sim.operations++;
  if (sim.on_operation) sim.on_operation(kind, offset, from, bytes);
  if (sim.operations != sim.cut_at) return;
  sim_apply(kind, offset, from, bytes, sim_chance(bytes + 1));
  longjmp(sim.cut, 1);
}

static bool fails(void)
{
  return sim.operations == sim.fail_operation_at;
}

uint32_t port_flash_size(void)
{
  return sim.sectors * PORT_FLASH_SECTOR_BYTES;
}

bool port_flash_read(uint32_t offset, void *to, uint32_t bytes)
{
  if (sim.flash_dead || offset + bytes > port_flash_size() || ++sim.reads == sim.fail_read_at) return false;
  memcpy(to, sim.flash + offset, bytes);
  return true;
}

bool port_flash_write(uint32_t offset, const void *from, uint32_t bytes)
{
  count(SIM_WRITE, offset, from, bytes);
  if (fails() || sim.flash_dead || sim.bad[offset / PORT_FLASH_SECTOR_BYTES] & 1) return false;
  sim_apply(SIM_WRITE, offset, from, bytes, bytes);
  return true;
}

bool port_flash_erase(uint32_t offset)
{
  count(SIM_ERASE, offset, NULL, PORT_FLASH_SECTOR_BYTES);
  if (fails() || sim.flash_dead || sim.bad[offset / PORT_FLASH_SECTOR_BYTES] == 1) return false;
  sim_apply(SIM_ERASE, offset, NULL, PORT_FLASH_SECTOR_BYTES, PORT_FLASH_SECTOR_BYTES);
  return true;
}

uint32_t port_settings_read(const char *key, void *to, uint32_t capacity)
{
  if (sim.settings_dead) return 0;
  for (int i = 0; i < SIM_SETTINGS; i++) {
    struct sim_setting *s = &sim.settings[i];
    if (strcmp(s->key, key) != 0 || s->bytes > capacity) continue;
    memcpy(to, s->value, s->bytes);
    return s->bytes;
  }
  return 0;
}

bool port_settings_write(const char *key, const void *from, uint32_t bytes)
{
  count(SIM_SETTING, 0, from, bytes);
  if (fails() || sim.settings_dead) return false;
  for (int i = 0; i < SIM_SETTINGS; i++) {
    struct sim_setting *s = &sim.settings[i];
    if (s->key[0] != 0 && strcmp(s->key, key) != 0) continue;
    strcpy(s->key, key);
    memcpy(s->value, from, bytes);
    s->bytes = bytes;
    return true;
  }
  return false;
}
