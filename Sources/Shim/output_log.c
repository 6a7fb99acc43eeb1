#include "output_log.h"

#include <fcntl.h>
#include <unistd.h>

#include "clock.h"
#include "files.h"

/* A record about a gap is short, and there is always room for one. */
enum { gap_reserve = 128 };

bool log_open(OutputLog* log, const char* path, uint64_t limit, int64_t started_at) {
  *log = (OutputLog){.limit = limit, .started_at = started_at};
  log->file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
  return log->file >= 0;
}

static bool append(OutputLog* log, const Pagewright__Shim__V1__LogRecord* record, uint64_t limit) {
  static uint8_t buffer[4 + output_piece + 64];
  size_t size = pagewright__shim__v1__log_record__get_packed_size(record);
  if (size + 4 > sizeof buffer || log->size + size + 4 > limit) return false;
  for (int index = 0; index < 4; index++) buffer[index] = (uint8_t)(size >> (8 * index));
  pagewright__shim__v1__log_record__pack(record, buffer + 4);
  if (!write_all(log->file, buffer, size + 4)) {
    // Half a record would be the end of the log for whoever reads it.
    if (ftruncate(log->file, (off_t)log->size) != 0) log->limit = log->size;
    return false;
  }
  log->size += size + 4;
  return true;
}

static bool close_gap(OutputLog* log, uint64_t limit) {
  if (log->gap == 0) return true;
  Pagewright__Shim__V1__LogRecord record = PAGEWRIGHT__SHIM__V1__LOG_RECORD__INIT;
  record.at_us = (uint64_t)(clock_now() - log->started_at);
  record.source = PAGEWRIGHT__SHIM__V1__LOG_RECORD__SOURCE__GAP;
  record.dropped_bytes = log->gap;
  if (!append(log, &record, limit)) return false;
  log->gap = 0;
  return true;
}

void log_add(OutputLog* log, Pagewright__Shim__V1__LogRecord__Source source, const uint8_t* bytes, size_t count) {
  Pagewright__Shim__V1__LogRecord record = PAGEWRIGHT__SHIM__V1__LOG_RECORD__INIT;
  record.at_us = (uint64_t)(clock_now() - log->started_at);
  record.source = source;
  record.data.data = (uint8_t*)bytes;
  record.data.len = count;
  uint64_t limit = log->limit > gap_reserve ? log->limit - gap_reserve : 0;
  size_t size = pagewright__shim__v1__log_record__get_packed_size(&record);
  // A gap is closed only when a record follows, so that a full log gets one gap and not one for each piece.
  bool is_kept = log->size + size + 4 + (log->gap > 0 ? 64 : 0) <= limit && close_gap(log, limit) &&
                 append(log, &record, limit);
  if (!is_kept) {
    log->gap += count;
    log->dropped += count;
  }
}

void log_finish(OutputLog* log) {
  close_gap(log, log->limit);
  fsync(log->file);
}
