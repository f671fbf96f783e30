#include "journal.h"

bool walk_begin(const struct journal *j, uint32_t sector, struct walk *w)
{
  uint8_t header[HEADER_BYTES];
  memset(w, 0, sizeof *w);
  w->sector = sector;
  w->offset = w->end = HEADER_BYTES;
  if (sector >= j->sectors || !port_flash_read(sector * PORT_FLASH_SECTOR_BYTES, header, HEADER_BYTES)) {
    w->faulty = true;
    return false;
  }
  if (!header_decode(header, &w->link.number, &w->chain)) return false;
  w->link.before = (uint16_t)(header[HEADER_BYTES - 4] | header[HEADER_BYTES - 3] << 8);
  return true;
}

static bool is_blank(const uint8_t *at, uint32_t bytes)
{
  for (uint32_t i = 0; i < bytes; i++)
    if (at[i] != 0xff) return false;
  return true;
}

uint8_t walk_next(struct walk *w, struct audit *audit)
{
  uint8_t window[RECORD_MAX_BYTES];
  bool in_torn = false;
  while (w->offset + RECORD_MIN_BYTES <= PORT_FLASH_SECTOR_BYTES) {
    uint32_t left = PORT_FLASH_SECTOR_BYTES - w->offset;
    uint32_t available = left < sizeof window ? left : (uint32_t)sizeof window;
    if (!port_flash_read(w->sector * PORT_FLASH_SECTOR_BYTES + w->offset, window, available)) {
      w->faulty = true;
      return 0;
    }
    if (is_blank(window, available)) {
      w->offset += available;
      continue;
    }
    bool linked = false;
    uint32_t length = record_check(window, available, w->link, &linked);
    if (length == 0) {
      /* A torn record is stepped over in words, because the next whole one begins on a word. */
      if (!is_blank(window, 4)) {
        w->end = w->offset + 4;
        if (!in_torn) w->torn++;
        in_torn = true;
      }
      w->offset += 4;
      continue;
    }
    if (!linked) {
      w->broken = true;
      w->meter_lost |= !w->chain.meter_known;
    }
    w->offset += length;
    w->end = w->offset;
    w->link.before = record_link(window);
    w->records++;
    uint8_t type = record_apply(&w->chain, window, audit);
    if (type != 0) return type;
    w->broken = true;
  }
  return 0;
}

/* The sector with the next higher number; -1 when `number` is the newest. */
static int32_t sector_after(const struct journal *j, uint32_t number)
{
  int32_t found = -1;
  for (uint32_t s = 0; s < j->sectors; s++)
    if (j->number[s] > number && (found < 0 || j->number[s] < j->number[found])) found = (int32_t)s;
  return found;
}

/* Stands before the first record of the sector with the next higher number that can be entered. */
static bool enter_after(const struct journal *j, int32_t sector, struct cursor *c)
{
  c->open = false;
  for (; sector >= 0; sector = sector_after(j, c->number)) {
    c->number = j->number[sector];
    c->open = walk_begin(j, (uint32_t)sector, &c->walk);
    c->faulty = c->walk.faulty;
    if (c->open || c->faulty) break;
  }
  return c->open;
}

bool journal_next(const struct journal *j, struct cursor *c)
{
  struct audit audit;
  while (c->open) {
    int32_t following = sector_after(j, c->number);
    /* The next header outranks what stands after its predecessor's last acknowledged write. */
    uint64_t limit = following < 0 ? j->chain.sequence_no : j->before[following];
    uint8_t type = j->number[c->walk.sector] == c->number ? walk_next(&c->walk, &audit) : 0;
    if (type != 0 && !c->walk.broken) {
      if (type != RECORD_READING) continue;
      if (c->walk.chain.sequence_no <= limit) return true;
    }
    c->faulty = c->walk.faulty;
    if (c->faulty) c->open = false;
    else enter_after(j, following, c);
  }
  return false;
}

bool journal_find(const struct journal *j, uint64_t sequence_no, struct cursor *c)
{
  int32_t start = -1;
  for (uint32_t s = 0; s < j->sectors; s++)
    if (j->number[s] != 0 && j->before[s] < sequence_no && (start < 0 || j->number[s] > j->number[start]))
      start = (int32_t)s;
  c->faulty = false;
  enter_after(j, start < 0 ? sector_after(j, 0) : start, c);
  while (journal_next(j, c))
    if (c->walk.chain.sequence_no >= sequence_no) return true;
  return false;
}
