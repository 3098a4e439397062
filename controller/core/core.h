/* So what now?  The controller's judgement-free half, as a pure state machine.
 *
 * One input at a time goes in; what to remember FIRST and what to do AFTER come
 * out.  The daemon, replay, tests and the simulator are shells around it.
 *
 * Invariants (core_check() is this list as code):
 *  1. One input at a time; `now` never goes back, except at CLOCK_SET.
 *  2. Going forward needs a record, going back needs a durable reason: a revert
 *     leaves only after its intent is durable.
 *  3. Every effect has an id, (epoch, counter), never reused; an answer to an
 *     unknown id changes only a counter.
 *  4. Everything outstanding has a deadline; every deadline ends in a record.
 *  5. Absence of data is never health and never guilt.
 *  6. A grade rises only while the release is live, complete and seen; last
 *     good is read from grades, never set.
 *  7. From every state that is not final, one input leads to reverting or to a
 *     recorded refusal.
 *  8. At most one rollback under way per service and environment; what a
 *     rollback put live is never reverted unattended.
 *  9. After recovery no effect is repeated before the target was observed.
 * 10. Every bound in limits.h or the configuration is enforced by refusal at
 *     the door, never by dropping inside.
 *
 * Knowledge (what records tell) changes in core_apply() only.  Working memory
 * (rows of samples, judges' memories, deadlines, pending effects) is not
 * knowledge: decide writes it, a restart rebuilds it from the sources. */
#ifndef CORE_CORE_H
#define CORE_CORE_H

#include "controller/core/effect.h"
#include "controller/core/limits.h"

struct service_option { /* one entry of `services:`, first match wins */
    char service[NAME_MAX_BYTES + 1]; /* exact, "prefix*" or "*" */
    char environment[NAME_MAX_BYTES + 1];
    uint16_t target, source; /* indexes; NONE_INDEX: none */
    enum mode ceiling;
};

struct source_option {
    char name[NAME_MAX_BYTES + 1];
    enum fetch fetch;
    time_ms lag, timeout;
    bool per_service; /* its address has variables of the service: one query
                         (text) is asked per service, not shared */
};

struct target_option {
    char name[NAME_MAX_BYTES + 1];
    time_ms deadline; /* not complete within it: stuck; a revert: failed */
    time_ms timeout;  /* of one call */
    bool can_check;   /* it has a `has` call */
};

struct budget { /* "3 in 10m" */
    uint32_t count;
    time_ms window;
};

struct core_options {
    uint32_t services_max, releases_max, series_max;
    enum mode ceiling;
    struct budget per_service; /* 1 in 30m */
    struct budget fleet;       /* 3 in 10m */
    uint32_t shared_services;  /* shared cause: at least this many */
    double shared_share;       /*   and at least this share of them */
    time_ms shared_window;
    const struct service_option *services; /* lent for the core's life, */
    const struct source_option *sources;   /* likewise */
    const struct target_option *targets;
    size_t services_count, sources_count, targets_count;
    const char *page[PAGE_SINKS_MAX]; /* sinks' names */
    size_t pages_count;
    uint64_t seed;       /* of the backoff's jitter */
    const char *version; /* of the program, for STARTED */
};

struct decision {
    size_t records_count, effects_count;
    struct record records[DECISION_RECORDS_MAX];
    struct effect effects[DECISION_EFFECTS_MAX];
};

struct core;

/* Allocates everything it will ever need (aborts when memory is short); the
 * options' arrays must outlive it. */
struct core *core_new(const struct core_options *options);

/* Frees it.  Policy blocks still held are freed with policy_free(). */
void core_free(struct core *core);

/* Take one input, answer with records and effects.  Cannot fail: refusals are
 * decisions.  The records are already applied; the shell must make them
 * durable, in order, before it carries out effects that need them. */
void core_step(struct core *core, const struct input *input,
               struct decision *ret_decision);

/* Apply one record: live running and recovery alike.  For POLICY_SET
 * @record->policy is the compiled block and is taken; NULL when the text can no
 * longer be read: then the policy of that name judges nobody any more. */
void core_apply(struct core *core, const struct record *record);

/* After core_apply(): NULL, or the limit ("services", "releases") that is too
 * low for what the journal holds.  Such a core knows not all and must not be
 * used: say so and end. */
const char *core_lacks(const struct core *core);

/* When to step a TICK though nothing else happened; TIME_NEVER: not at all. */
time_ms core_deadline(const struct core *core);

/* The newest record's sequence (applied or decided), and the epoch. */
uint64_t core_sequence(const struct core *core);
uint32_t core_epoch(const struct core *core);

/* Assert the invariants; tests call it after every step. */
void core_check(const struct core *core);

#endif
