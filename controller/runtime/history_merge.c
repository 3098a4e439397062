#include "controller/runtime/driver_inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "policies/memory.h"

/* Epochs of the core count from 1: no id of an effect is one of a part. */
#define PART_EPOCH 0

/* A policy may read signals of several sources.  All are asked at once, each by
 * an id of its own; a source answers with all the columns it knows, those of
 * the others are taken from the others' answers, and the core sees one.  The
 * policy is not kept: it may be gone when the answers come. */
struct merge {
    TAILQ_ENTRY(merge) link;
    struct effect_id id;                    /* what the core waits for */
    uint32_t first_part;                    /* of as many as were asked */
    uint16_t source_of[POLICY_SIGNALS_MAX]; /* by signal */
    uint16_t asked[POLICY_SIGNALS_MAX];     /* sources, by part */
    size_t asked_count, answered;
    time_ms from;
    size_t rows, signals;
    struct sample *samples; /* NULL until the first answer */
    bool failed;
    char error[256];
};

/* The distinct sources of the release's signals. */
static void find_sources(struct driver *driver, struct merge *merge,
                         uint64_t release)
{
    for (uint16_t i = 0; i < merge->signals; i++) {
        struct query_view query = {0};
        uint32_t id = 0, series = 0;
        size_t known = 0;

        merge->source_of[i] = NONE_INDEX;
        if (!view_release_series(driver->core, release, i, &id, &series) ||
            !view_query(driver->core, id, &query)) {
            continue;
        }
        merge->source_of[i] = query.source;
        while (known < merge->asked_count &&
               merge->asked[known] != query.source) {
            known++;
        }
        if (known == merge->asked_count) {
            merge->asked[merge->asked_count++] = query.source;
        }
    }
}

static void answer_none(struct driver *driver, const struct effect *effect)
{
    const struct input input = {
        .kind = INPUT_HISTORY,
        .history = {.id = effect->id,
                    .error = "no source answers for any of its signals"}};

    (void)driver_push(driver, &input);
}

static void ask(struct driver *driver, uint16_t index,
                const struct effect *effect)
{
    struct source_adapter *source = driver->sources[index];

    source->ops->history(source, effect);
}

/* A source may answer from within; the last answer frees @merge. */
static void ask_all(struct driver *driver, struct merge *merge,
                    const struct effect *effect)
{
    struct effect part = *effect;
    uint16_t asked[POLICY_SIGNALS_MAX];
    const size_t count = merge->asked_count;

    memcpy(asked, merge->asked, sizeof(asked));
    merge->first_part = driver->history_parts;
    driver->history_parts += (uint32_t)count;
    part.id.epoch = PART_EPOCH;
    part.id.counter = merge->first_part;
    TAILQ_INSERT_TAIL(&driver->merges, merge, link);
    for (size_t i = 0; i < count; i++) {
        ask(driver, asked[i], &part);
        part.id.counter++;
    }
}

void history_ask(struct driver *driver, const struct effect *effect)
{
    struct merge *merge = memory_zeroed(1, sizeof(*merge));

    merge->id = effect->id;
    merge->signals = effect->history.policy->signals;
    find_sources(driver, merge, effect->history.release);
    if (merge->asked_count > 1) {
        ask_all(driver, merge, effect);
        return;
    }
    if (merge->asked_count == 1) {
        ask(driver, merge->asked[0], effect);
    } else {
        answer_none(driver, effect);
    }
    free(merge);
}

static struct merge *find_merge(struct driver *driver, uint32_t part)
{
    struct merge *merge = TAILQ_FIRST(&driver->merges);

    while (merge != NULL && part - merge->first_part >= merge->asked_count) {
        merge = TAILQ_NEXT(merge, link);
    }
    return merge;
}

static void take_columns(struct merge *merge, uint16_t source,
                         const struct history *history)
{
    if (merge->samples == NULL) {
        merge->from = history->from;
        merge->rows = history->rows;
        merge->samples = memory_zeroed(history->rows * merge->signals + 1,
                                       sizeof(*merge->samples));
        for (size_t i = 0; i < history->rows * merge->signals; i++) {
            merge->samples[i].unknown = UNKNOWN_NOT_ASKED;
        }
    }
    for (size_t row = 0; row < merge->rows && row < history->rows; row++) {
        for (size_t i = 0; i < merge->signals; i++) {
            const size_t at = row * merge->signals + i;

            if (merge->source_of[i] == source) {
                merge->samples[at] = history->samples[at];
            }
        }
    }
}

static void free_merge(struct driver *driver, struct merge *merge)
{
    TAILQ_REMOVE(&driver->merges, merge, link);
    free(merge->samples);
    free(merge);
}

/* A part of a past is none: one source that failed fails the whole. */
static void finish(struct driver *driver, struct merge *merge)
{
    const struct input input = {
        .kind = INPUT_HISTORY,
        .history = {.id = merge->id,
                    .error = merge->failed ? merge->error : NULL,
                    .history = {.from = merge->from,
                                .rows = merge->rows,
                                .samples = merge->samples}}};

    (void)driver_push(driver, &input);
    free_merge(driver, merge);
}

bool history_take(struct driver *driver, const struct input *input)
{
    const struct effect_id id = input->history.id;
    struct merge *merge = NULL;

    if (id.epoch != PART_EPOCH) {
        return false;
    }
    merge = find_merge(driver, id.counter);
    assert(merge != NULL); /* every question is answered once */
    if (input->history.error != NULL) {
        merge->failed = true;
        (void)snprintf(merge->error, sizeof(merge->error), "%s",
                       input->history.error);
    } else {
        take_columns(merge, merge->asked[id.counter - merge->first_part],
                     &input->history.history);
    }
    merge->answered++;
    if (merge->answered == merge->asked_count) {
        finish(driver, merge);
    }
    return true;
}

void history_drop(struct driver *driver)
{
    while (!TAILQ_EMPTY(&driver->merges)) {
        free_merge(driver, TAILQ_FIRST(&driver->merges));
    }
}
