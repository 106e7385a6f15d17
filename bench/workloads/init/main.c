/*
 * First process of a virtual machine that measures: mounts what the workloads need, runs the lines of /commands one after the other and
 * switches the machine off. A line is NAME=VALUE for the environment, or a program with its arguments, separated by single blanks.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define MOST_ARGUMENTS 100

static void mount_on(const char *type, const char *directory) {
  mkdir(directory, 0755);
  if (mount(type, directory, type, 0, NULL) != 0 && errno != EBUSY) printf("@fail cannot mount %s on %s: %s\n", type, directory, strerror(errno));
}

/* Lines as they are: a terminal would add carriage returns, and echo what it is sent. */
static void make_raw(void) {
  struct termios settings;
  if (tcgetattr(STDOUT_FILENO, &settings) != 0) return;
  cfmakeraw(&settings);
  tcsetattr(STDOUT_FILENO, TCSANOW, &settings);
}

static void run(char *line) {
  char *arguments[MOST_ARGUMENTS + 1];
  int count = 0;
  for (char *word = strtok(line, " "); word != NULL && count < MOST_ARGUMENTS; word = strtok(NULL, " ")) arguments[count++] = word;
  arguments[count] = NULL;
  if (count == 0) return;
  pid_t child = fork();
  if (child == 0) {
    execv(arguments[0], arguments);
    printf("@fail cannot run %s: %s\n", arguments[0], strerror(errno));
    fflush(stdout);
    _exit(127);
  }
  int status = 0;
  while (waitpid(child, &status, 0) != child && errno == EINTR) continue;
  if (WIFSIGNALED(status)) printf("@fail %s was ended by signal %d\n", arguments[0], WTERMSIG(status));
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  make_raw();
  printf("@init\n");
  mount_on("proc", "/proc");
  mount_on("devtmpfs", "/dev");
  mount_on("tmpfs", "/tmp");
  if (chdir("/tmp") != 0) printf("@fail no /tmp\n");
  FILE *commands = fopen("/commands", "r");
  char line[4096];
  while (commands != NULL && fgets(line, sizeof line, commands) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    char *equals = strchr(line, '=');
    if (line[0] != '/' && equals != NULL) {
      *equals = '\0';
      setenv(line, equals + 1, 1);
    } else {
      run(line);
    }
  }
  printf("@off\n");
  tcdrain(STDOUT_FILENO);
  sync();
  reboot(RB_POWER_OFF);
  for (;;) pause();
}
