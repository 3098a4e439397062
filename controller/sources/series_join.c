#include "controller/sources/series_join.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "policies/memory.h"

struct set {
    size_t count;
    char *owned[POLICY_SELECT_MAX];
    const char *labels[POLICY_SELECT_MAX]; /* the same, to be lent */
};

struct series {
    uint64_t hash;
    uint32_t next; /* in its bucket */
    uint32_t set;
    size_t values; /* where they stand in `texts`, each with its NUL */
};

struct series_join {
    struct set *sets;
    size_t sets_count, sets_size;
    struct series *series;
    size_t count, size;
    char *texts;
    size_t texts_used, texts_size;
    uint32_t *buckets;
    size_t buckets_count; /* a power of two */
};

struct series_join *join_new(void)
{
    return memory_zeroed(1, sizeof(struct series_join));
}

void join_free(struct series_join *join)
{
    if (!join) {
        return;
    }
    for (size_t i = 0; i < join->sets_count; i++) {
        for (size_t label = 0; label < join->sets[i].count; label++) {
            free(join->sets[i].owned[label]);
        }
    }
    free(join->sets);
    free(join->series);
    free(join->texts);
    free(join->buckets);
    free(join);
}

/* FNV-1a over the set and the values, each ended by a byte of its own. */
static uint64_t hash_of(size_t set, const struct join_value *values,
                        size_t count)
{
    uint64_t hash = 14695981039346656037ULL ^ set;
    for (size_t i = 0; i < count; i++) {
        for (size_t at = 0; at < values[i].length; at++) {
            hash ^= (unsigned char)values[i].bytes[at];
            hash *= 1099511628211ULL;
        }
        hash ^= 0xff;
        hash *= 1099511628211ULL;
    }
    return hash ^ hash >> 32;
}

static bool set_is(const struct set *set, size_t selects,
                   const char *const *labels)
{
    if (set->count != selects) {
        return false;
    }
    for (size_t i = 0; i < selects; i++) {
        if (strcmp(set->labels[i], labels[i]) != 0) {
            return false;
        }
    }
    return true;
}

/* The newest set first: most series select like the one before. */
static uint32_t find_set(const struct series_join *join, size_t selects,
                         const char *const *labels)
{
    for (size_t i = join->sets_count; i > 0; i--) {
        if (set_is(&join->sets[i - 1], selects, labels)) {
            return (uint32_t)(i - 1);
        }
    }
    return JOIN_NONE;
}

static uint32_t take_set(struct series_join *join, size_t selects,
                         const char *const *labels)
{
    uint32_t found = find_set(join, selects, labels);
    if (found != JOIN_NONE) {
        return found;
    }
    join->sets = memory_grow(join->sets, &join->sets_size, join->sets_count + 1,
                             sizeof(*join->sets));
    struct set *set = &join->sets[join->sets_count];
    *set = (struct set){.count = selects};
    for (size_t i = 0; i < selects; i++) {
        set->owned[i] = memory_text(labels[i]);
        set->labels[i] = set->owned[i];
    }
    return (uint32_t)join->sets_count++;
}

static uint32_t *bucket_of(const struct series_join *join, uint64_t hash)
{
    return &join->buckets[hash & (join->buckets_count - 1)];
}

/* Twice as many buckets as series, so that chains stay short. */
static void make_room(struct series_join *join)
{
    join->series = memory_grow(join->series, &join->size, join->count + 1,
                               sizeof(*join->series));
    if (join->buckets_count > join->count) {
        return;
    }
    join->buckets_count = join->buckets_count ? join->buckets_count * 4 : 8;
    free(join->buckets);
    join->buckets =
        memory_zeroed(1, join->buckets_count * sizeof(*join->buckets));
    memset(join->buckets, 0xff, join->buckets_count * sizeof(*join->buckets));
    for (size_t i = 0; i < join->count; i++) {
        uint32_t *bucket = bucket_of(join, join->series[i].hash);
        join->series[i].next = *bucket;
        *bucket = (uint32_t)i;
    }
}

static void keep_text(struct series_join *join, const struct join_value *text)
{
    size_t at = join->texts_used;
    join->texts =
        memory_grow(join->texts, &join->texts_size, at + text->length + 1, 1);
    memcpy(join->texts + at, text->bytes, text->length);
    join->texts[at + text->length] = '\0';
    join->texts_used = at + text->length + 1;
}

uint32_t join_add(struct series_join *join, size_t selects,
                  const char *const *labels, const char *const *values)
{
    assert(selects <= POLICY_SELECT_MAX);
    struct join_value plain[POLICY_SELECT_MAX] = {{0}};
    struct series series = {.set = take_set(join, selects, labels),
                            .values = join->texts_used};
    for (size_t i = 0; i < selects; i++) {
        plain[i] = (struct join_value){values[i], strlen(values[i])};
        keep_text(join, &plain[i]);
    }
    series.hash = hash_of(series.set, plain, selects);
    make_room(join);
    uint32_t *bucket = bucket_of(join, series.hash);
    series.next = *bucket;
    *bucket = (uint32_t)join->count;
    join->series[join->count] = series;
    return (uint32_t)join->count++;
}

uint32_t join_count(const struct series_join *join)
{
    return (uint32_t)join->count;
}

size_t join_sets(const struct series_join *join)
{
    return join->sets_count;
}

const char *const *join_labels(const struct series_join *join, size_t set,
                               size_t *ret_count)
{
    *ret_count = join->sets[set].count;
    return join->sets[set].labels;
}

static bool values_are(const struct series_join *join,
                       const struct series *series,
                       const struct join_value *values)
{
    const char *text = join->texts + series->values;
    for (size_t i = 0; i < join->sets[series->set].count; i++) {
        size_t length = strlen(text);
        if (length != values[i].length ||
            memcmp(text, values[i].bytes, length) != 0) {
            return false;
        }
        text += length + 1;
    }
    return true;
}

/* From @series on, along its bucket, the first that is meant. */
static uint32_t first_match(const struct series_join *join, uint32_t series,
                            uint64_t hash, size_t set,
                            const struct join_value *values)
{
    while (series != JOIN_NONE) {
        const struct series *candidate = &join->series[series];
        if (candidate->hash == hash && candidate->set == set &&
            values_are(join, candidate, values)) {
            break;
        }
        series = candidate->next;
    }
    return series;
}

uint32_t join_find(const struct series_join *join, size_t set,
                   const struct join_value *values)
{
    uint64_t hash = hash_of(set, values, join->sets[set].count);
    return first_match(join, *bucket_of(join, hash), hash, set, values);
}

uint32_t join_next(const struct series_join *join, uint32_t series,
                   const struct join_value *values)
{
    const struct series *from = &join->series[series];
    return first_match(join, from->next, from->hash, from->set, values);
}

uint32_t join_lookup(const struct series_join *join, size_t selects,
                     const char *const *labels, const char *const *values)
{
    struct join_value plain[POLICY_SELECT_MAX] = {{0}};
    uint32_t set = find_set(join, selects, labels);
    if (set == JOIN_NONE) {
        return JOIN_NONE;
    }
    for (size_t i = 0; i < selects; i++) {
        plain[i] = (struct join_value){values[i], strlen(values[i])};
    }
    return join_find(join, set, plain);
}
