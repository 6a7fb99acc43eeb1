#ifndef PAGEWRIGHT_SHIM_USAGE_H
#define PAGEWRIGHT_SHIM_USAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What folders hold. */
typedef struct {
  uint64_t bytes;
  uint64_t entries;
} FolderUsage;

/* Adds what is in a folder, symbolic links not followed; stops early once more than `limit` entries were seen. Nesting
   too deep to be collected counts as too many entries. */
void folder_usage_add(FolderUsage* usage, const char* path, uint64_t limit);

/* What descends from a process, as /proc tells; the process itself is not counted. */
typedef struct {
  uint64_t processes;
  uint64_t memory;
} TreeUsage;

TreeUsage tree_usage(pid_t root);

/* Kills everything that descends from a process. */
void tree_kill(pid_t root);

#endif
