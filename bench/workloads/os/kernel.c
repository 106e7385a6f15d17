/* One process and its kernel: a system call that does nothing, a signal to itself, page faults, mappings, files in memory. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os.h"

#define PAGE 4096

static long operations;
static uint64_t counted;

static void run_getppid(void) {
  operations = sized(40000, 500000);
  counted = 0;
  long parent = getppid();
  for (long i = 0; i < operations; i++) counted += syscall(SYS_getppid) == parent;
}

static struct outcome check(void) { return os_outcome(operations, counted); }

const struct workload os_getppid = {"os/getppid", "kcall/s", NULL, run_getppid, check};

static volatile sig_atomic_t signals;

static void on_signal(int number) {
  (void)number;
  signals++;
}

static void run_signal(void) {
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGUSR1, &action, NULL);
  operations = sized(5000, 50000);
  signals = 0;
  for (long i = 0; i < operations; i++) raise(SIGUSR1);
  counted = (uint64_t)signals;
}

const struct workload os_signal = {"os/signal", "ksignal/s", NULL, run_signal, check};

/* Fresh pages of 4 KiB: huge pages would hide the faults. */
static void run_page_faults(void) {
  const size_t bytes = (size_t)32 << 20;
  long passes = sized(1, 6);
  counted = 0;
  for (long pass = 0; pass < passes; pass++) {
    unsigned char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) bench_fail("mmap of 32 MiB failed");
    /* Not there in a kernel without huge pages, which then has none to keep away. */
    madvise(memory, bytes, MADV_NOHUGEPAGE);
    for (size_t at = 0; at < bytes; at += PAGE) {
      counted += memory[at] == 0;
      memory[at] = 1;
    }
    munmap(memory, bytes);
  }
  operations = passes * (long)(bytes / PAGE);
}

const struct workload os_page_faults = {"os/page-faults", "kpage/s", NULL, run_page_faults, check};

static void run_mmap(void) {
  operations = sized(2000, 20000);
  counted = 0;
  for (long i = 0; i < operations; i++) {
    unsigned char *memory = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) bench_fail("mmap failed");
    memory[PAGE] = (unsigned char)i;
    counted += memory[PAGE];
    mprotect(memory, PAGE, PROT_READ);
    munmap(memory, 4 * PAGE);
  }
}

const struct workload os_mmap = {"os/mmap", "kcycle/s", NULL, run_mmap, check};

/* In the working directory, which the harness makes a tmpfs. */
static void run_files(void) {
  char block[PAGE], name[64];
  operations = sized(400, 4000);
  counted = HASH_START;
  for (long i = 0; i < operations; i++) {
    snprintf(name, sizeof name, "umbra-bench-%ld", i & 31);
    int file = open(name, O_CREAT | O_TRUNC | O_RDWR, 0600);
    if (file < 0) bench_fail("cannot create a file in the working directory");
    for (int part = 0; part < 4; part++) {
      memset(block, (int)(i + part), sizeof block);
      if (write(file, block, sizeof block) != sizeof block) bench_fail("a write to a file fell short");
    }
    lseek(file, PAGE, SEEK_SET);
    if (read(file, block, sizeof block) != sizeof block) bench_fail("a read from a file fell short");
    counted = hash_word(counted, (unsigned char)block[i & 4095]);
    close(file);
    unlink(name);
  }
}

const struct workload os_files = {"os/files", "kfile/s", NULL, run_files, check};
