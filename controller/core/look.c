/* What a verdict means: record it when it is news, open an incident, fire the
 * leaf's effects once, let a rollback be decided. */
#include "controller/core/watch.h"

#include <assert.h>
#include <string.h>

#include "controller/core/blame.h"
#include "controller/core/describe.h"
#include "controller/core/guard.h"
#include "controller/core/inside.h"
#include "policies/explain/explain.h"

static bool is_news(const struct release *release, const struct policy *policy,
                    const struct verdict *verdict)
{
    if (release->verdict == 0 || release->leaf != verdict->leaf ||
        release->steps != verdict->steps ||
        !text_equal(release->verdict_digest, policy->digest)) {
        return true;
    }
    for (uint8_t i = 0; i < verdict->steps; i++) {
        if (release->path[i].question != verdict->path[i].question ||
            release->path[i].answer != verdict->path[i].answer) {
            return true;
        }
    }
    return false;
}

/* What a wait waits for: "errors (nan)", or why the question itself has no
 * answer; "" when the policy says wait with everything known. */
static void say_missing(const struct watch *watch, const struct policy *policy,
                        const struct verdict *verdict,
                        char ret_text[RECORD_TEXT_MAX])
{
    ret_text[0] = '\0';
    if (verdict->steps == 0 ||
        verdict->path[verdict->steps - 1].answer != ANSWER_UNKNOWN) {
        return;
    }
    const struct question *last =
        policy_question(policy, verdict->path[verdict->steps - 1].question);
    enum unknown unknown = verdict->values[last->node].unknown;
    bool settles = unknown == UNKNOWN_SETTLING || !watch->unknowns[0];
    text_join(ret_text, RECORD_TEXT_MAX,
              "not known: ", settles ? unknown_name(unknown) : watch->unknowns,
              NULL);
}

/* It waits as before, but for something else: `why` explains what is recorded.
 * Reasons may come and go at every look, so they are news once a minute. */
static bool waits_anew(const struct release *release, const struct watch *watch,
                       const struct policy *policy,
                       const struct verdict *verdict)
{
    char text[RECORD_TEXT_MAX];
    if (policy_leaf(policy, verdict->leaf)->kind != LEAF_WAIT ||
        verdict->at - release->judged_at < MINUTE_MS) {
        return false;
    }
    say_missing(watch, policy, verdict, text);
    return !text_equal(text, release->verdict_text);
}

static bool is_trouble(const struct leaf *leaf)
{
    return leaf->kind != LEAF_HEALTHY && leaf->kind != LEAF_WAIT;
}

static bool has_unknowns(const struct policy *policy,
                         const struct verdict *verdict)
{
    for (uint16_t i = 0; i < policy->signals; i++) {
        uint16_t node = policy_signal(policy, i)->node;
        if (node != NONE_INDEX && verdict->values[node].unknown != KNOWN) {
            return true;
        }
    }
    return false;
}

/* What is said of a look, as far as somebody may want to hear it: mostly there
 * is nothing to say, and nothing was said before. */
static void remember_texts(struct core *core, struct watch *watch,
                           const struct policy *policy,
                           const struct verdict *verdict)
{
    char values[VALUES_TEXT_MAX], unknowns[UNKNOWNS_TEXT_MAX];
    bool tells_values =
        watch->rollback || is_trouble(policy_leaf(policy, verdict->leaf));
    bool tells_unknowns = has_unknowns(policy, verdict);
    if (!tells_values && !tells_unknowns && !watch->values[0] &&
        !watch->unknowns[0]) {
        return;
    }
    values[0] = unknowns[0] = '\0';
    if (tells_values) {
        describe_values(policy, verdict, values, sizeof values);
    }
    if (tells_unknowns) {
        describe_unknowns(policy, verdict, unknowns, sizeof unknowns);
    }
    arena_text(&core->texts, &watch->values, values, sizeof values);
    arena_text(&core->texts, &watch->unknowns, unknowns, sizeof unknowns);
}

static void remember(struct core *core, struct watch *watch,
                     const struct policy *policy, const struct verdict *verdict)
{
    watch->leaf = verdict->leaf;
    watch->root = verdict->root;
    watch->unsure = verdict->unsure;
    remember_texts(core, watch, policy, verdict);
}

static void fill_look(struct record *record, const struct policy *policy,
                      const struct verdict *verdict)
{
    const struct leaf *leaf = policy_leaf(policy, verdict->leaf);
    text_copy(record->name, sizeof record->name,
              policy_text(policy, policy->name));
    text_copy(record->digest, sizeof record->digest, policy->digest);
    text_copy(record->verdict_kind, sizeof record->verdict_kind,
              leaf_kind_name(leaf->kind));
    record->grid = verdict->at;
    record->leaf = verdict->leaf;
    record->root = verdict->root;
    record->unsure = verdict->unsure;
}

static void tell_verdict(struct core *core, const struct service *service,
                         const struct release *release)
{
    const struct watch *watch = watch_of(core, service);
    const struct policy *policy = rule_policy(core, watch->rule);
    struct record *record = core_record_about(core, RECORD_VERDICT, service);
    record->release = release->id;
    record->incident = service->incident;
    text_copy(record->version, sizeof record->version, release->version);
    text_copy(record->code, sizeof record->code,
              incident_blames(core, release) ? "blamed" : "");
    fill_look(record, policy, &core->verdict);
    record->steps = core->verdict.steps;
    memcpy(record->path, core->verdict.path,
           core->verdict.steps * sizeof record->path[0]);
    record->healthy = watch->healthy;
    record->looks = watch->looks;
    record->known_looks = watch->known_looks;
    record->requests = watch->requests;
    record->mode = guard_mode_now(core, service, &record->countdown);
    describe_leaf(core, policy, core->verdict.leaf, release, record->text,
                  sizeof record->text);
    if (policy_leaf(policy, watch->leaf)->kind == LEAF_WAIT) {
        say_missing(watch, policy, &core->verdict, record->text);
    }
    record->policy = policy;
    record->verdict = &core->verdict;
    record->facts = &core->facts;
    record->judge = watch_judge(core, service);
    record->row = core->row;
    core->verdicts++;
    core_tell(core, record);
}

void look_disbelieve(const struct policy *policy, struct verdict *verdict)
{
    verdict->leaf = LEAF_INDEX_WAIT;
    verdict->root = ANSWER_UNKNOWN;
    if (verdict->steps > 0) {
        const struct question *root =
            policy_question(policy, verdict->path[0].question);
        verdict->steps = 1;
        verdict->path[0].answer = ANSWER_UNKNOWN;
        verdict->values[root->node] =
            (struct value){.unknown = UNKNOWN_SETTLING};
    }
}

/* ---- the leaf's effects, once an incident ------------------------------ */

static void tell_leaf(struct core *core, const struct service *service,
                      const struct release *release, const char *what)
{
    const struct watch *watch = watch_of(core, service);
    char text[RECORD_TEXT_MAX];
    describe_verdict(core, watch, release, text, sizeof text);
    notice_tell(core, service, rule_policy(core, watch->rule), watch->leaf,
                release->id, what, text);
}

static enum mode mode_now(const struct core *core,
                          const struct service *service)
{
    time_ms countdown = 0;
    return guard_mode_now(core, service, &countdown);
}

static void hold(struct core *core, const struct service *service,
                 const struct release *release)
{
    if (mode_now(core, service) != MODE_OBSERVE &&
        release->state != RELEASE_HELD && release_can(release, RELEASE_HELD)) {
        char text[RECORD_TEXT_MAX];
        describe_verdict(core, watch_of(core, service), release, text,
                         sizeof text);
        release_tell_moved(core, release, RELEASE_HELD, release->grade, "hold",
                           text);
    }
    tell_leaf(core, service, release, "hold");
}

static void fire(struct core *core, struct service *service,
                 const struct release *release)
{
    const struct watch *watch = watch_of(core, service);
    const struct policy *policy = rule_policy(core, watch->rule);
    switch (policy_leaf(policy, watch->leaf)->kind) {
    case LEAF_HOLD:
        hold(core, service, release);
        break;
    case LEAF_PAGE:
        tell_leaf(core, service, release, "page");
        break;
    case LEAF_ROLLBACK:
        break; /* lead_rollback() */
    case LEAF_HEALTHY:
    case LEAF_WAIT:
        return;
    }
    action_run(core, service, policy, watch->leaf, release->id,
               mode_now(core, service));
}

/* A page says it again after half an hour while its leaf stands. */
static void repeat(struct core *core, struct service *service,
                   const struct release *release)
{
    const struct watch *watch = watch_of(core, service);
    const struct incident *incident = incident_find(core, service->incident);
    const struct leaf *leaf =
        policy_leaf(rule_policy(core, watch->rule), watch->leaf);
    if (incident && leaf->kind == LEAF_PAGE &&
        core->now - incident->paged_at >= PAGE_REPEAT_MS) {
        tell_leaf(core, service, release, "page");
    }
}

static void open_incident(struct core *core, struct service *service,
                          const struct release *release)
{
    char text[RECORD_TEXT_MAX];
    describe_verdict(core, watch_of(core, service), release, text, sizeof text);
    incident_open(core, release, "", text);
}

/* No incident is open and trouble stands, though a person closed the last one
 * half an hour ago. */
static bool opens_again(const struct core *core, const struct service *service,
                        const struct release *release, const struct leaf *leaf)
{
    const struct incident *last = incident_find(core, release->incident);
    return is_trouble(leaf) && !service->incident &&
           (!last || core->now - last->closed_at >= PAGE_REPEAT_MS);
}

/* Returns whether the leaf's effects are to be fired now. */
static bool record_verdict(struct core *core, struct service *service,
                           const struct release *release)
{
    const struct watch *watch = watch_of(core, service);
    const struct policy *policy = rule_policy(core, watch->rule);
    const struct leaf *leaf = policy_leaf(policy, watch->leaf);
    if (!is_news(release, policy, &core->verdict) &&
        !waits_anew(release, watch, policy, &core->verdict) &&
        !opens_again(core, service, release, leaf)) {
        return false;
    }
    if (is_trouble(leaf) && !service->incident) {
        open_incident(core, service, release);
    }
    bool fires =
        is_trouble(leaf) &&
        !release_has_fired(release, service->incident, policy, watch->leaf);
    tell_verdict(core, service, release);
    return fires;
}

/* ---- the rollback ------------------------------------------------------ */

/* Carried out or tried in this incident, whatever was ordered and refused
 * since: that is final. */
static bool was_tried(const struct core *core, const struct service *service,
                      const struct release *release)
{
    for (uint32_t i = 0; i < core->rollbacks.count; i++) {
        const struct rollback *rollback = pool_at(&core->rollbacks, i);
        if (rollback->release == release->id &&
            rollback->incident == service->incident &&
            rollback_is_spent(rollback)) {
            return true;
        }
    }
    return false;
}

static bool wants_decision(const struct core *core,
                           const struct service *service,
                           const struct release *release)
{
    return service->incident && !service->rollback &&
           !was_tried(core, service, release);
}

/* What is held stays held: only `resume` or a newer release ends that. */
static void suspect(struct core *core, const struct release *release)
{
    if (release->state == RELEASE_WATCHING) {
        release_tell_moved(core, release, RELEASE_SUSPECT, release->grade,
                           "rollback", "the policy says: roll back");
    }
}

static void lead_rollback(struct core *core, struct service *service,
                          const struct release *release)
{
    struct watch *watch = watch_of(core, service);
    const struct leaf *leaf =
        policy_leaf(rule_policy(core, watch->rule), watch->leaf);
    const struct rollback *last = rollback_find(core, release->rollback);
    if (leaf->kind == LEAF_ROLLBACK && service->incident) {
        suspect(core, release);
        if (wants_decision(core, service, release)) {
            timer_arm(&core->timers, &watch->act, core->now);
        }
    } else if (leaf->kind != LEAF_ROLLBACK && leaf->kind != LEAF_WAIT && last &&
               last->state == ROLLBACK_PROPOSED && !last->manual) {
        timer_arm(&core->timers, &watch->act, core->now);
    }
}

void look_taken(struct core *core, struct service *service, time_ms g)
{
    struct watch *watch = watch_of(core, service);
    const struct policy *policy = rule_policy(core, watch->rule);
    if (g <= watch->since + policy->watch.settle) {
        look_disbelieve(policy, &core->verdict);
    }
    remember(core, watch, policy, &core->verdict);
    if (watch->rollback) {
        verify_look(core, service, g);
        return;
    }
    const struct release *release = release_find(core, watch->release);
    assert(release);
    account_look(core, service, g);
    bool fires = record_verdict(core, service, release);
    blame_note(core, service);
    if (fires) {
        fire(core, service, release);
    } else {
        repeat(core, service, release);
    }
    lead_rollback(core, service, release);
    if (account_is_due(core, service)) {
        timer_arm(&core->timers, &watch->account, core->now);
    }
}
