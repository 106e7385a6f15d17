/* Fast Fourier transform: radix 2, complex, in place, forwards and back. */
#include <math.h>

#include "fp.h"

static long length, passes;
static double *re, *im, *original, *cosines, *sines;

static void prepare(void) {
  if (re == NULL) {
    length = sized(1 << 13, 1 << 16);
    passes = sized(10, 12);
    size_t bytes = (size_t)length * sizeof *re;
    re = bench_alloc(bytes);
    im = bench_alloc(bytes);
    original = bench_alloc(bytes);
    cosines = bench_alloc(bytes / 2);
    sines = bench_alloc(bytes / 2);
    const double pi = 3.14159265358979323846;
    for (long k = 0; k < length / 2; k++) {
      cosines[k] = cos(2 * pi * (double)k / (double)length);
      sines[k] = sin(2 * pi * (double)k / (double)length);
    }
  }
  for (long i = 0; i < length; i++) {
    original[i] = re[i] = random_double();
    im[i] = 0;
  }
}

static void reorder(void) {
  for (long i = 1, j = 0; i < length; i++) {
    long bit = length >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i >= j) continue;
    double r = re[i], m = im[i];
    re[i] = re[j];
    im[i] = im[j];
    re[j] = r;
    im[j] = m;
  }
}

static void transform(double direction) {
  reorder();
  for (long half = 1; half < length; half <<= 1) {
    long stride = length / (2 * half);
    for (long start = 0; start < length; start += 2 * half) {
      for (long k = 0; k < half; k++) {
        double wr = cosines[k * stride], wi = direction * sines[k * stride];
        long low = start + k, high = low + half;
        double tr = wr * re[high] - wi * im[high], ti = wr * im[high] + wi * re[high];
        re[high] = re[low] - tr;
        im[high] = im[low] - ti;
        re[low] += tr;
        im[low] += ti;
      }
    }
  }
}

static void run(void) {
  for (long pass = 0; pass < passes; pass++) {
    transform(-1);
    transform(1);
    for (long i = 0; i < length; i++) {
      re[i] /= (double)length;
      im[i] /= (double)length;
    }
  }
}

static struct outcome check(void) {
  double worst = 0;
  for (long i = 0; i < length; i++) {
    double error = fabs(re[i] - original[i]) / 0x1p-52;
    if (!(error <= worst)) worst = error;
  }
  uint64_t hash = hash_bytes(HASH_START, re, (size_t)length * sizeof *re);
  double stages = log2((double)length);
  return (struct outcome){
      .work = (double)passes * 2 * 5 * (double)length * stages * 1e-6,
      .residual = worst,
      .hash = hash_bytes(hash, im, (size_t)length * sizeof *im),
  };
}

const struct workload fp_fft = {"fp/fft", "MFLOP/s", prepare, run, check};
