#include "controller/api/story.h"

#include <string.h>

#include "controller/api/encode.h"
#include "policies/explain/json_make.h"

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
    [RECORD_SOURCE_LOST] = {"", OWN_NOTHING, ""}, /* its text says all */
    [RECORD_SOURCE_BACK] = {"", OWN_NOTHING, ""},
    [RECORD_CLOCK_SET] = {"the clock was set", OWN_NOTHING, ""},
    [RECORD_STOP_FILE] = {"the STOP file ", OWN_NOTHING, ""},
    [RECORD_BLIND] = {"", OWN_NOTHING, ""},
    [RECORD_ANNOUNCED] = {"", OWN_VERSION, " announced"},
    [RECORD_MUTED] = {"", OWN_VERSION, " muted until "},
};

static bool is_text_alone(const struct phrase *phrase)
{
    return phrase->before[0] == '\0' && phrase->own == OWN_NOTHING;
}

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
    case RECORD_MUTED:
    case RECORD_FROZEN:
        return record->until == TIME_NEVER
                   ? "thawed"
                   : moment_print(record->until / SECOND_MS * SECOND_MS,
                                  moment);
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

/* Who did it, unless the words say so already. */
static const char *who(const struct record *record)
{
    return strncmp(record->text, record->by, strlen(record->by)) == 0
               ? ""
               : record->by;
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

/* What the record says itself, without what the line says already: a notice
 * tells of another event, and a proposal's reasons follow with its move. */
static const char *own_text(const struct record *record)
{
    static const char refused[] = "not rolled back: ";
    const char *state = rollback_state_name(record->rollback_state);
    size_t length = strlen(state);

    switch ((int)record->kind) {
    case RECORD_NOTICE:
        return record->code;
    case RECORD_ROLLBACK_PROPOSED:
        return "";
    case RECORD_ROLLBACK_MOVED:
        if (strncmp(record->text, refused, sizeof(refused) - 1) == 0) {
            return record->text + sizeof(refused) - 1;
        }
        return strncmp(record->text, state, length) == 0 &&
                       strncmp(record->text + length, ": ", 2) == 0
                   ? record->text + length + 2
                   : record->text;
    default:
        return record->text;
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
    more = own_text(record);
    (void)snprintf(text, sizeof(text), "%s%s%s%s%s%s", phrase->before,
                   own_word(record, phrase->own), phrase->after,
                   last_word(record, moment),
                   more[0] != '\0' && !is_text_alone(phrase) ? ": " : "", more);
    json = json_object();
    json_put(json, "sequence", encode_id(record->sequence));
    json_put(json, "at", encode_moment(record->at));
    json_put(json, "since_deploy_ms", json_integer(record->at - deployed_at));
    json_put(json, "kind", json_string(record_kind_name(record->kind)));
    json_put(json, "state", encode_text(state_of(record)));
    json_put(json, "code", encode_text(record->code));
    json_put(json, "by", encode_text(who(record)));
    json_put(json, "text", encode_text(text));
    return json;
}

/* --- Where a release stands ----------------------------------------------- */

static void story_of_proposal(const struct rollback_view *rollback,
                              char *ret_text, size_t size)
{
    char at[MOMENT_TEXT_MAX];

    if (rollback->approved_by[0] != '\0') {
        (void)snprintf(ret_text, size,
                       "proposed a rollback to %s, approved by %s: it leaves "
                       "as soon as the policy says so again",
                       rollback->target, rollback->approved_by);
    } else if (rollback->acts_at != 0) {
        (void)snprintf(
            ret_text, size,
            "counts down: a rollback to %s leaves at %s unless "
            "somebody says no",
            rollback->target,
            moment_print(rollback->acts_at / SECOND_MS * SECOND_MS, at));
    } else {
        (void)snprintf(ret_text, size,
                       "proposed a rollback to %s (%s): it waits for you",
                       rollback->target, mode_name(rollback->mode));
    }
}

void story_of_rollback(const struct rollback_view *rollback, char *ret_text,
                       size_t size)
{
    const char *state = rollback_state_name(rollback->state);
    const char *text = rollback->text;

    switch (rollback->state) {
    case ROLLBACK_PROPOSED:
        story_of_proposal(rollback, ret_text, size);
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
        story_of_rollback(&rollback, ret_text, size);
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
