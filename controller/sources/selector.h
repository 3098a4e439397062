/* Which series of a page a signal means:
 *     http_requests_total{code=~"5..",method!="GET",handler!~"/admin.*"}
 *
 * As in PromQL a regular expression must match the whole value and a label
 * that is not there is empty.  Expressions are POSIX extended ones; what RE2
 * reads otherwise, or what could take long (counts in braces), is refused. */
#ifndef SOURCES_SELECTOR_H
#define SOURCES_SELECTOR_H

#include "controller/sources/metrics_page.h"

#define SELECTOR_MATCHERS_MAX 16
#define SELECTOR_PATTERN_MAX  256

struct selector;

/* NULL with a sentence in @ret_error.  selector_free(). */
struct selector *selector_read(const char *text, char *ret_error, size_t size);
void selector_free(struct selector *selector);

bool selector_matches(const struct selector *selector,
                      const struct page_series *series);

/* The value of a label, empty when it is not there. */
struct text_part series_label(const struct page_series *series,
                              const char *name);

#endif
