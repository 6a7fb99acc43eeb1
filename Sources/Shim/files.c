#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

uint8_t* read_to_end(int descriptor, size_t limit, size_t* count) {
  size_t size = 4096;
  size_t filled = 0;
  uint8_t* bytes = malloc(size);
  while (bytes != NULL) {
    if (filled == size) {
      if (size >= limit) {
        errno = EMSGSIZE;
        break;
      }
      size = size * 2 < limit ? size * 2 : limit;
      uint8_t* larger = realloc(bytes, size);
      if (larger == NULL) break;
      bytes = larger;
    }
    ssize_t received = read(descriptor, bytes + filled, size - filled);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0) break;
    if (received == 0) {
      *count = filled;
      return bytes;
    }
    filled += (size_t)received;
  }
  int failure = errno;
  free(bytes);
  errno = failure;
  return NULL;
}

bool write_all(int descriptor, const void* bytes, size_t count) {
  size_t written = 0;
  while (written < count) {
    ssize_t result = write(descriptor, (const char*)bytes + written, count - written);
    if (result < 0 && errno == EINTR) continue;
    if (result < 0) return false;
    if (result == 0) {
      errno = EIO;
      return false;
    }
    written += (size_t)result;
  }
  return true;
}

bool read_small(const char* path, char* text, size_t size) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  size_t filled = 0;
  bool is_read = true;
  while (filled < size - 1) {
    ssize_t received = read(file, text + filled, size - 1 - filled);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0) is_read = false;
    if (received <= 0) break;
    filled += (size_t)received;
  }
  close(file);
  text[filled] = 0;
  return is_read;
}

bool write_small(const char* path, const char* text) {
  int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return false;
  ssize_t count = (ssize_t)strlen(text);
  bool is_written = write(file, text, (size_t)count) == count;
  int failure = errno;
  close(file);
  errno = failure;
  return is_written;
}

int memory_file(const void* bytes, size_t count) {
  int file = memfd_create("pagewright", MFD_CLOEXEC);
  if (file < 0) return -1;
  if (!write_all(file, bytes, count)) {
    int failure = errno;
    close(file);
    errno = failure;
    return -1;
  }
  lseek(file, 0, SEEK_SET);
  return file;
}
