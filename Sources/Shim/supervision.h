#ifndef PAGEWRIGHT_SHIM_SUPERVISION_H
#define PAGEWRIGHT_SHIM_SUPERVISION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control_group.h"
#include "output_log.h"
#include "pagewright/shim/v1/shim.pb-c.h"
#include "sandbox.h"

#define ENDING(name) PAGEWRIGHT__SHIM__V1__RESULT__ENDING__##name
typedef Pagewright__Shim__V1__Result__Ending Ending;

enum {
  most_connections = 8,
  diagnostics_size = 16384,
  report_size = 4096,
};

typedef struct {
  int socket;
  bool is_attached;
  /* How much of the log it was told of. */
  uint64_t told;
} Connection;

typedef struct {
  Pagewright__Shim__V1__Start* start;
  int signals, listener, result_file;
  Connection connections[most_connections];
  int connection_count;
  bool had_connection;

  Sandbox sandbox;
  ControlGroup group;
  bool has_group;
  /* The first process inside: when it is gone, the kernel has ended all others before. */
  int inner;
  bool outer_has_ended, inner_has_ended, has_children;
  int64_t outer_ended_at;

  OutputLog log;
  uint64_t output_bytes, error_bytes;
  uint8_t diagnostics[diagnostics_size];
  size_t diagnostics_count;
  char report[report_size];
  size_t report_count;

  int64_t started_at, wall_deadline, lease_deadline, killed_at, ended_at, next_check;
  Ending ending;
  char reason[1024];
  uint64_t peak_memory;
} Task;

/* Watches over a task whose sandbox was started: keeps what it prints, holds it to its limits, obeys and tells whoever
   is connected, until nothing of it is left. Returns false when some of its processes could not be ended. */
bool supervise(Task* task);

#endif
