/* Integer arithmetic of every width, signed and not; the checksum of each family is printed. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static uint64_t seed = 0x243f6a8885a308d3u;

/* xorshift64*, so that all runs see the same numbers */
static uint64_t next(void) {
  seed ^= seed >> 12;
  seed ^= seed << 25;
  seed ^= seed >> 27;
  return seed * 0x2545f4914f6cdd1du;
}

static uint64_t mix(uint64_t sum, uint64_t value) { return (sum ^ value) * 0x100000001b3u + (sum >> 29); }

#define FAMILY(type, unsigned_type, bits)                                                                              \
  static uint64_t family_##type(int rounds) {                                                                          \
    uint64_t sum = 0;                                                                                                  \
    for (int round = 0; round < rounds; round++) {                                                                     \
      unsigned_type a = (unsigned_type)next(), b = (unsigned_type)next();                                              \
      int shift = (int)(next() % (bits));                                                                              \
      type divisor = (type)(b | 1);                                                                                    \
      sum = mix(sum, (unsigned_type)(a + b));                                                                          \
      sum = mix(sum, (unsigned_type)(a - b));                                                                          \
      sum = mix(sum, (unsigned_type)((uint64_t)a * b));                                                                \
      sum = mix(sum, (unsigned_type)(a << shift));                                                                     \
      sum = mix(sum, (unsigned_type)((type)a >> shift));                                                               \
      sum = mix(sum, (unsigned_type)(a >> shift));                                                                     \
      sum = mix(sum, (unsigned_type)((a << shift) | (a >> ((bits - shift) % (bits)))));                                \
      sum = mix(sum, a / (unsigned_type)(b | 1));                                                                      \
      sum = mix(sum, a % (unsigned_type)(b | 1));                                                                      \
      if (divisor != -1) sum = mix(sum, (unsigned_type)((type)a / divisor) ^ (unsigned_type)((type)a % divisor));      \
      sum = mix(sum, (uint64_t)((type)a < (type)b) + 2 * (uint64_t)(a < b) + 4 * (uint64_t)(a == b));                  \
      unsigned_type carried;                                                                                           \
      sum = mix(sum, (uint64_t)__builtin_add_overflow(a, b, &carried) + carried);                                      \
      type overflowed;                                                                                                 \
      sum = mix(sum, (uint64_t)__builtin_mul_overflow((type)a, (type)b, &overflowed) + (unsigned_type)overflowed);     \
    }                                                                                                                  \
    return sum;                                                                                                        \
  }

FAMILY(int8_t, uint8_t, 8)
FAMILY(int16_t, uint16_t, 16)
FAMILY(int32_t, uint32_t, 32)
FAMILY(int64_t, uint64_t, 64)

static uint64_t wide(int rounds) {
  uint64_t sum = 0;
  for (int round = 0; round < rounds; round++) {
    unsigned __int128 a = ((unsigned __int128)next() << 64) | next();
    unsigned __int128 b = (((unsigned __int128)next() << 64) | next()) >> (next() % 128);
    unsigned __int128 values[] = {a * b, a + b, a - b, a / (b | 1), a % (b | 1), a >> (next() % 128), a << (next() % 128)};
    for (unsigned i = 0; i < sizeof values / sizeof *values; i++)
      sum = mix(mix(sum, (uint64_t)values[i]), (uint64_t)(values[i] >> 64));
    __int128 s = (__int128)a / ((__int128)b | 1);
    sum = mix(mix(sum, (uint64_t)s), (uint64_t)(s >> 64));
  }
  return sum;
}

static uint64_t bits(int rounds) {
  uint64_t sum = 0;
  for (int round = 0; round < rounds; round++) {
    uint64_t a = next() >> (next() % 64);
    sum = mix(sum, (uint64_t)__builtin_popcountll(a));
    if (a) sum = mix(sum, (uint64_t)__builtin_clzll(a) * 64 + (uint64_t)__builtin_ctzll(a));
    sum = mix(sum, __builtin_bswap64(a) ^ __builtin_bswap32((uint32_t)a));
    struct {
      unsigned low : 5;
      int middle : 11;
      unsigned long high : 40;
    } fields = {(unsigned)a & 31, (int)((a >> 5) & 1023), (a >> 20) & 0xffffffffffu};
    fields.middle -= 1000;
    sum = mix(sum, fields.low + (uint64_t)(int64_t)fields.middle + fields.high);
  }
  return sum;
}

/* Numbers below a limit that are prime, by a sieve of bytes. */
static int primes(int limit) {
  static uint8_t composite[2000000];
  int count = 0;
  memset(composite, 0, sizeof composite);
  for (int n = 2; n < limit; n++) {
    if (composite[n]) continue;
    count++;
    for (long multiple = (long)n * n; multiple < limit; multiple += n) composite[multiple] = 1;
  }
  return count;
}

int main(void) {
  printf("8 bits    %016" PRIx64 "\n", family_int8_t(200000));
  printf("16 bits   %016" PRIx64 "\n", family_int16_t(200000));
  printf("32 bits   %016" PRIx64 "\n", family_int32_t(200000));
  printf("64 bits   %016" PRIx64 "\n", family_int64_t(200000));
  printf("128 bits  %016" PRIx64 "\n", wide(50000));
  printf("bits      %016" PRIx64 "\n", bits(200000));
  printf("primes    %d\n", primes(2000000));
  return 0;
}
