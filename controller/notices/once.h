/* `once_per`: when an action last ran, remembered from the journal and from
 * what ran since.  An action whose call has variables runs once per service;
 * one without is the same call for all. */
#ifndef NOTICES_ONCE_H
#define NOTICES_ONCE_H

#include "controller/core/effect.h"
#include "state/store.h"

#include <sys/queue.h>

/* Begins the text of every run that surely did not happen. */
#define ONCE_NOT_RUN "not run: "

LIST_HEAD(once_runs, once_run);

struct once {
    const char *action; /* its name */
    time_ms per;
    bool by_service;
    struct once_runs runs;
    uint64_t *not_run; /* ids, while the journal is read */
    size_t not_run_count;
};

void once_init(struct once *once, const char *action, time_ms per,
               bool by_service);
void once_release(struct once *once);

/* When it ran within the last `per` before @now; 0: it may run. */
time_ms once_last(struct once *once, const char *service,
                  const char *environment, time_ms now);

/* It runs now; it surely did not run after all. */
void once_add(struct once *once, const char *service, const char *environment,
              time_ms at);
void once_remove(struct once *once, const char *service,
                 const char *environment, time_ms at);

/* Take what the journal knows: first its ACTION_DONE entries, then its ACTION
 * entries, of any action.  Those from @before on are not over yet.  A run
 * without an end, or with one that nobody knows, counts. */
void once_learn_ends(struct once *once, const struct entry *ends, size_t count);
void once_learn_runs(struct once *once, const struct entry *runs, size_t count,
                     uint64_t before);

#endif
