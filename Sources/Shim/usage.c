#include "usage.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "files.h"

enum { deepest_folder = 64 };

/* As the kernel fills it in. */
typedef struct {
  uint64_t inode;
  int64_t offset;
  unsigned short length;
  unsigned char type;
  char name[];
} KernelEntry;

/* Opens a folder for listing. A task may take the rights away from its own folders and write to them all the same: they
   are given back, by a descriptor, so that no link that came into the place is followed. */
static int open_folder(int parent, const char* name, mode_t mode) {
  const int flags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  if ((mode & 0700) == 0700) return openat(parent, name, O_RDONLY | flags);
  int place = openat(parent, name, O_PATH | flags);
  if (place < 0) return -1;
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", place);
  int folder = chmod(path, 0700) == 0 ? openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  int failure = errno;
  close(place);
  errno = failure;
  return folder;
}

/* Takes the descriptor over. */
static void add(FolderUsage* usage, int folder, int depth, uint64_t limit) {
  // Not readdir: its buffer of 32 KiB for each level would be most of this program.
  _Alignas(KernelEntry) char buffer[2048];
  long filled;
  while ((filled = syscall(SYS_getdents64, folder, buffer, sizeof buffer)) > 0) {
    for (long place = 0; place < filled;) {
      const KernelEntry* entry = (const KernelEntry*)(buffer + place);
      place += entry->length;
      if (strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0) continue;
      if (++usage->entries > limit) {
        close(folder);
        return;
      }
      struct stat status;
      if (fstatat(folder, entry->name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
      if (S_ISDIR(status.st_mode)) {
        if (depth == deepest_folder) {
          usage->entries = limit + 1;
          close(folder);
          return;
        }
        int child = open_folder(folder, entry->name, status.st_mode);
        if (child >= 0) {
          add(usage, child, depth + 1, limit);
        } else if (errno == EACCES) {
          usage->entries = limit + 1;
        }
        if (usage->entries > limit) {
          close(folder);
          return;
        }
      } else {
        uint64_t size = (uint64_t)status.st_size;
        uint64_t blocks = (uint64_t)status.st_blocks * 512;
        usage->bytes += size > blocks ? size : blocks;
      }
    }
  }
  close(folder);
}

void folder_usage_add(FolderUsage* usage, const char* path, uint64_t limit) {
  struct stat status;
  if (lstat(path, &status) != 0) return;
  int folder = open_folder(AT_FDCWD, path, status.st_mode);
  if (folder >= 0) add(usage, folder, 0, limit);
}

typedef struct {
  pid_t process, parent;
  uint64_t pages;
  bool is_below;
} Member;

/* Every process of the host, those below `root` marked; to be freed. */
static Member* members(pid_t root, size_t* count) {
  size_t size = 0;
  *count = 0;
  Member* list = NULL;
  DIR* folder = opendir("/proc");
  if (folder == NULL) return NULL;
  for (struct dirent* entry; (entry = readdir(folder)) != NULL;) {
    if (!isdigit((unsigned char)entry->d_name[0])) continue;
    char path[300], text[1024];
    snprintf(path, sizeof path, "/proc/%s/stat", entry->d_name);
    if (!read_small(path, text, sizeof text)) continue;
    // The name in parentheses may hold anything.
    const char* end = strrchr(text, ')');
    char state;
    int parent;
    unsigned long pages;
    if (end == NULL ||
        sscanf(end + 1, " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %*u %*u %lu",
               &state, &parent, &pages) != 3) {
      continue;
    }
    if (state == 'Z') continue;
    if (*count == size) {
      size = size == 0 ? 256 : size * 2;
      Member* larger = realloc(list, size * sizeof *list);
      if (larger == NULL) break;
      list = larger;
    }
    list[(*count)++] = (Member){(pid_t)atoi(entry->d_name), (pid_t)parent, pages, false};
  }
  closedir(folder);
  for (bool is_growing = true; is_growing;) {
    is_growing = false;
    for (size_t index = 0; index < *count; index++) {
      if (list[index].is_below) continue;
      bool is_below = list[index].parent == root;
      for (size_t other = 0; other < *count && !is_below; other++) {
        is_below = list[other].is_below && list[other].process == list[index].parent;
      }
      if (is_below) list[index].is_below = is_growing = true;
    }
  }
  return list;
}

TreeUsage tree_usage(pid_t root) {
  size_t count;
  Member* list = members(root, &count);
  TreeUsage usage = {0, 0};
  uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
  for (size_t index = 0; index < count; index++) {
    if (!list[index].is_below) continue;
    usage.processes++;
    usage.memory += list[index].pages * page;
  }
  free(list);
  return usage;
}

void tree_kill(pid_t root) {
  size_t count;
  Member* list = members(root, &count);
  for (size_t index = 0; index < count; index++) {
    if (list[index].is_below) kill(list[index].process, SIGKILL);
  }
  free(list);
}
