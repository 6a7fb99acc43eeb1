// Calls of the C library that it declares only for _GNU_SOURCE, which Swift's Glibc module is made without.

#include <stddef.h>

/// Where the bytes of `needle` begin in `haystack`; NULL when they do not.
void *memmem(const void *haystack, size_t haystack_size, const void *needle, size_t needle_size);

/// Writes all that is not yet on the disk of the file system that holds `fd`.
int syncfs(int fd);
