#include "job_record.h"

#include <stdio.h>
#include <string.h>

#include "port.h"

void job_record_load(struct job_record *record, const char *id)
{
  if (port_settings_read("job", record, sizeof *record) == sizeof *record &&
      strncmp(record->id, id, sizeof record->id) == 0)
    return;
  memset(record, 0, sizeof *record);
  snprintf(record->id, sizeof record->id, "%s", id);
}

bool job_record_save(const struct job_record *record)
{
  return port_settings_write("job", record, sizeof *record);
}
