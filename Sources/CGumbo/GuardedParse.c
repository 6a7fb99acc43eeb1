#define _GNU_SOURCE
#include "CGumbo.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* The parser makes and drops small pieces by the ten thousand. They are cut from chunks and kept for the next of the same
   size; large ones are malloc's. All memory counts from the moment that the system gave it, so the limit is a real one. */
enum { GRANULE = 16, LARGEST_SMALL = 1024, CHUNK = 64 * 1024, CLASSES = LARGEST_SMALL / GRANULE };

/* Sits in front of each piece. A multiple of 16 bytes long, so that what follows is aligned as malloc would align it. */
typedef struct Piece {
  size_t size;        /* without this; a multiple of GRANULE when small */
  struct Piece* next; /* of a free piece: the next free one of its size */
} Piece;

/* Sits in front of a large piece, so that all can be freed without the tree. */
typedef struct Large {
  struct Large* next;
  struct Large* previous;
  Piece piece;
} Large;

typedef struct Chunk {
  struct Chunk* next;
  size_t unused;
} Chunk;

typedef struct {
  Piece* free[CLASSES + 1];
  Chunk* chunks;
  char* chunk_next;
  size_t chunk_left;
  Large* large;
  size_t used;
  size_t limit;
  uint64_t allocations;
  uint64_t deadline;
  jmp_buf escape;
} Account;

/* The parse under way on this thread, for the failed assertions. */
static _Thread_local Account* parsing = NULL;

static uint64_t processor_time(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Memory of the system's, within the limit. */
static void* obtain(Account* account, size_t size) {
  if (size > account->limit || account->used > account->limit - size) longjmp(account->escape, GUARDED_PARSE_MEMORY);
  void* memory = malloc(size);
  if (memory == NULL) longjmp(account->escape, GUARDED_PARSE_MEMORY);
  account->used += size;
  return memory;
}

static void* allocate_large(Account* account, size_t size) {
  Large* large = obtain(account, sizeof(Large) + size);
  large->piece.size = size;
  large->previous = NULL;
  large->next = account->large;
  if (account->large != NULL) account->large->previous = large;
  account->large = large;
  return &large->piece + 1;
}

static void* allocate(void* userdata, size_t size) {
  Account* account = userdata;
  if ((++account->allocations & 63) == 0 && processor_time() > account->deadline) {
    longjmp(account->escape, GUARDED_PARSE_TIME);
  }
  if (size > account->limit) longjmp(account->escape, GUARDED_PARSE_MEMORY);
  if (size > LARGEST_SMALL) return allocate_large(account, size);
  size_t class = (size + GRANULE - 1) / GRANULE;
  Piece* piece = account->free[class];
  if (piece != NULL) {
    account->free[class] = piece->next;
    return piece + 1;
  }
  size_t whole = sizeof(Piece) + class * GRANULE;
  if (account->chunk_left < whole) {
    Chunk* chunk = obtain(account, CHUNK);
    chunk->next = account->chunks;
    account->chunks = chunk;
    account->chunk_next = (char*)(chunk + 1);
    account->chunk_left = CHUNK - sizeof(Chunk);
  }
  piece = (Piece*)account->chunk_next;
  account->chunk_next += whole;
  account->chunk_left -= whole;
  piece->size = class * GRANULE;
  return piece + 1;
}

static void deallocate(void* userdata, void* pointer) {
  Account* account = userdata;
  if (pointer == NULL) return;
  Piece* piece = (Piece*)pointer - 1;
  if (piece->size <= LARGEST_SMALL) {
    size_t class = piece->size / GRANULE;
    piece->next = account->free[class];
    account->free[class] = piece;
    return;
  }
  Large* large = (Large*)((char*)piece - offsetof(Large, piece));
  if (large->next != NULL) large->next->previous = large->previous;
  if (large->previous != NULL) {
    large->previous->next = large->next;
  } else {
    account->large = large->next;
  }
  account->used -= sizeof(Large) + piece->size;
  free(large);
}

/* glibc's own, for all of the program. The parser is built with its assertions, and a hostile page can make one fail:
   that must end the parse and not the process. Outside of a parse this does what glibc does. */
__attribute__((visibility("default"))) void __assert_fail(
    const char* assertion, const char* file, unsigned int line, const char* function) {
  if (parsing != NULL) longjmp(parsing->escape, GUARDED_PARSE_FAULT);
  fprintf(stderr, "%s:%u: %s: Assertion `%s' failed.\n", file, line, function, assertion);
  abort();
}

GuardedParse guarded_parse(const char* bytes, size_t count, size_t memory_limit, uint64_t nanoseconds_limit) {
  GuardedParse result = {GUARDED_PARSE_MEMORY, NULL, NULL};
  Account* account = calloc(1, sizeof(Account));
  if (account == NULL) return result;
  account->limit = memory_limit;
  account->deadline = processor_time() + nanoseconds_limit;

  GumboOptions options = kGumboDefaultOptions;
  options.allocator = allocate;
  options.deallocator = deallocate;
  options.userdata = account;
  /* Each error holds a copy of the stack of open tags, which is quadratic; nobody reads them. */
  options.max_errors = 0;

  int escaped = setjmp(account->escape);
  if (escaped == 0) {
    parsing = account;
    const GumboOutput* output = gumbo_parse_with_options(&options, bytes, count);
    parsing = NULL;
    return (GuardedParse){GUARDED_PARSE_DONE, output->document, account};
  }
  parsing = NULL;
  guarded_parse_free((GuardedParse){GUARDED_PARSE_FAULT, NULL, account});
  result.outcome = (GuardedParseOutcome)escaped;
  return result;
}

void guarded_parse_free(GuardedParse parse) {
  Account* account = parse.memory;
  if (account == NULL) return;
  while (account->chunks != NULL) {
    Chunk* next = account->chunks->next;
    free(account->chunks);
    account->chunks = next;
  }
  while (account->large != NULL) {
    Large* next = account->large->next;
    free(account->large);
    account->large = next;
  }
  free(account);
}
