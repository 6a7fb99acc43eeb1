#ifndef PAGEWRIGHT_SHIM_FILES_H
#define PAGEWRIGHT_SHIM_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All of a descriptor up to its end, to be freed; NULL with errno set when it cannot be read or is longer than `limit`. */
uint8_t* read_to_end(int descriptor, size_t limit, size_t* count);

/* Writes all of it; false with errno set when only a part could be written, or nothing. */
bool write_all(int descriptor, const void* bytes, size_t count);

/* A file of the kernel as text, cut at `size` - 1 bytes; false when it cannot be read. */
bool read_small(const char* path, char* text, size_t size);

/* In one call, as such files want it. */
bool write_small(const char* path, const char* text);

/* A file without a name that holds `bytes`, ready to be read; -1 with errno set when there is no memory. */
int memory_file(const void* bytes, size_t count);

#endif
