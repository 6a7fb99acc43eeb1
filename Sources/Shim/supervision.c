#include "supervision.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "files.h"
#include "usage.h"

/* How often the use of memory and disk is looked at. */
static const int64_t check_interval = 200 * 1000;
/* How long a killed task may take to be gone. */
static const int64_t confirmation_limit = 20 * 1000000LL;
/* How long whoever started the task may take to connect. */
static const int64_t connection_limit = 10 * 1000000LL;

static void end(Task* task, Ending ending) {
  if (task->killed_at != 0) return;
  task->ending = ending;
  task->killed_at = clock_now();
  // While the sandbox is built nobody knows its first process yet; it is killed as soon as it is known. Killing the
  // outer process now could leave the inner one waiting for it.
  if (task->inner >= 0) syscall(SYS_pidfd_send_signal, task->inner, SIGKILL, NULL, 0u);
}

/* It was not let begin. */
static void refuse(Task* task, const char* reason) {
  snprintf(task->reason, sizeof task->reason, "%s", reason);
  end(task, ENDING(NOT_STARTED));
}

/* Notes children that ended, ours and those of parents that ended before them. */
static void reap(Task* task) {
  for (;;) {
    pid_t process = waitpid(-1, NULL, WNOHANG);
    if (process > 0) {
      if (process == task->sandbox.process) {
        task->outer_has_ended = true;
        task->outer_ended_at = clock_now();
      }
      continue;
    }
    if (process < 0 && errno == EINTR) continue;
    task->has_children = process == 0;
    return;
  }
}

static bool is_over(const Task* task) {
  return task->outer_has_ended && !task->has_children && task->sandbox.output < 0 && task->sandbox.errors < 0 &&
         task->sandbox.status < 0 && (task->inner < 0 || task->inner_has_ended);
}

// What bubblewrap says

static void let_begin(Task* task, pid_t process) {
  if (task->has_group && !group_add(&task->group, process)) {
    // It may have died of what bubblewrap will tell; then that is the reason.
    struct pollfd polled = {task->inner, POLLIN, 0};
    char reason[128];
    snprintf(reason, sizeof reason, "cannot move the task into its control group: %s", strerror(errno));
    if (poll(&polled, 1, 0) == 0) refuse(task, reason);
  } else {
    uint8_t byte = 1;
    write_all(task->sandbox.gate, &byte, 1);
  }
  close(task->sandbox.gate);
  task->sandbox.gate = -1;
}

static void read_report(Task* task) {
  while (task->sandbox.status >= 0) {
    char overflow[256];
    size_t room = sizeof task->report - 1 - task->report_count;
    ssize_t count = room > 0 ? read(task->sandbox.status, task->report + task->report_count, room)
                             : read(task->sandbox.status, overflow, sizeof overflow);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) break;
    if (count <= 0) {
      close(task->sandbox.status);
      task->sandbox.status = -1;
    } else if (room > 0) {
      task->report_count += (size_t)count;
      task->report[task->report_count] = 0;
    }
  }
  if (task->inner >= 0 || task->sandbox.gate < 0) return;
  long process = sandbox_reported(task->report, "child-pid");
  if (process <= 0) return;
  task->inner = (int)syscall(SYS_pidfd_open, (pid_t)process, 0u);
  if (task->inner < 0) return;
  fcntl(task->inner, F_SETFD, FD_CLOEXEC);
  if (task->killed_at != 0) {
    syscall(SYS_pidfd_send_signal, task->inner, SIGKILL, NULL, 0u);
  } else {
    // Nothing has run inside yet: bubblewrap waits for the byte.
    let_begin(task, (pid_t)process);
  }
}

// What the program says

static void keep_diagnostics(Task* task, const uint8_t* bytes, size_t count) {
  if (count > sizeof task->diagnostics) {
    bytes += count - sizeof task->diagnostics;
    count = sizeof task->diagnostics;
  }
  size_t over = task->diagnostics_count + count > sizeof task->diagnostics
                    ? task->diagnostics_count + count - sizeof task->diagnostics
                    : 0;
  memmove(task->diagnostics, task->diagnostics + over, task->diagnostics_count - over);
  memcpy(task->diagnostics + task->diagnostics_count - over, bytes, count);
  task->diagnostics_count += count - over;
}

/* Reads what there is, a bounded piece at a time. */
static void read_output(Task* task, int* pipe, Pagewright__Shim__V1__LogRecord__Source source) {
  static uint8_t buffer[output_piece];
  for (int round = 0; round < 32 && *pipe >= 0; round++) {
    ssize_t count = read(*pipe, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) {
      close(*pipe);
      *pipe = -1;
      return;
    }
    log_add(&task->log, source, buffer, (size_t)count);
    task->output_bytes += (uint64_t)count;
    if (source == PAGEWRIGHT__SHIM__V1__LOG_RECORD__SOURCE__STANDARD_ERROR) {
      task->error_bytes += (uint64_t)count;
      keep_diagnostics(task, buffer, (size_t)count);
    }
    if (task->output_bytes > task->start->limits->output_bytes) end(task, ENDING(OUTPUT));
  }
}

// Who is connected

static void drop(Task* task, int index) {
  close(task->connections[index].socket);
  task->connections[index] = task->connections[--task->connection_count];
}

static void accept_connection(Task* task) {
  int socket = accept4(task->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (socket < 0) return;
  struct ucred peer;
  socklen_t size = sizeof peer;
  bool is_friend = getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
                   (peer.uid == geteuid() || peer.uid == 0);
  if (!is_friend || task->connection_count == most_connections) {
    close(socket);
    return;
  }
  task->connections[task->connection_count++] = (Connection){socket, false, 0};
  task->had_connection = true;
}

static void obey(Task* task, const Pagewright__Shim__V1__Request* request) {
  switch (request->request_case) {
    case PAGEWRIGHT__SHIM__V1__REQUEST__REQUEST_RENEW: {
      uint64_t lease = request->renew->lease_ms;
      // A day is more than any task may take.
      if (lease > 86400000) lease = 86400000;
      task->lease_deadline = clock_now() + (int64_t)lease * millisecond;
      break;
    }
    case PAGEWRIGHT__SHIM__V1__REQUEST__REQUEST_CANCEL:
      end(task, ENDING(CANCELLED));
      break;
    default:
      break;
  }
}

/* Takes what it asks for. Returns whether it is still there. */
static bool hear(Task* task, Connection* connection) {
  uint8_t packet[512];
  bool was_reset = false;
  for (;;) {
    ssize_t count = recv(connection->socket, packet, sizeof packet, MSG_DONTWAIT | MSG_TRUNC);
    if (count < 0 && errno == EINTR) continue;
    // Said once, and first, when it left without hearing all that we said. What it asked for before comes after that.
    if (count < 0 && errno == ECONNRESET && !was_reset) {
      was_reset = true;
      continue;
    }
    if (count < 0 && errno == EAGAIN) return true;
    if (count <= 0 || (size_t)count > sizeof packet) return false;
    Pagewright__Shim__V1__Request* request = pagewright__shim__v1__request__unpack(NULL, (size_t)count, packet);
    // Who speaks another language is not who we think it is.
    if (request == NULL) return false;
    obey(task, request);
    pagewright__shim__v1__request__free_unpacked(request, NULL);
  }
}

/* A packet goes whole or not at all. */
static bool say(int socket, const Pagewright__Shim__V1__Report* report) {
  size_t size = pagewright__shim__v1__report__get_packed_size(report);
  uint8_t small[64];
  uint8_t* packet = size <= sizeof small ? small : malloc(size);
  if (packet == NULL) return false;
  pagewright__shim__v1__report__pack(report, packet);
  bool is_sent = send(socket, packet, size, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size;
  if (packet != small) free(packet);
  return is_sent;
}

static void tell(Task* task, Connection* connection) {
  Pagewright__Shim__V1__Report report = PAGEWRIGHT__SHIM__V1__REPORT__INIT;
  if (!connection->is_attached) {
    Pagewright__Shim__V1__Attached attached = PAGEWRIGHT__SHIM__V1__ATTACHED__INIT;
    attached.keepsake = task->start->keepsake;
    int64_t left = (task->lease_deadline - clock_now()) / millisecond;
    attached.lease_left_ms = task->start->lease_ms == 0 ? 0 : left > 0 ? (uint64_t)left : 1;
    attached.shim_pid = getpid();
    report.report_case = PAGEWRIGHT__SHIM__V1__REPORT__REPORT_ATTACHED;
    report.attached = &attached;
    connection->is_attached = say(connection->socket, &report);
  }
  if (connection->is_attached && connection->told < task->log.size) {
    Pagewright__Shim__V1__Grown grown = PAGEWRIGHT__SHIM__V1__GROWN__INIT;
    grown.log_bytes = task->log.size;
    report.report_case = PAGEWRIGHT__SHIM__V1__REPORT__REPORT_GROWN;
    report.grown = &grown;
    if (say(connection->socket, &report)) connection->told = task->log.size;
  }
}

// Limits

static void look_at_use(Task* task) {
  const Pagewright__Shim__V1__Limits* limits = task->start->limits;
  if (!task->has_group) {
    TreeUsage tree = tree_usage(task->sandbox.process);
    // Two are bubblewrap's own.
    if (tree.processes > limits->processes + 2) return end(task, ENDING(PROCESSES));
    if (tree.memory > limits->memory_bytes) {
      task->peak_memory = tree.memory;
      return end(task, ENDING(MEMORY));
    }
  }
  FolderUsage usage = {0, 0};
  for (size_t index = 0; index < task->start->n_folders && usage.entries <= limits->folder_entries; index++) {
    folder_usage_add(&usage, task->start->folders[index], limits->folder_entries);
  }
  if (usage.entries > limits->folder_entries) return end(task, ENDING(FOLDER_ENTRIES));
  if (usage.bytes > limits->folder_bytes) return end(task, ENDING(FOLDER_BYTES));
  struct statvfs disk;
  if (task->start->n_folders > 0 && statvfs(task->start->folders[0], &disk) == 0 &&
      (uint64_t)disk.f_bavail * disk.f_frsize < limits->disk_reserve_bytes) {
    end(task, ENDING(DISK_FULL));
  }
}

static void check_limits(Task* task) {
  int64_t now = clock_now();
  if (task->killed_at == 0) {
    if (now >= task->wall_deadline) end(task, ENDING(WALL_TIME));
    if (task->start->lease_ms > 0 && now >= task->lease_deadline) end(task, ENDING(LEASE_EXPIRED));
    if (task->start->ends_with_connection && task->connection_count == 0 &&
        (task->had_connection || now >= task->started_at + connection_limit)) {
      end(task, ENDING(ABANDONED));
    }
  }
  if (now < task->next_check) return;
  if (task->killed_at == 0 && task->inner >= 0 && !task->inner_has_ended) look_at_use(task);
  // A look at a large folder takes its time; it shall take a small part of ours.
  int64_t after = clock_now();
  int64_t pause = (after - now) * 10;
  task->next_check = after + (pause > check_interval ? pause : check_interval);
}

/* Kills again what should be gone. Returns whether that may still come true. */
static bool insist(Task* task) {
  int64_t now = clock_now();
  if (task->outer_has_ended && task->killed_at == 0 && now - task->outer_ended_at > second) {
    // Somebody killed the outer process. The inner one, if it was being built, would wait for it for ever.
    task->killed_at = now;
    if (task->inner >= 0) syscall(SYS_pidfd_send_signal, task->inner, SIGKILL, NULL, 0u);
  }
  if (task->killed_at == 0 || now - task->killed_at < second) return true;
  // Both processes of a sandbox that is being built are in one group.
  kill(-task->sandbox.process, SIGKILL);
  if (task->has_group) group_kill(&task->group);
  tree_kill(getpid());
  return now - task->killed_at < confirmation_limit;
}

// Waiting

static int64_t earlier(int64_t one, int64_t other) { return one < other ? one : other; }

static void wait_for_something(Task* task) {
  struct pollfd polled[7 + most_connections];
  int count = 0;
  polled[count++] = (struct pollfd){task->signals, POLLIN, 0};
  polled[count++] = (struct pollfd){task->listener, POLLIN, 0};
  polled[count++] = (struct pollfd){task->sandbox.output, POLLIN, 0};
  polled[count++] = (struct pollfd){task->sandbox.errors, POLLIN, 0};
  polled[count++] = (struct pollfd){task->sandbox.status, POLLIN, 0};
  polled[count++] = (struct pollfd){task->inner_has_ended ? -1 : task->inner, POLLIN, 0};
  int first = count;
  for (int index = 0; index < task->connection_count; index++) {
    const Connection* connection = &task->connections[index];
    bool is_behind = !connection->is_attached || connection->told < task->log.size;
    short events = is_behind ? POLLIN | POLLOUT : POLLIN;
    polled[count++] = (struct pollfd){connection->socket, events, 0};
  }
  int64_t until = task->next_check;
  if (task->killed_at == 0) {
    until = earlier(until, task->wall_deadline);
    if (task->start->lease_ms > 0) until = earlier(until, task->lease_deadline);
  }
  int64_t left = (until - clock_now()) / millisecond + 1;
  if (poll(polled, (nfds_t)count, left > 0 ? (int)earlier(left, 1000) : 0) <= 0) return;

  if (polled[0].revents != 0) {
    struct signalfd_siginfo signal;
    while (read(task->signals, &signal, sizeof signal) == (ssize_t)sizeof signal) {
      if (signal.ssi_signo != SIGCHLD) end(task, ENDING(CANCELLED));
    }
  }
  if (polled[5].revents != 0) task->inner_has_ended = true;
  // From the last to the first, because the last one moves into the place of one that is dropped.
  for (int index = task->connection_count - 1; index >= 0; index--) {
    short happened = polled[first + index].revents;
    if ((happened & (POLLIN | POLLHUP | POLLERR)) != 0 && !hear(task, &task->connections[index])) drop(task, index);
  }
  if (polled[1].revents != 0) accept_connection(task);
}

bool supervise(Task* task) {
  task->next_check = task->started_at + check_interval;
  while (!is_over(task)) {
    wait_for_something(task);
    read_report(task);
    read_output(task, &task->sandbox.output, PAGEWRIGHT__SHIM__V1__LOG_RECORD__SOURCE__STANDARD_OUTPUT);
    read_output(task, &task->sandbox.errors, PAGEWRIGHT__SHIM__V1__LOG_RECORD__SOURCE__STANDARD_ERROR);
    reap(task);
    check_limits(task);
    if (!insist(task)) return false;
    for (int index = 0; index < task->connection_count; index++) tell(task, &task->connections[index]);
  }
  return true;
}
