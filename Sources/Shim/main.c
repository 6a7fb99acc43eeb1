/* pagewright-shim: owns one running task, from its start to its result, and outlives the agent that started it.

   pagewright-shim FOLDER < start-message

   returns 0 as soon as the task can be connected to in FOLDER; the shim itself goes on in the background, in a session
   of its own. See Protos/pagewright/shim/v1/shim.proto and docs/sandbox.md. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <unistd.h>

#include "files.h"
#include "task.h"

enum { largest_start = 24 << 20 };

/* SwiftPM links every program with the start of a Swift one, which makes itself known to the Swift runtime by this call.
   Here is no Swift: with the call answered, nothing of the runtime is linked into this program. */
void swift_addNewDSOImage(const void* image);
void swift_addNewDSOImage(const void* image) { (void)image; }

static int fail(const char* attempt) {
  fprintf(stderr, "%s: %s\n", attempt, strerror(errno));
  return 1;
}

static Pagewright__Shim__V1__Start* read_start(void) {
  size_t count = 0;
  uint8_t* bytes = read_to_end(STDIN_FILENO, largest_start, &count);
  if (bytes == NULL) return NULL;
  Pagewright__Shim__V1__Start* start = pagewright__shim__v1__start__unpack(NULL, count, bytes);
  free(bytes);
  if (start == NULL) errno = EBADMSG;
  return start;
}

/* Waits for what the shim in the background says of its start. */
static int await(int ready) {
  size_t count = 0;
  uint8_t* said = read_to_end(ready, 4096, &count);
  int result = said != NULL && count == 1 && said[0] == 0 ? 0 : 1;
  if (result != 0) {
    if (said != NULL && count > 0) {
      fprintf(stderr, "%.*s\n", (int)count, (const char*)said);
    } else {
      fputs("the shim died before it could say why\n", stderr);
    }
  }
  free(said);
  return result;
}

int main(int count, char** words) {
  if (count == 2 && strcmp(words[1], "--version") == 0) {
    puts("pagewright-shim 1");
    return 0;
  }
  if (count != 2 || words[1][0] == '-') {
    fputs("Usage: pagewright-shim FOLDER < START\n"
          "Runs a task for pagewright-agent, which starts this program; it is of no use elsewhere.\n", stderr);
    return 64;
  }
  umask(077);
  if (chdir(words[1]) != 0) return fail(words[1]);
  Pagewright__Shim__V1__Start* start = read_start();
  if (start == NULL) return fail("the start message cannot be read");
  int ready[2];
  if (pipe2(ready, O_CLOEXEC) != 0) return fail("pipe");
  pid_t shim = fork();
  if (shim < 0) return fail("fork");
  if (shim == 0) {
    close(ready[0]);
    return task_run(start, ready[1]);
  }
  close(ready[1]);
  int result = await(ready[0]);
  pagewright__shim__v1__start__free_unpacked(start, NULL);
  close(ready[0]);
  return result;
}
