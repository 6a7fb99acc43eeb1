#ifndef PAGEWRIGHT_SHIM_CLOCK_H
#define PAGEWRIGHT_SHIM_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Microseconds by a clock that nobody sets and that goes on while the machine sleeps. */
static inline int64_t clock_now(void) {
  struct timespec time;
  clock_gettime(CLOCK_BOOTTIME, &time);
  return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static const int64_t millisecond = 1000;
static const int64_t second = 1000000;

#endif
