/* Memory: malloc in many sizes, qsort, a hash table, strings, and loops that the compiler turns into vector code. */
#include <ctype.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t seed = 0x13198a2e;

static uint32_t next(void) {
  seed ^= seed << 13;
  seed ^= seed >> 17;
  seed ^= seed << 5;
  return seed;
}

static uint64_t hash(const void *bytes, size_t length) {
  uint64_t sum = 0xcbf29ce484222325u;
  for (const uint8_t *at = bytes; length--; at++) sum = (sum ^ *at) * 0x100000001b3u;
  return sum;
}

static int ascending(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

static void sorting(void) {
  enum { N = 200000 };
  uint32_t *numbers = malloc(N * sizeof *numbers);
  for (int i = 0; i < N; i++) numbers[i] = next();
  qsort(numbers, N, sizeof *numbers, ascending);
  int ordered = 1;
  for (int i = 1; i < N; i++) ordered &= numbers[i - 1] <= numbers[i];
  printf("sorted    %d %016" PRIx64 "\n", ordered, hash(numbers, N * sizeof *numbers));
  free(numbers);
}

static void allocation(void) {
  enum { SLOTS = 1000 };
  static uint8_t *blocks[SLOTS];
  static size_t sizes[SLOTS];
  uint64_t sum = 0;
  int damaged = 0;
  for (int round = 0; round < 60000; round++) {
    unsigned slot = next() % SLOTS;
    if (blocks[slot]) {
      for (size_t i = 0; i < sizes[slot]; i += 61) damaged += blocks[slot][i] != (uint8_t)slot;
      sum = sum * 31 + sizes[slot];
    }
    sizes[slot] = 1 + next() % (next() % 64 ? 500 : 200000);
    blocks[slot] = realloc(blocks[slot], sizes[slot]);
    memset(blocks[slot], (int)slot, sizes[slot]);
  }
  printf("allocated %d %016" PRIx64 "\n", damaged, sum);
}

struct entry {
  struct entry *next;
  uint32_t count;
  char word[12];
};

static void words(void) {
  enum { BUCKETS = 4096 };
  static struct entry *table[BUCKETS];
  for (int i = 0; i < 300000; i++) {
    char word[12];
    snprintf(word, sizeof word, "w%x", next() % 5000);
    for (char *at = word; *at; at++) *at = (char)toupper((unsigned char)*at);
    struct entry **place = &table[hash(word, strlen(word)) % BUCKETS];
    while (*place && strcmp((*place)->word, word)) place = &(*place)->next;
    if (!*place) {
      *place = calloc(1, sizeof **place);
      strcpy((*place)->word, word);
    }
    (*place)->count++;
  }
  uint64_t sum = 0;
  unsigned different = 0;
  for (int i = 0; i < BUCKETS; i++)
    for (struct entry *entry = table[i]; entry; entry = entry->next, different++) sum += entry->count * hash(entry->word, strlen(entry->word));
  printf("words     %u %016" PRIx64 "\n", different, sum);
}

/* Lengths and alignments at which the C library's vector code changes its mind. */
static void strings(void) {
  static char from[700], to[700];
  uint64_t sum = 0;
  for (size_t i = 0; i < sizeof from; i++) from[i] = (char)('a' + i % 23);
  for (size_t length = 0; length < 300; length++)
    for (size_t at = 0; at < 40; at += 3) {
      memset(to, 'x', sizeof to);
      memcpy(to + at, from + (at * 7) % 33, length);
      to[at + length] = 0;
      memmove(to + at + 5, to + at, length + 1);
      char *found = strchr(to + at, 'q');
      sum = sum * 31 + strlen(to + at) + (found ? (size_t)(found - to) : 999);
      sum = sum * 31 + (size_t)(memcmp(to + at, from, length) < 0) + 2 * (size_t)(strncmp(to, from, length) > 0);
      char *last = strrchr(to, 'e'), *part = strstr(to, "vwa");
      sum = sum * 31 + (last ? (size_t)(last - to) : 999) + (part ? (size_t)(part - to) : 999);
    }
  printf("strings   %016" PRIx64 "\n", sum);
}

static void vectors(void) {
  enum { N = 4096 };
  static int8_t bytes[N];
  static uint16_t shorts[N];
  static int32_t ints[N];
  static float floats[N];
  for (int i = 0; i < N; i++) bytes[i] = (int8_t)next();
  for (int round = 0; round < 100; round++) {
    for (int i = 0; i < N; i++) shorts[i] = (uint16_t)(shorts[i] * 3 + (uint8_t)bytes[i]);
    for (int i = 0; i < N; i++) ints[i] = ints[i] * 5 + shorts[i] - bytes[N - 1 - i];
    for (int i = 0; i < N; i++) floats[i] = floats[i] * 0.5f + (float)(ints[i] >> 8);
    for (int i = 0; i < N; i++) bytes[i] = (int8_t)(bytes[i] > 100 ? bytes[i] - 77 : bytes[i] + (ints[i] & 3));
    int32_t low = INT32_MAX, high = INT32_MIN;
    for (int i = 0; i < N; i++) {
      low = ints[i] < low ? ints[i] : low;
      high = ints[i] > high ? ints[i] : high;
    }
    ints[round] ^= low + high / 2;
  }
  printf("vectors   %016" PRIx64 " %016" PRIx64 " %016" PRIx64 " %016" PRIx64 "\n", hash(bytes, sizeof bytes),
         hash(shorts, sizeof shorts), hash(ints, sizeof ints), hash(floats, sizeof floats));
}

int main(void) {
  sorting();
  allocation();
  words();
  strings();
  vectors();
  return 0;
}
