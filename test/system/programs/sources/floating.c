/* Floating point in float, double and long double, and the mathematical functions; printed exactly, in hexadecimal. */
#include <fenv.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t seed = 0x452821e638d01377u;

static uint64_t next(void) {
  seed ^= seed >> 12;
  seed ^= seed << 25;
  seed ^= seed >> 27;
  return seed * 0x2545f4914f6cdd1du;
}

/* in [-scale, scale) */
static double value(double scale) { return ((double)(next() >> 11) * 0x1p-52 - 1) * scale; }

static uint64_t mix(uint64_t sum, double number) {
  uint64_t image;
  memcpy(&image, &number, sizeof image);
  /* The sign and payload of a NaN are not what the standard defines. */
  if (number != number) image = 0x7ff8000000000000u;
  return (sum ^ image) * 0x100000001b3u + (sum >> 29);
}

typedef double (*function)(double);
static const struct {
  const char *name;
  function call;
  double scale;
} FUNCTIONS[] = {
    {"sin", sin, 100},   {"cos", cos, 1e6},    {"tan", tan, 10},     {"asin", asin, 1},   {"acos", acos, 1},
    {"atan", atan, 50},  {"sinh", sinh, 20},   {"cosh", cosh, 20},   {"tanh", tanh, 5},   {"exp", exp, 700},
    {"exp2", exp2, 900}, {"log", log, 1e9},    {"log2", log2, 1e9},  {"log10", log10, 1}, {"sqrt", sqrt, 1e30},
    {"cbrt", cbrt, 1e9}, {"floor", floor, 99}, {"ceil", ceil, 99},   {"rint", rint, 99},  {"trunc", trunc, 99},
    {"erf", erf, 3},     {"tgamma", tgamma, 20}, {"lgamma", lgamma, 99}, {"expm1", expm1, 1}, {"log1p", log1p, 1},
};

static void functions(void) {
  for (unsigned i = 0; i < sizeof FUNCTIONS / sizeof *FUNCTIONS; i++) {
    uint64_t sum = 0;
    for (int round = 0; round < 20000; round++) sum = mix(sum, FUNCTIONS[i].call(value(FUNCTIONS[i].scale)));
    printf("%-7s %016" PRIx64 "  at 0.7: %a\n", FUNCTIONS[i].name, sum, FUNCTIONS[i].call(0.7));
  }
  uint64_t sum = 0;
  for (int round = 0; round < 20000; round++) {
    double a = value(100), b = value(7);
    sum = mix(mix(mix(mix(sum, pow(fabs(a), b)), atan2(a, b)), fmod(a, b)), hypot(a, b));
    sum = mix(mix(sum, fma(a, b, a * a)), remainder(a, b));
    sum = mix(mix(sum, nextafter(a, b)), ldexp(a, (int)b));
  }
  printf("of two  %016" PRIx64 "\n", sum);
}

static void rounding(void) {
  static const int MODES[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
  for (unsigned mode = 0; mode < 4; mode++) {
    fesetround(MODES[mode]);
    feclearexcept(FE_ALL_EXCEPT);
    volatile double third = 1.0, three = 3.0;
    volatile float sum = 0;
    for (int i = 0; i < 1000; i++) sum += 0.1f;
    third /= three;
    volatile long double wide = 1.0L;
    wide /= three;
    printf("mode %u  %a %a %La  %ld %ld  flags %x\n", mode, third, sum, wide, lrint(2.5), lrint(-3.5),
           (unsigned)fetestexcept(FE_ALL_EXCEPT));
  }
  fesetround(FE_TONEAREST);
}

static void exceptions(void) {
  volatile double zero = 0, one = 1, huge = DBL_MAX, tiny = DBL_MIN;
  struct {
    const char *name;
    double result;
  } cases[6];
  unsigned flags[6];
#define CASE(at, text, expression)                                                                                     \
  feclearexcept(FE_ALL_EXCEPT);                                                                                        \
  cases[at].name = text;                                                                                               \
  cases[at].result = (expression);                                                                                     \
  flags[at] = (unsigned)fetestexcept(FE_ALL_EXCEPT)
  CASE(0, "1/0", one / zero);
  CASE(1, "0/0", fabs(zero / zero));
  CASE(2, "overflow", huge * huge);
  CASE(3, "underflow", tiny * tiny);
  CASE(4, "denormal", tiny / 3);
  CASE(5, "exact", one + one);
  for (int i = 0; i < 6; i++) printf("%-9s %a flags %x\n", cases[i].name, cases[i].result, flags[i]);
}

/* Solves a dense system by elimination; the residual shows that it was solved. */
static void linear(void) {
  enum { N = 120 };
  static double a[N][N], copy[N][N], b[N], x[N];
  for (int i = 0; i < N; i++) {
    for (int j = 0; j < N; j++) copy[i][j] = a[i][j] = value(1);
    x[i] = b[i] = value(1);
  }
  double before[N];
  memcpy(before, b, sizeof before);
  for (int k = 0; k < N; k++) {
    int pivot = k;
    for (int i = k + 1; i < N; i++)
      if (fabs(a[i][k]) > fabs(a[pivot][k])) pivot = i;
    for (int j = 0; j < N; j++) {
      double swap = a[k][j];
      a[k][j] = a[pivot][j];
      a[pivot][j] = swap;
    }
    double swap = b[k];
    b[k] = b[pivot];
    b[pivot] = swap;
    for (int i = k + 1; i < N; i++) {
      double factor = a[i][k] / a[k][k];
      for (int j = k; j < N; j++) a[i][j] -= factor * a[k][j];
      b[i] -= factor * b[k];
    }
  }
  for (int i = N - 1; i >= 0; i--) {
    double sum = b[i];
    for (int j = i + 1; j < N; j++) sum -= a[i][j] * x[j];
    x[i] = sum / a[i][i];
  }
  double residual = 0;
  uint64_t sum = 0;
  for (int i = 0; i < N; i++) {
    double row = -before[i];
    for (int j = 0; j < N; j++) row += copy[i][j] * x[j];
    residual = fmax(residual, fabs(row));
    sum = mix(sum, x[i]);
  }
  printf("linear  %016" PRIx64 "  residual %a\n", sum, residual);
}

static void text(void) {
  uint64_t sum = 0;
  char buffer[64];
  for (int round = 0; round < 20000; round++) {
    double number = ldexp(value(1), (int)(next() % 1000) - 500);
    snprintf(buffer, sizeof buffer, "%.17g", number);
    if (strtod(buffer, NULL) != number) printf("not read back: %s\n", buffer);
    long double wide = (long double)number * 1.1L;
    snprintf(buffer, sizeof buffer, "%.20Lg", wide);
    for (char *at = buffer; *at; at++) sum = (sum ^ (uint64_t)*at) * 0x100000001b3u;
    sum = mix(sum, (double)sinl(wide) + (double)strtold(buffer, NULL));
  }
  printf("text    %016" PRIx64 "\n", sum);
}

int main(void) {
  functions();
  rounding();
  exceptions();
  linear();
  text();
  return 0;
}
