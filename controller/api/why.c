/* Why: the newest verdict's explanation, and the timeline of a release and its
 * incident, read back from the journal, with what happened to everybody since
 * its deploy: its source was lost, the STOP file came, the clock was set. */
#include "controller/api/api_parts.h"

#include <stdlib.h>
#include <string.h>

#include "controller/api/brief.h"
#include "controller/api/encode.h"
#include "controller/api/story.h"
#include "policies/explain/json_make.h"
#include "policies/memory.h"

/* Verdicts carry their explanation, tens of kilobytes each: this many entries
 * stay well below what one reading may bring. */
#define ENTRIES_MAX 300
#define COMMON_MAX  20 /* of each kind that is everybody's */

/* The readings, one after the other. */
enum reading {
    STEP_RELEASE,
    STEP_INCIDENT,
    STEP_VERDICT,
    STEP_SOURCE_LOST,
    STEP_SOURCE_BACK,
    STEP_STOP_FILE,
    STEP_CLOCK_SET,
    STEP_ANSWER
};

struct inquiry {
    enum reading step;
    uint64_t release, incident;
    time_ms deployed_at;
    json_t *explanation; /* NULL until found */
    json_t *events;      /* text of sequence -> event; sorted at the end */
    struct record *record;
    bool cut;
};

static void inquiry_free(void *data)
{
    struct inquiry *inquiry = data;

    json_decref(inquiry->explanation);
    json_decref(inquiry->events);
    free(inquiry->record);
    free(inquiry);
}

/* --- Entries -------------------------------------------------------------- */

/* Sequences as fixed-width texts, so that sorted keys are in order of time. */
static void keep_event(struct inquiry *inquiry, json_t *event,
                       uint64_t sequence)
{
    char key[24];

    if (event != NULL) {
        (void)snprintf(key, sizeof(key), "%020llu",
                       (unsigned long long)sequence);
        json_put(inquiry->events, key, event);
    }
}

/* Does the release read the source of that name, or does its service? */
static bool reads_source(struct api *api, const struct inquiry *inquiry,
                         const char *name)
{
    const struct core *core = driver_core(api->driver);
    const struct config *config = driver_config(api->driver);
    const struct policy *policy = NULL;
    struct release_view release;
    struct service_view service;
    struct query_view view;
    uint32_t query = 0, series = 0;

    if (!view_release(core, inquiry->release, &release)) {
        return false;
    }
    if (view_service(core, release.service, &service) &&
        service.option != NONE_INDEX &&
        config->services[service.option].source < config->sources_count &&
        strcmp(config->sources[config->services[service.option].source].name,
               name) == 0) {
        return true;
    }
    policy = view_policy(core, release.policy);
    for (uint16_t i = 0; policy != NULL && i < policy->signals; i++) {
        if (view_release_series(core, release.id, i, &query, &series) &&
            view_query(core, query, &view) &&
            strcmp(config->sources[view.source].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool concerns(struct api *api, const struct inquiry *inquiry,
                     const struct record *record)
{
    return (inquiry->step != STEP_SOURCE_LOST &&
            inquiry->step != STEP_SOURCE_BACK) ||
           reads_source(api, inquiry, record->name);
}

static void take_entry(struct api *api, struct inquiry *inquiry,
                       const struct entry *entry)
{
    struct record *record = inquiry->record;
    char *body = NULL;
    char error[256];

    if (entry->payload == NULL ||
        !record_from_json(entry->payload, entry->length, record, &body, error,
                          sizeof(error))) {
        return; /* erased; or 'lastgood verify' is the command that complains */
    }
    if (inquiry->step == STEP_VERDICT && inquiry->explanation == NULL &&
        record->body != NULL) {
        inquiry->explanation =
            json_loadb(record->body, record->body_length, 0, NULL);
    }
    if (concerns(api, inquiry, record)) {
        keep_event(inquiry, story_event(record, inquiry->deployed_at),
                   record->sequence);
    }
    free(body);
}

/* --- The answer ----------------------------------------------------------- */

static int by_key(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static json_t *sorted_events(json_t *events)
{
    size_t count = json_object_size(events), at = 0;
    const char **keys = memory_zeroed(count + 1, sizeof(*keys));
    const char *key = NULL;
    json_t *value = NULL;
    json_t *list = json_array();

    json_object_foreach(events, key, value)
    {
        keys[at++] = key;
    }
    qsort(keys, count, sizeof(*keys), by_key);
    for (at = 0; at < count; at++) {
        (void)json_array_append(list, json_object_get(events, keys[at]));
    }
    free(keys);
    return list;
}

static void answer_inquiry(struct api *api, struct exchange *exchange,
                           struct inquiry *inquiry)
{
    const struct core *core = driver_core(api->driver);
    struct release_view release;
    char sentence[2048];
    json_t *json = NULL;

    if (!view_release(core, inquiry->release, &release)) {
        answer_refusal(exchange, 404, "no_such_release", NULL,
                       "the release was forgotten meanwhile");
        inquiry_free(inquiry);
        return;
    }
    json = json_object();
    story_sentence(core, &release, sentence, sizeof(sentence));
    json_put(json, "sentence", encode_text(sentence));
    brief_of_release(core, &release, driver_now(api->driver), json);
    json_put(json, "release", encode_release_whole(core, &release));
    json_put(json, "explanation",
             inquiry->explanation != NULL ? json_incref(inquiry->explanation)
                                          : json_null());
    json_put(json, "timeline", sorted_events(inquiry->events));
    json_put(json, "cut", json_boolean(inquiry->cut));
    inquiry_free(inquiry);
    exchange_answer_json(exchange, 200, json, NULL);
}

/* --- The readings --------------------------------------------------------- */

/* What this step reads; false when it has nothing to read. */
static bool query_of(const struct inquiry *inquiry,
                     struct store_query *ret_query)
{
    static const enum record_kind kinds[] = {
        [STEP_SOURCE_LOST] = RECORD_SOURCE_LOST,
        [STEP_SOURCE_BACK] = RECORD_SOURCE_BACK,
        [STEP_STOP_FILE] = RECORD_STOP_FILE,
        [STEP_CLOCK_SET] = RECORD_CLOCK_SET};

    *ret_query =
        (struct store_query){.newest_first = true, .limit = ENTRIES_MAX};
    switch (inquiry->step) {
    case STEP_RELEASE:
        ret_query->release = inquiry->release;
        return true;
    case STEP_INCIDENT:
        ret_query->incident = inquiry->incident;
        return inquiry->incident != 0;
    case STEP_VERDICT:
        ret_query->release = inquiry->release;
        ret_query->kind = RECORD_VERDICT;
        ret_query->limit = 1;
        return true;
    case STEP_SOURCE_LOST:
    case STEP_SOURCE_BACK:
    case STEP_STOP_FILE:
    case STEP_CLOCK_SET:
        /* A release's number is that of the record it came with. */
        ret_query->after = inquiry->release;
        ret_query->kind = kinds[inquiry->step];
        ret_query->limit = COMMON_MAX;
        return true;
    case STEP_ANSWER:
        break;
    }
    return false;
}

static void read_on(struct api *api, struct exchange *exchange,
                    struct inquiry *inquiry);

static void on_entries(struct api *api, struct exchange *exchange,
                       const struct store_event *event, void *data)
{
    struct inquiry *inquiry = data;

    inquiry->cut = inquiry->cut || event->cut || event->count == ENTRIES_MAX;
    for (size_t i = 0; i < event->count; i++) {
        take_entry(api, inquiry, &event->entries[i]);
    }
    inquiry->step++;
    read_on(api, exchange, inquiry);
}

static void read_on(struct api *api, struct exchange *exchange,
                    struct inquiry *inquiry)
{
    struct store_query query;

    while (inquiry->step != STEP_ANSWER && !query_of(inquiry, &query)) {
        inquiry->step++;
    }
    if (inquiry->step == STEP_ANSWER) {
        answer_inquiry(api, exchange, inquiry);
    } else {
        waiting_read(api, exchange, &query, on_entries, inquiry_free, inquiry);
    }
}

static void inquire(struct api *api, struct exchange *exchange, uint64_t id)
{
    const struct core *core = driver_core(api->driver);
    struct release_view release;
    struct inquiry *inquiry = NULL;

    if (!view_release(core, id, &release)) {
        answer_no_release(exchange, id);
        return;
    }
    inquiry = memory_zeroed(1, sizeof(*inquiry));
    inquiry->record = memory_resized(NULL, sizeof(*inquiry->record));
    inquiry->events = json_object();
    if (inquiry->events == NULL) {
        abort();
    }
    inquiry->release = id;
    inquiry->incident = release.incident;
    inquiry->deployed_at = release.deployed_at;
    read_on(api, exchange, inquiry);
}

void why_release(struct api *api, struct exchange *exchange,
                 const struct target *target)
{
    uint64_t id = read_id(exchange, target, 2);

    if (id != 0) {
        inquire(api, exchange, id);
    }
}

/* After a rollback people ask about what was rolled back, not about the old
 * version that is live again. */
static uint64_t subject_of(const struct core *core,
                           const struct service_view *service)
{
    struct release_view live, release;
    size_t cursor = 0;

    if (!view_release(core, service->release, &live)) {
        live.deployed_at = 0;
    }
    while (view_next_release(core, &cursor, &release)) {
        if (release.service == service->index &&
            release.deployed_at >= live.deployed_at &&
            (release.state == RELEASE_REVERTED ||
             release.state == RELEASE_REVERTING)) {
            return release.id;
        }
    }
    return service->release;
}

void why_service(struct api *api, struct exchange *exchange,
                 const struct target *target)
{
    const struct core *core = driver_core(api->driver);
    struct service_view service;
    struct about about;
    uint64_t id = 0;

    if (!read_about(exchange, target, true, &about)) {
        return;
    }
    if (view_find_service(core, about.service, about.environment, &service)) {
        id = subject_of(core, &service);
    }
    if (id == 0) {
        answer_refusal(exchange, 404, "no_live_release", NULL,
                       "no live release of %s in %s is known; 'lastgood "
                       "status' (or /v1/status) shows what is",
                       about.service, about.environment);
        return;
    }
    inquire(api, exchange, id);
}
