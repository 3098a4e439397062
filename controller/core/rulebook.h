/* The policies in force, and those that somebody still judges by.
 *
 * A block is counted: being in force is one reader, a watch, a rollback under
 * way and a history asked for are others.  The last one to leave gives the
 * block back to the shell (EFFECT_POLICY_RELEASED), or frees it when there is
 * no shell yet (recovery). */
#ifndef CORE_RULEBOOK_H
#define CORE_RULEBOOK_H

#include "controller/core/limits.h"
#include "state/record.h"

struct core;

/* Twice as many as may be in force: the replaced ones still read. */
#define RULES_MAX (2 * POLICIES_MAX)

struct rule {
    struct policy *policy; /* owned; NULL: the slot is free */
    uint32_t readers;
    bool in_force;
};

struct rulebook {
    struct rule *rules;
    uint32_t used;                /* slots at or above it were never used */
    char broken[RECORD_TEXT_MAX]; /* what people know to be broken, "" */
};

void rulebook_init(struct rulebook *rulebook);
void rulebook_release(struct rulebook *rulebook);

/* The policy in a slot; NULL for NONE_INDEX. */
const struct policy *rule_policy(const struct core *core, uint16_t rule);

/* Read it from now on; leave it.  NONE_INDEX is allowed. */
uint16_t rule_take(struct core *core, uint16_t rule);
void rule_leave(struct core *core, uint16_t rule);

/* The most specific one in force, NONE_INDEX when none matches. */
uint16_t rule_match(const struct core *core, const char *service,
                    const char *environment);

/* The one in force by name, NONE_INDEX when none. */
uint16_t rule_find(const struct core *core, const char *name);

/* Inputs.  A policy beyond the bound is refused and told. */
void rulebook_accept(struct core *core, struct policy *block);
void rulebook_remove(struct core *core, const char *name);

/* Files of policies cannot be used (@text says which and why), or all can: "".
 * Recorded when it changed, and paged when something is broken. */
void rulebook_broken(struct core *core, const char *text);

/* Records. */
void rulebook_apply_set(struct core *core, const struct record *record);
void rulebook_apply_removed(struct core *core, const struct record *record);
void rulebook_apply_broken(struct core *core, const struct record *record);

#endif
