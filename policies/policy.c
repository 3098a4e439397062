#include "policies/policy.h"

#include "policies/policy_block.h"
#include "policies/utf8.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void policy_free(struct policy *policy)
{
    free(policy);
}

/* --- Names ---------------------------------------------------------------- */

const char *unknown_name(enum unknown unknown)
{
    static const char *const names[UNKNOWN_LAST] = {
        [KNOWN] = "known",
        [UNKNOWN_NO_DATA] = "no data",
        [UNKNOWN_NAN] = "nan",
        [UNKNOWN_INFINITE] = "infinite",
        [UNKNOWN_STALE] = "stale",
        [UNKNOWN_SEVERAL] = "several series",
        [UNKNOWN_WINDOW] = "window not covered",
        [UNKNOWN_NO_BASELINE] = "no baseline",
        [UNKNOWN_DIVIDE_BY_ZERO] = "divide by zero",
        [UNKNOWN_SOURCE_ERROR] = "source error",
        [UNKNOWN_NO_COLUMN] = "no column",
        [UNKNOWN_NOT_ASKED] = "not asked",
        [UNKNOWN_SETTLING] = "settling",
        [UNKNOWN_FACT] = "not said",
    };

    assert(unknown < UNKNOWN_LAST);
    return names[unknown];
}

const char *mode_name(enum mode mode)
{
    static const char *const names[] = {
        [MODE_OBSERVE] = "observe",
        [MODE_SUGGEST] = "suggest",
        [MODE_COUNTDOWN] = "countdown",
        [MODE_AUTO] = "auto",
    };

    assert(mode <= MODE_AUTO);
    return names[mode];
}

const char *answer_name(enum answer answer)
{
    static const char *const names[] = {
        [ANSWER_NO] = "no",
        [ANSWER_YES] = "yes",
        [ANSWER_UNKNOWN] = "unknown",
    };

    assert(answer <= ANSWER_UNKNOWN);
    return names[answer];
}

bool policy_asks(const struct policy *policy, enum fact fact)
{
    return (policy->asked >> fact & 1U) != 0;
}

/* --- The pieces ----------------------------------------------------------- */

static const void *at_offset(const struct policy *policy, size_t offset)
{
    assert(offset >= sizeof(struct policy));
    assert(offset < policy->bytes);
    return (const char *)policy + offset;
}

const char *policy_text(const struct policy *policy, uint32_t offset)
{
    return at_offset(policy, offset);
}

const struct node *policy_node(const struct policy *policy, uint16_t index)
{
    assert(index < policy->nodes);
    return at_offset(policy, policy->nodes_at + index * sizeof(struct node));
}

const struct signal *policy_signal(const struct policy *policy, uint16_t index)
{
    assert(index < policy->signals);
    return at_offset(policy,
                     policy->signals_at + index * sizeof(struct signal));
}

const struct question *policy_question(const struct policy *policy,
                                       uint16_t index)
{
    assert(index < policy->questions);
    return at_offset(policy,
                     policy->questions_at + index * sizeof(struct question));
}

const struct leaf *policy_leaf(const struct policy *policy, uint16_t index)
{
    assert(index < policy->leaves);
    return at_offset(policy, policy->leaves_at + index * sizeof(struct leaf));
}

const struct ring *policy_ring(const struct policy *policy, uint16_t index)
{
    assert(index < policy->rings);
    return at_offset(policy, policy->rings_at + index * sizeof(struct ring));
}

uint16_t policy_frozen(const struct policy *policy, uint16_t index)
{
    const uint16_t *nodes = NULL;

    assert(index < policy->frozens);
    nodes = at_offset(policy, policy->frozens_at);
    return nodes[index];
}

const struct fleet_query *policy_fleet(const struct policy *policy,
                                       uint16_t index)
{
    assert(index < policy->fleets);
    return at_offset(policy,
                     policy->fleets_at + index * sizeof(struct fleet_query));
}

/* --- Which releases ------------------------------------------------------- */

void policy_apply_to_all(struct policy *policy)
{
    policy->service = POLICY_STAR_AT;
    policy->environment = POLICY_STAR_AT;
}

#define RANK_EXACT 1000

/* 0: no match; 1: "*"; then the longer the prefix the more; exact most. */
static int match_pattern(const char *pattern, const char *name)
{
    size_t length = strlen(pattern);

    if (length > 0 && pattern[length - 1] == '*') {
        return strncmp(pattern, name, length - 1) == 0 ? (int)length : 0;
    }
    return strcmp(pattern, name) == 0 ? RANK_EXACT : 0;
}

int policy_match(const struct policy *policy, const char *service,
                 const char *environment)
{
    int by_service =
        match_pattern(policy_text(policy, policy->service), service);
    int by_environment =
        match_pattern(policy_text(policy, policy->environment), environment);

    if (by_service == 0 || by_environment == 0) {
        return 0;
    }
    return by_service * (RANK_EXACT + 1) + by_environment;
}

/* --- Texts for people ----------------------------------------------------- */

/* Append at most @length bytes of @more, whole characters only. */
static void append(char *text, size_t size, const char *more, size_t length)
{
    size_t used = strlen(text);

    length = utf8_cut(more, length, size - used - 1);
    memcpy(text + used, more, length);
    text[used + length] = '\0';
}

static const char *template_of(const struct policy *policy,
                               const struct leaf *leaf)
{
    if (leaf->text != 0) {
        return policy_text(policy, leaf->text);
    }
    switch (leaf->kind) {
    case LEAF_HEALTHY:
        return "healthy";
    case LEAF_WAIT:
        return "wait";
    case LEAF_ROLLBACK:
        return "roll {{service}} back from {{version}} to {{target}}";
    case LEAF_HOLD:
    case LEAF_PAGE:
        break;
    }
    return ""; /* the reader demands a text for hold and page */
}

void leaf_text(const struct policy *policy, uint16_t leaf, const char *service,
               const char *environment, const char *version, const char *target,
               char *ret_text, size_t size)
{
    const struct {
        const char *name, *value;
    } variables[] = {
        {"{{service}}", service},
        {"{{environment}}", environment},
        {"{{version}}", version},
        {"{{target}}", target != NULL ? target : "the last good version"},
    };
    const char *at = template_of(policy, policy_leaf(policy, leaf));

    assert(size > 0);
    ret_text[0] = '\0';
    while (*at != '\0') {
        const char *open = strstr(at, "{{");
        size_t plain = open == NULL ? strlen(at) : (size_t)(open - at);

        append(ret_text, size, at, plain);
        at += plain;
        for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
            size_t length = strlen(variables[i].name);

            if (strncmp(at, variables[i].name, length) == 0) {
                append(ret_text, size,
                       variables[i].value == NULL ? "" : variables[i].value,
                       variables[i].value == NULL ? 0
                                                  : strlen(variables[i].value));
                at += length;
                break;
            }
        }
        if (open != NULL && at == open) {
            append(ret_text, size, at, 1);
            at++;
        }
    }
}
