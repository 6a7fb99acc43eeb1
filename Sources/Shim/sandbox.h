#ifndef PAGEWRIGHT_SHIM_SANDBOX_H
#define PAGEWRIGHT_SHIM_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "pagewright/shim/v1/shim.pb-c.h"

/* bubblewrap's outer process as our child, and our ends of its pipes. */
typedef struct {
  pid_t process;
  int output, errors, status;
  /* A byte here lets the program begin. */
  int gate;
} Sandbox;

/* Starts it; `reason` says why when the result is false. */
bool sandbox_start(const Pagewright__Shim__V1__Start* start, Sandbox* sandbox, char* reason, size_t size);

/* A number of bubblewrap's report, such as of "child-pid"; -1 while it has not been said. */
long sandbox_reported(const char* report, const char* key);

#endif
