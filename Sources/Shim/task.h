#ifndef PAGEWRIGHT_SHIM_TASK_H
#define PAGEWRIGHT_SHIM_TASK_H

#include <stdbool.h>
#include <stddef.h>

#include "pagewright/shim/v1/shim.pb-c.h"

/* Runs one task in the current folder from its start to its result. Takes `start` over.

   `ready` is told one zero byte once the task can be connected to, or a sentence that says why it cannot be run; then it
   is closed. Returns the exit code of the program: 0 when there is a result. */
int task_run(Pagewright__Shim__V1__Start* start, int ready);

#endif
