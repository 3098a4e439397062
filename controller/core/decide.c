/* From a leaf that says rollback to a durable intent, or a refusal. */
#include "controller/core/rollback.h"

#include <assert.h>

#include "controller/core/describe.h"
#include "controller/core/guard.h"
#include "controller/core/inside.h"
#include "controller/core/ledger.h"

/* A person's rollback has no leaf to say how long. */
#define FREEZE_DEFAULT_MS (24 * HOUR_MS)

static const struct policy *policy_of(const struct core *core,
                                      const struct service *service)
{
    const struct watch *watch = watch_of(core, service);
    return watch->on ? rule_policy(core, watch->rule) : NULL;
}

/* A leaf belongs to the policy it was read in. */
static uint16_t leaf_of(const struct policy *policy,
                        const struct rollback *rollback)
{
    bool its = policy && text_equal(policy->digest, rollback->digest);
    return its ? rollback->leaf : NONE_INDEX;
}

void rollback_notify(struct core *core, const struct rollback *rollback,
                     const char *what, const char *text)
{
    const struct service *service = service_at(core, rollback->service);
    const struct policy *policy = policy_of(core, service);
    notice_tell(core, service, policy, leaf_of(policy, rollback),
                rollback->release, what, text);
}

/* ---- proposing --------------------------------------------------------- */

static struct rollback *propose(struct core *core, struct service *service,
                                const struct release *suspect, const char *by)
{
    const struct watch *watch = watch_of(core, service);
    const struct policy *policy = policy_of(core, service);
    const struct release *target = ledger_last_good(core, suspect);
    struct record *record =
        core_record_about(core, RECORD_ROLLBACK_PROPOSED, service);
    record->incident = service->incident;
    record->release = suspect->id;
    text_copy(record->version, sizeof record->version, suspect->version);
    if (target) {
        record->target_release = target->id;
        text_copy(record->target_version, sizeof record->target_version,
                  target->version);
    }
    if (policy) {
        text_copy(record->name, sizeof record->name,
                  policy_text(policy, policy->name));
        text_copy(record->digest, sizeof record->digest, policy->digest);
        record->grid = watch->judged;
        record->leaf = watch->leaf;
        record->root = watch->root;
        record->unsure = watch->unsure;
        record->mode = guard_mode(core, service, policy, watch->leaf,
                                  watch->unsure, &record->countdown);
    }
    record->mode = by[0] ? MODE_AUTO : record->mode;
    text_copy(record->by, sizeof record->by, by);
    describe_proposal(core, suspect, target, record->text);
    return rollback_find(core, core_tell(core, record));
}

/* ---- refusing ---------------------------------------------------------- */

/* Were people told that it would leave? */
static bool is_expected(const struct rollback *rollback)
{
    return rollback->manual || rollback->acts_at != 0 ||
           rollback->approved_by[0];
}

void rollback_refuse(struct core *core, struct rollback *rollback,
                     enum refusal refusal, const char *text)
{
    bool told = rollback->refusals >> refusal & 1u;
    bool expected = is_expected(rollback);
    if (told && rollback->state == ROLLBACK_REFUSED) {
        return;
    }
    char sentence[RECORD_TEXT_MAX];
    text_join(sentence, sizeof sentence,
              refusal == REFUSAL_MODE ? "" : "not rolled back: ", text, NULL);
    rollback_tell_moved(core, rollback, ROLLBACK_REFUSED, refusal_code(refusal),
                        sentence);
    if (told && !expected) {
        return;
    }
    char page[RECORD_TEXT_MAX];
    text_join(page, sizeof page, service_at(core, rollback->service)->name, " ",
              rollback->suspect, ": ", sentence, NULL);
    rollback_notify(core, rollback, "refused", page);
}

/* ---- intending --------------------------------------------------------- */

static time_ms freeze_until(const struct core *core,
                            const struct rollback *rollback)
{
    const struct policy *policy =
        policy_of(core, service_at(core, rollback->service));
    if (leaf_of(policy, rollback) == NONE_INDEX) {
        return core->now + FREEZE_DEFAULT_MS;
    }
    const struct leaf *leaf = policy_leaf(policy, rollback->leaf);
    return leaf->freezes ? core->now + leaf->freeze : 0;
}

static void say_intent(const struct core *core, const struct rollback *rollback,
                       const char *target, char text[RECORD_TEXT_MAX])
{
    const struct service *service = service_at(core, rollback->service);
    const struct watch *watch = watch_of(core, service);
    char rolling[ROLLING_TEXT_MAX];
    text_join(
        text, RECORD_TEXT_MAX,
        describe_rolling_back(service, rollback->suspect, target, rolling),
        watch->on && watch->values[0] ? ": " : "",
        watch->on ? watch->values : "",
        rollback->by[0]            ? "; ordered by "
        : rollback->approved_by[0] ? "; approved by "
                                   : "",
        rollback->by[0] ? rollback->by : rollback->approved_by, NULL);
}

static void say_freeze(const struct core *core, time_ms until,
                       char text[RECORD_TEXT_MAX])
{
    char moment[MOMENT_TEXT_MAX];
    if (until > core->now) {
        text_append(text, RECORD_TEXT_MAX, ". Deploys are frozen until ",
                    describe_moment(until, moment),
                    "; 'lastgood thaw' ends it for a fix", NULL);
    }
}

static void intend(struct core *core, struct rollback *rollback)
{
    const struct release *suspect = release_find(core, rollback->release);
    const struct release *target = ledger_last_good(core, suspect);
    assert(target);
    time_ms until = freeze_until(core, rollback);
    char text[RECORD_TEXT_MAX];
    say_intent(core, rollback, target->version, text);
    struct record *record = rollback_begin_move(
        core, rollback, ROLLBACK_INTENDED, "intended", text);
    record->target_release = target->id;
    text_copy(record->target_version, sizeof record->target_version,
              target->version);
    record->until = until;
    core_tell(core, record);
    say_freeze(core, until, text);
    rollback_notify(core, rollback, "rollback", text);
    timer_arm(&core->timers, &rollback->timer, core->now);
}

static const struct release *last_good_of(const struct core *core,
                                          const struct rollback *rollback)
{
    const struct release *target =
        ledger_last_good(core, release_find(core, rollback->release));
    assert(target);
    return target;
}

static void ask_has(struct core *core, struct rollback *rollback)
{
    const struct service *service = service_at(core, rollback->service);
    const struct release *target = last_good_of(core, rollback);
    struct effect *effect =
        pending_ask(core, EFFECT_HAS, PENDING_ROLLBACK, rollback->id,
                    service_timeout(core, service) + SECOND_MS);
    effect->service = service->index;
    effect->target.rollback = rollback->id;
    text_copy(effect->target.suspect, sizeof effect->target.suspect,
              rollback->suspect);
    text_copy(effect->target.target, sizeof effect->target.target,
              target->version);
    rollback->checked = target->id;
    rollback->waiting = effect->id.counter;
    rollback->asked = EFFECT_HAS;
}

static bool can_check(const struct core *core, const struct service *service)
{
    uint16_t target = service_target(core, service);
    return target != NONE_INDEX && core->options.targets[target].can_check;
}

/* What people were asked is of one leaf of one policy. */
static bool is_of_leaf(const struct rollback *rollback,
                       const struct watch *watch, const struct policy *policy)
{
    return rollback->leaf == watch->leaf &&
           text_equal(rollback->digest, policy->digest);
}

bool rollback_stands(const struct core *core, const struct rollback *rollback)
{
    const struct service *service = service_at(core, rollback->service);
    const struct watch *watch = watch_of(core, service);
    const struct policy *policy = policy_of(core, service);
    if (rollback->incident != service->incident) {
        return false;
    }
    return rollback->manual ||
           (policy && watch->release == rollback->release &&
            policy_leaf(policy, watch->leaf)->kind == LEAF_ROLLBACK &&
            is_of_leaf(rollback, watch, policy));
}

static enum mode mode_of(const struct core *core,
                         const struct rollback *rollback,
                         time_ms *ret_countdown)
{
    *ret_countdown = 0;
    return rollback->manual
               ? MODE_AUTO
               : guard_mode_now(core, service_at(core, rollback->service),
                                ret_countdown);
}

/* Every interlock, then the mode, then whether the last good release is still
 * there: @present is the one that the deployment system was just seen to have.
 * ret_text: why it was refused. */
static enum refusal weigh(struct core *core, struct rollback *rollback,
                          uint64_t present, char ret_text[RECORD_TEXT_MAX])
{
    enum refusal refusal = guard_refuses(core, rollback, ret_text);
    if (refusal != REFUSAL_NONE) {
        rollback_refuse(core, rollback, refusal, ret_text);
        return refusal;
    }
    const struct service *service = service_at(core, rollback->service);
    time_ms countdown = 0;
    enum mode mode = mode_of(core, rollback, &countdown);
    if (!consent_is_given(core, rollback, mode, countdown)) {
        return REFUSAL_NONE; /* people were asked */
    }
    if (can_check(core, service) &&
        last_good_of(core, rollback)->id != present) {
        ask_has(core, rollback);
    } else {
        intend(core, rollback);
    }
    return REFUSAL_NONE;
}

/* ---- the doors --------------------------------------------------------- */

static void tell_withdrawn(struct core *core, const struct rollback *rollback,
                           const char *why)
{
    const struct service *service = service_at(core, rollback->service);
    char text[RECORD_TEXT_MAX];
    text_join(text, sizeof text, "the rollback of ", service->name, " in ",
              service->environment, " from ", rollback->suspect,
              " does not leave: ", why, NULL);
    rollback_notify(core, rollback, "cancelled", text);
}

static bool is_open(const struct rollback *rollback, uint64_t incident)
{
    return rollback && rollback->incident == incident &&
           (rollback->state == ROLLBACK_PROPOSED ||
            rollback->state == ROLLBACK_REFUSED);
}

/* Cancelled a short while ago in this incident: who did it need not hear of it
 * again. */
static bool was_declined(const struct core *core,
                         const struct rollback *rollback,
                         const struct release *suspect)
{
    const struct service *service = service_at(core, suspect->service);
    return rollback && rollback->state == ROLLBACK_CANCELLED &&
           rollback->incident == service->incident &&
           text_equal(rollback->code, "cancelled") &&
           consent_is_muted(core, suspect);
}

static void decide_leaf(struct core *core, struct service *service,
                        const struct release *suspect)
{
    const struct watch *watch = watch_of(core, service);
    struct rollback *rollback = rollback_find(core, suspect->rollback);
    if ((rollback && rollback->waiting != 0) || !service->incident ||
        was_declined(core, rollback, suspect)) {
        return; /* an answer that is awaited decides */
    }
    /* A person's order that was refused is not carried out later by itself. */
    if (!is_open(rollback, service->incident) || rollback->manual ||
        !is_of_leaf(rollback, watch, policy_of(core, service))) {
        rollback = propose(core, service, suspect, "");
    }
    char text[RECORD_TEXT_MAX];
    (void)weigh(core, rollback, 0, text);
}

void rollback_decide(struct core *core, struct service *service)
{
    struct watch *watch = watch_of(core, service);
    const struct release *suspect = release_find(core, watch->release);
    const struct policy *policy = policy_of(core, service);
    if (!policy || watch->rollback || !suspect) {
        return;
    }
    const struct rollback *rollback = rollback_find(core, suspect->rollback);
    enum leaf_kind kind = policy_leaf(policy, watch->leaf)->kind;
    bool stands =
        kind == LEAF_ROLLBACK &&
        (!rollback || rollback->manual || is_of_leaf(rollback, watch, policy));
    if (rollback && rollback->state == ROLLBACK_PROPOSED && !rollback->manual &&
        kind != LEAF_WAIT && !stands) {
        rollback_withdraw(core, suspect, "withdrawn",
                          kind == LEAF_ROLLBACK
                              ? "another leaf or policy says it now"
                              : "the policy no longer says: roll back");
        timer_arm(&core->timers, &watch->act, core->now);
    } else if (kind == LEAF_ROLLBACK) {
        decide_leaf(core, service, suspect);
    }
}

void rollback_withdraw(struct core *core, const struct release *release,
                       const char *code, const char *text)
{
    struct rollback *rollback = rollback_find(core, release->rollback);
    if (!rollback || (rollback->state != ROLLBACK_PROPOSED &&
                      rollback->state != ROLLBACK_REFUSED)) {
        return;
    }
    rollback_stop_waiting(core, rollback);
    if (rollback->state == ROLLBACK_PROPOSED) {
        bool expected = is_expected(rollback);
        rollback_tell_moved(core, rollback, ROLLBACK_CANCELLED, code, text);
        if (expected) {
            tell_withdrawn(core, rollback, text);
        }
    }
}

static void open_for_order(struct core *core, const struct release *release,
                           const struct order *order)
{
    char text[RECORD_TEXT_MAX];
    text_join(text, sizeof text, order->by, " ordered a rollback",
              order->reason[0] ? ": " : "", order->reason, NULL);
    incident_open(core, release, order->by, text);
}

/* An incident that nothing but a refused order opened is over with it. */
static void close_with_order(struct core *core, const struct rollback *rollback)
{
    const struct incident *incident = incident_find(core, rollback->incident);
    if (rollback->manual && incident && !incident->closed_at &&
        incident->ordered && !incident->blamed_at && !incident->rollback) {
        incident_close(core, incident, "refused", "", rollback->text);
    }
}

/* Why it was refused stands in the timeline of every order, also when the
 * same was recorded before. */
static void end_refused(struct core *core, const struct rollback *rollback,
                        bool is_recorded, enum refusal refusal,
                        const char *text)
{
    if (!is_recorded) {
        char sentence[RECORD_TEXT_MAX];
        text_join(sentence, sizeof sentence, "not rolled back: ", text, NULL);
        rollback_tell_moved(core, rollback, ROLLBACK_REFUSED,
                            refusal_code(refusal), sentence);
    }
    close_with_order(core, rollback);
}

enum refusal rollback_order(struct core *core, const struct release *release,
                            struct order *order)
{
    struct service *service = service_at(core, release->service);
    if (!service->incident) {
        open_for_order(core, release, order);
    }
    struct rollback *rollback = rollback_find(core, release->rollback);
    if (!is_open(rollback, service->incident)) {
        rollback = propose(core, service, release, order->by);
    }
    rollback_stop_waiting(core, rollback);
    bool was_manual = rollback->manual;
    rollback->manual = true;
    text_copy(rollback->by, sizeof rollback->by, order->by);
    order->rollback = rollback->id;
    uint64_t before = core->sequence;
    enum refusal refusal = weigh(core, rollback, 0, order->text);
    if (refusal != REFUSAL_NONE) {
        end_refused(core, rollback, core->sequence != before, refusal,
                    order->text);
    }
    if (refusal != REFUSAL_NONE && !was_manual) {
        /* the policy decides anew at its next look */
        rollback->manual = false;
        rollback->by[0] = '\0';
    } else if (rollback->waiting != 0 && !was_manual) {
        rollback_tell_moved(core, rollback, ROLLBACK_PROPOSED, "ordered",
                            order->reason);
    }
    return refusal;
}

/* Time has passed: everything is asked again.  An order ends in a record. */
static void weigh_again(struct core *core, struct rollback *rollback,
                        uint64_t present)
{
    char text[RECORD_TEXT_MAX];
    if (rollback_stands(core, rollback)) {
        (void)weigh(core, rollback, present, text);
        if (rollback->state == ROLLBACK_REFUSED) {
            close_with_order(core, rollback);
        }
    } else if (rollback->manual) {
        rollback_withdraw(core, release_find(core, rollback->release), "closed",
                          "its incident was closed meanwhile");
    } else {
        consent_due(core, rollback);
    }
}

void rollback_weigh_again(struct core *core, struct rollback *rollback)
{
    weigh_again(core, rollback, 0);
}

void rollback_order_due(struct core *core, struct rollback *rollback)
{
    const struct service *service = service_at(core, rollback->service);
    assert(rollback->manual);
    if (rollback->waiting != 0) {
        return;
    }
    if (service->observed_at == 0 && service->failures == 0) {
        timer_arm(&core->timers, &rollback->timer, core->now + SECOND_MS);
    } else {
        weigh_again(core, rollback, 0);
    }
}

/* The answer to HAS. */
static void has_answered(struct core *core, struct rollback *rollback,
                         const struct input *input)
{
    const struct release *asked = release_find(core, rollback->checked);
    const char *version = asked ? asked->version : rollback->target;
    bool clear = input->target.result == TARGET_OBSERVED;
    if (clear && input->target.has) {
        weigh_again(core, rollback, rollback->checked);
        return;
    }
    char text[RECORD_TEXT_MAX];
    if (clear) {
        text_join(text, sizeof text, version,
                  " is gone from the deployment system: roll forward", NULL);
    } else {
        text_join(text, sizeof text, "the target did not say whether ", version,
                  " is still there: ",
                  input->target.text ? input->target.text : "no answer", NULL);
    }
    rollback_refuse(core, rollback,
                    clear ? REFUSAL_TARGET_GONE : REFUSAL_TARGET_UNCLEAR, text);
    close_with_order(core, rollback);
}

void rollback_answered(struct core *core, struct rollback *rollback,
                       enum effect_kind asked, const struct input *input)
{
    if (!rollback || rollback->waiting == 0) {
        return;
    }
    rollback->waiting = 0;
    if (asked == EFFECT_HAS) {
        has_answered(core, rollback, input);
    } else {
        revert_answered(core, rollback, asked, input);
    }
}
