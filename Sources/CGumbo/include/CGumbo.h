#ifndef PAGEWRIGHT_CGUMBO_H
#define PAGEWRIGHT_CGUMBO_H

#include <gumbo.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a guarded parse ended. */
typedef enum {
  GUARDED_PARSE_DONE = 0,
  GUARDED_PARSE_MEMORY = 1, /* it wanted more memory than allowed */
  GUARDED_PARSE_TIME = 2,   /* it wanted more processor time than allowed */
  GUARDED_PARSE_FAULT = 3   /* the parser gave up: one of its assertions failed */
} GuardedParseOutcome;

typedef struct {
  GuardedParseOutcome outcome;
  /* The document node; NULL unless the outcome is GUARDED_PARSE_DONE. */
  const GumboNode* document;
  /* What guarded_parse_free takes; holds all memory of the parse. */
  void* memory;
} GuardedParse;

/* Parses bytes that nobody vouches for. Never crashes and never runs or grows without end: the parser's memory comes
   from an account with a limit, its processor time is measured whenever it allocates, and its failed assertions come
   back as an outcome. The tree points into `bytes`, which must live as long. Free the result, whatever the outcome. */
GuardedParse guarded_parse(const char* bytes, size_t count, size_t memory_limit, uint64_t nanoseconds_limit);

/* Frees a parse, however deep its tree is: unlike gumbo_destroy_output this does not walk the tree. */
void guarded_parse_free(GuardedParse parse);

#endif
