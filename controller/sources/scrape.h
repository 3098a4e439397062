/* The adapter to pages: a /metrics page, or a JSON document, fetched every
 * `every` at whole multiples of it, whether anybody asks or not, because a page
 * has no past of its own.  One page a service when the source's address has
 * variables of it, else one for all; one answer serves every signal.
 *
 * A question for g is answered from memory, or as soon as the page that was
 * due at g is in.  A page that fails is a source error until the next one. */
#ifndef SOURCES_SCRAPE_H
#define SOURCES_SCRAPE_H

#include "controller/runtime/driver.h"

struct source_adapter *scrape_make(struct driver *driver, uint16_t index);

#endif
