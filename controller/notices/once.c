#include "controller/notices/once.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "policies/memory.h"

struct once_run {
    char service[NAME_MAX_BYTES + 1], environment[NAME_MAX_BYTES + 1];
    time_ms at;
    LIST_ENTRY(once_run) list;
};

void once_init(struct once *once, const char *action, time_ms per,
               bool by_service)
{
    *once =
        (struct once){.action = action, .per = per, .by_service = by_service};
    LIST_INIT(&once->runs);
}

static void forget(struct once_run *run)
{
    LIST_REMOVE(run, list);
    free(run);
}

void once_release(struct once *once)
{
    while (!LIST_EMPTY(&once->runs)) {
        forget(LIST_FIRST(&once->runs));
    }
    free(once->not_run);
    once->not_run = NULL;
}

static bool is_same(const struct once *once, const struct once_run *run,
                    const char *service, const char *environment)
{
    return !once->by_service || (strcmp(run->service, service) == 0 &&
                                 strcmp(run->environment, environment) == 0);
}

time_ms once_last(struct once *once, const char *service,
                  const char *environment, time_ms now)
{
    struct once_run *run = LIST_FIRST(&once->runs);
    time_ms last = 0;

    while (run != NULL) {
        struct once_run *next = LIST_NEXT(run, list);

        if (run->at + once->per <= now) {
            forget(run);
        } else if (is_same(once, run, service, environment) && run->at > last) {
            last = run->at;
        }
        run = next;
    }
    return last;
}

void once_add(struct once *once, const char *service, const char *environment,
              time_ms at)
{
    struct once_run *run = memory_zeroed(1, sizeof(*run));

    (void)snprintf(run->service, sizeof(run->service), "%s", service);
    (void)snprintf(run->environment, sizeof(run->environment), "%s",
                   environment);
    run->at = at;
    LIST_INSERT_HEAD(&once->runs, run, list);
}

void once_remove(struct once *once, const char *service,
                 const char *environment, time_ms at)
{
    struct once_run *run = LIST_FIRST(&once->runs);

    while (run != NULL &&
           !(run->at == at && strcmp(run->service, service) == 0 &&
             strcmp(run->environment, environment) == 0)) {
        run = LIST_NEXT(run, list);
    }
    if (run != NULL) {
        forget(run);
    }
}

/* --- Learning from the journal -------------------------------------------- */

static bool read_entry(const struct entry *entry, enum record_kind kind,
                       struct record *ret_record)
{
    char *body = NULL;
    char error[256];

    if (entry->kind != kind ||
        !record_from_json(entry->payload, entry->length, ret_record, &body,
                          error, sizeof(error))) {
        return false;
    }
    free(body); /* these kinds have none */
    return true;
}

void once_learn_ends(struct once *once, const struct entry *ends, size_t count)
{
    free(once->not_run);
    once->not_run = memory_zeroed(count + 1, sizeof(*once->not_run));
    once->not_run_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct record record;

        if (read_entry(&ends[i], RECORD_ACTION_DONE, &record) &&
            strncmp(record.text, ONCE_NOT_RUN, strlen(ONCE_NOT_RUN)) == 0) {
            once->not_run[once->not_run_count] = record.notice;
            once->not_run_count++;
        }
    }
}

static bool surely_did_not_run(const struct once *once, uint64_t id)
{
    for (size_t i = 0; i < once->not_run_count; i++) {
        if (once->not_run[i] == id) {
            return true;
        }
    }
    return false;
}

void once_learn_runs(struct once *once, const struct entry *runs, size_t count,
                     uint64_t before)
{
    for (size_t i = 0; i < count; i++) {
        struct record record;

        if (runs[i].sequence < before &&
            !surely_did_not_run(once, runs[i].sequence) &&
            read_entry(&runs[i], RECORD_ACTION, &record) &&
            strcmp(record.name, once->action) == 0) {
            once_add(once, record.service, record.environment, record.at);
        }
    }
    free(once->not_run);
    once->not_run = NULL;
    once->not_run_count = 0;
}
