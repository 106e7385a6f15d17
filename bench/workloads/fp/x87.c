/* long double, which is the x87's 80-bit format on x86: a series and a square root. */
#include <math.h>
#include <string.h>

#include "fp.h"

static long terms;
static long double total;

static void run(void) {
  terms = sized(800000, 15000000);
  long double sum = 0, sign = 1;
  for (long k = 0; k < terms; k++) {
    sum += sign * sqrtl((long double)k + 0.5L) / (2.0L * (long double)k + 1.0L);
    sign = -sign;
  }
  total = sum;
}

static struct outcome check(void) {
  /* Ten bytes are the number; what follows them is padding. */
  return (struct outcome){.work = (double)terms * 1e-6, .hash = hash_bytes(HASH_START, &total, 10)};
}

const struct workload fp_x87 = {"fp/x87", "Mterm/s", NULL, run, check};
