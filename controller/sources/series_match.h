/* Is a series of a page one that a selector means? */
#ifndef SOURCES_SERIES_MATCH_H
#define SOURCES_SERIES_MATCH_H

#include "policies/read/selector.h"

#include "controller/sources/metrics_page.h"

bool series_matches(const struct page_series *series,
                    const struct selector *selector);

#endif
