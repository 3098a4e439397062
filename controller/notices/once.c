#include "controller/notices/once.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

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
    struct once_run *run = calloc(1, sizeof(*run));

    assert(run != NULL);
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

/* What may have run counts as a run: only a text of ours denies it. */
static bool ran(const struct once *once, const struct record *record)
{
    return record->kind == RECORD_ACTION_DONE &&
           strcmp(record->name, once->action) == 0 &&
           (record->delivered ||
            strncmp(record->text, ONCE_NOT_RUN, strlen(ONCE_NOT_RUN)) != 0);
}

void once_learn(struct once *once, const struct entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct record record;
        char *body = NULL;
        char error[256];

        if (entries[i].kind != RECORD_ACTION_DONE ||
            !record_from_json(entries[i].payload, entries[i].length, &record,
                              &body, error, sizeof(error))) {
            continue;
        }
        if (ran(once, &record)) {
            once_add(once, record.service, record.environment, record.at);
        }
        free(body);
    }
}
