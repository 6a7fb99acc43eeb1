#include "control_group.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"

static void join(char* path, size_t size, const ControlGroup* group, int index, const char* file) {
  snprintf(path, size, "%s/%s", group->folders[index], file);
}

static bool set(const ControlGroup* group, int index, const char* file, uint64_t value) {
  char path[640], text[32];
  join(path, sizeof path, group, index, file);
  snprintf(text, sizeof text, "%" PRIu64, value);
  return write_small(path, text);
}

bool group_make(const Pagewright__Shim__V1__ControlGroup* place, uint64_t memory, uint64_t processes,
                ControlGroup* group, char* reason, size_t size) {
  const char* parents[2] = {place->memory, place->processes};
  group->count = 0;
  for (int index = 0; index < (place->is_unified ? 1 : 2); index++) {
    int length = snprintf(group->folders[index], sizeof group->folders[index], "%s/pagewright-%d-1", parents[index],
                          (int)getpid());
    bool fits = length > 0 && (size_t)length < sizeof group->folders[index];
    if (!fits) errno = ENAMETOOLONG;
    if (!fits || (mkdir(group->folders[index], 0755) != 0 && errno != EEXIST)) {
      snprintf(reason, size, "cannot make a control group in %s: %s", parents[index], strerror(errno));
      group_remove(group);
      return false;
    }
    group->count++;
  }
  bool is_limited;
  if (place->is_unified) {
    is_limited = set(group, 0, "memory.max", memory) && set(group, 0, "pids.max", processes);
    // Not every kernel has these.
    set(group, 0, "memory.swap.max", 0);
    set(group, 0, "memory.oom.group", 1);
  } else {
    is_limited = set(group, 0, "memory.limit_in_bytes", memory) && set(group, 1, "pids.max", processes);
    set(group, 0, "memory.memsw.limit_in_bytes", memory);
  }
  if (is_limited) return true;
  snprintf(reason, size, "cannot limit the control group %s: %s", group->folders[0], strerror(errno));
  group_remove(group);
  return false;
}

bool group_add(const ControlGroup* group, pid_t process) {
  for (int index = 0; index < group->count; index++) {
    if (!set(group, index, "cgroup.procs", (uint64_t)process)) return false;
  }
  return true;
}

/* Whether a line "key number" in one of the group's files has a number over 0. */
static bool counted(const ControlGroup* group, const char* file, const char* key) {
  for (int index = 0; index < group->count; index++) {
    char path[640], text[1024];
    join(path, sizeof path, group, index, file);
    if (!read_small(path, text, sizeof text)) continue;
    for (char *rest = NULL, *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
      size_t length = strlen(key);
      if (strncmp(line, key, length) == 0 && line[length] == ' ' && strtoull(line + length, NULL, 10) > 0) return true;
    }
  }
  return false;
}

bool group_ran_out_of_memory(const ControlGroup* group) {
  return counted(group, "memory.events", "oom_kill") || counted(group, "memory.oom_control", "oom_kill");
}

bool group_ran_out_of_processes(const ControlGroup* group) { return counted(group, "pids.events", "max"); }

uint64_t group_peak_memory(const ControlGroup* group) {
  static const char* const files[] = {"memory.peak", "memory.max_usage_in_bytes"};
  for (int index = 0; index < group->count; index++) {
    for (int file = 0; file < 2; file++) {
      char path[640], text[64];
      join(path, sizeof path, group, index, files[file]);
      if (read_small(path, text, sizeof text)) return strtoull(text, NULL, 10);
    }
  }
  return 0;
}

void group_kill(const ControlGroup* group) {
  for (int index = 0; index < group->count; index++) {
    char path[640], text[4096];
    join(path, sizeof path, group, index, "cgroup.kill");
    if (write_small(path, "1")) continue;
    join(path, sizeof path, group, index, "cgroup.procs");
    if (!read_small(path, text, sizeof text)) continue;
    for (char *rest = NULL, *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
      pid_t process = (pid_t)strtol(line, NULL, 10);
      if (process > 1) kill(process, SIGKILL);
    }
  }
}

bool group_remove(ControlGroup* group) {
  while (group->count > 0) {
    if (rmdir(group->folders[group->count - 1]) != 0 && errno != ENOENT) return false;
    group->count--;
  }
  return true;
}
