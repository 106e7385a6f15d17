/* A byte-oriented LZ77: compresses a text that repeats itself, decompresses it, and compares. */
#include <string.h>

#include "integer.h"

#define HASH_BITS 14
#define SHORTEST 4
#define LONGEST (SHORTEST + 127)
#define FARTHEST 65535

static unsigned char *text, *packed, *unpacked;
static size_t length, packed_length;
static int32_t heads[1 << HASH_BITS];

/* Words of a small vocabulary, so that there is something to find. */
static void prepare(void) {
  if (text == NULL) {
    length = (size_t)sized(800000, 15000000);
    text = bench_alloc(length);
    packed = bench_alloc(length * 2);
    unpacked = bench_alloc(length);
  }
  for (size_t at = 0; at < length;) {
    uint64_t word = random_word() % 700;
    for (size_t i = 0; i < 3 + word % 7 && at < length; i++) text[at++] = (unsigned char)('a' + (word * (i + 3) + word / 26) % 26);
    if (at < length) text[at++] = ' ';
  }
}

static uint32_t read32(const unsigned char *at) {
  uint32_t word;
  memcpy(&word, at, 4);
  return word;
}

/* A literal is 0x00..0x7f; a match is 0x80 + length - SHORTEST, then its distance in two bytes. */
static size_t compress(void) {
  size_t out = 0, at = 0;
  for (int i = 0; i < 1 << HASH_BITS; i++) heads[i] = -1;
  while (at < length) {
    size_t match = 0, distance = 0;
    if (at + SHORTEST <= length) {
      uint32_t hash = read32(text + at) * 2654435761u >> (32 - HASH_BITS);
      int32_t candidate = heads[hash];
      heads[hash] = (int32_t)at;
      if (candidate >= 0 && at - (size_t)candidate <= FARTHEST) {
        distance = at - (size_t)candidate;
        while (match < LONGEST && at + match < length && text[candidate + match] == text[at + match]) match++;
      }
    }
    if (match >= SHORTEST) {
      packed[out++] = (unsigned char)(0x80 + match - SHORTEST);
      packed[out++] = (unsigned char)distance;
      packed[out++] = (unsigned char)(distance >> 8);
      at += match;
    } else {
      packed[out++] = text[at++];
    }
  }
  return out;
}

static size_t decompress(void) {
  size_t out = 0;
  for (size_t at = 0; at < packed_length;) {
    unsigned char code = packed[at++];
    if (code < 0x80) {
      unpacked[out++] = code;
      continue;
    }
    size_t distance = packed[at] | (size_t)packed[at + 1] << 8;
    at += 2;
    for (int left = code - 0x80 + SHORTEST; left > 0; left--, out++) unpacked[out] = unpacked[out - distance];
  }
  return out;
}

static void run(void) {
  packed_length = compress();
  if (decompress() != length) bench_fail("the text changed its length on the way through compression");
}

static struct outcome check(void) {
  if (memcmp(text, unpacked, length) != 0) bench_fail("the text changed on the way through compression");
  return (struct outcome){.work = (double)length * 1e-6, .hash = hash_bytes(HASH_START, packed, packed_length)};
}

const struct workload integer_lz = {"integer/lz", "MB/s", prepare, run, check};
