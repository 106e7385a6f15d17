/* What the kernel and the processor do together: faults as signals, threads, processes, mappings, code made at run time. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static sigjmp_buf back;
static volatile int caught_code;
static void *volatile caught_at;

static void on_fault(int number, siginfo_t *info, void *context) {
  (void)context;
  caught_code = info->si_code;
  caught_at = info->si_addr;
  siglongjmp(back, number);
}

static void faults(void) {
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
  static const int SIGNALS[] = {SIGSEGV, SIGFPE, SIGILL, SIGTRAP, SIGBUS};
  for (unsigned i = 0; i < sizeof SIGNALS / sizeof *SIGNALS; i++) sigaction(SIGNALS[i], &action, NULL);
  uint8_t *page = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(page + 4096, 4096);
  volatile int zero = 0;
  for (volatile int test = 0; test < 7; test++) {
    int number = sigsetjmp(back, 1);
    if (number) {
      printf("fault %d: %s, code %d", test, sigabbrev_np(number), caught_code);
      if (number == SIGSEGV && caught_code > 0 && caught_code < 128) printf(", at byte %td", (uint8_t *)caught_at - page);
      printf("\n");
      continue;
    }
    switch (test) {
    case 0: page[3] = 1; break;
    case 1: printf("%d\n", page[4096 + 7]); break;
    case 2: printf("%d\n", 7 / zero); break;
    case 3: __asm__ volatile("ud2"); break;
    case 4: __asm__ volatile("int3"); break;
    case 5: ((void (*)(void))page)(); break;
    case 6: __asm__ volatile("hlt"); break;
    }
    printf("fault %d: none\n", test);
  }
  munmap(page, 4096);
}

/* x86-64 code for: return argument * factor + 1 */
static void made_code(void) {
  uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  static const uint8_t TEMPLATE[] = {0x48, 0x69, 0xc7, 0, 0, 0, 0, 0x48, 0xff, 0xc0, 0xc3};
  memcpy(code, TEMPLATE, sizeof TEMPLATE);
  long sum = 0;
  for (int32_t factor = 0; factor < 20000; factor++) {
    memcpy(code + 3, &factor, 4);
    sum += ((long (*)(long))code)(factor ^ 0x55);
  }
  printf("made code: %ld\n", sum);
  munmap(code, 4096);
}

static atomic_long counter;
static long guarded;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static __thread long own;

static void *work(void *argument) {
  for (int i = 0; i < 20000; i++) {
    atomic_fetch_add(&counter, 3);
    own += (long)(intptr_t)argument;
    if (i % 16 == 0) {
      pthread_mutex_lock(&lock);
      guarded += own;
      pthread_mutex_unlock(&lock);
    }
  }
  return (void *)(intptr_t)own;
}

static void threads(void) {
  pthread_t all[8];
  long sum = 0;
  for (intptr_t i = 0; i < 8; i++) pthread_create(&all[i], NULL, work, (void *)i);
  for (int i = 0; i < 8; i++) {
    void *result;
    pthread_join(all[i], &result);
    sum += (long)(intptr_t)result;
  }
  printf("threads: %ld %ld %ld\n", atomic_load(&counter), guarded, sum);
}

static void processes(void) {
  long sum = 0;
  for (int child = 0; child < 40; child++) {
    int ends[2];
    if (pipe(ends)) abort();
    pid_t process = fork();
    if (process == 0) {
      long value = 0;
      for (int i = 0; i < 2000; i++) value = value * 31 + i * child;
      if (write(ends[1], &value, sizeof value) != sizeof value) _exit(99);
      if (child == 7) raise(SIGKILL);
      _exit(child);
    }
    long value = 0;
    int status = 0;
    if (read(ends[0], &value, sizeof value) != sizeof value) abort();
    waitpid(process, &status, 0);
    sum += value ^ (WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status));
    close(ends[0]);
    close(ends[1]);
  }
  printf("processes: %ld\n", sum);
}

static volatile sig_atomic_t alarms;
static void on_alarm(int number) { alarms += number == SIGALRM; }

/* Timers arrive, however long they take: only that is printed. */
static void timers(void) {
  struct sigaction action = {.sa_handler = on_alarm};
  sigaction(SIGALRM, &action, NULL);
  struct timespec before, after, pause = {0, 5000000};
  clock_gettime(CLOCK_MONOTONIC, &before);
  ualarm(20000, 20000);
  while (alarms < 3) nanosleep(&pause, NULL);
  ualarm(0, 0);
  clock_gettime(CLOCK_MONOTONIC, &after);
  long passed = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
  printf("timers: three alarms of 20 ms %s\n", passed >= 59 ? "take 60 ms or more" : "came too early");
}

static void mappings(void) {
  FILE *file = tmpfile();
  for (int i = 0; i < 100000; i++) fprintf(file, "%d ", i);
  fflush(file);
  long size = ftell(file);
  char *shared = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0);
  char *copy = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fileno(file), 0);
  memcpy(shared, "changed", 7);
  memcpy(copy + 9000, "private", 7);
  char text[16] = {0};
  if (pread(fileno(file), text, 7, 0) != 7) abort();
  unsigned sum = 0;
  for (long i = 0; i < size; i++) sum = sum * 31 + (unsigned char)copy[i];
  printf("mappings: %ld bytes, %s, %.7s, %u, %s\n", size, text, copy + 9000, sum,
         memcmp(shared + 9000, copy + 9000, 7) ? "apart" : "shared");
  fclose(file);
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  faults();
  made_code();
  threads();
  processes();
  timers();
  mappings();
  return 0;
}
