#include "controller/api/story.h"

#include <string.h>

#include "controller/api/encode.h"

/* --- The timeline --------------------------------------------------------- */

/* How a kind begins: words around one of the record's own.  Kinds that are not
 * here tell people nothing. */
enum own_word {
    OWN_NOTHING,
    OWN_VERSION,
    OWN_NAME,
    OWN_VERDICT,
    OWN_STATE,
    OWN_ROLLBACK,
    OWN_TARGET
};

static const struct phrase {
    const char *before;
    enum own_word own;
    const char *after;
} phrases[] = {
    [RECORD_REGISTERED] = {"", OWN_VERSION, " "},
    [RECORD_OBSERVED] = {"", OWN_VERSION, " seen live"},
    [RECORD_BASELINE] = {"learned the time before the deploy", OWN_NOTHING, ""},
    [RECORD_VERDICT] = {"verdict: ", OWN_VERDICT, ""},
    [RECORD_RELEASE_MOVED] = {"now ", OWN_STATE, ", grade "},
    [RECORD_INCIDENT_OPENED] = {"incident opened", OWN_NOTHING, ""},
    [RECORD_INCIDENT_CLOSED] = {"incident closed", OWN_NOTHING, ""},
    [RECORD_ROLLBACK_PROPOSED] = {"rollback proposed: to ", OWN_TARGET, ", "},
    [RECORD_ROLLBACK_MOVED] = {"rollback ", OWN_ROLLBACK, ""},
    [RECORD_FROZEN] = {"deploys frozen until ", OWN_NOTHING, ""},
    [RECORD_THAWED] = {"freeze ended", OWN_NOTHING, ""},
    [RECORD_TAINTED] = {"", OWN_VERSION, " tainted: it must not come back"},
    [RECORD_COMMANDED] = {"asked: ", OWN_NAME, ""},
    [RECORD_NOTICE] = {"telling ", OWN_NAME, ""},
    [RECORD_NOTICE_DONE] = {"", OWN_NAME, ""},
    [RECORD_ACTION] = {"action ", OWN_NAME, ""},
    [RECORD_ACTION_DONE] = {"action ", OWN_NAME, ""},
    [RECORD_SOURCE_LOST] = {"source ", OWN_NAME, " lost"},
    [RECORD_SOURCE_BACK] = {"source ", OWN_NAME, " is back"},
    [RECORD_CLOCK_SET] = {"the clock was set", OWN_NOTHING, ""},
    [RECORD_STOP_FILE] = {"the STOP file ", OWN_NOTHING, ""},
    [RECORD_BLIND] = {"blind", OWN_NOTHING, ""},
    [RECORD_ANNOUNCED] = {"", OWN_VERSION, " announced"},
};

static const char *own_word(const struct record *record, enum own_word own)
{
    switch (own) {
    case OWN_VERSION:
        return record->version;
    case OWN_NAME:
        return record->name;
    case OWN_VERDICT:
        return record->verdict_kind;
    case OWN_STATE:
        return release_state_name(record->state);
    case OWN_ROLLBACK:
        return rollback_state_name(record->rollback_state);
    case OWN_TARGET:
        return record->target_version[0] != '\0' ? record->target_version
                                                 : "nothing";
    case OWN_NOTHING:
        break;
    }
    return "";
}

/* The word that ends the phrase and changes with the record. */
static const char *last_word(const struct record *record,
                             char moment[MOMENT_TEXT_MAX])
{
    switch ((int)record->kind) {
    case RECORD_REGISTERED:
        return origin_name(record->origin);
    case RECORD_OBSERVED:
        return record->complete ? "" : ", not complete yet";
    case RECORD_RELEASE_MOVED:
        return grade_name(record->grade);
    case RECORD_ROLLBACK_PROPOSED:
        return mode_name(record->mode);
    case RECORD_FROZEN:
        return record->until == TIME_NEVER
                   ? "thawed"
                   : moment_print(record->until, moment);
    case RECORD_NOTICE_DONE:
        return record->delivered ? " was told" : " could not be told";
    case RECORD_ACTION_DONE:
        return record->delivered ? " done" : " failed";
    case RECORD_STOP_FILE:
        return record->on ? "came: nothing acts" : "went";
    default:
        return "";
    }
}

/* What paints the line: a state, a verdict, or nothing. */
static const char *state_of(const struct record *record)
{
    switch ((int)record->kind) {
    case RECORD_VERDICT:
        return record->verdict_kind;
    case RECORD_RELEASE_MOVED:
        return release_state_name(record->state);
    case RECORD_ROLLBACK_MOVED:
        return rollback_state_name(record->rollback_state);
    default:
        return "";
    }
}

json_t *story_event(const struct record *record, time_ms deployed_at)
{
    const struct phrase *phrase = NULL;
    char text[RECORD_TEXT_MAX + 512], moment[MOMENT_TEXT_MAX];
    const char *more = NULL;
    json_t *json = NULL;

    if ((size_t)record->kind >= sizeof(phrases) / sizeof(phrases[0]) ||
        phrases[record->kind].before == NULL) {
        return NULL;
    }
    phrase = &phrases[record->kind];
    /* What a notice says stands in the event that it tells of. */
    more = record->kind == RECORD_NOTICE ? record->code : record->text;
    (void)snprintf(text, sizeof(text), "%s%s%s%s%s%s", phrase->before,
                   own_word(record, phrase->own), phrase->after,
                   last_word(record, moment), more[0] != '\0' ? ": " : "",
                   more);
    json = json_object();
    encode_put(json, "sequence", encode_id(record->sequence));
    encode_put(json, "at", encode_moment(record->at));
    encode_put(json, "since_deploy_ms", json_integer(record->at - deployed_at));
    encode_put(json, "kind", json_string(record_kind_name(record->kind)));
    encode_put(json, "state", encode_text(state_of(record)));
    encode_put(json, "code", encode_text(record->code));
    encode_put(json, "by", encode_text(record->by));
    encode_put(json, "text", encode_text(text));
    return json;
}

/* --- Where a release stands ----------------------------------------------- */

/* "rolled back to 2.3.2: recovered", "not rolled back: frozen", ... */
static void say_rollback(const struct rollback_view *rollback, char *ret_text,
                         size_t size)
{
    const char *state = rollback_state_name(rollback->state);
    const char *text = rollback->text;

    switch (rollback->state) {
    case ROLLBACK_PROPOSED:
        (void)snprintf(ret_text, size, "rollback to %s proposed (%s): %s",
                       rollback->target, mode_name(rollback->mode), text);
        return;
    case ROLLBACK_REFUSED: /* its text says "not rolled back: ..." */
        (void)snprintf(ret_text, size, "%s", text);
        return;
    case ROLLBACK_CANCELLED:
    case ROLLBACK_FAILED:
        (void)snprintf(ret_text, size, "rollback to %s %s: %s",
                       rollback->target, state, text);
        return;
    case ROLLBACK_INTENDED:
    case ROLLBACK_REQUESTED:
    case ROLLBACK_IN_PROGRESS:
    case ROLLBACK_APPLIED:
    case ROLLBACK_VERIFYING:
        (void)snprintf(ret_text, size, "being rolled back to %s: %s",
                       rollback->target, state);
        return;
    case ROLLBACK_RECOVERED:
    case ROLLBACK_NOT_RECOVERED:
    case ROLLBACK_UNVERIFIED:
        break;
    }
    (void)snprintf(ret_text, size, "rolled back to %s: %s", rollback->target,
                   state);
}

static void say_state(const struct core *core,
                      const struct release_view *release, char *ret_text,
                      size_t size)
{
    struct rollback_view rollback;
    char healthy[DURATION_TEXT_MAX], lasts[DURATION_TEXT_MAX];

    if (view_rollback(core, release->rollback, &rollback)) {
        say_rollback(&rollback, ret_text, size);
        return;
    }
    if (release->state == RELEASE_UNWATCHED) {
        (void)snprintf(ret_text, size, "not watched: no policy matches it");
        return;
    }
    (void)snprintf(
        ret_text, size, "%s, grade %s, healthy %s of %s; %s%s%s%s",
        release_state_name(release->state), grade_name(release->grade),
        duration_print(release->healthy / SECOND_MS * SECOND_MS, healthy),
        duration_print(release->lasts, lasts),
        release->verdict[0] != '\0' ? "verdict: " : "not judged yet",
        release->verdict, release->verdict_text[0] != '\0' ? ": " : "",
        release->verdict_text);
}

void story_sentence(const struct core *core, const struct release_view *release,
                    char *ret_text, size_t size)
{
    struct service_view service;
    char state[RECORD_TEXT_MAX];

    say_state(core, release, state, sizeof(state));
    (void)view_service(core, release->service, &service);
    (void)snprintf(ret_text, size, "%s %s in %s: %s", service.service,
                   release->version, service.environment, state);
}

/* --- What a service needs ------------------------------------------------- */

static void need(json_t *needs, const char *text)
{
    (void)json_array_append_new(needs, encode_text(text));
}

static bool freeze_is_of(const struct freeze_view *freeze,
                         const struct service_view *service)
{
    return strcmp(freeze->service, service->service) == 0 &&
           strcmp(freeze->environment, service->environment) == 0;
}

/* The freeze of a service that lasts longest; false without one. */
static bool find_freeze(const struct core *core,
                        const struct service_view *service, time_ms now,
                        struct freeze_view *ret_freeze)
{
    struct freeze_view freeze;
    size_t cursor = 0;
    bool found = false;

    while (view_next_freeze(core, &cursor, &freeze)) {
        if (freeze_is_of(&freeze, service) && freeze.until > now &&
            (!found || freeze.until > ret_freeze->until)) {
            *ret_freeze = freeze;
            found = true;
        }
    }
    return found;
}

/* The release that is talked about: the one of the open incident, else of the
 * one that froze the service, else the live one. */
static bool find_subject(const struct core *core,
                         const struct service_view *service,
                         const struct freeze_view *freeze,
                         struct release_view *ret_release,
                         struct incident_view *ret_incident)
{
    uint64_t incident = service->incident;

    if (incident == 0 && freeze != NULL) {
        incident = freeze->incident;
    }
    if (view_incident(core, incident, ret_incident)) {
        return view_release(core, ret_incident->release, ret_release);
    }
    ret_incident->id = 0;
    return view_release(core, service->release, ret_release);
}

static void need_of_release(const struct core *core,
                            const struct service_view *service,
                            const struct release_view *release, json_t *needs)
{
    struct rollback_view rollback;
    char text[1024];

    if (release->state == RELEASE_HELD) {
        (void)snprintf(text, sizeof(text),
                       "%s is held: deploy a fix, or 'lastgood resume %llu "
                       "--reason ...'",
                       release->version, (unsigned long long)release->id);
        need(needs, text);
    }
    if (release->blind) {
        (void)snprintf(text, sizeof(text),
                       "%s cannot be judged: its signals are unknown; "
                       "'lastgood why %llu' names them",
                       release->version, (unsigned long long)release->id);
        need(needs, text);
    }
    if (release->state == RELEASE_UNWATCHED &&
        service->release == release->id) {
        (void)snprintf(text, sizeof(text),
                       "no policy watches %s: add one whose applies_to "
                       "matches",
                       service->service);
        need(needs, text);
    }
    if (!view_rollback(core, release->rollback, &rollback)) {
        return;
    }
    if (rollback.state == ROLLBACK_PROPOSED ||
        rollback.state == ROLLBACK_REFUSED) {
        (void)snprintf(text, sizeof(text),
                       "decide: 'lastgood rollback %llu --reason ...' reverts "
                       "%s to %s",
                       (unsigned long long)release->id, release->version,
                       rollback.target);
        need(needs, text);
    }
    if (rollback.state == ROLLBACK_FAILED ||
        rollback.state == ROLLBACK_NOT_RECOVERED ||
        rollback.state == ROLLBACK_UNVERIFIED) {
        need(needs, "take over: the controller will not try again by itself");
    }
}

static void need_of_service(const struct service_view *service,
                            const struct freeze_view *freeze, json_t *needs)
{
    char text[2048], until[MOMENT_TEXT_MAX];

    if (service->option == NONE_INDEX) {
        need(needs, "the configuration has no entry for this service: it can "
                    "neither be observed nor reverted");
    } else if (service->observe_error[0] != '\0') {
        (void)snprintf(text, sizeof(text), "the target does not answer: %s",
                       service->observe_error);
        need(needs, text);
    }
    if (freeze != NULL) {
        bool by_rollback = freeze->incident != 0;

        (void)snprintf(
            text, sizeof(text),
            "deploys are frozen until %s%s%s; sooner: "
            "'lastgood thaw %s --environment %s --reason ...'",
            freeze->until == TIME_NEVER
                ? "thawed"
                : moment_print(freeze->until / SECOND_MS * SECOND_MS, until),
            by_rollback ? "" : ": ", by_rollback ? "" : freeze->reason,
            service->service, service->environment);
        need(needs, text);
    }
}

void story_of_service(const struct core *core,
                      const struct service_view *service, time_ms now,
                      json_t *ret_json)
{
    struct freeze_view freeze;
    struct release_view release;
    struct incident_view incident;
    struct rollback_view rollback;
    char did[RECORD_TEXT_MAX] = "";
    json_t *needs = json_array();
    bool frozen = find_freeze(core, service, now, &freeze);
    bool found = find_subject(core, service, frozen ? &freeze : NULL, &release,
                              &incident);

    if (found && view_rollback(core, release.rollback, &rollback)) {
        say_rollback(&rollback, did, sizeof(did));
    }
    if (found) {
        need_of_release(core, service, &release, needs);
    }
    need_of_service(service, frozen ? &freeze : NULL, needs);
    encode_put(ret_json, "happened",
               incident.id != 0 ? encode_text(incident.text) : json_null());
    encode_put(ret_json, "did", encode_text(did));
    encode_put(ret_json, "needs", needs);
}
