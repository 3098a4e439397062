/* What is kept of one page: which series are read from it, their counters, and
 * their past.
 *
 * A reading is the text of a query: a selector, or a JSON pointer.  It is the
 * sum of the series that match.  A counter's reading is a running sum that
 * never falls while something matches: each series' step is added, and a series
 * that fell was reset and counts from zero.  When nothing matches any more the
 * sum begins at zero again, so that "no data" read as zero, and what follows
 * it, is never a jump.
 *
 * Each page that came, or failed, is a row at the moment it was due; rows are
 * kept in a ring.  A row speaks until the next one. */
#ifndef SOURCES_SCRAPE_PAGE_H
#define SOURCES_SCRAPE_PAGE_H

#include "policies/judge.h"

#define PAGE_READINGS_MAX 512  /* of one page; unread ones make room */
#define PAGE_MATCHES_MAX  1000 /* series that one reading sums */
#define PAGE_ROWS_MIN     64

struct scrape_page;

#define NO_READING UINT32_MAX

struct scrape_page *scrape_page_new(enum fetch fetch);
void scrape_page_free(struct scrape_page *page);

/* How many rows are kept from now on, at most HISTORY_ROWS_MAX. */
void scrape_page_keep(struct scrape_page *page, size_t rows);

/* The reading of @text, made when it is new (it then has no past).  Somebody
 * reads it at @now.  NO_READING: the page has too many.  The index holds until
 * the next call. */
uint32_t scrape_page_want(struct scrape_page *page, const char *text,
                          time_ms now);

/* The page that was due at @at came; or it did not, which is a row as well.
 * False with the reason when it is no page: then it did not come. */
bool scrape_page_came(struct scrape_page *page, time_ms at, const char *body,
                      size_t length, char *ret_error, size_t size);
void scrape_page_failed(struct scrape_page *page, time_ms at);

/* The clock was set back to @at: what came then or later never was. */
void scrape_page_rewind(struct scrape_page *page, time_ms at);

/* The moment of the newest row, 0 when there is none. */
time_ms scrape_page_newest(const struct scrape_page *page);

/* What the reading says at @g: the newest row at or before it, "not asked" when
 * there is none, "stale" when it is older than @max_age, "source error" when
 * that page failed. */
struct sample scrape_page_at(const struct scrape_page *page, uint32_t reading,
                             time_ms g, time_ms max_age);

/* Why the newest good page said nothing for this reading (a broken selector,
 * too many series), "" when it did. */
void scrape_page_fault(const struct scrape_page *page, uint32_t reading,
                       char *ret_text, size_t size);

#endif
