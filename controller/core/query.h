/* Queries and the series that select from them: interned, counted, shared.
 *
 * A query is (source, text, fresh, every, max_age, and the service when its
 * address has variables of it): it is asked once per grid time whatever the
 * number of releases that read it.  A series is a query and a selection by
 * labels.  Each keeps the answers of its last GRID_SLOTS grid times; watches
 * read them when they look. */
#ifndef CORE_QUERY_H
#define CORE_QUERY_H

#include "controller/core/input.h"
#include "controller/core/timers.h"
#include "controller/core/view.h"

struct core;
struct service;

/* Grid times that may be under way at once: lag and time-out together may
 * last this many steps but one. */
#define GRID_SLOTS 8
#define NONE_ID    UINT32_MAX

/* A watch that reads a query; the subscriptions of a query are a list.  Its
 * own id is service index x POLICY_SIGNALS_MAX + position. */
struct subscription {
    uint32_t query, next, previous; /* NONE_ID: none */
};

enum asked { ASKED_NEVER, ASKED_OPEN, ASKED_ANSWERED, ASKED_FAILED };

struct query {
    struct query_view key; /* what is asked; texts point to the two below */
    uint32_t readers;      /* series; 0: the slot is free */
    uint32_t next;         /* in its bucket */
    uint32_t series;       /* first of its series */
    uint32_t subscription; /* first of its subscriptions */
    time_ms g;             /* the next grid time to ask for */
    bool failing;
    struct {
        time_ms g;
        enum asked asked;
    } answers[GRID_SLOTS];
    struct timer timer;
    char text[QUERY_TEXT_MAX + 1];
    char fresh[QUERY_TEXT_MAX + 1];
};

struct series {
    uint32_t query, readers; /* 0 readers: the slot is free */
    uint32_t next;           /* of the same query */
    uint8_t selects;
    uint16_t
        bytes; /* of what it selects by, NULs included: label, value, ... */
    const char *texts;
    struct {
        time_ms g;
        struct sample sample;
    } samples[GRID_SLOTS];
};
#define SERIES_TEXTS_MAX (2 * POLICY_SELECT_MAX * (NAME_MAX_BYTES + 1))

/* Whether a source answers: knowledge, from SOURCE_LOST and SOURCE_BACK. */
struct source_state {
    bool lost;
    time_ms since;              /* lost */
    char text[RECORD_TEXT_MAX]; /* the sentence of it */
    uint32_t failing;           /* queries of it; working memory */
};

struct queries {
    struct query *queries;
    struct series *series;
    uint32_t *buckets;
    uint32_t queries_used, series_used;   /* slots ever used */
    uint32_t queries_count, series_count; /* of those, in use */
    uint32_t series_max;
    struct source_state *sources;
};

void queries_init(struct core *core);
void queries_release(struct core *core);

/* The series that signal @signal of a release reads, made when it is new and
 * counted; NONE_ID when there is no such source or no room. */
uint32_t series_take(struct core *core, const struct service *service,
                     const struct policy *policy, uint16_t signal,
                     const struct facts *facts);
void series_leave(struct core *core, uint32_t series);

/* Do both say the same, on whatever grid they are asked for? */
bool series_is_same(const struct core *core, uint32_t a, uint32_t b);

/* Is @series what signal @signal of a release of @service reads? */
bool series_is_of(const struct core *core, uint32_t series,
                  const struct service *service, const struct policy *policy,
                  uint16_t signal, const struct facts *facts);

/* The source a signal is asked of, NONE_INDEX when there is none. */
uint16_t signal_source(const struct core *core, const struct service *service,
                       const struct policy *policy, uint16_t signal);

struct query *query_at(const struct core *core, uint32_t id);
struct series *series_at(const struct core *core, uint32_t id);

/* The slot of @g in what queries and series keep. */
size_t grid_slot(time_ms g, time_ms every);

/* What is known of @query at @g, whose slot is @slot. */
enum asked query_asked_in(const struct query *query, size_t slot, time_ms g);
enum asked query_asked(const struct query *query, time_ms g);

/* What @series said at @g, whose slot is @slot; its query was answered. */
struct sample series_sample(const struct series *series, size_t slot,
                            time_ms g);

/* How long after g a watch waits for @query: its lag and time-out. */
time_ms query_patience(const struct core *core, const struct query *query);

/* TIMER_QUERY: ask. */
void query_due(struct core *core, uint32_t id);

/* No answer came in time: it counts as a source error. */
void query_missed(struct core *core, struct query *query, time_ms g);

/* INPUT_SAMPLES */
void query_answered(struct core *core, const struct input *input);

/* The clock was set: begin at the grid anew. */
void queries_restart(struct core *core);

/* Records. */
void source_apply(struct core *core, const struct record *record);

#endif
