/* Which series of a scraped page a signal means:
 *     http_requests_total{code=~"5..",method!="GET",handler!~"/admin.*"}
 *
 * As in PromQL a regular expression must match the whole value and a label
 * that is not there is empty.  Expressions are POSIX extended ones; what RE2
 * reads otherwise, or what could take long (counts in braces), is refused. */
#ifndef POLICIES_SELECTOR_H
#define POLICIES_SELECTOR_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

#define SELECTOR_MATCHERS_MAX 16
#define SELECTOR_PATTERN_MAX  256

enum match { MATCH_EQUAL, MATCH_NOT_EQUAL, MATCH_LIKE, MATCH_NOT_LIKE };

struct matcher {
    enum match match;
    char *label, *value;
    regex_t pattern; /* of LIKE and NOT_LIKE */
};

struct selector {
    char *name;
    size_t count;
    struct matcher matchers[SELECTOR_MATCHERS_MAX];
};

/* NULL with a sentence in @ret_error, about byte @ret_at of @text.
 * selector_free(). */
struct selector *selector_read(const char *text, size_t *ret_at,
                               char *ret_error, size_t size);
void selector_free(struct selector *selector);

/* Is @value, @length bytes without a NUL, one that the matcher wants? */
bool matcher_accepts(const struct matcher *matcher, const char *value,
                     size_t length);

#endif
