/* People say yes or no to a rollback that the policy proposes. */
#include "controller/core/consent.h"

#include <assert.h>

#include "controller/core/describe.h"
#include "controller/core/guard.h"
#include "controller/core/inside.h"
#include "controller/core/requests.h"

static const char *who(const struct input *input)
{
    return input->by && input->by[0] ? input->by : "someone";
}

/* ---- saying no to the person ------------------------------------------- */

static void answer_about(struct core *core, const struct input *input,
                         const struct rollback *rollback, enum outcome outcome,
                         const char *code, const char *text)
{
    struct effect *effect = request_answer(core, input, outcome, code, text);
    if (effect) {
        effect->answer.rollback = rollback->id;
        effect->answer.release = rollback->release;
        effect->answer.incident = rollback->incident;
    }
}

static struct rollback *named_rollback(struct core *core,
                                       const struct input *input)
{
    struct rollback *rollback = rollback_find(core, input->command.rollback);
    if (!rollback) {
        char id[DIGITS_MAX], text[RECORD_TEXT_MAX];
        text_join(text, sizeof text, "there is no rollback ",
                  text_digits(input->command.rollback, id),
                  "; 'lastgood status' shows those that wait", NULL);
        (void)request_answer(core, input, OUTCOME_NOT_FOUND, "no_rollback",
                             text);
    }
    return rollback;
}

/* The one that people can still answer instead of @rollback, or NULL. */
static const struct rollback *successor(const struct core *core,
                                        const struct rollback *rollback)
{
    const struct release *release = release_find(core, rollback->release);
    const struct rollback *newest =
        release ? rollback_find(core, release->rollback) : NULL;
    return newest && newest != rollback && newest->state == ROLLBACK_PROPOSED
               ? newest
               : NULL;
}

static bool is_open(const struct core *core, const struct rollback *rollback)
{
    const struct release *release = release_find(core, rollback->release);
    const struct service *service = service_at(core, rollback->service);
    return (rollback->state == ROLLBACK_PROPOSED ||
            rollback->state == ROLLBACK_REFUSED) &&
           release && release->rollback == rollback->id &&
           rollback->incident == service->incident;
}

static bool came_to_that(const struct rollback *rollback,
                         enum command_kind kind)
{
    return kind == COMMAND_APPROVE ? rollback_is_under_way(rollback) ||
                                         rollback->state == ROLLBACK_RECOVERED
                                   : rollback->state == ROLLBACK_CANCELLED;
}

/* What it came to, when it is too late to say anything about it. */
static bool is_too_late(struct core *core, const struct input *input,
                        const struct rollback *rollback)
{
    if (is_open(core, rollback)) {
        return false;
    }
    const struct rollback *next = successor(core, rollback);
    const char *verb = command_name(input->command.kind);
    bool same = !next && came_to_that(rollback, input->command.kind);
    char id[DIGITS_MAX], other[DIGITS_MAX], text[RECORD_TEXT_MAX];
    text_join(text, sizeof text, "rollback ", text_digits(rollback->id, id),
              rollback_is_under_way(rollback) ? " is under way: "
                                              : " is over: ",
              rollback_state_name(rollback->state), NULL);
    if (next) {
        text_append(text, sizeof text, "; ", text_digits(next->id, other),
                    " waits now: 'lastgood ", verb, " ", other, "'", NULL);
    }
    answer_about(core, input, rollback,
                 same ? OUTCOME_ALREADY : OUTCOME_CONFLICT,
                 rollback_state_name(rollback->state), text);
    return true;
}

static void record_command(struct core *core, const struct input *input,
                           const struct service *service,
                           const struct rollback *rollback)
{
    struct record *record = core_record_about(core, RECORD_COMMANDED, service);
    text_copy(record->name, sizeof record->name,
              command_name(input->command.kind));
    text_copy(record->by, sizeof record->by, input->by);
    text_copy(record->text, sizeof record->text, input->command.reason);
    record->release = input->command.release;
    if (rollback) {
        record->rollback = rollback->id;
        record->release = rollback->release;
        record->incident = rollback->incident;
    }
    record->until = input->command.span ? core->now + input->command.span : 0;
    core_tell(core, record);
}

/* ---- yes --------------------------------------------------------------- */

static bool may_approve(struct core *core, const struct input *input,
                        const struct rollback *rollback)
{
    char id[DIGITS_MAX], text[RECORD_TEXT_MAX];
    if (is_too_late(core, input, rollback)) {
        return false;
    }
    if (rollback->state == ROLLBACK_REFUSED) {
        text_join(text, sizeof text,
                  "nothing waits for a yes: ", rollback->text,
                  ". 'lastgood rollback ", text_digits(rollback->release, id),
                  " --reason \"...\"' orders it whatever the mode", NULL);
        answer_about(core, input, rollback, OUTCOME_CONFLICT, "refused", text);
        return false;
    }
    if (rollback->manual || rollback->approved_by[0]) {
        text_join(text, sizeof text,
                  rollback->manual ? rollback->by : rollback->approved_by,
                  rollback->manual ? " ordered it already"
                                   : " approved it already",
                  NULL);
        answer_about(core, input, rollback, OUTCOME_ALREADY, "approved", text);
        return false;
    }
    return true;
}

static void say_yes(struct core *core, const struct input *input,
                    struct rollback *rollback)
{
    char text[RECORD_TEXT_MAX];
    const char *reason = input->command.reason;
    text_join(text, sizeof text, "approved by ", who(input),
              reason && reason[0] ? ": " : "", reason ? reason : "", NULL);
    struct record *record = rollback_begin_move(
        core, rollback, ROLLBACK_PROPOSED, "approved", text);
    text_copy(record->by, sizeof record->by, who(input));
    core_tell(core, record);
}

void approval_approve(struct core *core, const struct input *input)
{
    struct rollback *rollback = named_rollback(core, input);
    if (!rollback || !may_approve(core, input, rollback)) {
        return;
    }
    record_command(core, input, service_at(core, rollback->service), rollback);
    say_yes(core, input, rollback);
    if (!rollback_stands(core, rollback)) {
        answer_about(core, input, rollback, OUTCOME_DONE, "approved",
                     "approved; the policy does not say so at this moment: it "
                     "acts when it says so again");
        return;
    }
    if (rollback->waiting == 0) {
        rollback_weigh_again(core, rollback);
    }
    bool refused = rollback->state == ROLLBACK_REFUSED;
    answer_about(core, input, rollback,
                 refused ? OUTCOME_REFUSED : OUTCOME_DONE,
                 refused ? "refused" : "approved",
                 refused ? rollback->text
                         : "approved; 'lastgood status' shows how it goes");
}

/* ---- no ---------------------------------------------------------------- */

/* A later "no" never takes back an earlier one. */
static void mute(struct core *core, const struct input *input,
                 const struct release *release, const struct rollback *rollback)
{
    const struct service *service = service_at(core, release->service);
    time_ms span = input->command.span ? input->command.span : MUTE_DEFAULT_MS;
    time_ms until = core->now + span;
    bool was_muted = release->muted_until > core->now;
    bool all = !rollback || rollback->leaf == NONE_INDEX ||
               (was_muted && release->muted_leaf == NONE_INDEX);
    struct record *record = core_record_about(core, RECORD_MUTED, service);
    record->release = release->id;
    record->incident = service->incident;
    text_copy(record->version, sizeof record->version, release->version);
    if (!all) {
        record->leaf = rollback->leaf;
        text_copy(record->digest, sizeof record->digest, rollback->digest);
    }
    record->until = was_muted && release->muted_until > until
                        ? release->muted_until
                        : until;
    text_copy(record->by, sizeof record->by, who(input));
    text_copy(record->text, sizeof record->text, input->command.reason);
    core_tell(core, record);
}

/* Also when it waits for its leaf: it does not leave later by itself. */
static void refuse_muted(struct core *core, const struct release *release)
{
    struct rollback *rollback = rollback_find(core, release->rollback);
    if (!rollback || rollback->state != ROLLBACK_PROPOSED || rollback->manual) {
        return;
    }
    char at[MOMENT_TEXT_MAX], text[RECORD_TEXT_MAX];
    text_join(text, sizeof text, release->muted_by, " muted it until ",
              describe_moment(release->muted_until, at), NULL);
    rollback_stop_waiting(core, rollback);
    rollback_refuse(core, rollback, REFUSAL_MUTED, text);
}

static void say_no(const struct core *core, const struct input *input,
                   time_ms until, char text[RECORD_TEXT_MAX])
{
    char at[MOMENT_TEXT_MAX];
    const char *reason = input->command.reason;
    text_join(text, RECORD_TEXT_MAX, "by ", who(input),
              reason && reason[0] ? ": " : "", reason ? reason : "",
              until > core->now ? ". The policy may say it again from " : "",
              until > core->now ? describe_moment(until, at) : "", NULL);
}

static void page_no(struct core *core, const struct rollback *rollback,
                    const char *said)
{
    const struct service *service = service_at(core, rollback->service);
    char text[RECORD_TEXT_MAX];
    text_join(text, sizeof text, "the rollback of ", service->name, " in ",
              service->environment, " from ", rollback->suspect,
              " was cancelled ", said, NULL);
    rollback_notify(core, rollback, "cancelled", text);
}

void approval_cancel(struct core *core, const struct input *input)
{
    struct rollback *rollback = named_rollback(core, input);
    if (!rollback || is_too_late(core, input, rollback)) {
        return;
    }
    const struct release *release = release_find(core, rollback->release);
    bool mutes = release && rollback->leaf != NONE_INDEX;
    record_command(core, input, service_at(core, rollback->service), rollback);
    rollback_stop_waiting(core, rollback);
    char said[RECORD_TEXT_MAX], text[RECORD_TEXT_MAX];
    if (mutes) {
        mute(core, input, release, rollback);
    }
    say_no(core, input, mutes ? release->muted_until : 0, said);
    rollback_tell_moved(core, rollback, ROLLBACK_CANCELLED, "cancelled", said);
    page_no(core, rollback, said);
    text_join(text, sizeof text, "cancelled ", said, NULL);
    answer_about(core, input, rollback, OUTCOME_DONE, "cancelled", text);
}

static bool may_mute(struct core *core, const struct input *input,
                     const struct release *release)
{
    char id[DIGITS_MAX], text[RECORD_TEXT_MAX];
    enum outcome outcome = OUTCOME_DONE;
    text_digits(input->command.release, id);
    if (!release) {
        text_join(text, sizeof text, "there is no release ", id,
                  "; 'lastgood status' lists them", NULL);
        outcome = OUTCOME_NOT_FOUND;
    } else if (!release_is_active(release)) {
        text_join(text, sizeof text, "release ", id, " is ",
                  release_state_name(release->state),
                  ": nothing would roll it back", NULL);
        outcome = OUTCOME_CONFLICT;
    } else if (input->command.span < 0 || input->command.span > MUTE_MOST_MS) {
        text_join(text, sizeof text,
                  "a mute lasts at most 7d; 'lastgood "
                  "policy' changes what is said for longer",
                  NULL);
        outcome = OUTCOME_INVALID;
    }
    if (outcome == OUTCOME_DONE) {
        return true;
    }
    struct effect *effect = request_answer(
        core, input, outcome,
        outcome == OUTCOME_NOT_FOUND  ? "no_release"
        : outcome == OUTCOME_CONFLICT ? release_state_name(release->state)
                                      : "invalid",
        text);
    if (effect) {
        effect->answer.release = input->command.release;
    }
    return false;
}

void approval_mute(struct core *core, const struct input *input)
{
    struct release *release = release_find(core, input->command.release);
    if (!may_mute(core, input, release)) {
        return;
    }
    record_command(core, input, service_at(core, release->service), NULL);
    mute(core, input, release, NULL);
    refuse_muted(core, release);
    char said[RECORD_TEXT_MAX], text[RECORD_TEXT_MAX];
    say_no(core, input, release->muted_until, said);
    text_join(text, sizeof text, "muted ", said, NULL);
    struct effect *effect =
        request_answer(core, input, OUTCOME_DONE, "muted", text);
    if (effect) {
        effect->answer.release = release->id;
    }
}
