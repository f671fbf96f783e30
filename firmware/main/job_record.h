#ifndef AUTOVOLT_JOB_RECORD_H
#define AUTOVOLT_JOB_RECORD_H

#include <stdbool.h>
#include <stdint.h>

/* How far the node came with the job it is at, kept over restarts in NVS. */

#define JOB_ID_BYTES 65

enum job_stage {
  JOB_STARTED,
  JOB_INSTALLED, /* image or certificate is in place and has to prove itself */
};

struct job_record {
  char id[JOB_ID_BYTES];
  uint8_t stage;
  uint8_t attempts;
};

/** The record of this job; a new one, with no attempts, when the last one was another's. */
void job_record_load(struct job_record *record, const char *id);
bool job_record_save(const struct job_record *record);

#endif
