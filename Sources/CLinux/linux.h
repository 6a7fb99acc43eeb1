// Calls of the C library that it declares only for _GNU_SOURCE, which Swift's Glibc module is made without.

#include <stddef.h>
#include <sys/timex.h>

/// Where the bytes of `needle` begin in `haystack`; NULL when they do not.
void *memmem(const void *haystack, size_t haystack_size, const void *needle, size_t needle_size);

/// Writes all that is not yet on the disk of the file system that holds `fd`.
int syncfs(int fd);

/// What the kernel says about its clock: 1 when somebody keeps it, 0 when nobody does, -1 when it does not say.
static inline int clock_is_kept(void) {
    struct timex facts = {0};
    int state = adjtimex(&facts);
    if (state < 0) return -1;
    return state != TIME_ERROR && (facts.status & STA_UNSYNC) == 0;
}
