/* The core's inside: what its modules share.  Nobody else includes this. */
#ifndef CORE_INSIDE_H
#define CORE_INSIDE_H

#include "controller/core/arena.h"
#include "controller/core/consent.h"
#include "controller/core/core.h"
#include "controller/core/freeze.h"
#include "controller/core/incident.h"
#include "controller/core/notice.h"
#include "controller/core/pending.h"
#include "controller/core/pool.h"
#include "controller/core/query.h"
#include "controller/core/release.h"
#include "controller/core/rollback.h"
#include "controller/core/rulebook.h"
#include "controller/core/service.h"
#include "controller/core/text.h"
#include "controller/core/timers.h"
#include "controller/core/watch.h"

struct core {
    struct core_options options;
    time_ms now;
    uint64_t sequence;
    uint32_t epoch, counter;
    bool stopped, started;
    bool store_is_down; /* working memory: as the shell said last */
    time_ms started_at;
    struct decision *decision; /* during a step, else NULL */
    const char *lacks;         /* a limit below what the journal holds */

    struct timers timers;
    struct rulebook rulebook;
    struct queries queries;

    struct service *services;
    uint32_t services_count;
    uint32_t *service_buckets; /* index + 1; SERVICE_BUCKETS of them */
    uint32_t *key_buckets;     /* keys.c */
    struct watch *watches;     /* by the service's index */

    struct pool releases, incidents, rollbacks, freezes, notices, actions,
        pending;
    struct arena texts;  /* of services, releases, series, watches: small */
    struct arena judges; /* what watches remember of the past */

    /* Work space, and what the last look's records point to. */
    struct judge_scratch *scratch;
    struct sample row[POLICY_SIGNALS_MAX];
    struct span without[LEDGER_MAX];
    struct verdict verdict;
    struct facts facts;

    struct undelivered undelivered[UNDELIVERED_MAX]; /* a ring; this many: */
    uint64_t undelivered_count;

    uint64_t looks, verdicts, unknown_answers;
    uint64_t rollbacks_by_state[ROLLBACK_UNVERIFIED + 1];
};

#define SERVICE_BUCKETS 32768

/* The next record of this step, with sequence, epoch and time; and the same
 * with a service's names.  core_tell() applies it: from then on it is known.
 * Returns its sequence. */
struct record *core_record(struct core *core, enum record_kind kind);
struct record *core_record_about(struct core *core, enum record_kind kind,
                                 const struct service *service);
uint64_t core_tell(struct core *core, struct record *record);

/* The next effect of this step.  It needs everything recorded so far and in
 * this step, unless the caller sets `needs`. */
struct effect *core_effect(struct core *core, enum effect_kind kind);
#define NEEDS_ALL UINT64_MAX

/* Between half and the whole of @span, the same for the same seed, @salt and
 * @attempt. */
time_ms core_jitter(const struct core *core, uint64_t salt, uint32_t attempt,
                    time_ms span);

#endif
