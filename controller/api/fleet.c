/* /v1/status, lists of incidents, freezes and policies, and readiness. */
#include "controller/api/api_parts.h"

#include <stdlib.h>
#include <string.h>

#include "controller/api/brief.h"
#include "controller/api/encode.h"
#include "policies/explain/json_make.h"
#include "policies/memory.h"

#define SERVICES_DEFAULT  1000
#define SERVICES_LIMIT    10000
#define INCIDENTS_DEFAULT 100
#define INCIDENTS_MAX     1000

static bool names_match(const struct about *about, const char *service,
                        const char *environment)
{
    return (about->service == NULL || strcmp(about->service, service) == 0) &&
           (about->environment == NULL ||
            strcmp(about->environment, environment) == 0);
}

/* --- Status --------------------------------------------------------------- */

static json_t *encode_counts(const struct core_counts *counts)
{
    return json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
        "services", (json_int_t)counts->services, "releases",
        (json_int_t)counts->releases, "watched", (json_int_t)counts->watched,
        "series", (json_int_t)counts->series, "queries",
        (json_int_t)counts->queries, "policies", (json_int_t)counts->policies,
        "freezes", (json_int_t)counts->freezes, "incidents_open",
        (json_int_t)counts->incidents_open, "rollbacks_under_way",
        (json_int_t)counts->rollbacks_under_way, "notices_pending",
        (json_int_t)counts->notices_pending, "notices_undelivered",
        (json_int_t)counts->notices_undelivered, "blind",
        (json_int_t)counts->blind);
}

/* What nobody was told in the last day. */
static json_t *encode_undelivered(const struct core *core, time_ms now)
{
    struct undelivered_view one;
    json_t *list = json_array();
    size_t cursor = 0;

    while (view_next_undelivered(core, &cursor, &one) &&
           now - one.at < DAY_MS) {
        json_t *json = json_object();

        json_put(json, "notice", encode_id(one.notice));
        json_put(json, "at", encode_moment(one.at));
        json_put(json, "sink", encode_text(one.sink));
        json_put(json, "what", encode_text(one.what));
        json_put(json, "text", encode_text(one.text));
        json_put(json, "why", encode_text(one.why));
        (void)json_array_append_new(list, json);
    }
    return list;
}

static json_t *encode_heartbeat(const struct driver *driver)
{
    struct driver_heartbeat beat;
    json_t *json = NULL;

    driver_heartbeat(driver, &beat);
    if (!beat.given) {
        return json_null();
    }
    json = json_object();
    json_put(json, "sent_at", encode_moment(beat.sent_at));
    json_put(json, "taken_at", encode_moment(beat.taken_at));
    json_put(json, "fails", json_boolean(beat.fails));
    return json;
}

static json_t *encode_gate_of(const struct core *core,
                              const struct service_view *service, time_ms now)
{
    static const char *const words[] = {[GATE_GO] = "go",
                                        [GATE_REFUSED] = "refused",
                                        [GATE_UNKNOWN] = "unknown"};
    struct gate_view gate;
    json_t *json = json_object();

    memset(&gate, 0, sizeof(gate));
    view_gate(core, service->service, service->environment, NULL, now, &gate);
    json_put(json, "gate", json_string(words[gate.gate]));
    json_put(json, "code", encode_text(gate.code));
    json_put(json, "text", encode_text(gate.text));
    json_put(json, "until", encode_moment(gate.until));
    return json;
}

/* What would keep a rollback of the live release from leaving now. */
static json_t *encode_brakes(const struct core *core, uint64_t release)
{
    struct brake *brakes = memory_zeroed(BRAKES_MAX, sizeof(*brakes));
    size_t count = view_brakes(core, release, brakes);
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) {
        json_t *json = json_object();

        json_put(json, "code", json_string(brakes[i].code));
        json_put(json, "text", encode_text(brakes[i].text));
        json_append(list, json);
    }
    free(brakes);
    return list;
}

static json_t *encode_service(const struct core *core,
                              const struct service_view *service, time_ms now)
{
    json_t *json = json_object();
    struct release_view release;
    struct rollback_view rollback;

    json_put(json, "service", encode_text(service->service));
    json_put(json, "environment", encode_text(service->environment));
    json_put(json, "live", encode_text(service->live));
    json_put(json, "complete", json_boolean(service->complete));
    json_put(json, "observed_at", encode_moment(service->observed_at));
    json_put(json, "observe_error", encode_text(service->observe_error));
    json_put(json, "release",
             view_release(core, service->release, &release)
                 ? encode_release(core, &release)
                 : json_null());
    json_put(json, "incident_id", encode_id(service->incident));
    json_put(json, "rollback",
             view_rollback(core, service->rollback, &rollback)
                 ? encode_rollback(core, &rollback)
                 : json_null());
    json_put(json, "gate", encode_gate_of(core, service, now));
    json_put(json, "brakes", encode_brakes(core, service->release));
    brief_of_service(core, service, now, json);
    return json;
}

static json_t *encode_problems(const struct problems *problems)
{
    json_t *list = json_array();

    for (size_t i = 0; problems != NULL && i < problems->count; i++) {
        (void)json_array_append_new(list, encode_problem(&problems->list[i]));
    }
    return list;
}

static void put_services(const struct core *core, const struct about *about,
                         size_t limit, time_ms now, json_t *json)
{
    struct service_view service;
    json_t *list = json_array();
    size_t cursor = 0;
    bool cut = false;

    while (!cut && view_next_service(core, &cursor, &service)) {
        if (!names_match(about, service.service, service.environment)) {
            continue;
        }
        cut = json_array_size(list) == limit;
        if (!cut) {
            (void)json_array_append_new(list,
                                        encode_service(core, &service, now));
        }
    }
    json_put(json, "services", list);
    json_put(json, "cut", json_boolean(cut));
}

void fleet_status(struct api *api, struct exchange *exchange,
                  const struct target *target)
{
    const struct core *core = driver_core(api->driver);
    size_t limit =
        read_limit(exchange, target, SERVICES_DEFAULT, SERVICES_LIMIT);
    time_ms now = driver_now(api->driver);
    const char *why_not = "";
    struct core_counts counts;
    struct about about;
    bool ready = false;
    json_t *json = NULL;

    if (limit == 0 || !read_about(exchange, target, false, &about)) {
        return;
    }
    ready = driver_is_ready(api->driver, &why_not);
    view_counts(core, &counts);
    json = json_object();
    json_put(json, "version", json_string(LASTGOOD_VERSION));
    json_put(json, "now", encode_moment(now));
    json_put(json, "ready", json_boolean(ready));
    json_put(json, "why_not", ready ? json_null() : encode_text(why_not));
    json_put(json, "ceiling", json_string(mode_name(counts.ceiling)));
    json_put(json, "stopped", json_boolean(counts.stopped));
    json_put(json, "counts", encode_counts(&counts));
    json_put(json, "heartbeat", encode_heartbeat(api->driver));
    json_put(json, "undelivered", encode_undelivered(core, now));
    json_put(json, "policy_problems",
             encode_problems(driver_policy_problems(api->driver)));
    put_services(core, &about, limit, now, json);
    exchange_answer_json(exchange, 200, json, NULL);
}

/* --- Incidents ------------------------------------------------------------ */

static json_t *encode_incident_whole(const struct core *core,
                                     const struct incident_view *incident)
{
    json_t *json = encode_incident(core, incident);
    struct release_view release;
    struct rollback_view rollback;
    bool known = view_release(core, incident->release, &release);

    json_put(json, "release",
             known ? encode_release(core, &release) : json_null());
    json_put(json, "rollback",
             known && view_rollback(core, release.rollback, &rollback) &&
                     rollback.incident == incident->id
                 ? encode_rollback(core, &rollback)
                 : json_null());
    return json;
}

void incidents_list(struct api *api, struct exchange *exchange,
                    const struct target *target)
{
    const struct core *core = driver_core(api->driver);
    size_t limit =
        read_limit(exchange, target, INCIDENTS_DEFAULT, INCIDENTS_MAX);
    const char *open = target_parameter(target, "open");
    bool open_only = open != NULL && strcmp(open, "true") == 0;
    struct incident_view incident;
    struct service_view service;
    struct about about;
    json_t *list = NULL;
    size_t cursor = 0;

    if (limit == 0 || !read_about(exchange, target, false, &about)) {
        return;
    }
    if (open != NULL && !open_only && strcmp(open, "false") != 0) {
        answer_refusal(exchange, 400, "bad_value", "open",
                       "open is true or false");
        return;
    }
    list = json_array();
    while (json_array_size(list) < limit &&
           view_next_incident(core, &cursor, &incident)) {
        if (view_service(core, incident.service, &service) &&
            names_match(&about, service.service, service.environment) &&
            (!open_only || incident.closed_at == 0)) {
            (void)json_array_append_new(list, encode_incident(core, &incident));
        }
    }
    exchange_answer_json(exchange, 200, json_pack("{s:o}", "incidents", list),
                         NULL);
}

void incidents_one(struct api *api, struct exchange *exchange,
                   const struct target *target)
{
    const struct core *core = driver_core(api->driver);
    uint64_t id = read_id(exchange, target, 2);
    struct incident_view incident;

    if (id == 0) {
        return;
    }
    if (!view_incident(core, id, &incident)) {
        answer_refusal(exchange, 404, "no_such_incident", NULL,
                       "there is no incident %llu; 'lastgood status' (or "
                       "/v1/incidents) shows what there is",
                       (unsigned long long)id);
        return;
    }
    exchange_answer_json(exchange, 200, encode_incident_whole(core, &incident),
                         NULL);
}

/* --- Freezes -------------------------------------------------------------- */

void freezes_list(struct api *api, struct exchange *exchange,
                  const struct target *target)
{
    const struct core *core = driver_core(api->driver);
    time_ms now = driver_now(api->driver);
    struct freeze_view freeze;
    struct about about;
    json_t *list = NULL;
    size_t cursor = 0;

    if (!read_about(exchange, target, false, &about)) {
        return;
    }
    list = json_array();
    while (view_next_freeze(core, &cursor, &freeze)) {
        if (freeze.until > now &&
            names_match(&about, freeze.service, freeze.environment)) {
            (void)json_array_append_new(list, encode_freeze(&freeze));
        }
    }
    exchange_answer_json(exchange, 200, json_pack("{s:o}", "freezes", list),
                         NULL);
}

/* --- Policies ------------------------------------------------------------- */

void fleet_policies(struct api *api, struct exchange *exchange,
                    const struct target *target)
{
    const struct core *core = driver_core(api->driver);
    json_t *list = json_array();
    struct policy_view policy;
    size_t cursor = 0;

    (void)target;
    while (view_next_policy(core, &cursor, &policy)) {
        (void)json_array_append_new(
            list, encode_policy(view_policy(core, policy.name)));
    }
    exchange_answer_json(
        exchange, 200,
        json_pack("{s:o, s:o}", "policies", list, "problems",
                  encode_problems(driver_policy_problems(api->driver))),
        NULL);
}

/* --- Readiness ------------------------------------------------------------ */

void fleet_health(struct api *api, struct exchange *exchange,
                  const struct target *target)
{
    const char *why = "";

    (void)target;
    if (!driver_is_ready(api->driver, &why)) {
        answer_refusal(exchange, 503, "not_ready", NULL, "%s", why);
        return;
    }
    exchange_answer_json(
        exchange, 200,
        json_pack("{s:s, s:s}", "status", "ready", "version", LASTGOOD_VERSION),
        NULL);
}
