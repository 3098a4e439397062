#include "controller/sources/scrape_page.h"

#include "controller/sources/json_page.h"
#include "controller/sources/series_match.h"
#include "policies/memory.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A series that a reading sums. */
struct summand {
    uint64_t identity; /* hash of its name and labels */
    struct sample now;
    double last; /* the newest number, when `known` */
    bool known;
    uint32_t page; /* number of the page it stood on last */
};

/* Why a page that is good says nothing for a reading. */
enum reading_fault { FAULT_NONE, FAULT_TEXT, FAULT_MANY, FAULT_TWICE };

struct reading {
    char *text;
    struct selector *selector; /* NULL for a pointer, or when it is broken */
    char *broken;              /* why the text cannot be read, or NULL */
    time_ms wanted_at;
    enum series_kind kind;
    struct summand *summands;
    size_t count, size;
    size_t next;    /* pages keep their order: where the next one is likely */
    size_t matched; /* on the page that is read */
    bool twice;     /* a series stood twice on it */
    enum reading_fault fault;
    double total;    /* counters: the running sum */
    double *numbers; /* one for each row */
    uint8_t *unknowns;
};

struct scrape_page {
    enum fetch fetch;
    struct reading *readings;
    size_t readings_count, readings_size;
    uint32_t number; /* of the page that is read */
    time_ms *times;  /* the ring: `rows` slots, `count` in use from `start` */
    size_t rows, start, count, rows_most;
};

struct scrape_page *scrape_page_new(enum fetch fetch)
{
    struct scrape_page *page = memory_zeroed(1, sizeof(*page));
    page->fetch = fetch;
    page->rows = page->rows_most = PAGE_ROWS_MIN;
    page->times = memory_zeroed(1, page->rows * sizeof(*page->times));
    return page;
}

static void reading_release(struct reading *reading)
{
    selector_free(reading->selector);
    free(reading->text);
    free(reading->broken);
    free(reading->summands);
    free(reading->numbers);
    free(reading->unknowns);
}

void scrape_page_free(struct scrape_page *page)
{
    for (size_t i = 0; i < page->readings_count; i++) {
        reading_release(&page->readings[i]);
    }
    free(page->readings);
    free(page->times);
    free(page);
}

/* --- The ring ------------------------------------------------------------ */

static size_t slot_of(const struct scrape_page *page, size_t row)
{
    return (page->start + row) % page->rows;
}

static void rows_alloc(struct reading *reading, size_t rows)
{
    reading->numbers = memory_zeroed(1, rows * sizeof(*reading->numbers));
    reading->unknowns = memory_zeroed(1, rows);
    memset(reading->unknowns, UNKNOWN_NOT_ASKED, rows);
}

/* Move the newest rows into a ring of another size. */
static void resize(struct scrape_page *page, size_t rows)
{
    size_t keep = page->count < rows ? page->count : rows;
    size_t skip = page->count - keep;
    time_ms *times = memory_zeroed(1, rows * sizeof(*times));
    for (size_t row = 0; row < keep; row++) {
        times[row] = page->times[slot_of(page, skip + row)];
    }
    for (size_t i = 0; i < page->readings_count; i++) {
        struct reading old = page->readings[i], *new = &page->readings[i];
        rows_alloc(new, rows);
        for (size_t row = 0; row < keep; row++) {
            new->numbers[row] = old.numbers[slot_of(page, skip + row)];
            new->unknowns[row] = old.unknowns[slot_of(page, skip + row)];
        }
        free(old.numbers);
        free(old.unknowns);
    }
    free(page->times);
    page->times = times;
    page->rows = rows;
    page->start = 0;
    page->count = keep;
}

void scrape_page_keep(struct scrape_page *page, size_t rows)
{
    rows = rows < PAGE_ROWS_MIN ? PAGE_ROWS_MIN : rows;
    page->rows_most = rows < HISTORY_ROWS_MAX ? rows : HISTORY_ROWS_MAX;
    if (page->rows > page->rows_most) {
        resize(page, page->rows_most);
    }
}

/* The slot of a new row; the ring grows as it fills, up to what is wanted. */
static size_t add_row(struct scrape_page *page, time_ms at)
{
    assert(at > scrape_page_newest(page));
    if (page->count == page->rows && page->rows < page->rows_most) {
        size_t rows = page->rows * 2;
        resize(page, rows < page->rows_most ? rows : page->rows_most);
    }
    if (page->count == page->rows) {
        page->start = slot_of(page, 1);
        page->count--;
    }
    size_t slot = slot_of(page, page->count++);
    page->times[slot] = at;
    return slot;
}

void scrape_page_rewind(struct scrape_page *page, time_ms at)
{
    while (page->count > 0 && scrape_page_newest(page) >= at) {
        page->count--;
    }
}

time_ms scrape_page_newest(const struct scrape_page *page)
{
    return page->count ? page->times[slot_of(page, page->count - 1)] : 0;
}

/* --- Readings ------------------------------------------------------------ */

/* Forget the readings that nobody has wanted since @before. */
static void sweep(struct scrape_page *page, time_ms before)
{
    size_t kept = 0;
    for (size_t i = 0; i < page->readings_count; i++) {
        struct reading reading = page->readings[i];
        if (reading.wanted_at < before) {
            reading_release(&reading);
        } else {
            page->readings[kept++] = reading;
        }
    }
    page->readings_count = kept;
}

static void reading_init(const struct scrape_page *page,
                         struct reading *reading, const char *text)
{
    char why[200], what[160];
    size_t at = 0;
    bool good;
    *reading = (struct reading){.text = memory_text(text)};
    rows_alloc(reading, page->rows);
    if (page->fetch == FETCH_JSON) {
        good = json_page_pointer(text, why, sizeof(why));
    } else {
        reading->selector = selector_read(text, &at, what, sizeof(what));
        good = reading->selector != NULL;
        if (!good) {
            (void)snprintf(why, sizeof(why), "selector, column %zu: %s", at + 1,
                           what);
        }
    }
    if (!good) {
        reading->broken = memory_text(why);
    }
}

uint32_t scrape_page_want(struct scrape_page *page, const char *text,
                          time_ms now)
{
    for (size_t i = 0; i < page->readings_count; i++) {
        if (strcmp(page->readings[i].text, text) == 0) {
            page->readings[i].wanted_at = now;
            return (uint32_t)i;
        }
    }
    if (page->readings_count == PAGE_READINGS_MAX) {
        sweep(page, now - HOUR_MS);
    }
    if (page->readings_count == PAGE_READINGS_MAX) {
        return NO_READING;
    }
    page->readings =
        memory_grow(page->readings, &page->readings_size,
                    page->readings_count + 1, sizeof(*page->readings));
    uint32_t index = (uint32_t)page->readings_count++;
    reading_init(page, &page->readings[index], text);
    page->readings[index].wanted_at = now;
    return index;
}

void scrape_page_fault(const struct scrape_page *page, uint32_t index,
                       char *ret_text, size_t size)
{
    const struct reading *reading = &page->readings[index];
    ret_text[0] = '\0';
    switch (reading->fault) {
    case FAULT_NONE:
        break;
    case FAULT_TEXT:
        (void)snprintf(ret_text, size, "%s", reading->broken);
        break;
    case FAULT_MANY:
        (void)snprintf(ret_text, size, "more than %d series match '%.200s'",
                       PAGE_MATCHES_MAX, reading->text);
        break;
    case FAULT_TWICE:
        (void)snprintf(ret_text, size,
                       "a series that '%.200s' matches stands twice on the "
                       "page",
                       reading->text);
        break;
    }
}

/* --- Reading a metrics page ---------------------------------------------- */

static uint64_t hash_part(uint64_t hash, struct text_part part)
{
    for (size_t i = 0; i < part.length; i++) {
        hash = (hash ^ (unsigned char)part.bytes[i]) * 1099511628211ULL;
    }
    return (hash ^ 0xff) * 1099511628211ULL;
}

/* The same for the same labels in whatever order. */
static uint64_t identity_of(const struct page_series *series)
{
    uint64_t sum = hash_part(14695981039346656037ULL, series->name);
    for (size_t i = 0; i < series->labels_count; i++) {
        uint64_t hash =
            hash_part(14695981039346656037ULL, series->labels[i].name);
        hash = hash_part(hash, series->labels[i].value);
        sum += hash ^ hash >> 29;
    }
    return sum;
}

static struct summand *summand_of(struct reading *reading, uint64_t identity)
{
    for (size_t i = 0; i < reading->count; i++) {
        size_t at = (reading->next + i) % reading->count;
        if (reading->summands[at].identity == identity) {
            reading->next = at + 1;
            return &reading->summands[at];
        }
    }
    reading->summands =
        memory_grow(reading->summands, &reading->size, reading->count + 1,
                    sizeof(*reading->summands));
    reading->next = 0;
    struct summand *summand = &reading->summands[reading->count++];
    *summand = (struct summand){.identity = identity};
    return summand;
}

static void add_series(struct scrape_page *page, struct reading *reading,
                       const struct page_series *series)
{
    if (reading->matched > PAGE_MATCHES_MAX) {
        return;
    }
    reading->matched++;
    reading->kind = series->kind;
    if (reading->matched > PAGE_MATCHES_MAX) {
        return;
    }
    struct summand *summand = summand_of(reading, identity_of(series));
    reading->twice |= summand->page == page->number;
    summand->page = page->number;
    summand->now = series->sample;
}

/* Give a series of the page to every reading that means it. */
static void take_series(struct scrape_page *page,
                        const struct page_series *series)
{
    for (size_t i = 0; i < page->readings_count; i++) {
        struct reading *reading = &page->readings[i];
        if (reading->selector && series_matches(series, reading->selector)) {
            add_series(page, reading, series);
        }
    }
}

/* Only what stands on this page stays, when there is much else. */
static void forget_gone(struct reading *reading, uint32_t number)
{
    size_t kept = 0;
    if (reading->count <= PAGE_MATCHES_MAX) {
        return;
    }
    for (size_t i = 0; i < reading->count; i++) {
        if (reading->summands[i].page == number) {
            reading->summands[kept++] = reading->summands[i];
        }
    }
    reading->count = kept;
}

/* Series that stood on pages that were no good only: they said nothing. */
static void forget_unread(struct reading *reading)
{
    size_t kept = 0;
    for (size_t i = 0; i < reading->count; i++) {
        if (reading->summands[i].known) {
            reading->summands[kept++] = reading->summands[i];
        }
    }
    reading->count = kept;
}

/* By how much a counter went on since it was last seen. */
static double step_of(const struct summand *summand)
{
    double now = summand->now.number;
    return summand->known && now >= summand->last ? now - summand->last : now;
}

/* The whole page was good: what does it come to for this reading? */
static struct sample sum_up(struct reading *reading, uint32_t number)
{
    struct sample sample = {.number = 0, .unknown = KNOWN};
    if (reading->matched == 0) {
        reading->total = 0;
        return (struct sample){.unknown = UNKNOWN_NO_DATA};
    }
    for (size_t i = 0; i < reading->count; i++) {
        struct summand *summand = &reading->summands[i];
        if (summand->page != number) {
            continue;
        }
        if (summand->now.unknown != KNOWN) {
            sample = summand->now;
            continue;
        }
        sample.number += summand->now.number;
        reading->total += step_of(summand);
        summand->last = summand->now.number;
        summand->known = true;
    }
    forget_gone(reading, number);
    if (sample.unknown == KNOWN && reading->kind == SERIES_COUNTER) {
        sample.number = reading->total;
    }
    if (sample.unknown == KNOWN && sample.number - sample.number != 0) {
        return (struct sample){.unknown = UNKNOWN_INFINITE};
    }
    return sample;
}

static bool read_metrics(struct scrape_page *page, const char *body,
                         size_t length, char *ret_error, size_t size)
{
    struct metrics_page metrics;
    struct page_series series;
    page->number++;
    for (size_t i = 0; i < page->readings_count; i++) {
        page->readings[i].matched = 0;
        page->readings[i].twice = false;
        page->readings[i].next = 0;
    }
    metrics_page_begin(&metrics, body, length);
    while (metrics_page_next(&metrics, &series)) {
        take_series(page, &series);
    }
    (void)snprintf(ret_error, size, "%s", metrics.error);
    return metrics.error[0] == '\0';
}

/* --- Rows ---------------------------------------------------------------- */

static enum reading_fault fault_of(const struct reading *reading)
{
    if (reading->broken) {
        return FAULT_TEXT;
    }
    if (reading->matched > PAGE_MATCHES_MAX) {
        return FAULT_MANY;
    }
    return reading->twice ? FAULT_TWICE : FAULT_NONE;
}

/* What the page that was just read says. */
static struct sample say(struct scrape_page *page, struct reading *reading,
                         const char *body, size_t length)
{
    reading->fault = fault_of(reading);
    if (reading->fault != FAULT_NONE) {
        return (struct sample){.unknown = UNKNOWN_SOURCE_ERROR};
    }
    if (page->fetch == FETCH_JSON) {
        return json_page_number(body, length, reading->text);
    }
    return sum_up(reading, page->number);
}

bool scrape_page_came(struct scrape_page *page, time_ms at, const char *body,
                      size_t length, char *ret_error, size_t size)
{
    bool good = page->fetch == FETCH_JSON
                    ? json_page_check(body, length, ret_error, size)
                    : read_metrics(page, body, length, ret_error, size);
    if (!good) {
        for (size_t i = 0; i < page->readings_count; i++) {
            forget_unread(&page->readings[i]);
        }
        scrape_page_failed(page, at);
        return false;
    }
    size_t slot = add_row(page, at);
    for (size_t i = 0; i < page->readings_count; i++) {
        struct reading *reading = &page->readings[i];
        struct sample sample = say(page, reading, body, length);
        reading->numbers[slot] = sample.number;
        reading->unknowns[slot] = (uint8_t)sample.unknown;
        forget_unread(reading);
    }
    return true;
}

void scrape_page_failed(struct scrape_page *page, time_ms at)
{
    size_t slot = add_row(page, at);
    for (size_t i = 0; i < page->readings_count; i++) {
        page->readings[i].unknowns[slot] = UNKNOWN_SOURCE_ERROR;
    }
}

struct sample scrape_page_at(const struct scrape_page *page, uint32_t reading,
                             time_ms g, time_ms max_age)
{
    size_t low = 0, high = page->count; /* rows [0, low) are at or before g */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (page->times[slot_of(page, middle)] <= g) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0) {
        return (struct sample){.unknown = UNKNOWN_NOT_ASKED};
    }
    size_t slot = slot_of(page, low - 1);
    const struct reading *read = &page->readings[reading];
    struct sample sample = {.number = read->numbers[slot],
                            .unknown = (enum unknown)read->unknowns[slot]};
    bool speaks = sample.unknown == UNKNOWN_NOT_ASKED ||
                  sample.unknown == UNKNOWN_SOURCE_ERROR ||
                  g - page->times[slot] <= max_age;
    return speaks ? sample : (struct sample){.unknown = UNKNOWN_STALE};
}
