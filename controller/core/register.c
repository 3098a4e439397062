/* A pipeline says: this is deployed. */
#include "controller/core/requests.h"

#include <assert.h>
#include <string.h>

#include "controller/core/describe.h"
#include "controller/core/forget.h"
#include "controller/core/inside.h"
#include "controller/core/keys.h"
#include "controller/core/ledger.h"
#include "controller/core/observe.h"

struct effect *request_answer(struct core *core, const struct input *input,
                              enum outcome outcome, const char *code,
                              const char *text)
{
    if (input->reply == 0) {
        return NULL;
    }
    struct effect *effect = core_effect(core, EFFECT_ANSWER);
    effect->answer.reply = input->reply;
    effect->answer.outcome = outcome;
    text_copy(effect->answer.code, sizeof effect->answer.code, code);
    text_copy(effect->answer.text, sizeof effect->answer.text, text);
    return effect;
}

static void answer_release(struct core *core, const struct input *input,
                           enum outcome outcome, const char *code,
                           uint64_t release, const char *text)
{
    struct effect *effect = request_answer(core, input, outcome, code, text);
    if (effect) {
        effect->answer.release = release;
    }
}

/* ---- what is wrong with it --------------------------------------------- */

static const char *wrong_name(const struct registration *asked)
{
    const struct {
        const char *value, *text;
        bool required;
    } names[] = {
        {asked->service, "service must be a name such as user-service", true},
        {asked->environment, "environment must be a name such as production",
         true},
        {asked->version, "version must be a name such as 2.4.0", true},
        {asked->previous, "previous must be a version", false},
        {asked->kind, "kind must be a name such as deploy", false},
        {asked->compatible_from, "rollback_compatible_from must be a version",
         false},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        bool given = names[i].value && names[i].value[0];
        if (given ? !name_is_valid(names[i].value) : names[i].required) {
            return names[i].text;
        }
    }
    return NULL;
}

static bool is_data_change(const char *text)
{
    return text_equal(text, "none") || text_equal(text, "expand") ||
           text_equal(text, "contract") || text_equal(text, "irreversible");
}

static const char *wrong(const struct core *core,
                         const struct registration *asked)
{
    const char *text = wrong_name(asked);
    if (text) {
        return text;
    }
    if (asked->data_change && asked->data_change[0] &&
        !is_data_change(asked->data_change)) {
        return "data_change must be none, expand, contract or irreversible";
    }
    if (asked->deployed_at < 0 ||
        (asked->deployed_at > 0 &&
         asked->deployed_at < core->now - REGISTRATION_BACK_MS)) {
        return "deployed_at is more than a year ago: check what was sent";
    }
    if (asked->deployed_at > core->now + REGISTRATION_AHEAD_MS) {
        return "deployed_at is more than 2m ahead: check the clock of who "
               "sent it";
    }
    if (asked->labels_count > LABELS_MAX) {
        return "at most 16 labels";
    }
    for (size_t i = 0; i < asked->labels_count; i++) {
        if (!name_is_valid(asked->labels[i].name)) {
            return "a label's name must be a name such as team";
        }
    }
    if (asked->key && strlen(asked->key) >= RECORD_KEY_MAX) {
        return "the idempotency key is longer than 199 characters";
    }
    return NULL;
}

/* ---- what is there already --------------------------------------------- */

/* Our own rollback put this version live, and somebody reports it: its echo,
 * never a new suspect. */
static uint64_t echo_of(const struct core *core, const struct service *service,
                        const char *version)
{
    const struct rollback *rollback = rollback_find(
        core, service->rollback ? service->rollback : service->put_live);
    const struct incident *incident =
        rollback ? incident_find(core, rollback->incident) : NULL;
    bool echoes = incident && incident->closed_at == 0 &&
                  text_equal(rollback->target, version);
    return echoes ? rollback->target_release : 0;
}

static const struct release *already(const struct core *core,
                                     const struct service *service,
                                     const struct registration *asked)
{
    const struct release *newest =
        ledger_version(core, service, asked->version);
    bool same =
        newest && release_is_active(newest) &&
        newest->origin == ORIGIN_REGISTERED && !(asked->key && asked->key[0]) &&
        (asked->deployed_at == 0 || asked->deployed_at == newest->deployed_at);
    return same ? newest : NULL;
}

/* Answers and returns true when nothing is to be recorded. */
static bool is_known(struct core *core, const struct input *input,
                     const struct service *service)
{
    const struct registration *asked = &input->registration;
    const struct release *keyed =
        asked->key && asked->key[0] ? key_find(core, asked->key) : NULL;
    if (keyed) {
        bool same = text_equal(keyed->key_digest,
                               asked->key_digest ? asked->key_digest : "");
        answer_release(core, input, same ? OUTCOME_ALREADY : OUTCOME_CONFLICT,
                       same ? "same_key" : "other_body", keyed->id,
                       same ? "already registered with this key"
                            : "this idempotency key was used for another "
                              "body: use a new key for a new release");
        return true;
    }
    uint64_t echo = service ? echo_of(core, service, asked->version) : 0;
    if (echo) {
        answer_release(core, input, OUTCOME_ALREADY, "echo", echo,
                       "this version was put live by lastgood's own rollback");
        return true;
    }
    const struct release *same = service ? already(core, service, asked) : NULL;
    if (same) {
        answer_release(core, input, OUTCOME_ALREADY, "current", same->id,
                       "already registered");
        return true;
    }
    return false;
}

/* ---- recording --------------------------------------------------------- */

static void fill(struct record *record, const struct registration *asked,
                 time_ms deployed_at)
{
    text_copy(record->version, sizeof record->version, asked->version);
    text_copy(record->previous, sizeof record->previous, asked->previous);
    text_copy(record->release_kind, sizeof record->release_kind, asked->kind);
    text_copy(record->data_change, sizeof record->data_change,
              asked->data_change);
    text_copy(record->compatible_from, sizeof record->compatible_from,
              asked->compatible_from);
    text_copy(record->key, sizeof record->key, asked->key);
    text_copy(record->key_digest, sizeof record->key_digest, asked->key_digest);
    record->origin = ORIGIN_REGISTERED;
    record->deployed_at = deployed_at;
    record->labels_count = (uint8_t)asked->labels_count;
    if (asked->labels_count > 0) {
        memcpy(record->labels, asked->labels,
               asked->labels_count * sizeof record->labels[0]);
    }
}

static struct record *begin(struct core *core, const struct input *input)
{
    const struct registration *asked = &input->registration;
    struct record *record = core_record(core, RECORD_REGISTERED);
    text_copy(record->service, sizeof record->service, asked->service);
    text_copy(record->environment, sizeof record->environment,
              asked->environment);
    text_copy(record->by, sizeof record->by, input->by);
    return record;
}

/* Does it name a version before it that nobody knows? */
static bool names_stranger(const struct core *core,
                           const struct registration *asked,
                           const struct service *service)
{
    return asked->previous && asked->previous[0] &&
           !text_equal(asked->previous, asked->version) &&
           !(service && ledger_version(core, service, asked->previous));
}

/* The version before: without a grade. */
static void record_previous(struct core *core, const struct input *input,
                            time_ms deployed_at)
{
    const struct registration *asked = &input->registration;
    struct record *record = begin(core, input);
    text_copy(record->version, sizeof record->version, asked->previous);
    record->origin = ORIGIN_DISCOVERED;
    record->deployed_at = deployed_at - 1;
    text_copy(record->text, sizeof record->text,
              "named as the previous version");
    core_tell(core, record);
}

/* Seen live before it was registered: the registration knows more. */
static void replace_discovered(struct core *core, const struct service *service,
                               const struct registration *asked,
                               time_ms deployed_at)
{
    const struct release *live = service ? ledger_live(core, service) : NULL;
    if (live && live->origin == ORIGIN_DISCOVERED &&
        live->deployed_at >= deployed_at &&
        text_equal(live->version, asked->version) &&
        live->state != RELEASE_GOOD && live->state != RELEASE_REVERTING &&
        release_can(live, RELEASE_SUPERSEDED)) {
        uint64_t id = live->id;
        release_tell_moved(core, live, RELEASE_SUPERSEDED, live->grade,
                           "registered", "registered under another number");
        rollback_withdraw(core, release_find(core, id), "registered",
                          "the release was registered and is judged anew");
    }
}

/* What it came to, with a sentence that names what is live. */
static enum outcome settle(struct core *core, struct service *service,
                           const struct release *release,
                           char ret_text[RECORD_TEXT_MAX])
{
    const struct release *live = ledger_live(core, service);
    if (live && live != release && ledger_is_older(release, live)) {
        text_join(ret_text, RECORD_TEXT_MAX,
                  "recorded, but nobody watches it: ", live->version,
                  " is live, and newer", NULL);
        release_tell_moved(core, release, RELEASE_SUPERSEDED, GRADE_NONE,
                           "older", "a newer release is live");
        return OUTCOME_UNWATCHED;
    }
    if (release->rule == NONE_INDEX) {
        release_tell_moved(core, release, RELEASE_UNWATCHED, GRADE_NONE,
                           "no_policy", "no policy matches");
        text_copy(ret_text, RECORD_TEXT_MAX,
                  "recorded, but no policy matches: nobody watches it; add "
                  "a policy whose applies_to names this service");
        return OUTCOME_UNWATCHED;
    }
    bool waits =
        service->live[0] && !text_equal(service->live, release->version);
    text_join(ret_text, RECORD_TEXT_MAX,
              "registered; it is watched from when it is seen live",
              waits ? " (now live: " : "", waits ? service->live : "",
              waits ? ")" : "", NULL);
    return OUTCOME_DONE;
}

static bool has_room(const struct core *core, const struct input *input,
                     const struct service *service)
{
    const struct registration *asked = &input->registration;
    const struct policy *policy =
        rule_policy(core, rule_match(core, asked->service, asked->environment));
    uint32_t signals = policy ? policy->signals : 0;
    uint32_t releases = names_stranger(core, asked, service) ? 2 : 1;
    bool services =
        service || core->services_count < core->options.services_max;
    return services &&
           core->queries.series_count + signals <= core->queries.series_max &&
           core->queries.queries_count + signals <= QUERIES_MAX &&
           forget_has_room(core, service, releases);
}

static void record_release(struct core *core, const struct input *input,
                           struct service *service)
{
    const struct registration *asked = &input->registration;
    time_ms deployed_at = asked->deployed_at ? asked->deployed_at : core->now;
    if (names_stranger(core, asked, service)) {
        record_previous(core, input, deployed_at);
    }
    replace_discovered(core, service, asked, deployed_at);
    struct record *record = begin(core, input);
    fill(record, asked, deployed_at);
    uint64_t id = core_tell(core, record);
    service = service_find(core, asked->service, asked->environment);
    char text[RECORD_TEXT_MAX];
    enum outcome outcome = settle(core, service, release_find(core, id), text);
    if (service_target(core, service) == NONE_INDEX) {
        /* There is nobody to ask: the pipeline's word is all there is. */
        observe_learn(core, service, asked->version, true);
    }
    observe_soon(core, service);
    answer_release(core, input, outcome,
                   outcome == OUTCOME_UNWATCHED ? "unwatched" : "registered",
                   id, text);
}

void register_release(struct core *core, const struct input *input)
{
    const struct registration *asked = &input->registration;
    const char *text = wrong(core, asked);
    if (text) {
        answer_release(core, input, OUTCOME_INVALID, "invalid", 0, text);
        return;
    }
    if (service_option_of(core, asked->service, asked->environment) ==
        NONE_INDEX) {
        char sentence[RECORD_TEXT_MAX];
        text_join(sentence, sizeof sentence, "no entry of services: matches ",
                  asked->service, " in ", asked->environment,
                  "; add {service: ", asked->service,
                  ", environment: ", asked->environment,
                  ", target: ..., source: ...} to the "
                  "configuration",
                  NULL);
        answer_release(core, input, OUTCOME_REFUSED, "unknown_service", 0,
                       sentence);
        return;
    }
    struct service *service =
        service_find(core, asked->service, asked->environment);
    if (is_known(core, input, service)) {
        return;
    }
    if (!has_room(core, input, service)) {
        answer_release(core, input, OUTCOME_FULL, "full", 0,
                       "no room for another release: raise limits: in the "
                       "configuration");
        return;
    }
    record_release(core, input, service);
}
