/* SHA-256 and CRC-32 of a buffer: rotations and additions, and a table that is looked up once for each byte. */
#include <string.h>

#include "integer.h"

static unsigned char *buffer;
static size_t length;

static void prepare(void) {
  if (buffer == NULL) {
    length = (size_t)sized(2 << 20, 24 << 20);
    buffer = bench_alloc(length);
  }
  for (size_t i = 0; i < length; i += 8) {
    uint64_t word = random_word();
    memcpy(buffer + i, &word, 8);
  }
}

static uint32_t primes_root[64], state[8];

/* FIPS 180-4, 4.2.2 and 5.3.3: the first 32 bits of the fractions of the cube and square roots of the first primes, computed here. */
static uint32_t root_fraction(uint32_t prime, int cube) {
  /* The largest r with r^2 (or r^3) <= prime * 2^64 (or 2^96), by bisection; its low 32 bits are the fraction. */
  uint64_t low = 0, high = (uint64_t)32 << 32;
  while (low < high) {
    uint64_t middle = low + (high - low + 1) / 2;
    /* r / 2^32 as two parts, so that the products fit: compares r^2 with prime in units of 2^-64. */
    double exact = (double)middle / 4294967296.0;
    long double value = (long double)exact;
    long double product = cube ? value * value * value : value * value;
    if (product <= (long double)prime) low = middle;
    else high = middle - 1;
  }
  return (uint32_t)low;
}

static void make_constants(void) {
  int found = 0;
  for (uint32_t candidate = 2; found < 64; candidate++) {
    int prime = 1;
    for (uint32_t divisor = 2; divisor * divisor <= candidate; divisor++) prime &= candidate % divisor != 0;
    if (!prime) continue;
    if (found < 8) state[found] = root_fraction(candidate, 0);
    primes_root[found++] = root_fraction(candidate, 1);
  }
}

static inline uint32_t rotate(uint32_t x, int by) { return x >> by | x << (32 - by); }

static void compress(const unsigned char *block) {
  uint32_t w[64], s[8];
  for (int t = 0; t < 16; t++) {
    w[t] = (uint32_t)block[4 * t] << 24 | (uint32_t)block[4 * t + 1] << 16 | (uint32_t)block[4 * t + 2] << 8 | block[4 * t + 3];
  }
  for (int t = 16; t < 64; t++) {
    uint32_t s0 = rotate(w[t - 15], 7) ^ rotate(w[t - 15], 18) ^ w[t - 15] >> 3;
    uint32_t s1 = rotate(w[t - 2], 17) ^ rotate(w[t - 2], 19) ^ w[t - 2] >> 10;
    w[t] = w[t - 16] + s0 + w[t - 7] + s1;
  }
  memcpy(s, state, sizeof s);
  for (int t = 0; t < 64; t++) {
    uint32_t s1 = rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25);
    uint32_t choice = (s[4] & s[5]) ^ (~s[4] & s[6]);
    uint32_t t1 = s[7] + s1 + choice + primes_root[t] + w[t];
    uint32_t s0 = rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22);
    uint32_t majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
    s[7] = s[6];
    s[6] = s[5];
    s[5] = s[4];
    s[4] = s[3] + t1;
    s[3] = s[2];
    s[2] = s[1];
    s[1] = s[0];
    s[0] = t1 + s0 + majority;
  }
  for (int i = 0; i < 8; i++) state[i] += s[i];
}

static void prepare_sha256(void) {
  prepare();
  make_constants();
}

/* Whole blocks alone: the padding of the last block is no work. */
static void run_sha256(void) {
  for (size_t at = 0; at + 64 <= length; at += 64) compress(buffer + at);
}

static struct outcome check_sha256(void) {
  return (struct outcome){.work = (double)length * 1e-6, .hash = hash_bytes(HASH_START, state, sizeof state)};
}

const struct workload integer_sha256 = {"integer/sha256", "MB/s", prepare_sha256, run_sha256, check_sha256};

static uint32_t table[256], crc;

static void prepare_crc32(void) {
  prepare();
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; bit++) value = value >> 1 ^ (value & 1 ? 0xedb88320u : 0);
    table[i] = value;
  }
}

static void run_crc32(void) {
  uint32_t value = 0xffffffffu;
  for (size_t i = 0; i < length; i++) value = table[(value ^ buffer[i]) & 0xff] ^ value >> 8;
  crc = ~value;
}

static struct outcome check_crc32(void) {
  return (struct outcome){.work = (double)length * 1e-6, .hash = hash_word(HASH_START, crc)};
}

const struct workload integer_crc32 = {"integer/crc32", "MB/s", prepare_crc32, run_crc32, check_crc32};
