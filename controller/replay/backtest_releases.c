#include "controller/replay/backtest_releases.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "policies/explain/json_make.h"
#include "policies/memory.h"
#include "state/store.h"

/* --- One release ---------------------------------------------------------- */

static struct backtest_release *add_release(struct backtest_releases *releases)
{
    if (releases->count == releases->room) {
        releases->room = releases->room == 0 ? 16 : 2 * releases->room;
        releases->list = memory_resized(
            releases->list, releases->room * sizeof(*releases->list));
    }
    memset(&releases->list[releases->count], 0, sizeof(*releases->list));
    return &releases->list[releases->count++];
}

/* A time as text or as a number. */
static bool read_moment(const json_t *json, time_ms *ret_at)
{
    char number[64] = "";
    const char *text = json_string_value(json);

    if (json_is_number(json)) {
        (void)snprintf(number, sizeof(number), "%.3f", json_number_value(json));
        text = number;
    }
    return text != NULL && moment_read(text, ret_at);
}

/* "incident" and "began", which are then taken out of @body. */
static bool read_label(json_t *body, struct backtest_release *release,
                       char *ret_error, size_t size)
{
    const json_t *incident = json_object_get(body, "incident");
    const json_t *began = json_object_get(body, "began");

    if (incident != NULL && !json_is_boolean(incident)) {
        (void)snprintf(ret_error, size, "'incident' is true or false");
        return false;
    }
    if (incident != NULL) {
        release->label =
            json_is_true(incident) ? LABEL_INCIDENT : LABEL_HEALTHY;
    }
    if (began != NULL && !json_is_true(incident)) {
        (void)snprintf(ret_error, size,
                       "'began' is of an incident; write \"incident\": true "
                       "too");
        return false;
    }
    if (began != NULL && !read_moment(began, &release->began)) {
        (void)snprintf(ret_error, size,
                       "'began' is not a time; write RFC 3339, as "
                       "\"2024-09-18T13:15:00Z\", or Unix seconds");
        return false;
    }
    (void)json_object_del(body, "incident");
    (void)json_object_del(body, "began");
    return true;
}

/* What `register` posts, read as replay reads it. */
static bool read_body(const json_t *body, struct replay_release *release,
                      char *ret_error, size_t size)
{
    struct problems *problems = memory_resized(NULL, sizeof(*problems));
    char *text = json_dumps(body, JSON_COMPACT);
    bool good = false;

    if (text == NULL) {
        abort();
    }
    problems_init(problems, "");
    good = release_read(text, strlen(text), release, problems);
    if (!good) {
        text_escape(problems->list[0].text, ret_error, size);
    } else if (release->deployed_at == 0) {
        (void)snprintf(ret_error, size, "'deployed_at' is needed");
        good = false;
    }
    free(text);
    free(problems);
    return good;
}

static bool read_release(json_t *body, struct backtest_releases *releases,
                         char *ret_error, size_t size)
{
    struct backtest_release *release = NULL;
    char error[512] = "";

    if (releases->count == BACKTEST_RELEASES_MAX) {
        (void)snprintf(ret_error, size, "more than %d releases; take fewer",
                       BACKTEST_RELEASES_MAX);
        return false;
    }
    release = add_release(releases);
    if (!json_is_object(body)) {
        (void)snprintf(error, sizeof(error),
                       "it is not an object, as 'register' posts it");
    } else if (read_label(body, release, error, sizeof(error)) &&
               read_body(body, &release->release, error, sizeof(error))) {
        return true;
    }
    (void)snprintf(ret_error, size, "release %zu: %s", releases->count, error);
    return false;
}

/* --- A file --------------------------------------------------------------- */

bool backtest_releases_read(const char *text, size_t length,
                            struct backtest_releases *ret_releases,
                            char *ret_error, size_t size)
{
    json_error_t where;
    json_t *list = json_loadb(text, length, JSON_REJECT_DUPLICATES, &where);
    bool good = json_is_array(list);

    memset(ret_releases, 0, sizeof(*ret_releases));
    if (list == NULL) {
        char shown[JSON_ERROR_TEXT_LENGTH * 2];

        text_escape(where.text, shown, sizeof(shown));
        (void)snprintf(ret_error, size, "%d:%d: %s", where.line, where.column,
                       shown);
    } else if (!good) {
        (void)snprintf(ret_error, size,
                       "it must be a list: [{what 'register' posts}, ...]");
    }
    for (size_t i = 0; good && i < json_array_size(list); i++) {
        good = read_release(json_array_get(list, i), ret_releases, ret_error,
                            size);
    }
    json_decref(list);
    return good;
}

/* --- A journal ------------------------------------------------------------ */

struct reading {
    struct backtest_releases *releases;
    struct record *record;
    bool good;
    char *ret_error;
    size_t size;
};

static void put_text(json_t *body, const char *name, const char *text)
{
    if (text[0] != '\0') {
        json_put(body, name, json_string(text));
    }
}

static json_t *body_of(const struct record *record)
{
    json_t *body = json_made(json_object());
    json_t *labels = json_made(json_object());
    char at[MOMENT_TEXT_MAX];

    put_text(body, "service", record->service);
    put_text(body, "environment", record->environment);
    put_text(body, "version", record->version);
    put_text(body, "deployed_at", moment_print(record->deployed_at, at));
    put_text(body, "previous", record->previous);
    put_text(body, "kind", record->release_kind);
    put_text(body, "data_change", record->data_change);
    put_text(body, "rollback_compatible_from", record->compatible_from);
    for (uint8_t i = 0; i < record->labels_count; i++) {
        put_text(labels, record->labels[i].name, record->labels[i].value);
    }
    if (json_object_set_new(body, "labels", labels) != 0) {
        abort();
    }
    return body;
}

/* Discovered and adopted ones were never deployed as far as anybody said. */
static bool visit(void *data, const struct entry *entry)
{
    struct reading *reading = data;
    char error[512] = "";
    char *lent = NULL;
    json_t *body = NULL;

    if (entry->payload == NULL) {
        return true; /* erased */
    }
    if (!record_from_json(entry->payload, entry->length, reading->record, &lent,
                          error, sizeof(error))) {
        (void)snprintf(reading->ret_error, reading->size,
                       "record %llu cannot be read: %s",
                       (unsigned long long)entry->sequence, error);
        reading->good = false;
        return false;
    }
    free(lent);
    if (reading->record->origin != ORIGIN_REGISTERED) {
        return true;
    }
    body = body_of(reading->record);
    reading->good = read_release(body, reading->releases, reading->ret_error,
                                 reading->size);
    json_decref(body);
    return reading->good;
}

bool backtest_releases_of_store(const char *path,
                                struct backtest_releases *ret_releases,
                                char *ret_error, size_t size)
{
    static const struct store_query registered = {.kind = RECORD_REGISTERED};
    struct store *store =
        store_sqlite_open(path, STORE_READ_ONLY, ret_error, size);
    struct reading reading = {ret_releases, NULL, true, ret_error, size};

    memset(ret_releases, 0, sizeof(*ret_releases));
    if (store == NULL) {
        return false;
    }
    reading.record = memory_resized(NULL, sizeof(*reading.record));
    if (store->ops->read(store, &registered, visit, &reading, ret_error,
                         size) != STORE_OK) {
        reading.good = false;
    }
    free(reading.record);
    store->ops->close(store);
    return reading.good;
}

void backtest_releases_release(struct backtest_releases *releases)
{
    free(releases->list);
    memset(releases, 0, sizeof(*releases));
}

/* --- Which, and how long -------------------------------------------------- */

/* By time, then by name, so that reports agree. */
static int order(const void *left, const void *right)
{
    const struct replay_release *a =
        &((const struct backtest_release *)left)->release;
    const struct replay_release *b =
        &((const struct backtest_release *)right)->release;
    int names = strcmp(a->service, b->service);

    if (a->deployed_at != b->deployed_at) {
        return a->deployed_at < b->deployed_at ? -1 : 1;
    }
    if (names == 0) {
        names = strcmp(a->environment, b->environment);
    }
    return names != 0 ? names : strcmp(a->version, b->version);
}

/* When the next one of its service was deployed; TIME_NEVER. */
static time_ms next_deploy(const struct backtest_releases *releases, size_t i)
{
    const struct replay_release *one = &releases->list[i].release;

    for (size_t k = i + 1; k < releases->count; k++) {
        const struct replay_release *other = &releases->list[k].release;

        if (other->deployed_at > one->deployed_at &&
            strcmp(other->service, one->service) == 0 &&
            strcmp(other->environment, one->environment) == 0) {
            return other->deployed_at;
        }
    }
    return TIME_NEVER;
}

void backtest_releases_settle(struct backtest_releases *releases,
                              const struct policy *policy, time_ms from,
                              time_ms to)
{
    size_t kept = 0;

    if (releases->count > 0) {
        qsort(releases->list, releases->count, sizeof(*releases->list), order);
    }
    for (size_t i = 0; i < releases->count; i++) {
        struct backtest_release *release = &releases->list[i];
        const struct replay_release *said = &release->release;
        time_ms next = next_deploy(releases, i);

        if (policy_match(policy, said->service, said->environment) == 0) {
            releases->not_ours++;
            continue;
        }
        if (said->deployed_at < from || said->deployed_at >= to) {
            releases->not_then++;
            continue;
        }
        release->ends = said->deployed_at + policy->watch.lasts;
        release->ends = release->ends < to ? release->ends : to;
        release->superseded = next < release->ends;
        release->ends = release->superseded ? next : release->ends;
        releases->list[kept++] = *release; /* at most where it was */
    }
    releases->count = kept;
}
