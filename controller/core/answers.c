/* Asking queries and keeping what they answered. */
#include "controller/core/query.h"

#include <assert.h>
#include <string.h>

#include "controller/core/inside.h"

size_t grid_slot(time_ms g, time_ms every)
{
    return (size_t)(g / every) % GRID_SLOTS;
}

static size_t slot_of(const struct query *query, time_ms g)
{
    return grid_slot(g, query->key.every);
}

enum asked query_asked_in(const struct query *query, size_t slot, time_ms g)
{
    return query->answers[slot].g == g ? query->answers[slot].asked
                                       : ASKED_NEVER;
}

enum asked query_asked(const struct query *query, time_ms g)
{
    return query_asked_in(query, slot_of(query, g), g);
}

struct sample series_sample(const struct series *series, size_t slot, time_ms g)
{
    if (series->samples[slot].g == g) {
        return series->samples[slot].sample;
    }
    /* Answered, and this series is not in the answer. */
    return (struct sample){.unknown = UNKNOWN_NO_DATA};
}

time_ms query_patience(const struct core *core, const struct query *query)
{
    const struct source_option *source =
        &core->options.sources[query->key.source];
    time_ms patience = source->lag + source->timeout;
    time_ms most = (GRID_SLOTS - 1) * query->key.every;
    return patience < most ? patience : most;
}

void query_due(struct core *core, uint32_t id)
{
    struct query *query = query_at(core, id);
    assert(query->readers > 0);
    time_ms lag = core->options.sources[query->key.source].lag;
    /* After a pause only the newest is worth asking for; a refill brings the
     * rest. */
    time_ms newest = grid_at_or_before(core->now - lag, query->key.every);
    time_ms g = newest > query->g ? newest : query->g;
    struct effect *effect = core_effect(core, EFFECT_QUERY);
    effect->needs = 0;
    effect->service = query->key.service;
    effect->deadline = g + query_patience(core, query);
    effect->query.query = id;
    effect->query.g = g;
    size_t slot = slot_of(query, g);
    query->answers[slot].g = g;
    query->answers[slot].asked = ASKED_OPEN;
    query->g = g + query->key.every;
    timer_arm(&core->timers, &query->timer, query->g + lag);
}

/* Adapters begin with their source's name, and so does our sentence. */
static const char *without_name(const char *text, const char *name)
{
    size_t length = strlen(name);
    bool has_it = strncmp(text, name, length) == 0 &&
                  strncmp(text + length, ": ", 2) == 0;
    return has_it ? text + length + 2 : text;
}

static void tell_source(struct core *core, const struct query *query,
                        enum record_kind kind, time_ms g, const char *text)
{
    struct record *record = core_record(core, kind);
    const char *name = core->options.sources[query->key.source].name;
    text_copy(record->name, sizeof record->name, name);
    record->grid = g;
    if (kind == RECORD_SOURCE_LOST) {
        text_join(record->text, sizeof record->text, "source ", name,
                  " does not answer: ", without_name(text, name), "; query ",
                  query->text, NULL);
    } else {
        text_join(record->text, sizeof record->text, "source ", name,
                  " answers again", NULL);
    }
    core_tell(core, record);
}

static void note_failure(struct core *core, struct query *query, time_ms g,
                         const char *text)
{
    struct source_state *source = &core->queries.sources[query->key.source];
    if (!query->failing) {
        query->failing = true;
        source->failing++;
    }
    if (!source->lost) {
        tell_source(core, query, RECORD_SOURCE_LOST, g, text);
    }
}

static void note_success(struct core *core, struct query *query, time_ms g)
{
    struct source_state *source = &core->queries.sources[query->key.source];
    if (query->failing) {
        query->failing = false;
        source->failing--;
    }
    if (source->lost && source->failing == 0) {
        tell_source(core, query, RECORD_SOURCE_BACK, g, "");
    }
}

void query_missed(struct core *core, struct query *query, time_ms g)
{
    assert(query_asked(query, g) == ASKED_OPEN);
    query->answers[slot_of(query, g)].asked = ASKED_FAILED;
    note_failure(core, query, g, "no answer in time");
}

static void keep_samples(struct core *core, struct query *query,
                         const struct input *input)
{
    size_t slot = slot_of(query, input->samples.g);
    for (size_t i = 0; i < input->samples.count; i++) {
        uint32_t id = input->samples.series[i];
        if (id >= core->queries.series_used) {
            continue;
        }
        struct series *series = series_at(core, id);
        if (series->readers > 0 && series->query == query->key.id) {
            series->samples[slot].g = input->samples.g;
            series->samples[slot].sample = input->samples.samples[i];
        }
    }
}

static void wake_watches(struct core *core, const struct query *query,
                         time_ms g)
{
    uint32_t id = query->subscription;
    while (id != NONE_ID) {
        const struct watch *watch = &core->watches[id / POLICY_SIGNALS_MAX];
        uint32_t next = watch->subscriptions[id % POLICY_SIGNALS_MAX].next;
        watch_answered(core, id, g);
        id = next;
    }
}

void query_answered(struct core *core, const struct input *input)
{
    uint32_t id = input->samples.query;
    time_ms g = input->samples.g;
    if (id >= core->queries.queries_used || query_at(core, id)->readers == 0 ||
        query_asked(query_at(core, id), g) != ASKED_OPEN) {
        core->unknown_answers++;
        return;
    }
    struct query *query = query_at(core, id);
    if (input->samples.error) {
        query->answers[slot_of(query, g)].asked = ASKED_FAILED;
        note_failure(core, query, g, input->samples.error);
    } else {
        keep_samples(core, query, input);
        query->answers[slot_of(query, g)].asked = ASKED_ANSWERED;
        note_success(core, query, g);
    }
    wake_watches(core, query, g);
}

/* The same grid time may be asked for again: an older answer is none. */
static void forget_samples(struct core *core, const struct query *query)
{
    for (uint32_t id = query->series; id != NONE_ID;
         id = series_at(core, id)->next) {
        for (size_t i = 0; i < GRID_SLOTS; i++) {
            series_at(core, id)->samples[i].g = 0;
        }
    }
}

void queries_restart(struct core *core)
{
    for (uint32_t id = 0; id < core->queries.queries_used; id++) {
        struct query *query = query_at(core, id);
        if (query->readers == 0) {
            continue;
        }
        time_ms lag = core->options.sources[query->key.source].lag;
        for (size_t i = 0; i < GRID_SLOTS; i++) {
            query->answers[i].asked = ASKED_NEVER;
        }
        forget_samples(core, query);
        query->g = grid_after(core->now - lag, query->key.every);
        timer_arm(&core->timers, &query->timer, query->g + lag);
    }
}

void source_apply(struct core *core, const struct record *record)
{
    for (size_t i = 0; i < core->options.sources_count; i++) {
        if (text_equal(core->options.sources[i].name, record->name)) {
            struct source_state *state = &core->queries.sources[i];
            state->lost = record->kind == RECORD_SOURCE_LOST;
            state->since = record->at;
            text_copy(state->text, sizeof state->text, record->text);
        }
    }
}
