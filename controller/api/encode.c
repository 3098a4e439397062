#include "controller/api/encode.h"
#include "policies/explain/json_make.h"

#include <stdlib.h>

/* --- Values --------------------------------------------------------------- */

json_t *encode_id(uint64_t id)
{
    char text[24];

    if (id == 0) {
        return json_null();
    }
    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)id);
    return json_string(text);
}

json_t *encode_moment(time_ms at)
{
    char text[MOMENT_TEXT_MAX];

    return at == 0 || at == TIME_NEVER ? json_null()
                                       : json_string(moment_print(at, text));
}

/* Texts of sources and targets may hold anything; JSON may not. */
json_t *encode_text(const char *text)
{
    char escaped[4 * RECORD_TEXT_MAX];
    json_t *json = NULL;

    if (text == NULL || text[0] == '\0') {
        return json_null();
    }
    json = json_string(text);
    if (json == NULL) {
        text_escape(text, escaped, sizeof(escaped));
        json = json_string(escaped);
    }
    return json;
}

static void put_text(json_t *object, const char *name, const char *text)
{
    json_put(object, name, encode_text(text));
}

static void put_moment(json_t *object, const char *name, time_ms at)
{
    json_put(object, name, encode_moment(at));
}

static void put_integer(json_t *object, const char *name, int64_t number)
{
    json_put(object, name, json_integer(number));
}

/* null for what JSON cannot say: a sum that grew beyond all numbers. */
static void put_number(json_t *object, const char *name, double number)
{
    json_t *json = json_real(number);

    json_put(object, name, json != NULL ? json : json_null());
}

static void put_names(json_t *object, const struct core *core, uint16_t index)
{
    struct service_view service;

    if (view_service(core, index, &service)) {
        put_text(object, "service", service.service);
        put_text(object, "environment", service.environment);
    }
}

/* --- Releases ------------------------------------------------------------- */

static json_t *encode_labels(const struct release_view *release)
{
    json_t *labels = json_object();

    for (size_t i = 0; i < release->labels_count; i++) {
        json_put(labels, release->labels[i].name,
                 json_string(release->labels[i].value));
    }
    return labels;
}

static json_t *encode_verdict(const struct release_view *release)
{
    json_t *verdict = NULL;

    if (release->verdict[0] == '\0') {
        return json_null();
    }
    verdict = json_object();
    put_text(verdict, "verdict", release->verdict);
    put_text(verdict, "text", release->verdict_text);
    put_moment(verdict, "at", release->judged_at);
    json_put(verdict, "record", encode_id(release->verdict_sequence));
    return verdict;
}

static json_t *encode_last_good(const struct release_view *release)
{
    json_t *last_good = NULL;

    if (release->last_good == 0) {
        return json_null();
    }
    last_good = json_object();
    json_put(last_good, "id", encode_id(release->last_good));
    put_text(last_good, "version", release->last_good_version);
    return last_good;
}

static json_t *encode_watched_by(const struct release_view *release)
{
    json_t *policy = NULL;

    if (release->policy[0] == '\0') {
        return json_null();
    }
    policy = json_object();
    put_text(policy, "name", release->policy);
    put_text(policy, "digest", release->policy_digest);
    return policy;
}

static void put_registration(json_t *json, const struct release_view *release)
{
    put_text(json, "version", release->version);
    put_text(json, "previous", release->previous);
    put_text(json, "kind", release->kind);
    put_text(json, "data_change", release->data_change);
    put_text(json, "rollback_compatible_from", release->compatible_from);
    json_put(json, "labels", encode_labels(release));
    put_text(json, "origin", origin_name(release->origin));
    put_moment(json, "deployed_at", release->deployed_at);
    put_moment(json, "registered_at", release->registered_at);
}

static void put_watch(json_t *json, const struct release_view *release)
{
    json_put(json, "watched", json_boolean(release->policy[0] != '\0'));
    json_put(json, "policy", encode_watched_by(release));
    put_integer(json, "healthy_ms", release->healthy);
    put_integer(json, "lasts_ms", release->lasts);
    put_integer(json, "looks", (int64_t)release->looks);
    put_integer(json, "known_looks", (int64_t)release->known_looks);
    put_number(json, "requests", release->requests);
    json_put(json, "verdict", encode_verdict(release));
    put_text(json, "mode", mode_name(release->mode));
    put_text(json, "rollback_safe", answer_name(release->rollback_safe));
    json_put(json, "last_good", encode_last_good(release));
    json_put(json, "blind", json_boolean(release->blind));
    put_moment(json, "muted_until", release->muted_until);
    put_text(json, "muted_by", release->muted_by);
    json_put(json, "stuck", json_boolean(release->stuck));
}

json_t *encode_release(const struct core *core,
                       const struct release_view *release)
{
    json_t *json = json_object();
    struct service_view service;
    bool live = view_service(core, release->service, &service) &&
                service.release == release->id;

    json_put(json, "id", encode_id(release->id));
    put_names(json, core, release->service);
    put_registration(json, release);
    put_text(json, "state", release_state_name(release->state));
    put_text(json, "grade", grade_name(release->grade));
    json_put(json, "live", json_boolean(live));
    put_watch(json, release);
    json_put(json, "incident_id", encode_id(release->incident));
    json_put(json, "rollback_id", encode_id(release->rollback));
    return json;
}

json_t *encode_release_whole(const struct core *core,
                             const struct release_view *release)
{
    json_t *json = encode_release(core, release);
    struct incident_view incident;
    struct rollback_view rollback;

    json_put(json, "incident",
             view_incident(core, release->incident, &incident)
                 ? encode_incident(core, &incident)
                 : json_null());
    json_put(json, "rollback",
             view_rollback(core, release->rollback, &rollback)
                 ? encode_rollback(core, &rollback)
                 : json_null());
    return json;
}

/* --- The rest ------------------------------------------------------------- */

json_t *encode_rollback(const struct core *core,
                        const struct rollback_view *rollback)
{
    json_t *json = json_object();

    json_put(json, "id", encode_id(rollback->id));
    put_names(json, core, rollback->service);
    json_put(json, "incident_id", encode_id(rollback->incident));
    json_put(json, "release_id", encode_id(rollback->release));
    json_put(json, "target_release_id", encode_id(rollback->target_release));
    put_text(json, "suspect", rollback->suspect);
    put_text(json, "target", rollback->target);
    put_text(json, "state", rollback_state_name(rollback->state));
    put_text(json, "mode", mode_name(rollback->mode));
    put_integer(json, "countdown_ms", rollback->countdown);
    put_moment(json, "proposed_at", rollback->proposed_at);
    put_moment(json, "intended_at", rollback->intended_at);
    put_moment(json, "requested_at", rollback->requested_at);
    put_moment(json, "applied_at", rollback->applied_at);
    put_moment(json, "ended_at", rollback->ended_at);
    put_moment(json, "acts_at", rollback->acts_at);
    put_text(json, "approved_by", rollback->approved_by);
    put_text(json, "code", rollback->code);
    put_text(json, "text", rollback->text);
    return json;
}

json_t *encode_incident(const struct core *core,
                        const struct incident_view *incident)
{
    json_t *json = json_object();

    json_put(json, "id", encode_id(incident->id));
    put_names(json, core, incident->service);
    json_put(json, "release_id", encode_id(incident->release));
    json_put(json, "open", json_boolean(incident->closed_at == 0));
    put_moment(json, "opened_at", incident->opened_at);
    put_moment(json, "closed_at", incident->closed_at);
    put_text(json, "text", incident->text);
    return json;
}

json_t *encode_freeze(const struct freeze_view *freeze)
{
    json_t *json = json_object();

    json_put(json, "id", encode_id(freeze->id));
    put_text(json, "service", freeze->service);
    put_text(json, "environment", freeze->environment);
    put_moment(json, "at", freeze->at);
    put_moment(json, "until", freeze->until);
    put_text(json, "reason", freeze->reason);
    put_text(json, "by", freeze->by);
    json_put(json, "incident_id", encode_id(freeze->incident));
    return json;
}

json_t *encode_problem(const struct problem *problem)
{
    json_t *json = json_object();

    json_put(json, "kind",
             json_string(problem->kind == PROBLEM_ERROR ? "error" : "warning"));
    put_text(json, "path", problem->path);
    put_integer(json, "line", problem->line);
    put_integer(json, "column", problem->column);
    put_text(json, "text", problem->text);
    put_text(json, "note", problem->note);
    put_text(json, "fix", problem->fix);
    return json;
}

json_t *encode_policy(const struct policy *policy)
{
    json_t *json = json_object();

    put_text(json, "name", policy_text(policy, policy->name));
    put_text(json, "digest", policy->digest);
    put_text(json, "service", policy_text(policy, policy->service));
    put_text(json, "environment", policy_text(policy, policy->environment));
    put_text(json, "mode", mode_name(policy->mode));
    put_integer(json, "watch_ms", policy->watch.lasts);
    put_integer(json, "every_ms", policy->watch.every);
    put_integer(json, "signals", policy->signals);
    put_integer(json, "questions", policy->questions);
    return json;
}
