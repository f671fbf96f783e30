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

/*
 * A sector of a former counter, or a copy with a repeated number, is no part of this history. One that
 * does not answer now may be: then nothing is concluded.
 */
static bool drop_strangers(struct journal *j, uint32_t counter_epoch)
{
  struct walk w;
  for (uint32_t s = 0; s < j->sectors; s++) {
    if (s == j->active || j->number[s] == 0) continue;
    bool same = walk_begin(j, s, &w) && w.chain.counter_epoch == counter_epoch;
    if (w.faulty) return false;
    if (!same || j->number[s] == j->newest || j->before[s] > j->before[j->active]) j->number[s] = 0;
  }
  return true;
}

/* Audit entries, for the list of commands that must not be carried out again; up to the sector's end. */
static bool collect_commands(struct journal *j, struct walk *w)
{
  struct audit audit;
  uint8_t type;
  while ((type = walk_next(w, &audit)) != 0)
    if (type == RECORD_EVENT) journal_remember_command(j, audit.command_id);
  return !w->faulty;
}

/* What comes next is the first after a loss: its numbers begin above all that may have been used. */
static void skip_numbers(struct chain *chain, uint64_t before)
{
  chain->sequence_no = before + JOURNAL_READINGS_PER_SECTOR;
  if (!chain->first) chain->loss_bound_mws = 0;
  chain->first = true;
}

/* A sector whose records hold under a number above `above`, up to `through`, and whose header does not. */
struct lost {
  struct walk walk; /* of the last of them */
  uint32_t sectors;
};

static bool find_lost(const struct journal *j, uint32_t above, uint32_t through, struct lost *lost)
{
  uint8_t header[HEADER_BYTES], record[RECORD_MAX_BYTES];
  struct chain chain;
  uint32_t number;
  bool linked;
  memset(lost, 0, sizeof *lost);
  for (uint32_t s = 0; s < j->sectors; s++) {
    uint32_t at = s * PORT_FLASH_SECTOR_BYTES;
    if (j->number[s] != 0) continue;
    if (!port_flash_read(at, header, HEADER_BYTES)) return false;
    if (header_decode(header, &number, &chain)) continue;
    if (!port_flash_read(at + HEADER_BYTES, record, sizeof record)) return false;
    number = through;
    while (number > above && record_check(record, sizeof record, (struct link){.number = number}, &linked) == 0) number--;
    if (number <= above) continue;
    lost->sectors++;
    if (number < lost->walk.link.number) continue;
    lost->walk = (struct walk){.sector = s, .offset = HEADER_BYTES, .end = HEADER_BYTES, .link = {.number = number}};
  }
  return true;
}

/* Of the sector before the active one. Where it is not the one numbered before, a header was refused or has rotted. */
static bool collect_former_commands(struct journal *j, const struct chain *chain)
{
  struct walk w;
  struct lost lost;
  uint32_t former = j->active, number = 0;
  for (uint32_t s = 0; s < j->sectors; s++) {
    if (j->number[s] <= number || j->number[s] >= j->newest) continue;
    former = s;
    number = j->number[s];
  }
  if (former != j->active && (!walk_begin(j, former, &w) || !collect_commands(j, &w))) return false;
  if (number + 1 >= j->newest) return true;
  uint32_t first = j->newest > j->sectors ? j->newest - j->sectors : 0;
  if (!find_lost(j, number > first ? number : first, j->newest - 1, &lost)) return false;
  lost.walk.chain = *chain;
  return lost.sectors == 0 || collect_commands(j, &lost.walk);
}

static bool scan_active(struct journal *j, bool *had_records)
{
  struct walk w;
  if (!walk_begin(j, j->active, &w) || !drop_strangers(j, w.chain.counter_epoch)) return false;
  if (!collect_former_commands(j, &w.chain)) return false;
  uint64_t meter_at_ms = w.chain.meter_at_ms;
  if (!collect_commands(j, &w)) return false;
  j->chain = w.chain;
  j->link = w.link;
  j->offset = (w.end + 3) / 4 * 4;
  j->torn += w.torn;
  *had_records = w.end > HEADER_BYTES;
  if (w.broken) {
    /* How many readings are missing is not known; no number of this sector is used again. */
    j->damaged++;
    skip_numbers(&j->chain, j->before[j->active]);
    j->chain.damaged = true;
    /* Times, too, are told as increments; the register rose by what is missing, unless its first value is. */
    j->chain.meter_at_ms = meter_at_ms;
    if (w.meter_lost) j->chain.meter_known = false;
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
  skip_numbers(&j->chain, mark->sequence_no);
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

/*
 * Sectors opened after the newest whose header can be read: where the mark could not be kept, their records are
 * the only witness. They stay as they are until a header outranks them: after a power cut they are found again.
 */
static bool continue_behind(struct journal *j, struct lost *lost)
{
  uint32_t number = lost->walk.link.number;
  port_log(LOG_WARNING, "journal_damaged", lost->walk.sector);
  lost->walk.chain = j->chain;
  if (!collect_commands(j, &lost->walk)) return false;
  j->chain.on = lost->walk.chain.on;
  j->damaged += lost->sectors;
  skip_numbers(&j->chain, j->before[j->active] + (uint64_t)(number - j->newest) * JOURNAL_READINGS_PER_SECTOR);
  j->chain.damaged = true;
  j->newest = number;
  return journal_erase_ahead(j, lost->walk.sector, true) && journal_open_sector(j);
}

static bool continue_ring(struct journal *j, bool mark_read, uint32_t mark_number, const struct chain *mark)
{
  bool had_records = false;
  if (!scan_active(j, &had_records)) return false;
  bool mark_fits = mark_read && mark->counter_epoch == j->chain.counter_epoch;
  /* The newest sectors are gone: older ones remain readable, the counter is the mark's. */
  if (mark_fits && mark_number > j->newest) return restore(j, mark_number, mark);
  j->state = JOURNAL_CONTINUED;
  struct lost lost;
  if (!find_lost(j, j->newest, j->newest + j->sectors, &lost)) return false;
  if (lost.sectors > 0) return continue_behind(j, &lost);
  /* An erase cut short can read blank and not hold. It runs before a sector's first record. */
  if (!journal_erase_ahead(j, j->active, !had_records)) return false;
  if (j->offset >= PORT_FLASH_SECTOR_BYTES && j->damaged > 0) return journal_open_sector(j);
  if (mark_fits && mark_number == j->newest) return true;
  uint8_t header[HEADER_BYTES];
  if (!port_flash_read(j->active * PORT_FLASH_SECTOR_BYTES, header, HEADER_BYTES)) return false;
  if (!port_settings_write("mark", header, HEADER_BYTES)) port_log(LOG_WARNING, "mark_not_kept", j->newest);
  return true;
}

/* Empties the journal but for what the attempts before have learnt. */
static void begin(struct journal *j, struct effort *before)
{
  *before = j->effort;
  memset(j, 0, sizeof *j);
  j->effort.searching = before->searching;
  j->effort.at = before->at;
  j->effort.blank = before->blank;
  journal_begin_step(j);
}

static bool find_state(struct journal *j, uint32_t new_epoch)
{
  struct chain mark;
  uint32_t mark_number = 0;
  j->sectors = port_flash_size() / PORT_FLASH_SECTOR_BYTES;
  if (j->sectors > JOURNAL_SECTORS_MAX) j->sectors = JOURNAL_SECTORS_MAX;
  if (j->sectors < JOURNAL_SECTORS_MIN) return false;
  j->active = j->sectors - 1; /* so that the first sector opened is the first of the partition */
  if (!survey(j)) return false;
  bool mark_read = read_mark(&mark_number, &mark);
  if (j->newest > 0) return continue_ring(j, mark_read, mark_number, &mark);
  return mark_read ? restore(j, mark_number, &mark) : begin_epoch(j, new_epoch);
}

enum journal_state journal_recover(struct journal *j, uint32_t new_epoch)
{
  struct effort before;
  begin(j, &before);
  if (!find_state(j, new_epoch)) j->state = JOURNAL_FAULT;
  /* What was carried out and could not be written is newer than all that was. */
  for (uint32_t back = before.commands_owed; back > 0; back--)
    journal_owe_command(j, before.commands[(before.command_at - back) % JOURNAL_COMMANDS_KEPT]);
  return j->state;
}
