#include "journal.h"

#include "crc.h"

/* Limits of one record's increments; what is above stays pending for the next. */
#define ENERGY_PER_RECORD_MWS ((1ull << 42) - 1)
#define ON_TIME_PER_RECORD_MS ((1ull << 35) - 1)

static bool write_checked(uint32_t offset, const uint8_t *from, uint32_t bytes)
{
  uint8_t back[RECORD_MAX_BYTES];
  if (!port_flash_write(offset, from, bytes)) return false;
  for (uint32_t done = 0; done < bytes; done += sizeof back) {
    uint32_t piece = bytes - done < sizeof back ? bytes - done : (uint32_t)sizeof back;
    if (!port_flash_read(offset + done, back, piece) || memcmp(back, from + done, piece) != 0) return false;
  }
  return true;
}

static bool reads_blank(uint32_t sector)
{
  uint32_t words[64];
  for (uint32_t at = 0; at < PORT_FLASH_SECTOR_BYTES; at += sizeof words) {
    if (!port_flash_read(sector * PORT_FLASH_SECTOR_BYTES + at, words, sizeof words)) return false;
    for (int i = 0; i < 64; i++)
      if (words[i] != UINT32_MAX) return false;
  }
  return true;
}

void journal_begin_step(struct journal *j)
{
  j->effort.refusals_left = JOURNAL_REFUSALS_PER_STEP;
}

/* False when no more may be tried in this step. */
static bool refused(struct journal *j)
{
  j->bad_sectors++;
  if (j->effort.refusals_left > 0) j->effort.refusals_left--;
  return j->effort.refusals_left > 0;
}

/* Erases, unless it is known to hold what an erase leaves. */
static bool make_blank(struct journal *j, uint32_t sector, bool force)
{
  bool trusted = !force || j->effort.blank == sector + 1;
  if (trusted && reads_blank(sector)) return true;
  return port_flash_erase(sector * PORT_FLASH_SECTOR_BYTES) && reads_blank(sector);
}

bool journal_erase_ahead(struct journal *j, uint32_t from, bool force)
{
  struct effort *effort = &j->effort;
  /* What a step before has found is not searched for again: the sectors before it refuse, and use up this step. */
  if (!effort->searching) effort->at = (effort->blank > 0 ? effort->blank - 1 : from + 1) % j->sectors;
  effort->searching = false;
  for (uint32_t tries = 1; tries < j->sectors; tries++) {
    uint32_t sector = effort->at;
    /* The last sector that states the counter is kept whatever happens to the others. */
    if (sector == j->active && j->number[sector] != 0) {
      effort->blank = 0; /* the next search tries all again */
      return false;
    }
    effort->searching = effort->refusals_left == 0;
    if (effort->searching) return false;
    j->number[sector] = 0;
    if (make_blank(j, sector, force)) {
      j->next = sector;
      effort->blank = sector + 1;
      return true;
    }
    effort->at = (sector + 1) % j->sectors;
    effort->searching = !refused(j);
    if (effort->searching) return false;
  }
  return false;
}

bool journal_open_sector(struct journal *j)
{
  uint8_t header[HEADER_BYTES];
  /* No sector was found ahead: the last one that states the counter is not written over. */
  if (j->next == j->active && j->number[j->active] != 0) return false;
  for (;;) {
    uint32_t number = j->newest + 1;
    header_encode(header, number, &j->chain);
    j->effort.blank = 0;
    if (write_checked(j->next * PORT_FLASH_SECTOR_BYTES, header, HEADER_BYTES)) break;
    /* A header that may read back whole later must not outrank the one written in its stead. */
    j->newest = number;
    if (!refused(j)) {
      j->effort.searching = true;
      j->effort.at = (j->next + 1) % j->sectors;
      return false;
    }
    if (!journal_erase_ahead(j, j->next, true)) return false;
  }
  j->active = j->next;
  j->newest++;
  j->number[j->active] = j->newest;
  j->before[j->active] = j->chain.sequence_no;
  j->offset = HEADER_BYTES;
  j->link = (struct link){j->newest, (uint16_t)(header[HEADER_BYTES - 4] | header[HEADER_BYTES - 3] << 8)};
  /* The mark is the second witness; the ring alone still holds everything when it cannot be kept. */
  if (!port_settings_write("mark", header, HEADER_BYTES)) port_log(LOG_WARNING, "mark_not_kept", j->newest);
  return journal_erase_ahead(j, j->active, true);
}

bool journal_restate(struct journal *j)
{
  if (!journal_erase_ahead(j, j->active, true) || !journal_open_sector(j)) return false;
  j->state = JOURNAL_CONTINUED;
  return true;
}

static bool append(struct journal *j, struct record *r)
{
  for (uint32_t tries = 0; tries < 4; tries++) {
    bool fits = j->offset + r->length <= PORT_FLASH_SECTOR_BYTES;
    /* After a write that did not hold, a new sector states everything in full again. */
    if ((!fits || tries > 0) && !journal_open_sector(j)) break;
    record_seal(r, j->link);
    uint32_t at = j->active * PORT_FLASH_SECTOR_BYTES + j->offset;
    if (write_checked(at, r->bytes, r->length)) {
      struct audit audit;
      record_apply(&j->chain, r->bytes, &audit);
      j->link.before = record_link(r->bytes);
      j->offset += r->length;
      return true;
    }
    if (!refused(j)) break;
  }
  j->state = JOURNAL_FAULT;
  return false;
}

bool journal_boot(struct journal *j, uint32_t boot_id, enum reset_reason reason, uint64_t loss_bound_mws)
{
  struct record r;
  /* Boots without a reading between them: their losses add up. */
  if (j->chain.first) loss_bound_mws += j->chain.loss_bound_mws;
  record_boot(&r, boot_id, (uint8_t)reason, loss_bound_mws);
  return append(j, &r);
}

static bool write_energy(struct journal *j, struct energy *pending, uint8_t mask)
{
  struct record r;
  struct energy piece = {0};
  for (int i = 0; i < CHANNELS_MAX; i++) {
    if (!(mask & (1u << i))) continue;
    piece.channel_mws[i] = pending->channel_mws[i];
    piece.on_time_ms[i] = pending->on_time_ms[i];
    piece.total_mws += piece.channel_mws[i];
  }
  record_energy(&r, &(struct part){&piece, mask});
  if (!append(j, &r)) return false;
  energy_take(pending, &piece);
  return true;
}

/* What one record can carry: the total is what the channels say, and a meter's energy beyond it. */
static struct energy limited(const struct energy *pending)
{
  struct energy taken = *pending;
  uint64_t beyond_mws = pending->total_mws, sum_mws = 0;
  for (int i = 0; i < CHANNELS_MAX; i++) {
    beyond_mws -= pending->channel_mws[i];
    if (taken.channel_mws[i] > ENERGY_PER_RECORD_MWS) taken.channel_mws[i] = ENERGY_PER_RECORD_MWS;
    if (taken.on_time_ms[i] > ON_TIME_PER_RECORD_MS) taken.on_time_ms[i] = ON_TIME_PER_RECORD_MS;
    sum_mws += taken.channel_mws[i];
  }
  taken.total_mws = sum_mws + (beyond_mws > ENERGY_PER_RECORD_MWS ? ENERGY_PER_RECORD_MWS : beyond_mws);
  return taken;
}

bool journal_reading(struct journal *j, const struct observation *o, struct energy *pending)
{
  struct record r;
  struct energy taken = limited(pending);
  energy_take(pending, &taken);
  record_reading(&r, &j->chain, o, &(struct part){&taken, 0xff});
  bool written = true;
  if (r.length == 0) {
    /*
     * The meter's register and what it counted must be in one record, or a power cut between two
     * would count twice. Then the split gives way: this energy stays with the node's total alone.
     */
    if (j->chain.metered) memset(taken.channel_mws, 0, sizeof taken.channel_mws);
    written = write_energy(j, &taken, 0x0f) && write_energy(j, &taken, 0xf0);
    record_reading(&r, &j->chain, o, &(struct part){&taken, 0xff});
  }
  if (written && append(j, &r)) return true;
  energy_add(pending, &taken);
  return false;
}

bool journal_event(struct journal *j, const struct audit *audit)
{
  struct record r;
  record_event(&r, audit);
  if (!append(j, &r)) return false;
  journal_remember_command(j, audit->command_id);
  return true;
}

void journal_remember_command(struct journal *j, uint64_t command_id)
{
  if (command_id == 0) return;
  j->effort.commands[j->effort.command_at % JOURNAL_COMMANDS_KEPT] = command_id;
  j->effort.command_at++;
}

bool journal_knows_command(const struct journal *j, uint64_t command_id)
{
  for (uint32_t i = 0; i < JOURNAL_COMMANDS_KEPT; i++)
    if (j->effort.commands[i] == command_id && command_id != 0) return true;
  return false;
}

void journal_owe_command(struct journal *j, uint64_t command_id)
{
  journal_remember_command(j, command_id);
  if (j->effort.commands_owed < JOURNAL_COMMANDS_KEPT) j->effort.commands_owed++;
}

bool journal_pay_commands(struct journal *j)
{
  struct effort *effort = &j->effort;
  for (; effort->commands_owed > 0; effort->commands_owed--) {
    uint64_t id = effort->commands[(effort->command_at - effort->commands_owed) % JOURNAL_COMMANDS_KEPT];
    struct record r;
    record_event(&r, &(struct audit){.kind = AUDIT_LATE, .command_id = id});
    if (!append(j, &r)) return false;
  }
  return true;
}
