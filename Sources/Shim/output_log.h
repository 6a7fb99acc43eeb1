#ifndef PAGEWRIGHT_SHIM_OUTPUT_LOG_H
#define PAGEWRIGHT_SHIM_OUTPUT_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "pagewright/shim/v1/shim.pb-c.h"

enum { output_piece = 16384 };

/* What a task printed, as records in a file with a limit. */
typedef struct {
  int file;
  uint64_t size;
  uint64_t limit;
  int64_t started_at;
  /* Printed and not kept since the last record. */
  uint64_t gap;
  /* Printed and not kept in all. */
  uint64_t dropped;
} OutputLog;

bool log_open(OutputLog* log, const char* path, uint64_t limit, int64_t started_at);

/* At most `output_piece` bytes. What the limit or the disk does not take is counted. */
void log_add(OutputLog* log, Pagewright__Shim__V1__LogRecord__Source source, const uint8_t* bytes, size_t count);

/* Says how much is missing at the end, and makes all of it durable. */
void log_finish(OutputLog* log);

#endif
