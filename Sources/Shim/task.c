#include "task.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "control_group.h"
#include "files.h"
#include "output_log.h"
#include "sandbox.h"
#include "supervision.h"

/* What a result takes on the disk at the most. */
enum { result_reserve = 65536 };

// The result

static void decide(Task* task) {
  if (task->reason[0] != 0) {
    task->ending = ENDING(NOT_STARTED);
    return;
  }
  if (task->ending != ENDING(ENDING_UNSPECIFIED)) return;
  long code = sandbox_reported(task->report, "exit-code");
  const char* said = task->killed_at == 0 ? "bwrap gave no reason" : "its outer process was killed by somebody else";
  char text[900];
  if (task->diagnostics_count > 0) {
    size_t count = task->diagnostics_count < sizeof text - 1 ? task->diagnostics_count : sizeof text - 1;
    memcpy(text, task->diagnostics, count);
    text[count] = 0;
    while (count > 0 && text[count - 1] == '\n') text[--count] = 0;
    said = text;
  }
  bool is_all_of_bubblewrap = task->output_bytes == task->error_bytes && strncmp(said, "bwrap: ", 7) == 0 &&
                              task->error_bytes == task->diagnostics_count;
  if (code < 0 || (code != 0 && is_all_of_bubblewrap)) {
    snprintf(task->reason, sizeof task->reason, "%s", said);
    task->ending = ENDING(NOT_STARTED);
  } else if (code != 0 && task->has_group && group_ran_out_of_memory(&task->group)) {
    task->ending = ENDING(MEMORY);
  } else if (code != 0 && task->has_group && group_ran_out_of_processes(&task->group)) {
    task->ending = ENDING(PROCESSES);
  } else {
    task->ending = ENDING(EXITED);
  }
}

static uint64_t microseconds(struct timeval time) {
  return (uint64_t)time.tv_sec * 1000000u + (uint64_t)time.tv_usec;
}

/* Makes the result durable under its name, in room that was taken at the start. */
static bool write_result(Task* task, bool is_empty, int64_t began) {
  Pagewright__Shim__V1__Result result = PAGEWRIGHT__SHIM__V1__RESULT__INIT;
  struct rusage use;
  getrusage(RUSAGE_CHILDREN, &use);
  long code = sandbox_reported(task->report, "exit-code");
  result.ending = task->ending;
  result.exit_code = task->ending == ENDING(EXITED) ? (int32_t)code : 0;
  result.reason.data = (uint8_t*)task->reason;
  result.reason.len = strlen(task->reason);
  result.diagnostics.data = task->diagnostics;
  result.diagnostics.len = task->diagnostics_count;
  result.output_bytes = task->output_bytes;
  result.dropped_bytes = task->log.dropped;
  result.wall_time_us = (uint64_t)(task->ended_at - task->started_at);
  result.user_time_us = microseconds(use.ru_utime);
  result.system_time_us = microseconds(use.ru_stime);
  result.peak_memory_bytes = task->peak_memory > 0 ? task->peak_memory : (uint64_t)use.ru_maxrss * 1024;
  result.is_tree_empty = is_empty;
  result.kill_time_us = task->killed_at == 0 ? 0 : (uint64_t)(task->ended_at - task->killed_at);
  result.started_at_ms = began;

  size_t size = pagewright__shim__v1__result__get_packed_size(&result);
  uint8_t* bytes = malloc(size);
  if (bytes == NULL) return false;
  pagewright__shim__v1__result__pack(&result, bytes);
  bool is_written = write_all(task->result_file, bytes, size) && ftruncate(task->result_file, (off_t)size) == 0 &&
                    fsync(task->result_file) == 0 && rename("result.new", "result") == 0;
  free(bytes);
  int folder = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool is_durable = is_written && folder >= 0 && fsync(folder) == 0;
  if (folder >= 0) close(folder);
  return is_durable;
}

// The start

static bool prepare(Task* task, char* reason, size_t size) {
  const char* attempt = "signals";
  sigset_t caught;
  sigemptyset(&caught);
  sigaddset(&caught, SIGCHLD);
  sigaddset(&caught, SIGTERM);
  sigaddset(&caught, SIGINT);
  sigprocmask(SIG_BLOCK, &caught, NULL);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  task->signals = signalfd(-1, &caught, SFD_CLOEXEC | SFD_NONBLOCK);
  bool is_ready = task->signals >= 0;
  if (is_ready) {
    attempt = "the socket of the task";
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "shim.sock"};
    task->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    is_ready = task->listener >= 0 && bind(task->listener, (struct sockaddr*)&address, sizeof address) == 0 &&
               listen(task->listener, most_connections) == 0;
  }
  if (is_ready) {
    attempt = "the log of the task";
    is_ready = log_open(&task->log, "output", task->start->limits->log_bytes, task->started_at);
  }
  if (is_ready) {
    // Room for the result is taken now: a task that fills the disk shall not take it.
    attempt = "room for the result";
    task->result_file = open("result.new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    is_ready = task->result_file >= 0;
    int failure = is_ready ? posix_fallocate(task->result_file, 0, result_reserve) : 0;
    if (failure != 0) {
      errno = failure;
      is_ready = false;
    }
  }
  if (!is_ready) snprintf(reason, size, "%s: %s", attempt, strerror(errno));
  return is_ready;
}

/* Leaves whoever started this behind. */
static void detach(int* ready) {
  setsid();
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
  // Nobody reads the keepsake out of the memory.
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  int messages = open("shim.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  int kept = fcntl(*ready, F_DUPFD_CLOEXEC, 3);
  if (kept >= 0) *ready = kept;
  if (null >= 0) {
    dup2(null, 0);
    dup2(null, 1);
  }
  if (messages >= 0 || null >= 0) dup2(messages >= 0 ? messages : null, 2);
  if (*ready > 3) syscall(SYS_close_range, 3u, (unsigned)*ready - 1, 0u);
  syscall(SYS_close_range, (unsigned)*ready + 1, ~0u, 0u);
}

static int64_t wall_clock(void) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Memory of the start message that is not needed once the program has it. */
static void forget(Pagewright__Shim__V1__Start* start) {
  if (start->input.len > 0) explicit_bzero(start->input.data, start->input.len);
  free(start->input.data);
  start->input = (ProtobufCBinaryData){0, NULL};
  for (size_t index = 0; index < start->n_files; index++) free(start->files[index].data);
  free(start->files);
  start->files = NULL;
  start->n_files = 0;
  malloc_trim(0);
}

int task_run(Pagewright__Shim__V1__Start* start, int ready) {
  static Task task;
  int64_t began = wall_clock();
  task.start = start;
  task.inner = task.listener = task.signals = task.result_file = -1;
  task.has_children = true;
  task.started_at = clock_now();
  detach(&ready);
  char reason[900] = "the start message has no program or no limits";
  bool is_ready = start->program[0] == '/' && start->limits != NULL && prepare(&task, reason, sizeof reason);
  if (is_ready && start->control_group != NULL) {
    const Pagewright__Shim__V1__Limits* limits = start->limits;
    // Two are bubblewrap's own.
    task.has_group = is_ready = group_make(start->control_group, limits->memory_bytes, limits->processes + 2,
                                           &task.group, reason, sizeof reason);
  }
  if (is_ready) is_ready = sandbox_start(start, &task.sandbox, reason, sizeof reason);
  if (!is_ready) {
    if (task.has_group) group_remove(&task.group);
    write_all(ready, reason, strlen(reason));
    return 1;
  }
  forget(start);
  uint64_t wall = start->limits->wall_time_ms;
  task.wall_deadline = task.started_at + (int64_t)(wall < 604800000 ? wall : 604800000) * millisecond;
  task.lease_deadline = task.started_at + (int64_t)(start->lease_ms < 86400000 ? start->lease_ms : 86400000) * millisecond;
  uint8_t zero = 0;
  write_all(ready, &zero, 1);
  close(ready);

  bool is_empty = supervise(&task);
  task.ended_at = clock_now();
  log_finish(&task.log);
  decide(&task);
  if (task.has_group) task.peak_memory = group_peak_memory(&task.group);
  // A group can be removed only when it is empty; the kernel may take a moment to see that it is.
  for (int attempt = 0; task.has_group && !group_remove(&task.group); attempt++) {
    if (attempt == 200) {
      is_empty = false;
      break;
    }
    group_kill(&task.group);
    usleep(5000);
  }
  bool is_written = write_result(&task, is_empty, began);
  unlink("shim.sock");
  pagewright__shim__v1__start__free_unpacked(start, NULL);
  // With this process its connections end, and that says that there is a result.
  return is_written ? 0 : 1;
}
