/* The frame around every workload: clocks, hashes, pseudo-random numbers, and the lines that the harness on the host reads. */
#ifndef UMBRA_BENCH_HARNESS_H
#define UMBRA_BENCH_HARNESS_H

#include <stddef.h>
#include <stdint.h>

/** What one repetition came to. */
struct outcome {
  /** amount of work in units, per repetition: rate = work / wall seconds */
  double work;
  /** scaled error of a numerical result: below 100 is sound, the harness fails a larger one; 0 where there is nothing to check */
  double residual;
  /** of the bits of the result; independent of time and of addresses */
  uint64_t hash;
};

struct workload {
  /** "suite/name" */
  const char *name;
  /** unit of the rate, without blanks: "MFLOP/s" */
  const char *unit;
  /** before each repetition, not timed; NULL where there is nothing to do */
  void (*prepare)(void);
  /** what is timed */
  void (*run)(void);
  /** after each repetition, not timed */
  struct outcome (*check)(void);
};

/** How large a repetition is: quick takes about a tenth of the time of full. */
extern int quick;

/** Order of the matrices that was asked for with --n, or 0. */
extern int matrix_order;

/** Picks a size. */
static inline long sized(long quick_size, long full_size) { return quick ? quick_size : full_size; }

/**
 * The whole program: parses the arguments, runs what they name out of `list` (which ends with a NULL name) and prints a line for each
 * repetition.
 *
 * @return exit code: 0, 1 when a workload failed, 2 for arguments that are not understood
 */
int bench_main(int argc, char **argv, const struct workload *list);

/** Ends the program: a workload cannot go on. Prints "@fail <why>". */
_Noreturn void bench_fail(const char *why);

/** Like malloc, but ends the program when there is no memory. The memory is zero and aligned to 64 bytes. */
void *bench_alloc(size_t bytes);

#define HASH_START 0xcbf29ce484222325u

/** Mixes one word into a hash. */
static inline uint64_t hash_word(uint64_t hash, uint64_t word) {
  hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
  return hash ^ (hash >> 29);
}

/** Mixes the bytes of a result into a hash. */
uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t length);

/** Starts the pseudo-random numbers anew, so that every repetition has the same input. */
void random_seed(uint64_t seed);

/** xorshift64*: equal on every machine. */
uint64_t random_word(void);

/** A multiple of 2^-52 in [-0.5, 0.5). */
double random_double(void);

/** Hides a pointer's target from the optimizer, so that a result is really computed. */
static inline void keep(const void *pointer) { __asm__ volatile("" : : "r"(pointer) : "memory"); }

#endif
