#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "linux_node.h"

static uint8_t *flash;
static uint32_t flash_bytes;
static const char *flash_path;

static void stop(const char *what, const char *path)
{
  fprintf(stderr, "autovolt-node: %s: ", path);
  perror(what);
  exit(1);
}

/* Maps a file; a new one is filled with `blank`. Shared, so that every byte written survives the process. */
static void *map_file(const char *path, size_t bytes, int blank)
{
  int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) stop("open", path);
  struct stat status;
  if (fstat(file, &status) != 0) stop("stat", path);
  bool is_new = status.st_size == 0;
  if (!is_new && (size_t)status.st_size != bytes) {
    fprintf(stderr, "autovolt-node: %s has %lld bytes, expected %zu\n", path, (long long)status.st_size, bytes);
    exit(1);
  }
  if (ftruncate(file, (off_t)bytes) != 0) stop("truncate", path);
  void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (at == MAP_FAILED) stop("map", path);
  if (is_new) memset(at, blank, bytes);
  return at;
}

void files_open(const struct options *o)
{
  char path[4096];
  flash_path = o->flash;
  flash_bytes = o->flash_sectors * PORT_FLASH_SECTOR_BYTES;
  flash = map_file(o->flash, flash_bytes, 0xff);
  snprintf(path, sizeof path, "%s.truth", o->flash);
  truth = map_file(path, sizeof *truth, 0);
}

uint32_t port_flash_size(void)
{
  return flash_bytes;
}

bool port_flash_read(uint32_t offset, void *to, uint32_t bytes)
{
  if (offset > flash_bytes || bytes > flash_bytes - offset) return false;
  memcpy(to, flash + offset, bytes);
  return true;
}

bool port_flash_write(uint32_t offset, const void *from, uint32_t bytes)
{
  const uint8_t *data = from;
  if (offset > flash_bytes || bytes > flash_bytes - offset) return false;
  /* Byte by byte and clearing only, as NOR flash does: kill -9 may tear it anywhere. */
  for (uint32_t i = 0; i < bytes; i++) flash[offset + i] &= data[i];
  return true;
}

bool port_flash_erase(uint32_t offset)
{
  if (offset % PORT_FLASH_SECTOR_BYTES != 0 || offset >= flash_bytes) return false;
  memset(flash + offset, 0xff, PORT_FLASH_SECTOR_BYTES);
  return true;
}

uint32_t port_settings_read(const char *key, void *to, uint32_t capacity)
{
  char path[4096];
  snprintf(path, sizeof path, "%s.%s", flash_path, key);
  FILE *file = fopen(path, "rb");
  if (file == NULL) return 0;
  size_t bytes = fread(to, 1, capacity, file);
  bool whole = fgetc(file) == EOF && !ferror(file);
  fclose(file);
  return whole ? (uint32_t)bytes : 0;
}

bool port_settings_write(const char *key, const void *from, uint32_t bytes)
{
  char path[4096], fresh[4100];
  snprintf(path, sizeof path, "%s.%s", flash_path, key);
  snprintf(fresh, sizeof fresh, "%s.new", path);
  FILE *file = fopen(fresh, "wb");
  if (file == NULL) return false;
  bool written = fwrite(from, 1, bytes, file) == bytes;
  written = fclose(file) == 0 && written;
  /* The rename makes it atomic, as NVS is. */
  return written && rename(fresh, path) == 0;
}
