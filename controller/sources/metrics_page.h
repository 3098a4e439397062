/* A page in the text exposition format of Prometheus (0.0.4), as exporters
 * serve it at /metrics; OpenMetrics' "# EOF", "# UNIT" and exemplars are
 * understood.  A pull reader over the body: strict and bounded, one series at a
 * time.  What was read counts only when the end came without an error.
 *
 *     metrics_page_begin(&page, body, length);
 *     while (metrics_page_next(&page, &series))
 *         ...
 *     if (page.error[0]) say page.error
 */
#ifndef SOURCES_METRICS_PAGE_H
#define SOURCES_METRICS_PAGE_H

#include "policies/judge.h"

#define PAGE_SERIES_MAX  10000 /* more than any exporter of one service has */
#define PAGE_LABELS_MAX  64
#define PAGE_ESCAPES_MAX 4096 /* bytes of label values that hold escapes */
#define PAGE_ERROR_MAX   256

struct text_part {
    const char *bytes; /* does not end with NUL */
    size_t length;
};

enum series_kind { SERIES_GAUGE, SERIES_COUNTER };

struct page_series {
    struct text_part name;
    enum series_kind kind; /* by "# TYPE"; without one "_total" counts */
    size_t labels_count;
    struct {
        struct text_part name, value; /* the value without escapes */
    } labels[PAGE_LABELS_MAX];
    struct sample sample;
};

struct metrics_page {
    char error[PAGE_ERROR_MAX]; /* "line 14: ...", "" while all is well */
    /* Private. */
    const char *text;
    size_t length, at, line, series;
    struct text_part family;
    enum family_type {
        FAMILY_UNTYPED,
        FAMILY_COUNTER,
        FAMILY_GAUGE,
        FAMILY_HISTOGRAM,
        FAMILY_SUMMARY
    } type;
    bool ended; /* "# EOF" was seen */
    char plain[PAGE_ESCAPES_MAX];
    size_t plain_used;
};

/* @text is lent until the last call. */
void metrics_page_begin(struct metrics_page *page, const char *text,
                        size_t length);

/* The next series, lent until the next call.  False at the end and at the
 * first error. */
bool metrics_page_next(struct metrics_page *page,
                       struct page_series *ret_series);

bool part_is(struct text_part part, const char *text);

#endif
