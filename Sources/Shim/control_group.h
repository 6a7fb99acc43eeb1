#ifndef PAGEWRIGHT_SHIM_CONTROL_GROUP_H
#define PAGEWRIGHT_SHIM_CONTROL_GROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "pagewright/shim/v1/shim.pb-c.h"

/* The control group of one task: one folder, or one for memory and one for processes. */
typedef struct {
  int count;
  char folders[2][512];
} ControlGroup;

/* Makes a group with limits. `reason` says why when the result is false; nothing is left behind then. */
bool group_make(const Pagewright__Shim__V1__ControlGroup* place, uint64_t memory, uint64_t processes,
                ControlGroup* group, char* reason, size_t size);

/* From now on the process and what it starts are in the group. */
bool group_add(const ControlGroup* group, pid_t process);

/* Whether the kernel killed something in it for want of memory. */
bool group_ran_out_of_memory(const ControlGroup* group);

/* Whether a process was refused because there were too many. */
bool group_ran_out_of_processes(const ControlGroup* group);

/* The most memory that it used at once, in bytes; 0 when the kernel does not say. */
uint64_t group_peak_memory(const ControlGroup* group);

/* Kills whatever is in it, without waiting. */
void group_kill(const ControlGroup* group);

/* Removes an empty group; false when something is in it still. */
bool group_remove(ControlGroup* group);

#endif
