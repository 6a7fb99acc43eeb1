#define _GNU_SOURCE
#include "CGumbo.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Sits in front of each allocation, so that all can be freed without the tree. A multiple of 16 bytes long, so that
   what follows is aligned as malloc would align it. */
typedef struct Block {
  struct Block* next;
  struct Block* previous;
  size_t size;
  size_t unused;
} Block;

typedef struct {
  Block* blocks;
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

static void* allocate(void* userdata, size_t size) {
  Account* account = userdata;
  if (size > account->limit || account->used > account->limit - size) longjmp(account->escape, GUARDED_PARSE_MEMORY);
  if ((++account->allocations & 63) == 0 && processor_time() > account->deadline) {
    longjmp(account->escape, GUARDED_PARSE_TIME);
  }
  Block* block = malloc(sizeof(Block) + size);
  if (block == NULL) longjmp(account->escape, GUARDED_PARSE_MEMORY);
  block->size = size + sizeof(Block);
  block->previous = NULL;
  block->next = account->blocks;
  if (account->blocks != NULL) account->blocks->previous = block;
  account->blocks = block;
  account->used += block->size;
  return block + 1;
}

static void deallocate(void* userdata, void* pointer) {
  Account* account = userdata;
  if (pointer == NULL) return;
  Block* block = (Block*)pointer - 1;
  if (block->next != NULL) block->next->previous = block->previous;
  if (block->previous != NULL) {
    block->previous->next = block->next;
  } else {
    account->blocks = block->next;
  }
  account->used -= block->size;
  free(block);
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
  Block* block = account->blocks;
  while (block != NULL) {
    Block* next = block->next;
    free(block);
    block = next;
  }
  free(account);
}
