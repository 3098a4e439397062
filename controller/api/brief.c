#include "controller/api/brief.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "controller/api/encode.h"
#include "controller/api/story.h"
#include "policies/explain/json_make.h"

#define TEXT_MAX (RECORD_TEXT_MAX + 512)

/* What is told of: each part may be missing. */
struct brief {
    const struct core *core;
    const struct service_view *service;
    bool has_release, has_incident, has_rollback, has_freeze;
    struct release_view release;
    struct incident_view incident;
    struct rollback_view rollback;
    struct freeze_view freeze;
};

static bool is_open(const struct brief *brief)
{
    return brief->has_incident && brief->incident.closed_at == 0;
}

/* --- Finding -------------------------------------------------------------- */

/* The freeze of the service that lasts longest. */
static void find_freeze(struct brief *brief, time_ms now)
{
    const struct service_view *service = brief->service;
    struct freeze_view freeze;
    size_t cursor = 0;

    while (view_next_freeze(brief->core, &cursor, &freeze)) {
        if (strcmp(freeze.service, service->service) == 0 &&
            strcmp(freeze.environment, service->environment) == 0 &&
            freeze.until > now &&
            (!brief->has_freeze || freeze.until > brief->freeze.until)) {
            brief->freeze = freeze;
            brief->has_freeze = true;
        }
    }
}

static void find_rest(struct brief *brief)
{
    brief->has_incident =
        brief->has_release &&
        view_incident(brief->core, brief->release.incident, &brief->incident);
    brief->has_rollback =
        brief->has_release &&
        view_rollback(brief->core, brief->release.rollback, &brief->rollback);
}

/* The release of incident @id, when it is not older than the live one: what
 * was deployed after it has a story of its own. */
static bool find_release_of(const struct brief *brief, uint64_t id,
                            struct release_view *ret_release)
{
    struct incident_view incident;
    struct release_view live;

    return view_incident(brief->core, id, &incident) &&
           view_release(brief->core, incident.release, ret_release) &&
           (incident.closed_at == 0 ||
            !view_release(brief->core, brief->service->release, &live) ||
            live.deployed_at <= ret_release->deployed_at);
}

static void find_subject(struct brief *brief)
{
    uint64_t freezer = brief->has_freeze ? brief->freeze.incident : 0;

    brief->has_release =
        find_release_of(brief, brief->service->incident, &brief->release) ||
        find_release_of(brief, freezer, &brief->release) ||
        view_release(brief->core, brief->service->release, &brief->release);
}

/* --- What it needs -------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void need(json_t *needs,
                                                       const char *format, ...)
{
    char text[TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    (void)json_array_append_new(needs, encode_text(text));
}

static unsigned long long number(uint64_t id)
{
    return (unsigned long long)id;
}

/* A rollback that was not carried out: somebody has to choose. */
static void need_decision(const struct brief *brief, json_t *needs)
{
    const struct release_view *release = &brief->release;

    if (brief->rollback.target[0] != '\0') {
        need(needs, "decide: 'lastgood rollback %llu --reason ...' %s %s to %s",
             number(release->id),
             brief->rollback.state == ROLLBACK_REFUSED ? "tries again to revert"
                                                       : "reverts",
             release->version, brief->rollback.target);
    } else {
        need(needs,
             "roll forward: there is no version to go back to ('lastgood "
             "adopt' vouches for one)");
    }
}

static void need_consent(const struct brief *brief, json_t *needs)
{
    const struct rollback_view *rollback = &brief->rollback;

    if (rollback->approved_by[0] == '\0') {
        need(needs,
             "decide: 'lastgood approve %llu' reverts %s to %s now, 'lastgood "
             "cancel %llu --reason ...' does not",
             number(rollback->id), brief->release.version, rollback->target,
             number(rollback->id));
    }
}

static void need_of_rollback(const struct brief *brief, json_t *needs)
{
    switch (brief->rollback.state) {
    case ROLLBACK_PROPOSED:
        need_consent(brief, needs);
        return;
    case ROLLBACK_REFUSED:
        need_decision(brief, needs);
        return;
    case ROLLBACK_FAILED:
    case ROLLBACK_NOT_RECOVERED:
    case ROLLBACK_UNVERIFIED:
        need(needs,
             "take over: the controller will not try again by itself; "
             "'lastgood close %llu --reason ...' when it is over",
             number(brief->incident.id));
        return;
    case ROLLBACK_INTENDED:
    case ROLLBACK_REQUESTED:
    case ROLLBACK_IN_PROGRESS:
    case ROLLBACK_APPLIED:
    case ROLLBACK_VERIFYING:
    case ROLLBACK_RECOVERED:
    case ROLLBACK_CANCELLED:
        break;
    }
}

/* Nothing was carried out, and nothing is under way. */
static bool is_undecided(const struct brief *brief)
{
    return !brief->has_rollback || brief->rollback.state == ROLLBACK_PROPOSED ||
           brief->rollback.state == ROLLBACK_REFUSED;
}

static void need_of_incident(const struct brief *brief, json_t *needs)
{
    const struct release_view *release = &brief->release;
    unsigned long long id = number(brief->incident.id);

    if (release->state == RELEASE_HELD) {
        return; /* that says what it needs */
    }
    if (is_undecided(brief) && strcmp(release->verdict, "healthy") == 0) {
        need(needs,
             "nothing urgent: it is healthy again; 'lastgood close %llu "
             "--reason ...' when it is over, or it ends by itself",
             id);
    } else if (brief->has_rollback) {
        need_of_rollback(brief, needs);
    } else {
        need(needs,
             "look into it: nothing is reverted; 'lastgood close %llu --reason "
             "...' when it is over, or it ends by itself when all is well",
             id);
    }
}

static void need_of_release(const struct brief *brief, json_t *needs)
{
    const struct release_view *release = &brief->release;

    if (release->state == RELEASE_HELD) {
        need(needs,
             "deploy a fix for %s, or 'lastgood resume %llu --reason ...'",
             release->version, number(release->id));
    }
    if (release->blind) {
        need(needs,
             "%s cannot be judged: its signals are unknown; 'lastgood why "
             "%llu' names them",
             release->version, number(release->id));
    }
    if (is_open(brief)) {
        need_of_incident(brief, needs);
    }
}

static void need_of_service(const struct brief *brief, json_t *needs)
{
    if (brief->service->option == NONE_INDEX) {
        need(needs, "the configuration has no entry for this service: it can "
                    "neither be observed nor reverted");
    } else if (brief->service->observe_error[0] != '\0') {
        need(needs, "the target does not answer: %s",
             brief->service->observe_error);
    }
}

/* --- Telling -------------------------------------------------------------- */

static json_t *tell_subject(const struct brief *brief)
{
    json_t *subject = NULL;

    if (!brief->has_release) {
        return json_null();
    }
    subject = json_object();
    json_put(subject, "release_id", encode_id(brief->release.id));
    json_put(subject, "version", encode_text(brief->release.version));
    json_put(subject, "incident_id",
             encode_id(brief->has_incident ? brief->incident.id : 0));
    return subject;
}

static json_t *tell_did(const struct brief *brief)
{
    char text[RECORD_TEXT_MAX];

    if (brief->has_rollback) {
        story_of_rollback(&brief->rollback, text, sizeof(text));
        return encode_text(text);
    }
    if (brief->has_release && brief->release.state == RELEASE_HELD) {
        return json_string("kept it live, closed the gate and told people");
    }
    return brief->has_incident ? json_string("told people, reverted nothing")
                               : json_null();
}

static json_t *tell_frozen(const struct brief *brief)
{
    const struct freeze_view *freeze = &brief->freeze;
    char text[TEXT_MAX], until[MOMENT_TEXT_MAX];
    const char *reason = freeze->incident == 0 ? freeze->reason : "";

    if (!brief->has_freeze) {
        return json_null();
    }
    (void)snprintf(
        text, sizeof(text),
        "until %s%s%s; sooner: 'lastgood thaw %s --environment %s --reason "
        "...'",
        freeze->until == TIME_NEVER
            ? "thawed"
            : moment_print(freeze->until / SECOND_MS * SECOND_MS, until),
        reason[0] != '\0' ? ": " : "", reason, brief->service->service,
        brief->service->environment);
    return encode_text(text);
}

static void tell(const struct brief *brief, bool whole, json_t *ret_json)
{
    json_t *needs = json_array();

    if (brief->has_release) {
        need_of_release(brief, needs);
    }
    if (whole) {
        need_of_service(brief, needs);
    }
    json_put(ret_json, "subject", tell_subject(brief));
    json_put(ret_json, "happened",
             brief->has_incident ? encode_text(brief->incident.text)
                                 : json_null());
    json_put(ret_json, "did", tell_did(brief));
    json_put(ret_json, "needs", needs);
    json_put(ret_json, "frozen", tell_frozen(brief));
}

void brief_of_service(const struct core *core,
                      const struct service_view *service, time_ms now,
                      json_t *ret_json)
{
    struct brief brief = {.core = core, .service = service};

    find_freeze(&brief, now);
    find_subject(&brief);
    find_rest(&brief);
    if (!is_open(&brief) && !(brief.has_freeze && brief.has_incident &&
                              brief.freeze.incident == brief.incident.id)) {
        brief.has_incident = brief.has_rollback = false; /* it is over */
    }
    tell(&brief, true, ret_json);
}

void brief_of_release(const struct core *core,
                      const struct release_view *release, time_ms now,
                      json_t *ret_json)
{
    struct service_view service;
    struct brief brief = {.core = core,
                          .service = &service,
                          .has_release = true,
                          .release = *release};

    (void)view_service(core, release->service, &service);
    find_freeze(&brief, now);
    find_rest(&brief);
    tell(&brief, service.release == release->id, ret_json);
}
