/* Did it help?  The policy's root question, asked of the version that the
 * rollback put live, known and false for long enough. */
#include "controller/core/rollback.h"

#include <assert.h>

#include "controller/core/describe.h"
#include "controller/core/inside.h"
#include "controller/core/proof.h"

static const struct policy *policy_of(const struct core *core,
                                      const struct rollback *rollback)
{
    return rule_policy(core, rollback->rule);
}

static time_ms verify_until(const struct core *core,
                            const struct rollback *rollback)
{
    const struct policy *policy = policy_of(core, rollback);
    return rollback->applied_at +
           (policy ? policy->verify_within : 15 * MINUTE_MS);
}

/* What is told when it is over. */
static void announce(struct core *core, const struct rollback *rollback,
                     const struct policy *policy, const char *what,
                     const char *text)
{
    notice_tell(core, service_at(core, rollback->service), policy,
                rollback->leaf, rollback->release, what, text);
}

void rollback_end(struct core *core, struct rollback *rollback,
                  enum rollback_state end, const char *code, const char *text)
{
    rollback_stop_waiting(core, rollback);
    timer_stop(&core->timers, &rollback->timer);
    /* A leaf is of the policy that proposed it; held until it was read. */
    uint16_t rule = rule_take(core, rollback->rule);
    const struct policy *policy = policy_of(core, rollback);
    if (policy && !text_equal(policy->digest, rollback->digest)) {
        policy = NULL;
    }
    rollback_tell_moved(core, rollback, end, code, text);
    announce(core, rollback, policy,
             end == ROLLBACK_RECOVERED ? "recovered" : "escalated", text);
    rule_leave(core, rule);
    if (end == ROLLBACK_RECOVERED) {
        const struct incident *incident =
            incident_find(core, rollback->incident);
        if (incident && incident->closed_at == 0) {
            incident_close(core, incident, "recovered", "", text);
        }
    }
}

static void recovered(struct core *core, struct rollback *rollback)
{
    char text[RECORD_TEXT_MAX], span[DURATION_TEXT_MAX];
    const struct service *service = service_at(core, rollback->service);
    time_ms took = core->now - rollback->intended_at;
    text_join(text, sizeof text, "recovered: ", service->name, " in ",
              service->environment, " is healthy on ", rollback->target, " ",
              duration_print(took / SECOND_MS * SECOND_MS, span),
              " after the decision to leave ", rollback->suspect, NULL);
    rollback_end(core, rollback, ROLLBACK_RECOVERED, "recovered", text);
}

void verify_look(struct core *core, struct service *service, time_ms g)
{
    struct watch *watch = watch_of(core, service);
    struct rollback *rollback = rollback_find(core, watch->rollback);
    const struct policy *policy = rule_policy(core, watch->rule);
    assert(rollback);
    if (rollback->state != ROLLBACK_VERIFYING) {
        return; /* over; the watch ends with the next tick */
    }
    if (watch->root != ANSWER_UNKNOWN) {
        watch->known_root = watch->root;
    }
    if (watch->root != ANSWER_NO) {
        watch->quiet_since = 0;
        return;
    }
    if (!proof_is_fresh(policy, &core->verdict)) {
        return;
    }
    if (watch->quiet_since == 0) {
        /* g speaks for the step that ends with it. */
        watch->quiet_since = g - policy->watch.every;
    }
    if (g - watch->quiet_since >= policy->verify_for) {
        recovered(core, rollback);
    }
}

static void not_verified(struct core *core, struct rollback *rollback)
{
    const struct service *service = service_at(core, rollback->service);
    const struct watch *watch = watch_of(core, service);
    /* It said yes last, or no but not for long enough. */
    bool known = watch->on && watch->rollback == rollback->id &&
                 (watch->known_root == ANSWER_YES || watch->root == ANSWER_NO);
    char text[RECORD_TEXT_MAX];
    if (known) {
        text_join(text, sizeof text, service->name, " in ",
                  service->environment, " did not recover on ",
                  rollback->target, watch->values[0] ? ": " : "", watch->values,
                  ". The cause is elsewhere: look now", NULL);
        rollback_end(core, rollback, ROLLBACK_NOT_RECOVERED, "not_recovered",
                     text);
        return;
    }
    text_join(text, sizeof text, rollback->target,
              " is live, but nobody can "
              "tell whether ",
              service->name, " recovered",
              watch->on && watch->unknowns[0] ? "; unknown: " : "",
              watch->on ? watch->unknowns : "", ": look now", NULL);
    rollback_end(core, rollback, ROLLBACK_UNVERIFIED, "unverified", text);
}

static void overtaken(struct core *core, struct rollback *rollback)
{
    const struct service *service = service_at(core, rollback->service);
    char text[RECORD_TEXT_MAX];
    text_join(text, sizeof text, "while ", rollback->target, " was verified, ",
              service->live, " became live: the rollback of ", service->name,
              " stays unverified", NULL);
    rollback_end(core, rollback, ROLLBACK_UNVERIFIED, "overtaken", text);
}

void verify_due(struct core *core, struct rollback *rollback)
{
    const struct service *service = service_at(core, rollback->service);
    time_ms until = verify_until(core, rollback);
    if (!text_equal(service->live, rollback->target)) {
        overtaken(core, rollback);
    } else if (core->now >= until) {
        not_verified(core, rollback);
    } else {
        timer_arm(&core->timers, &rollback->timer, until);
    }
}
