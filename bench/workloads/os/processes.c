/* Several processes or threads: fork, exec, a pipe there and back, a futex there and back, threads that begin and end. */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os.h"

#define EXEC_CHILD "--exec-child"

static long operations;
static uint64_t counted;

static struct outcome check(void) { return os_outcome(operations, counted); }

static int wait_for(pid_t child) {
  int status;
  if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) bench_fail("a child did not end as it should");
  return WEXITSTATUS(status);
}

static void run_fork(void) {
  operations = sized(60, 500);
  counted = 0;
  for (long i = 0; i < operations; i++) {
    pid_t child = fork();
    if (child == 0) _exit((int)(i & 63));
    counted += (uint64_t)wait_for(child);
  }
}

const struct workload os_fork = {"os/fork", "kfork/s", NULL, run_fork, check};

void os_exec_child(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], EXEC_CHILD) == 0) _exit(atoi(argv[2]));
}

static void run_exec(void) {
  char itself[] = "/proc/self/exe", option[] = EXEC_CHILD, status[] = "7";
  char *const arguments[] = {itself, option, status, NULL};
  operations = sized(30, 250);
  counted = 0;
  for (volatile long i = 0; i < operations; i++) {
    pid_t child = vfork();
    if (child == 0) {
      execv(itself, arguments);
      _exit(99);
    }
    counted += (uint64_t)wait_for(child);
  }
  if (counted != 7 * (uint64_t)operations) bench_fail("exec of /proc/self/exe failed");
}

const struct workload os_exec = {"os/exec", "kexec/s", NULL, run_exec, check};

static void run_pipe(void) {
  int there[2], back[2];
  if (pipe(there) != 0 || pipe(back) != 0) bench_fail("no pipe");
  operations = sized(1500, 20000);
  counted = 0;
  pid_t child = fork();
  if (child == 0) {
    uint32_t number;
    for (long i = 0; i < operations; i++) {
      if (read(there[0], &number, sizeof number) != sizeof number) _exit(1);
      number ^= 0x5a5a5a5a;
      if (write(back[1], &number, sizeof number) != sizeof number) _exit(1);
    }
    _exit(0);
  }
  for (long i = 0; i < operations; i++) {
    uint32_t number = (uint32_t)i;
    if (write(there[1], &number, sizeof number) != sizeof number || read(back[0], &number, sizeof number) != sizeof number) {
      bench_fail("the pipe broke");
    }
    counted += number;
  }
  if (wait_for(child) != 0) bench_fail("the other end of the pipe failed");
  for (int end = 0; end < 2; end++) {
    close(there[end]);
    close(back[end]);
  }
}

const struct workload os_pipe = {"os/pipe", "kround/s", NULL, run_pipe, check};

static uint32_t turn;

static void futex_wait(uint32_t unwanted) { syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, unwanted, NULL, NULL, 0); }

/* Passes the turn to `next` and waits until it is `mine` again. */
static void pass_turn(uint32_t next, uint32_t mine) {
  __atomic_store_n(&turn, next, __ATOMIC_SEQ_CST);
  syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
  uint32_t seen;
  while ((seen = __atomic_load_n(&turn, __ATOMIC_SEQ_CST)) == next && seen != mine) futex_wait(next);
}

static void *partner(void *unused) {
  (void)unused;
  while (__atomic_load_n(&turn, __ATOMIC_SEQ_CST) == 0) futex_wait(0);
  while (__atomic_load_n(&turn, __ATOMIC_SEQ_CST) == 1) {
    counted++;
    pass_turn(0, 1);
  }
  return NULL;
}

static void run_futex(void) {
  operations = sized(1500, 20000);
  counted = 0;
  turn = 0;
  pthread_t thread;
  if (pthread_create(&thread, NULL, partner, NULL) != 0) bench_fail("no thread");
  for (long i = 0; i < operations; i++) pass_turn(1, 0);
  __atomic_store_n(&turn, 2, __ATOMIC_SEQ_CST);
  syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
  pthread_join(thread, NULL);
}

const struct workload os_futex = {"os/futex", "kround/s", NULL, run_futex, check};

#define THREADS 4

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *add(void *unused) {
  (void)unused;
  for (int i = 0; i < 100; i++) {
    pthread_mutex_lock(&lock);
    counted++;
    pthread_mutex_unlock(&lock);
  }
  return NULL;
}

static void run_threads(void) {
  long rounds = sized(30, 400);
  operations = rounds * THREADS;
  counted = 0;
  for (long i = 0; i < rounds; i++) {
    pthread_t threads[THREADS];
    for (int t = 0; t < THREADS; t++) {
      if (pthread_create(&threads[t], NULL, add, NULL) != 0) bench_fail("no thread");
    }
    for (int t = 0; t < THREADS; t++) pthread_join(threads[t], NULL);
  }
}

const struct workload os_threads = {"os/threads", "kthread/s", NULL, run_threads, check};
