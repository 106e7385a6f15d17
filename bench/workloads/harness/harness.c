/*
 * Lines on standard output, one for each event; anything else there is not ours (a kernel's messages share the console):
 *
 *   @begin fp/fft 1
 *   @end fp/fft 1
 *   @result fp/fft 1 wall=0.102331 cpu=0.102300 rate=1233.4 unit=MFLOP/s residual=0.02 hash=0123456789abcdef
 *   @fail why
 *   @done
 *
 * The host may take the time between @begin and @end itself: a virtual machine's own clock is not to be trusted.
 */
#define _GNU_SOURCE
#include "harness.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

int quick = 0;
int matrix_order = 0;

static uint64_t random_state = 1;

void random_seed(uint64_t seed) { random_state = seed * 0x9e3779b97f4a7c15u + 0x632be59bd9b4e019u; }

uint64_t random_word(void) {
  random_state ^= random_state >> 12;
  random_state ^= random_state << 25;
  random_state ^= random_state >> 27;
  return random_state * 0x2545f4914f6cdd1du;
}

double random_double(void) { return (double)(int64_t)(random_word() >> 12) * 0x1p-52 - 0.5; }

uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t length) {
  const unsigned char *at = bytes;
  for (; length >= 8; at += 8, length -= 8) {
    uint64_t word;
    memcpy(&word, at, 8);
    hash = hash_word(hash, word);
  }
  for (; length > 0; at++, length--) hash = hash_word(hash, *at);
  return hash;
}

/* One write for each line, so that lines of several writers do not mix; waits until a terminal has taken it. */
__attribute__((format(printf, 1, 2))) static void say(const char *format, ...) {
  char line[256];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  for (int done = 0; done < length;) {
    ssize_t written = write(STDOUT_FILENO, line + done, (size_t)(length - done));
    if (written < 0 && errno != EINTR) exit(1);
    if (written > 0) done += (int)written;
  }
  if (isatty(STDOUT_FILENO)) tcdrain(STDOUT_FILENO);
}

_Noreturn void bench_fail(const char *why) {
  say("@fail %s\n", why);
  exit(1);
}

void *bench_alloc(size_t bytes) {
  size_t rounded = (bytes + 63) & ~(size_t)63;
  void *memory = aligned_alloc(64, rounded);
  if (memory == NULL) bench_fail("out of memory");
  return memset(memory, 0, rounded);
}

static double clock_seconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Of this process and of its children that have ended. */
static double cpu_seconds(void) {
  struct rusage children;
  getrusage(RUSAGE_CHILDREN, &children);
  double of_children = (double)(children.ru_utime.tv_sec + children.ru_stime.tv_sec) +
                       (double)(children.ru_utime.tv_usec + children.ru_stime.tv_usec) * 1e-6;
  return clock_seconds(CLOCK_PROCESS_CPUTIME_ID) + of_children;
}

struct options {
  long repetitions;
  /* a workload is not begun again after so many seconds; for the second repetition, which is the first warm one, four times as many */
  double seconds;
};

static void run_workload(const struct workload *workload, const struct options *options) {
  double started = clock_seconds(CLOCK_MONOTONIC);
  for (long repetition = 1; repetition <= options->repetitions; repetition++) {
    double patience = repetition == 2 ? 4 * options->seconds : options->seconds;
    if (repetition > 1 && clock_seconds(CLOCK_MONOTONIC) - started >= patience) break;
    random_seed(42);
    if (workload->prepare != NULL) workload->prepare();
    say("@begin %s %ld\n", workload->name, repetition);
    double cpu = cpu_seconds();
    double wall = clock_seconds(CLOCK_MONOTONIC);
    workload->run();
    wall = clock_seconds(CLOCK_MONOTONIC) - wall;
    cpu = cpu_seconds() - cpu;
    say("@end %s %ld\n", workload->name, repetition);
    struct outcome outcome = workload->check();
    double rate = wall > 0 ? outcome.work / wall : 0;
    say("@result %s %ld wall=%.9f cpu=%.9f rate=%.6g unit=%s residual=%.3g hash=%016llx\n", workload->name, repetition, wall, cpu, rate,
        workload->unit, outcome.residual, (unsigned long long)outcome.hash);
  }
}

static const char *short_name(const char *name) {
  const char *slash = strchr(name, '/');
  return slash == NULL ? name : slash + 1;
}

static const struct workload *find(const struct workload *list, const char *name) {
  for (; list->name != NULL; list++) {
    if (strcmp(list->name, name) == 0 || strcmp(short_name(list->name), name) == 0) return list;
  }
  return NULL;
}

static int usage(const char *program, const char *about) {
  fprintf(stderr, "%s: %s\nUsage: %s [--list] [--quick] [--reps N] [--seconds S] [--n ORDER] [WORKLOAD...]\n", program, about, program);
  return 2;
}

int bench_main(int argc, char **argv, const struct workload *list) {
  struct options options = {.repetitions = 3, .seconds = 1e9};
  int first_name = argc;
  for (int i = 1; i < argc; i++) {
    char *end = "";
    if (strcmp(argv[i], "--quick") == 0) {
      quick = 1;
    } else if (strcmp(argv[i], "--list") == 0) {
      for (const struct workload *each = list; each->name != NULL; each++) printf("%s\n", each->name);
      return 0;
    } else if (strcmp(argv[i], "--reps") == 0 && i + 1 < argc) {
      options.repetitions = strtol(argv[++i], &end, 10);
      if (*end != '\0' || options.repetitions < 1) return usage(argv[0], "--reps is no number above 0");
    } else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc) {
      options.seconds = strtod(argv[++i], &end);
      if (*end != '\0') return usage(argv[0], "--seconds is no number");
    } else if (strcmp(argv[i], "--n") == 0 && i + 1 < argc) {
      matrix_order = (int)strtol(argv[++i], &end, 10);
      if (*end != '\0' || matrix_order < 8 || matrix_order > 4096) return usage(argv[0], "--n is no number from 8 to 4096");
    } else if (argv[i][0] == '-') {
      return usage(argv[0], "unknown option");
    } else {
      first_name = i;
      break;
    }
  }
  for (int i = first_name; i < argc; i++) {
    if (find(list, argv[i]) == NULL) return usage(argv[0], "unknown workload");
  }
  if (first_name == argc) {
    for (; list->name != NULL; list++) run_workload(list, &options);
  }
  for (int i = first_name; i < argc; i++) run_workload(find(list, argv[i]), &options);
  say("@done\n");
  return 0;
}
