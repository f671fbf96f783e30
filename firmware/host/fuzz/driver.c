#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * Stands in for libFuzzer where clang is missing: changes seeds by chance, without coverage to guide
 * it. driver <seconds> <file>…
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX 4096

static uint64_t state = 88172645463325252ull;

static uint64_t chance(uint64_t below)
{
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state % below;
}

int main(int argc, char **argv)
{
  static uint8_t seeds[64][INPUT_MAX], input[INPUT_MAX];
  size_t sizes[64] = {0}, count = 0, runs = 0;
  time_t until = time(NULL) + (argc > 1 ? atoi(argv[1]) : 5);
  for (int i = 2; i < argc && count < 64; i++) {
    FILE *file = fopen(argv[i], "rb");
    if (file == NULL) continue;
    sizes[count] = fread(seeds[count], 1, INPUT_MAX, file);
    fclose(file);
    count++;
  }
  while (time(NULL) < until) {
    for (int burst = 0; burst < 200; burst++, runs++) {
      size_t size = chance(INPUT_MAX);
      if (count > 0 && chance(8) != 0) {
        size_t seed = chance(count);
        size = sizes[seed];
        memcpy(input, seeds[seed], size);
      } else {
        for (size_t i = 0; i < size; i++) input[i] = (uint8_t)chance(256);
      }
      for (uint64_t changes = chance(8); changes > 0 && size > 0; changes--) {
        size_t at = chance(size);
        if (chance(3) == 0) input[at] = (uint8_t)chance(256);
        else if (chance(2) == 0) input[at] ^= (uint8_t)(1u << chance(8));
        else if (chance(2) == 0) size = at + 1;
        else memmove(input + at, input + at / 2, size - at);
      }
      LLVMFuzzerTestOneInput(input, size);
    }
  }
  printf("%zu inputs without a finding\n", runs);
  return 0;
}
