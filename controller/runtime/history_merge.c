#include "controller/runtime/driver_inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A policy may read signals of several sources.  Each source answers a history
 * with all the columns it knows; the columns of the others are taken from the
 * others' answers, and the core sees one. */
struct merge {
    TAILQ_ENTRY(merge) link;
    struct effect effect;
    uint16_t source_of[POLICY_SIGNALS_MAX]; /* by signal */
    uint16_t asked[POLICY_SIGNALS_MAX];     /* sources, in order of answering */
    size_t asked_count, answered;
    size_t rows, signals;
    struct sample *samples; /* NULL until the first answer */
    bool failed;
    char error[256];
};

/* The distinct sources of the release's signals; how many. */
static size_t find_sources(struct driver *driver, struct merge *merge)
{
    for (uint16_t i = 0; i < merge->signals; i++) {
        struct query_view query = {0};
        uint32_t id = 0, series = 0;
        size_t known = 0;

        merge->source_of[i] = NONE_INDEX;
        if (!view_release_series(driver->core, merge->effect.history.release, i,
                                 &id, &series) ||
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
    return merge->asked_count;
}

static void answer_none(struct driver *driver, const struct effect *effect)
{
    const struct input input = {
        .kind = INPUT_HISTORY,
        .history = {.id = effect->id,
                    .error = "no source answers for any of its signals"}};

    (void)driver_push(driver, &input);
}

/* The first source is asked with the effect as it is.  When there are several
 * the others are asked one after the other, as each answers. */
static void ask_next(struct driver *driver, struct merge *merge)
{
    struct source_adapter *source =
        driver->sources[merge->asked[merge->answered]];

    source->ops->history(source, &merge->effect);
}

void history_ask(struct driver *driver, const struct effect *effect)
{
    struct merge *merge = calloc(1, sizeof(*merge));

    assert(merge != NULL);
    merge->effect = *effect;
    merge->signals = effect->history.policy->signals;
    switch (find_sources(driver, merge)) {
    case 0:
        free(merge);
        answer_none(driver, effect);
        break;
    case 1: {
        struct source_adapter *source = driver->sources[merge->asked[0]];

        free(merge);
        source->ops->history(source, effect);
        break;
    }
    default:
        TAILQ_INSERT_TAIL(&driver->merges, merge, link);
        ask_next(driver, merge);
        break;
    }
}

static struct merge *find_merge(struct driver *driver,
                                const struct effect_id *id)
{
    struct merge *merge = TAILQ_FIRST(&driver->merges);

    while (merge != NULL && (merge->effect.id.epoch != id->epoch ||
                             merge->effect.id.counter != id->counter)) {
        merge = TAILQ_NEXT(merge, link);
    }
    return merge;
}

static void take_columns(struct merge *merge, const struct history *history)
{
    const uint16_t source = merge->asked[merge->answered];

    if (merge->samples == NULL) {
        merge->rows = history->rows;
        merge->samples =
            calloc(history->rows * merge->signals + 1, sizeof(*merge->samples));
        assert(merge->samples != NULL);
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

static void finish(struct driver *driver, struct merge *merge,
                   const struct input *last)
{
    struct input input = *last;

    input.history.error = merge->failed ? merge->error : NULL;
    input.history.history.rows = merge->rows;
    input.history.history.samples = merge->samples;
    TAILQ_REMOVE(&driver->merges, merge, link);
    (void)driver_push(driver, &input);
    free(merge->samples);
    free(merge);
}

bool history_take(struct driver *driver, const struct input *input)
{
    struct merge *merge = find_merge(driver, &input->history.id);

    if (merge == NULL) {
        return false;
    }
    if (input->history.error != NULL) {
        merge->failed = true;
        (void)snprintf(merge->error, sizeof(merge->error), "%s",
                       input->history.error);
    } else {
        take_columns(merge, &input->history.history);
    }
    merge->answered++;
    if (merge->failed || merge->answered == merge->asked_count) {
        finish(driver, merge, input);
    } else {
        ask_next(driver, merge);
    }
    return true;
}

void history_drop(struct driver *driver)
{
    while (!TAILQ_EMPTY(&driver->merges)) {
        free_merge(driver, TAILQ_FIRST(&driver->merges));
    }
}
