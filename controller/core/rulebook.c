#include "controller/core/rulebook.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "controller/core/inside.h"
#include "controller/core/observe.h"
#include "policies/memory.h"

void rulebook_init(struct rulebook *rulebook)
{
    rulebook->rules = memory_zeroed(RULES_MAX, sizeof *rulebook->rules);
    rulebook->used = 0;
}

void rulebook_release(struct rulebook *rulebook)
{
    for (uint32_t i = 0; i < rulebook->used; i++) {
        if (rulebook->rules[i].policy) {
            policy_free(rulebook->rules[i].policy);
        }
    }
    free(rulebook->rules);
}

const struct policy *rule_policy(const struct core *core, uint16_t rule)
{
    if (rule == NONE_INDEX) {
        return NULL;
    }
    assert(rule < core->rulebook.used);
    return core->rulebook.rules[rule].policy;
}

uint16_t rule_take(struct core *core, uint16_t rule)
{
    if (rule != NONE_INDEX) {
        assert(core->rulebook.rules[rule].policy);
        core->rulebook.rules[rule].readers++;
    }
    return rule;
}

/* Hand the block to the shell, or free it where there is none. */
static void give_back(struct core *core, struct policy *policy)
{
    if (core->decision) {
        core_effect(core, EFFECT_POLICY_RELEASED)->policy = policy;
    } else {
        policy_free(policy);
    }
}

void rule_leave(struct core *core, uint16_t rule)
{
    if (rule == NONE_INDEX) {
        return;
    }
    struct rule *left = &core->rulebook.rules[rule];
    assert(left->readers > 0);
    left->readers--;
    if (left->readers == 0) {
        assert(!left->in_force);
        struct policy *policy = left->policy;
        left->policy = NULL;
        give_back(core, policy);
    }
}

static bool is_better(const struct policy *policy, int score,
                      const struct policy *best, int best_score)
{
    if (score != best_score) {
        return score > best_score;
    }
    /* The reader refuses two that match equally; should it happen all the
     * same, the name decides, not the order of arrival. */
    return !best || strcmp(policy_text(policy, policy->name),
                           policy_text(best, best->name)) < 0;
}

uint16_t rule_match(const struct core *core, const char *service,
                    const char *environment)
{
    uint16_t found = NONE_INDEX;
    const struct policy *best = NULL;
    int best_score = 0;
    for (uint32_t i = 0; i < core->rulebook.used; i++) {
        const struct rule *rule = &core->rulebook.rules[i];
        if (!rule->in_force) {
            continue;
        }
        int score = policy_match(rule->policy, service, environment);
        if (score > 0 && is_better(rule->policy, score, best, best_score)) {
            best = rule->policy;
            best_score = score;
            found = (uint16_t)i;
        }
    }
    return found;
}

uint16_t rule_find(const struct core *core, const char *name)
{
    for (uint32_t i = 0; i < core->rulebook.used; i++) {
        const struct rule *rule = &core->rulebook.rules[i];
        if (rule->in_force &&
            text_equal(policy_text(rule->policy, rule->policy->name), name)) {
            return (uint16_t)i;
        }
    }
    return NONE_INDEX;
}

static uint32_t free_rule(const struct rulebook *rulebook)
{
    for (uint32_t i = 0; i < rulebook->used; i++) {
        if (!rulebook->rules[i].policy) {
            return i;
        }
    }
    return rulebook->used;
}

/* Room for one more slot, and, when it is new, for one more in force. */
static bool has_room(const struct core *core, bool is_new)
{
    uint32_t in_force = 0;
    for (uint32_t i = 0; i < core->rulebook.used; i++) {
        in_force += core->rulebook.rules[i].in_force;
    }
    return free_rule(&core->rulebook) < RULES_MAX &&
           (!is_new || in_force < POLICIES_MAX);
}

static void tell_full(struct core *core, const char *name)
{
    char text[RECORD_TEXT_MAX], digits[DIGITS_MAX];
    text_join(text, sizeof text, "policy ", name,
              " is not in force: ", text_digits(POLICIES_MAX, digits),
              " policies are the most; remove some", NULL);
    struct record *record = core_record(core, RECORD_COMMANDED);
    text_copy(record->name, sizeof record->name, "policy");
    text_copy(record->code, sizeof record->code, "full");
    text_copy(record->text, sizeof record->text, text);
    core_tell(core, record);
    notice_tell(core, NULL, NULL, NONE_INDEX, 0, "policy", text);
}

void rulebook_accept(struct core *core, struct policy *block)
{
    assert(block);
    const char *name = policy_text(block, block->name);
    const struct policy *known = rule_policy(core, rule_find(core, name));
    if (known && text_equal(known->digest, block->digest)) {
        give_back(core, block);
        return;
    }
    if (!has_room(core, !known)) {
        tell_full(core, name);
        give_back(core, block);
        return;
    }
    struct record *record = core_record(core, RECORD_POLICY_SET);
    text_copy(record->name, sizeof record->name, name);
    text_copy(record->digest, sizeof record->digest, block->digest);
    record->body = policy_text(block, block->source_text);
    record->body_length = block->source_length;
    record->policy = block;
    core_tell(core, record);
}

void rulebook_remove(struct core *core, const char *name)
{
    uint16_t rule = rule_find(core, name);
    if (rule == NONE_INDEX) {
        return;
    }
    struct record *record = core_record(core, RECORD_POLICY_REMOVED);
    text_copy(record->name, sizeof record->name, name);
    text_copy(record->digest, sizeof record->digest,
              rule_policy(core, rule)->digest);
    core_tell(core, record);
}

void rulebook_broken(struct core *core, const char *text)
{
    char known[RECORD_TEXT_MAX];
    text_copy(known, sizeof known, text);
    if (text_equal(known, core->rulebook.broken)) {
        return;
    }
    bool is_broken = known[0] != '\0';
    struct record *record = core_record(core, RECORD_POLICY_BROKEN);
    record->on = is_broken;
    text_copy(record->text, sizeof record->text,
              is_broken ? known : "every policy file can be used again");
    core_tell(core, record);
    if (is_broken) {
        notice_tell(core, NULL, NULL, NONE_INDEX, 0, "policy", known);
    }
}

/* The releases whose policy may have changed: those that had @before, and
 * those for which @after is the better one. */
static void rebind(struct core *core, uint16_t before, uint16_t after)
{
    for (uint32_t i = 0; i < core->releases.count; i++) {
        struct release *release = pool_at(&core->releases, i);
        struct service *service = service_at(core, release->service);
        if (!release_is_active(release)) {
            continue;
        }
        const struct policy *candidate = rule_policy(core, after);
        bool concerned = release->rule == before && before != NONE_INDEX;
        concerned |= candidate && policy_match(candidate, service->name,
                                               service->environment) > 0;
        if (concerned) {
            release_bind(core, release,
                         rule_match(core, service->name, service->environment));
            reconcile_soon(core, service);
        }
    }
}

static void retire(struct core *core, uint16_t rule)
{
    if (rule != NONE_INDEX) {
        core->rulebook.rules[rule].in_force = false;
    }
}

void rulebook_apply_set(struct core *core, const struct record *record)
{
    if (!record->policy) {
        /* An old text that this program can no longer read judges nobody. */
        rulebook_apply_removed(core, record);
        return;
    }
    uint16_t before = rule_find(core, record->name);
    uint32_t slot = free_rule(&core->rulebook);
    assert(slot < RULES_MAX);
    if (slot == core->rulebook.used) {
        core->rulebook.used++;
    }
    /* The block is ours from here on: POLICY_SET takes it (core.h). */
    struct policy *taken = (struct policy *)(uintptr_t)record->policy;
    core->rulebook.rules[slot] =
        (struct rule){.policy = taken, .readers = 1, .in_force = true};
    retire(core, before);
    rebind(core, before, (uint16_t)slot);
    rule_leave(core, before);
}

void rulebook_apply_removed(struct core *core, const struct record *record)
{
    uint16_t before = rule_find(core, record->name);
    if (before == NONE_INDEX) {
        return;
    }
    retire(core, before);
    rebind(core, before, NONE_INDEX);
    rule_leave(core, before);
}

void rulebook_apply_broken(struct core *core, const struct record *record)
{
    text_copy(core->rulebook.broken, sizeof core->rulebook.broken,
              record->on ? record->text : "");
}
