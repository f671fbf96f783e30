#include "flash.h"

#include "esp_partition.h"
#include "port.h"

/* The core names at most 256 sectors. */
#define JOURNAL_MAX_BYTES (256u * PORT_FLASH_SECTOR_BYTES)
#define JOURNAL_SUBTYPE ((esp_partition_subtype_t)0x40)

static const esp_partition_t *journal;

void flash_start(void)
{
  journal = esp_partition_find_first(ESP_PARTITION_TYPE_DATA, JOURNAL_SUBTYPE, "journal");
  /* On an encrypted partition a record could not be written in pieces. */
  if (journal != NULL && journal->encrypted) journal = NULL;
  if (journal == NULL) port_log(LOG_ERROR, "journal_missing", 0);
}

uint32_t port_flash_size(void)
{
  if (journal == NULL) return 0;
  return journal->size < JOURNAL_MAX_BYTES ? journal->size : JOURNAL_MAX_BYTES;
}

bool port_flash_read(uint32_t offset, void *to, uint32_t bytes)
{
  return journal != NULL && esp_partition_read(journal, offset, to, bytes) == ESP_OK;
}

bool port_flash_write(uint32_t offset, const void *from, uint32_t bytes)
{
  return journal != NULL && esp_partition_write(journal, offset, from, bytes) == ESP_OK;
}

bool port_flash_erase(uint32_t offset)
{
  return journal != NULL && esp_partition_erase_range(journal, offset, PORT_FLASH_SECTOR_BYTES) == ESP_OK;
}
