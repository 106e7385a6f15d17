/* The C library's functions: sums of sin and cos, of exp and log, of pow. */
#include <math.h>

#include "fp.h"

static long count;
static double sum;

/* Arguments that are not all small, so that sin and cos have to reduce them. */
static void run_trigonometry(void) {
  count = sized(250000, 4000000);
  sum = 0;
  for (long i = 0; i < count; i++) {
    double x = (double)i * 0.001 - 100.0;
    sum += sin(x) * 0.5 + cos(x);
  }
}

static void run_exponential(void) {
  count = sized(300000, 6000000);
  sum = 0;
  for (long i = 0; i < count; i++) {
    double x = 0.5 + (double)i * 0.00001;
    sum += exp(-x) + log(x);
  }
}

static void run_power(void) {
  count = sized(300000, 6000000);
  sum = 0;
  for (long i = 0; i < count; i++) sum += pow(1.0 + (double)i * 0.0001, 0.3125);
}

static struct outcome finish(double calls) {
  return (struct outcome){.work = calls * (double)count * 1e-6, .hash = hash_bytes(HASH_START, &sum, sizeof sum)};
}

static struct outcome check_two(void) { return finish(2); }
static struct outcome check_one(void) { return finish(1); }

const struct workload fp_trigonometry = {"fp/sin-cos", "Mcall/s", NULL, run_trigonometry, check_two};
const struct workload fp_exponential = {"fp/exp-log", "Mcall/s", NULL, run_exponential, check_two};
const struct workload fp_power = {"fp/pow", "Mcall/s", NULL, run_power, check_one};
