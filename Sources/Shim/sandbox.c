#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "files.h"

enum { most_files = 32, first_high = 100 };

/* Becomes the program. Never returns. */
static void become(char** arguments, const int* inherited, int count, pid_t shim) {
  setpgid(0, 0);
  // The sandbox dies with the shim: nobody else could end it.
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (getppid() != shim) _exit(127);
  for (int number = 0; number < count; number++) {
    if (dup2(inherited[number], number) != number) _exit(127);
  }
  syscall(SYS_close_range, (unsigned)count, ~0u, 0u);
  // When the host runs out of memory, a task goes before what serves visitors. The file is not ours while our memory is
  // nobody's to look at.
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  write_small("/proc/self/oom_score_adj", "500");
  setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
  struct sigaction standard = {.sa_handler = SIG_DFL};
  for (int number = 1; number < NSIG; number++) sigaction(number, &standard, NULL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  char* environment[] = {NULL};
  execve(arguments[0], arguments, environment);
  char text[600];
  int length = snprintf(text, sizeof text, "cannot run %.400s: %s\n", arguments[0], strerror(errno));
  if (length > 0) write_all(STDERR_FILENO, text, (size_t)length);
  _exit(127);
}

static void close_all(int* descriptors, int count) {
  for (int index = 0; index < count; index++) {
    if (descriptors[index] >= 0) close(descriptors[index]);
  }
}

bool sandbox_start(const Pagewright__Shim__V1__Start* start, Sandbox* sandbox, char* reason, size_t size) {
  int inherited[5 + most_files];
  int ours[5] = {-1, -1, -1, -1, -1};
  int count = 5 + (int)start->n_files;
  const char* attempt = "inheriting files";
  if (start->n_files > most_files) {
    snprintf(reason, size, "more than %d files to inherit", most_files);
    return false;
  }
  for (int index = 0; index < count; index++) inherited[index] = -1;

  errno = 0;
  bool is_made = true;
  for (int number = 0; number < count && is_made; number++) {
    int made = -1;
    if (number >= 1 && number <= 4) {
      int ends[2];
      if (pipe2(ends, O_CLOEXEC) == 0) {
        bool is_written_by_us = number == 4;
        made = ends[is_written_by_us ? 0 : 1];
        ours[number] = ends[is_written_by_us ? 1 : 0];
        if (!is_written_by_us) fcntl(ours[number], F_SETFL, O_NONBLOCK);
      }
    } else {
      const ProtobufCBinaryData* content = number == 0 ? &start->input : &start->files[number - 5];
      made = memory_file(content->data, content->len);
    }
    // The numbers that are taken must not be numbers that are given, or one would overwrite the other.
    if (made >= 0) {
      inherited[number] = fcntl(made, F_DUPFD_CLOEXEC, first_high);
      close(made);
    }
    is_made = inherited[number] >= 0;
  }

  pid_t process = -1;
  char** arguments = calloc(start->n_arguments + 2, sizeof *arguments);
  if (is_made && arguments != NULL) {
    arguments[0] = start->program;
    for (size_t index = 0; index < start->n_arguments; index++) arguments[index + 1] = start->arguments[index];
    attempt = "starting a process";
    pid_t shim = getpid();
    process = fork();
    if (process == 0) become(arguments, inherited, count, shim);
  }
  int failure = errno;
  free(arguments);
  close_all(inherited, count);
  if (process < 0) {
    close_all(ours, 5);
    snprintf(reason, size, "%s: %s", attempt, strerror(failure));
    return false;
  }
  // Its own call may come later than the first time that we kill the group.
  setpgid(process, process);
  *sandbox = (Sandbox){process, ours[1], ours[2], ours[3], ours[4]};
  return true;
}

long sandbox_reported(const char* report, const char* key) {
  char quoted[64];
  snprintf(quoted, sizeof quoted, "\"%s\":", key);
  for (const char* line = report; *line != 0;) {
    const char* end = strchr(line, '\n');
    if (end == NULL) end = line + strlen(line);
    const char* found = strstr(line, quoted);
    // Only a complete object: half a number is another number.
    if (found != NULL && found < end && memchr(found, '}', (size_t)(end - found)) != NULL) {
      return strtol(found + strlen(quoted), NULL, 10);
    }
    line = *end == 0 ? end : end + 1;
  }
  return -1;
}
