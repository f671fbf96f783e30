#include "journal.h"

/* Headers of all sectors. False when the flash does not answer. */
static bool survey(struct journal *j)
{
  uint8_t header[HEADER_BYTES];
  struct chain chain;
  for (uint32_t s = 0; s < j->sectors; s++) {
    if (!port_flash_read(s * PORT_FLASH_SECTOR_BYTES, header, HEADER_BYTES)) return false;
    if (!header_decode(header, &j->number[s], &chain)) {
      j->number[s] = 0;
      continue;
    }
    j->before[s] = chain.sequence_no;
    if (j->number[s] > j->newest) {
      j->newest = j->number[s];
      j->active = s;
    }
  }
  return true;
}

/* A sector of a former counter, or a copy with a repeated number, is no part of this history. */
static void drop_strangers(struct journal *j, uint32_t counter_epoch)
{
  struct walk w;
  for (uint32_t s = 0; s < j->sectors; s++) {
    if (s == j->active || j->number[s] == 0) continue;
    bool same = walk_begin(j, s, &w) && w.chain.counter_epoch == counter_epoch;
    if (!same || j->number[s] == j->newest || j->before[s] > j->before[j->active]) j->number[s] = 0;
  }
}

/* Audit entries of a sector, for the list of commands that must not be carried out again. */
static void collect_commands(struct journal *j, uint32_t sector)
{
  struct walk w;
  struct audit audit;
  uint8_t type;
  if (!walk_begin(j, sector, &w)) return;
  while ((type = walk_next(&w, &audit)) != 0)
    if (type == RECORD_EVENT) journal_remember_command(j, audit.command_id);
}

static bool scan_active(struct journal *j, bool *had_records)
{
  struct walk w;
  struct audit audit;
  if (!walk_begin(j, j->active, &w)) return false;
  drop_strangers(j, w.chain.counter_epoch);
  for (uint32_t s = 0; s < j->sectors; s++)
    if (j->number[s] != 0 && j->number[s] == j->newest - 1) collect_commands(j, s);
  uint8_t type;
  while ((type = walk_next(&w, &audit)) != 0)
    if (type == RECORD_EVENT) journal_remember_command(j, audit.command_id);
  if (w.faulty) return false;
  j->chain = w.chain;
  j->link = w.link;
  j->offset = (w.end + 3) / 4 * 4;
  j->torn += w.torn;
  *had_records = w.end > HEADER_BYTES;
  if (w.broken) {
    /* How many readings are missing is not known; no number of this sector is used again. */
    j->damaged++;
    j->chain.sequence_no = j->before[j->active] + JOURNAL_READINGS_PER_SECTOR;
    j->offset = PORT_FLASH_SECTOR_BYTES;
  }
  return true;
}

static bool read_mark(uint32_t *number, struct chain *chain)
{
  uint8_t mark[HEADER_BYTES];
  return port_settings_read("mark", mark, sizeof mark) == sizeof mark && header_decode(mark, number, chain);
}

/* Continues a counter from the mark: numbers that may have been used since are skipped. */
static bool restore(struct journal *j, uint32_t number, const struct chain *mark)
{
  j->chain = *mark;
  j->chain.sequence_no += JOURNAL_READINGS_PER_SECTOR;
  j->chain.restored = true;
  if (number > j->newest) j->newest = number;
  j->state = JOURNAL_RESTORED;
  return journal_erase_ahead(j, j->active, true) && journal_open_sector(j);
}

static bool begin_epoch(struct journal *j, uint32_t new_epoch)
{
  memset(&j->chain, 0, sizeof j->chain);
  j->chain.counter_epoch = new_epoch == 0 ? 1 : new_epoch;
  j->state = JOURNAL_NEW_EPOCH;
  return journal_erase_ahead(j, j->active, true) && journal_open_sector(j);
}

static bool continue_ring(struct journal *j, bool mark_read, uint32_t mark_number, const struct chain *mark)
{
  bool had_records = false;
  if (!scan_active(j, &had_records)) return false;
  bool mark_fits = mark_read && mark->counter_epoch == j->chain.counter_epoch;
  /* The newest sectors are gone: older ones remain readable, the counter is the mark's. */
  if (mark_fits && mark_number > j->newest) return restore(j, mark_number, mark);
  j->state = JOURNAL_CONTINUED;
  /* An erase cut short can read blank and not hold. It runs before a sector's first record. */
  if (!journal_erase_ahead(j, j->active, !had_records)) return false;
  if (j->offset >= PORT_FLASH_SECTOR_BYTES && j->damaged > 0) return journal_open_sector(j);
  if (mark_fits && mark_number == j->newest) return true;
  uint8_t header[HEADER_BYTES];
  if (!port_flash_read(j->active * PORT_FLASH_SECTOR_BYTES, header, HEADER_BYTES)) return false;
  if (!port_settings_write("mark", header, HEADER_BYTES)) port_log(LOG_WARNING, "mark_not_kept", j->newest);
  return true;
}

enum journal_state journal_recover(struct journal *j, uint32_t new_epoch)
{
  struct chain mark;
  uint32_t mark_number = 0;
  memset(j, 0, sizeof *j);
  j->sectors = port_flash_size() / PORT_FLASH_SECTOR_BYTES;
  if (j->sectors > JOURNAL_SECTORS_MAX) j->sectors = JOURNAL_SECTORS_MAX;
  if (j->sectors < JOURNAL_SECTORS_MIN) return JOURNAL_FAULT;
  j->active = j->sectors - 1; /* so that the first sector opened is the first of the partition */
  if (!survey(j)) return JOURNAL_FAULT;
  bool mark_read = read_mark(&mark_number, &mark);
  bool done = j->newest > 0 ? continue_ring(j, mark_read, mark_number, &mark)
              : mark_read   ? restore(j, mark_number, &mark)
                            : begin_epoch(j, new_epoch);
  if (!done) j->state = JOURNAL_FAULT;
  return j->state;
}
