#include "controller/core/query.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "controller/core/inside.h"
#include "policies/facts.h"
#include "policies/memory.h"

#define QUERY_BUCKETS 16384

void queries_init(struct core *core)
{
    struct queries *queries = &core->queries;
    queries->series_max = core->options.series_max;
    queries->queries = memory_zeroed(QUERIES_MAX, sizeof *queries->queries);
    queries->series =
        memory_zeroed(queries->series_max, sizeof *queries->series);
    queries->buckets = memory_zeroed(QUERY_BUCKETS, sizeof(uint32_t));
    queries->sources =
        memory_zeroed(core->options.sources_count, sizeof *queries->sources);
}

void queries_release(struct core *core)
{
    free(core->queries.sources);
    free(core->queries.buckets);
    free(core->queries.series);
    free(core->queries.queries);
}

struct query *query_at(const struct core *core, uint32_t id)
{
    assert(id < core->queries.queries_used);
    return &core->queries.queries[id];
}

struct series *series_at(const struct core *core, uint32_t id)
{
    assert(id < core->queries.series_used);
    return &core->queries.series[id];
}

/* ---- finding and making ------------------------------------------------ */

static uint16_t source_named(const struct core *core, const char *name)
{
    for (size_t i = 0; i < core->options.sources_count; i++) {
        if (text_equal(core->options.sources[i].name, name)) {
            return (uint16_t)i;
        }
    }
    return NONE_INDEX;
}

uint16_t signal_source(const struct core *core, const struct service *service,
                       const struct policy *policy, uint16_t signal)
{
    const struct signal *asked = policy_signal(policy, signal);
    uint16_t own = service->option == NONE_INDEX
                       ? NONE_INDEX
                       : core->options.services[service->option].source;
    uint16_t found =
        asked->source == 0
            ? own
            : source_named(core, policy_text(policy, asked->source));
    bool fits = found != NONE_INDEX &&
                core->options.sources[found].fetch == asked->fetch;
    return fits ? found : NONE_INDEX;
}

static struct query_view key_of(const struct core *core,
                                const struct service *service,
                                const struct policy *policy, uint16_t signal,
                                uint16_t source)
{
    const struct signal *asked = policy_signal(policy, signal);
    bool own = core->options.sources[source].per_service;
    return (struct query_view){
        .source = source,
        .service = own ? service->index : NONE_INDEX,
        .fetch = core->options.sources[source].fetch,
        .text = policy_text(policy, asked->query),
        .fresh = asked->fresh ? policy_text(policy, asked->fresh) : "",
        .every = policy->watch.every,
        .max_age = asked->max_age,
    };
}

static bool asks_same(const struct query_view *a, const struct query_view *b)
{
    return a->source == b->source && a->service == b->service &&
           a->fetch == b->fetch && text_equal(a->text, b->text);
}

static bool is_same(const struct query_view *a, const struct query_view *b)
{
    return asks_same(a, b) && a->every == b->every &&
           a->max_age == b->max_age && text_equal(a->fresh, b->fresh);
}

static uint32_t *bucket_of(struct core *core, const struct query_view *key)
{
    uint64_t hash = text_hash(text_hash(0, key->text), key->fresh);
    hash += key->source * UINT64_C(31) + key->service * UINT64_C(131071);
    return &core->queries.buckets[hash % QUERY_BUCKETS];
}

static uint32_t query_find(struct core *core, const struct query_view *key)
{
    uint32_t next = *bucket_of(core, key);
    for (uint32_t i = 0; next != 0 && i < QUERIES_MAX; i++) {
        struct query *query = query_at(core, next - 1);
        if (is_same(&query->key, key)) {
            return next - 1;
        }
        next = query->next;
    }
    return NONE_ID;
}

/* The lowest free slot, NONE_ID when there is none. */
static uint32_t free_query(struct queries *queries)
{
    if (queries->queries_count == queries->queries_used) {
        return queries->queries_used < QUERIES_MAX ? queries->queries_used++
                                                   : NONE_ID;
    }
    uint32_t id = 0;
    while (queries->queries[id].readers > 0) {
        id++;
    }
    return id;
}

static time_ms lag_of(const struct core *core, const struct query *query)
{
    return core->options.sources[query->key.source].lag;
}

static void query_begin(struct core *core, struct query *query)
{
    query->g = grid_after(core->now - lag_of(core, query), query->key.every);
    timer_arm(&core->timers, &query->timer, query->g + lag_of(core, query));
}

static uint32_t query_make(struct core *core, const struct query_view *key)
{
    uint32_t id = free_query(&core->queries);
    if (id == NONE_ID) {
        return NONE_ID;
    }
    struct query *query = query_at(core, id);
    memset(query, 0, sizeof *query);
    query->key = *key;
    query->key.id = id;
    text_copy(query->text, sizeof query->text, key->text);
    text_copy(query->fresh, sizeof query->fresh, key->fresh);
    query->key.text = query->text;
    query->key.fresh = query->fresh;
    query->series = NONE_ID;
    query->subscription = NONE_ID;
    uint32_t *bucket = bucket_of(core, key);
    query->next = *bucket;
    *bucket = id + 1;
    core->queries.queries_count++;
    timer_name(&query->timer, TIMER_QUERY, id);
    query_begin(core, query);
    return id;
}

static void query_forget(struct core *core, struct query *query)
{
    assert(query->subscription == NONE_ID);
    uint32_t *link = bucket_of(core, &query->key);
    while (*link != query->key.id + 1) {
        link = &query_at(core, *link - 1)->next;
    }
    *link = query->next;
    if (query->failing) {
        core->queries.sources[query->key.source].failing--;
    }
    timer_stop(&core->timers, &query->timer);
    core->queries.queries_count--;
}

/* What a series selects by, before it has a place. */
struct selection {
    uint8_t selects;
    uint16_t bytes;
    char texts[SERIES_TEXTS_MAX];
};

static void selection_add(struct selection *selection, const char *text)
{
    char *place = selection->texts + selection->bytes;
    text_copy(place, NAME_MAX_BYTES + 1, text);
    selection->bytes = (uint16_t)(selection->bytes + strlen(place) + 1);
}

static void selection_fill(struct selection *selection,
                           const struct policy *policy,
                           const struct signal *signal,
                           const struct facts *facts)
{
    selection->selects = signal->selects;
    for (uint8_t i = 0; i < signal->selects; i++) {
        const struct select *select = &signal->select[i];
        selection_add(selection, policy_text(policy, select->label));
        selection_add(selection, selected_text(policy, select, facts));
    }
}

static bool selects_same(const struct series *series, uint16_t bytes,
                         const char *texts)
{
    return series->bytes == bytes &&
           (bytes == 0 || memcmp(series->texts, texts, bytes) == 0);
}

static uint32_t series_find(const struct core *core, const struct query *query,
                            const struct selection *wanted)
{
    uint32_t id = query->series;
    while (id != NONE_ID) {
        const struct series *series = series_at(core, id);
        if (selects_same(series, wanted->bytes, wanted->texts)) {
            return id;
        }
        id = series->next;
    }
    return NONE_ID;
}

static uint32_t free_series(struct queries *queries)
{
    if (queries->series_count == queries->series_used) {
        return queries->series_used < queries->series_max
                   ? queries->series_used++
                   : NONE_ID;
    }
    uint32_t id = 0;
    while (queries->series[id].readers > 0) {
        id++;
    }
    return id;
}

static uint32_t series_make(struct core *core, struct query *query,
                            const struct selection *wanted)
{
    uint32_t id = free_series(&core->queries);
    if (id == NONE_ID) {
        return NONE_ID;
    }
    struct series *series = series_at(core, id);
    memset(series, 0, sizeof *series);
    char *texts = arena_take(&core->texts, wanted->bytes);
    if (texts) {
        memcpy(texts, wanted->texts, wanted->bytes);
    }
    series->selects = wanted->selects;
    series->bytes = wanted->bytes;
    series->texts = texts;
    series->query = query->key.id;
    series->next = query->series;
    query->series = id;
    query->readers++;
    core->queries.series_count++;
    return id;
}

bool series_is_same(const struct core *core, uint32_t a, uint32_t b)
{
    const struct series *one = series_at(core, a), *other = series_at(core, b);
    return a == b || (one->query != other->query &&
                      selects_same(one, other->bytes, other->texts) &&
                      asks_same(&query_at(core, one->query)->key,
                                &query_at(core, other->query)->key));
}

bool series_is_of(const struct core *core, uint32_t series,
                  const struct service *service, const struct policy *policy,
                  uint16_t signal, const struct facts *facts)
{
    uint16_t source = signal_source(core, service, policy, signal);
    if (source == NONE_INDEX) {
        return false;
    }
    struct query_view key = key_of(core, service, policy, signal, source);
    struct selection wanted = {0};
    selection_fill(&wanted, policy, policy_signal(policy, signal), facts);
    const struct series *one = series_at(core, series);
    return selects_same(one, wanted.bytes, wanted.texts) &&
           asks_same(&query_at(core, one->query)->key, &key);
}

uint32_t series_take(struct core *core, const struct service *service,
                     const struct policy *policy, uint16_t signal,
                     const struct facts *facts)
{
    uint16_t source = signal_source(core, service, policy, signal);
    if (source == NONE_INDEX) {
        return NONE_ID;
    }
    struct query_view key = key_of(core, service, policy, signal, source);
    struct selection wanted = {0};
    selection_fill(&wanted, policy, policy_signal(policy, signal), facts);
    uint32_t query = query_find(core, &key);
    if (query == NONE_ID) {
        query = query_make(core, &key);
    }
    if (query == NONE_ID) {
        return NONE_ID;
    }
    uint32_t id = series_find(core, query_at(core, query), &wanted);
    if (id == NONE_ID) {
        id = series_make(core, query_at(core, query), &wanted);
    }
    if (id != NONE_ID) {
        series_at(core, id)->readers++;
    } else if (query_at(core, query)->readers == 0) {
        query_forget(core, query_at(core, query));
    }
    return id;
}

void series_leave(struct core *core, uint32_t id)
{
    struct series *series = series_at(core, id);
    assert(series->readers > 0);
    series->readers--;
    if (series->readers > 0) {
        return;
    }
    struct query *query = query_at(core, series->query);
    uint32_t *link = &query->series;
    while (*link != id) {
        link = &series_at(core, *link)->next;
    }
    *link = series->next;
    arena_give(&core->texts, series->texts, series->bytes);
    series->texts = NULL;
    core->queries.series_count--;
    query->readers--;
    if (query->readers == 0) {
        query_forget(core, query);
    }
}
