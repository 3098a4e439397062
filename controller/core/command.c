/* A person or a pipeline asks for something. */
#include "controller/core/requests.h"

#include <assert.h>

#include "controller/core/describe.h"
#include "controller/core/forget.h"
#include "controller/core/inside.h"
#include "controller/core/ledger.h"
#include "controller/core/observe.h"

static const char *const names[] = {
#define X(name, text) [COMMAND_##name] = text,
    COMMANDS(X)
#undef X
};

const char *command_name(enum command_kind kind)
{
    assert(kind < sizeof names / sizeof names[0]);
    return names[kind];
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

/* ---- saying no, and writing down yes ----------------------------------- */

static void refuse(struct core *core, const struct input *input,
                   enum outcome outcome, const char *code, const char *text)
{
    struct effect *effect = request_answer(core, input, outcome, code, text);
    if (effect) {
        effect->answer.release = input->command.release;
        effect->answer.incident = input->command.incident;
    }
}

static void done(struct core *core, const struct input *input, uint64_t release,
                 uint64_t other, const char *text)
{
    struct effect *effect = request_answer(
        core, input, OUTCOME_DONE, command_name(input->command.kind), text);
    if (!effect) {
        return;
    }
    effect->answer.release = release;
    if (input->command.kind == COMMAND_ROLLBACK) {
        effect->answer.rollback = other;
    } else if (input->command.kind == COMMAND_FREEZE) {
        effect->answer.freeze = other;
    } else {
        effect->answer.incident = other;
    }
}

static void record_command(struct core *core, const struct input *input,
                           const struct service *service)
{
    const struct command *asked = &input->command;
    struct record *record = core_record(core, RECORD_COMMANDED);
    text_copy(record->name, sizeof record->name, command_name(asked->kind));
    text_copy(record->service, sizeof record->service,
              service ? service->name : asked->service);
    text_copy(record->environment, sizeof record->environment,
              service ? service->environment : asked->environment);
    text_copy(record->version, sizeof record->version, asked->version);
    text_copy(record->by, sizeof record->by, input->by);
    text_copy(record->text, sizeof record->text, asked->reason);
    record->release = asked->release;
    record->incident = asked->incident;
    record->until = asked->span ? core->now + asked->span : 0;
    core_tell(core, record);
}

static bool names_service(struct core *core, const struct input *input,
                          bool with_version)
{
    const struct command *asked = &input->command;
    bool valid =
        asked->service && name_is_valid(asked->service) && asked->environment &&
        name_is_valid(asked->environment) &&
        (!with_version || (asked->version && name_is_valid(asked->version)));
    if (!valid) {
        refuse(core, input, OUTCOME_INVALID, "invalid",
               with_version ? "service, environment and version must be names"
                            : "service and environment must be names");
    } else if (service_option_of(core, asked->service, asked->environment) ==
               NONE_INDEX) {
        char text[RECORD_TEXT_MAX];
        text_join(text, sizeof text,
                  "no entry of services: in the configuration matches ",
                  asked->service, " in ", asked->environment, NULL);
        valid = false;
        refuse(core, input, OUTCOME_NOT_FOUND, "unknown_service", text);
    } else if (!service_find(core, asked->service, asked->environment) &&
               core->services_count == core->options.services_max) {
        valid = false;
        refuse(core, input, OUTCOME_FULL, "full",
               "no room for another service: raise limits: in the "
               "configuration");
    }
    return valid;
}

static void refuse_number(struct core *core, const struct input *input,
                          const char *code, const char *what, uint64_t number)
{
    char digits[DIGITS_MAX], text[RECORD_TEXT_MAX];
    text_join(text, sizeof text, what, text_digits(number, digits),
              "; 'lastgood status' shows what there is", NULL);
    refuse(core, input, OUTCOME_NOT_FOUND, code, text);
}

static struct release *named_release(struct core *core,
                                     const struct input *input)
{
    struct release *release = release_find(core, input->command.release);
    if (!release) {
        refuse_number(core, input, "no_release", "there is no release ",
                      input->command.release);
    }
    return release;
}

/* ---- the commands ------------------------------------------------------ */

static time_ms adopted_at(const struct core *core,
                          const struct service *service, const char *version)
{
    const struct release *live = service ? ledger_live(core, service) : NULL;
    bool before = live && !text_equal(live->version, version);
    /* Something else is live: what is vouched for was there before it. */
    return before ? live->deployed_at - 1 : core->now;
}

/* What is seen live is in the ledger or will be; a version that is neither is
 * a typing error, which must not become what everybody goes back to.  Before
 * anything was seen a person's word is all there is. */
static bool is_stranger(struct core *core, const struct input *input,
                        const struct service *service)
{
    const struct command *asked = &input->command;
    if (!service || !service->live[0] ||
        text_equal(service->live, asked->version) ||
        ledger_version(core, service, asked->version)) {
        return false;
    }
    char text[RECORD_TEXT_MAX];
    text_join(text, sizeof text, asked->version, " of ", asked->service,
              " was never seen in ", asked->environment, ": live is ",
              service->live,
              ". Adopt that, or tell of an older version with the next "
              "registration ('lastgood register --previous ",
              asked->version, "')", NULL);
    refuse(core, input, OUTCOME_NOT_FOUND, "unknown_version", text);
    return true;
}

static void adopt(struct core *core, const struct input *input)
{
    const struct command *asked = &input->command;
    if (!names_service(core, input, true)) {
        return;
    }
    struct service *service =
        service_find(core, asked->service, asked->environment);
    if (is_stranger(core, input, service)) {
        return;
    }
    const struct release *known =
        service ? ledger_version(core, service, asked->version) : NULL;
    if (known && known->grade == GRADE_GOOD) {
        refuse(core, input, OUTCOME_ALREADY, "good", "it is good already");
        return;
    }
    if (!forget_has_room(core, service, 1)) {
        refuse(core, input, OUTCOME_FULL, "full",
               "no room for another release: raise limits:");
        return;
    }
    record_command(core, input, service);
    struct record *record = core_record(core, RECORD_REGISTERED);
    text_copy(record->service, sizeof record->service, asked->service);
    text_copy(record->environment, sizeof record->environment,
              asked->environment);
    text_copy(record->version, sizeof record->version, asked->version);
    text_copy(record->by, sizeof record->by, input->by);
    text_copy(record->text, sizeof record->text, asked->reason);
    record->origin = ORIGIN_ADOPTED;
    record->deployed_at = adopted_at(core, service, asked->version);
    record->state = RELEASE_GOOD;
    record->grade = GRADE_GOOD;
    uint64_t id = core_tell(core, record);
    observe_soon(core, service_find(core, asked->service, asked->environment));
    done(core, input, id, 0, "adopted as good");
}

static void hold(struct core *core, const struct input *input)
{
    const struct release *release = named_release(core, input);
    if (!release) {
        return;
    }
    if (release->state == RELEASE_HELD || !release_can(release, RELEASE_HELD)) {
        refuse(core, input,
               release->state == RELEASE_HELD ? OUTCOME_ALREADY
                                              : OUTCOME_CONFLICT,
               release_state_name(release->state),
               release->state == RELEASE_HELD
                   ? "it is held already"
                   : "it is not in a state that can be held");
        return;
    }
    struct service *service = service_at(core, release->service);
    uint64_t id = release->id;
    record_command(core, input, service);
    char text[RECORD_TEXT_MAX];
    text_join(text, sizeof text, "held by ", or_empty(input->by), ": ",
              or_empty(input->command.reason), NULL);
    release_tell_moved(core, release, RELEASE_HELD, release->grade, "person",
                       text);
    notice_tell(core, service, NULL, NONE_INDEX, id, "hold", text);
    done(core, input, id, service->incident, text);
}

static void resume(struct core *core, const struct input *input)
{
    const struct release *release = named_release(core, input);
    if (!release) {
        return;
    }
    if (release->state != RELEASE_HELD) {
        refuse(core, input, OUTCOME_CONFLICT,
               release_state_name(release->state), "it is not held");
        return;
    }
    struct service *service = service_at(core, release->service);
    uint64_t id = release->id;
    record_command(core, input, service);
    char text[RECORD_TEXT_MAX];
    text_join(text, sizeof text, "resumed by ", or_empty(input->by), ": ",
              or_empty(input->command.reason), NULL);
    enum release_state state = release->grade == GRADE_GOOD  ? RELEASE_GOOD
                               : release->rule == NONE_INDEX ? RELEASE_UNWATCHED
                                                             : RELEASE_WATCHING;
    release_tell_moved(core, release, state, release->grade, "resumed", text);
    done(core, input, id, service->incident, text);
}

static void roll_back(struct core *core, const struct input *input)
{
    struct release *release = named_release(core, input);
    if (!release) {
        return;
    }
    struct service *service = service_at(core, release->service);
    if (!release_is_active(release) || service->rollback) {
        refuse(core, input, OUTCOME_CONFLICT,
               service->rollback ? "under_way"
                                 : release_state_name(release->state),
               service->rollback ? "a rollback of this service is under way"
                                 : "this release is not live any more");
        return;
    }
    record_command(core, input, service);
    struct order order = {.by =
                              input->by && input->by[0] ? input->by : "someone",
                          .reason = or_empty(input->command.reason)};
    enum refusal refusal = rollback_order(core, release, &order);
    if (refusal == REFUSAL_NONE) {
        done(core, input, release->id, order.rollback,
             "rolling back; 'lastgood status' shows how it goes");
        return;
    }
    struct effect *effect =
        request_answer(core, input, OUTCOME_REFUSED, "refused", order.text);
    if (effect) {
        effect->answer.release = release->id;
        effect->answer.rollback = order.rollback;
    }
}

#define FREEZE_MOST_MS    (366 * DAY_MS)
#define FREEZE_DEFAULT_MS DAY_MS

static void freeze(struct core *core, const struct input *input)
{
    const struct command *asked = &input->command;
    if (!names_service(core, input, false)) {
        return;
    }
    if (asked->span < 0 || asked->span > FREEZE_MOST_MS) {
        refuse(core, input, OUTCOME_INVALID, "invalid",
               "a freeze lasts at most 366d");
        return;
    }
    if (core->freezes.count >= FREEZES_OF_PEOPLE) {
        refuse(core, input, OUTCOME_FULL, "full",
               "too many freezes stand: thaw some");
        return;
    }
    record_command(core, input, NULL);
    struct record *record = core_record(core, RECORD_FROZEN);
    text_copy(record->service, sizeof record->service, asked->service);
    text_copy(record->environment, sizeof record->environment,
              asked->environment);
    text_copy(record->by, sizeof record->by, input->by);
    text_copy(record->text, sizeof record->text, asked->reason);
    record->until = core->now + (asked->span ? asked->span : FREEZE_DEFAULT_MS);
    done(core, input, 0, core_tell(core, record), "frozen");
}

static void thaw(struct core *core, const struct input *input)
{
    const struct command *asked = &input->command;
    if (!names_service(core, input, false)) {
        return;
    }
    if (!freeze_of(core, asked->service, asked->environment, core->now)) {
        char text[RECORD_TEXT_MAX];
        text_join(text, sizeof text, "deploys of ", asked->service, " into ",
                  asked->environment, " are not frozen", NULL);
        refuse(core, input, OUTCOME_ALREADY, "not_frozen", text);
        return;
    }
    record_command(core, input, NULL);
    struct record *record = core_record(core, RECORD_THAWED);
    text_copy(record->service, sizeof record->service, asked->service);
    text_copy(record->environment, sizeof record->environment,
              asked->environment);
    text_copy(record->by, sizeof record->by, input->by);
    text_copy(record->code, sizeof record->code, "thawed");
    text_copy(record->text, sizeof record->text, asked->reason);
    core_tell(core, record);
    done(core, input, 0, 0, "thawed");
}

static void override(struct core *core, const struct input *input)
{
    const struct command *asked = &input->command;
    if (!names_service(core, input, true)) {
        return;
    }
    if (!asked->reason || !asked->reason[0]) {
        refuse(core, input, OUTCOME_INVALID, "no_reason",
               "an override needs a reason: --reason TEXT");
        return;
    }
    record_command(core, input, NULL);
    char text[RECORD_TEXT_MAX];
    text_join(text, sizeof text, or_empty(input->by), " lets ", asked->version,
              " of ", asked->service, " into ", asked->environment,
              " past the gate: ", asked->reason, NULL);
    const struct service *service =
        service_find(core, asked->service, asked->environment);
    assert(service);
    notice_tell_of(core, service, asked->version, "override", text);
    done(core, input, 0, 0, text);
}

static void announce(struct core *core, const struct input *input)
{
    const struct command *asked = &input->command;
    if (!names_service(core, input, true)) {
        return;
    }
    struct record *record = core_record(core, RECORD_ANNOUNCED);
    text_copy(record->service, sizeof record->service, asked->service);
    text_copy(record->environment, sizeof record->environment,
              asked->environment);
    text_copy(record->version, sizeof record->version, asked->version);
    text_copy(record->by, sizeof record->by, input->by);
    record->until = core->now + ANNOUNCED_FOR_MS;
    core_tell(core, record);
    done(core, input, 0, 0, "announced for 30m");
}

/* Its trouble is over, because a person says so. */
static void let_go(struct core *core, const struct release *release)
{
    rollback_withdraw(core, release, "closed", "the incident was closed");
    if (release->state == RELEASE_SUSPECT) {
        release_tell_moved(core, release, RELEASE_WATCHING, release->grade,
                           "closed", "the incident was closed by a person");
    }
}

static void close_incident(struct core *core, const struct input *input)
{
    const struct incident *incident =
        incident_find(core, input->command.incident);
    if (!incident) {
        refuse_number(core, input, "no_incident", "there is no incident ",
                      input->command.incident);
        return;
    }
    if (incident->closed_at) {
        refuse(core, input, OUTCOME_ALREADY, "closed", "it is closed already");
        return;
    }
    struct service *service = service_at(core, incident->service);
    if (service->rollback) {
        refuse(core, input, OUTCOME_CONFLICT, "under_way",
               "its rollback is under way: it ends by itself");
        return;
    }
    record_command(core, input, service);
    const struct release *first = release_find(core, incident->release);
    const struct release *live = ledger_live(core, service);
    if (first) {
        let_go(core, first);
    }
    if (live && live != first) {
        let_go(core, live);
    }
    uint64_t id = incident->id;
    incident_close(core, incident, "closed", or_empty(input->by),
                   or_empty(input->command.reason));
    done(core, input, 0, id, "closed");
}

void command_carry_out(struct core *core, const struct input *input)
{
    switch (input->command.kind) {
    case COMMAND_ADOPT:
        adopt(core, input);
        break;
    case COMMAND_HOLD:
        hold(core, input);
        break;
    case COMMAND_RESUME:
        resume(core, input);
        break;
    case COMMAND_ROLLBACK:
        roll_back(core, input);
        break;
    case COMMAND_FREEZE:
        freeze(core, input);
        break;
    case COMMAND_THAW:
        thaw(core, input);
        break;
    case COMMAND_OVERRIDE:
        override(core, input);
        break;
    case COMMAND_ANNOUNCE:
        announce(core, input);
        break;
    case COMMAND_APPROVE:
        approval_approve(core, input);
        break;
    case COMMAND_CANCEL:
        approval_cancel(core, input);
        break;
    case COMMAND_MUTE:
        approval_mute(core, input);
        break;
    case COMMAND_CLOSE:
        close_incident(core, input);
        break;
    }
}
