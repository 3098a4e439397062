/* `fleet.*`: what a policy may ask about all services. */
#include "policies/read/fleet.h"

#include <assert.h>
#include <string.h>

#include "policies/read/told.h"

static const struct {
    const char *name;
    enum fleet_fact fact;
    bool spans;
} fleet_facts[] = {
    {"fleet.rollbacks", FLEET_ROLLBACKS, true},
    {"fleet.breaching", FLEET_BREACHING, false},
    {"fleet.released", FLEET_RELEASED, true},
};
#define FLEET_FACTS (sizeof(fleet_facts) / sizeof(fleet_facts[0]))

static uint16_t fleet_index(struct draft *draft, enum fleet_fact fact,
                            time_ms span)
{
    uint16_t i = 0;

    for (i = 0; i < draft->head.fleets; i++) {
        if (draft->fleets[i].fact == fact && draft->fleets[i].span == span) {
            return i;
        }
    }
    if (i == POLICY_FLEET_MAX) {
        return NONE_INDEX;
    }
    draft->head.fleets++;
    memset(&draft->fleets[i], 0, sizeof(draft->fleets[i]));
    draft->fleets[i].fact = fact;
    draft->fleets[i].span = span;
    return i;
}

const char *fleet_name(enum fleet_fact fact)
{
    size_t i = 0;

    while (fleet_facts[i].fact != fact) {
        i++;
        assert(i < FLEET_FACTS);
    }
    return fleet_facts[i].name;
}

static bool emit_fleet(struct compiler *compiler, size_t part,
                       enum fleet_fact fact, time_ms span)
{
    const struct syntax_node *syntax = &compiler->syntax.node[part];
    const struct unit count = {1, 0, 0};
    struct node *node = NULL;
    char name[TOLD_NAME_MAX];
    uint16_t fleet = NONE_INDEX;

    if (told_is_column(compiler->draft,
                       told_name(fleet_name(fact), span, name))) {
        return compile_told(compiler, part, name, TYPE_NUMBER, count);
    }
    fleet = fleet_index(compiler->draft, fact, span);
    if (fleet == NONE_INDEX) {
        (void)compiler_error(compiler, syntax->begin, syntax->end,
                             "more than %d different facts of the fleet",
                             POLICY_FLEET_MAX);
        return false;
    }
    node = compiler_emit(compiler, part, OP_FLEET, NONE_INDEX, NONE_INDEX);
    if (node == NULL) {
        return false;
    }
    node->fleet = fleet;
    node->span = span;
    compiler_mean(compiler, part, TYPE_NUMBER, count);
    return true;
}

size_t fleet_names(const char *ret_names[FLEET_NAMES_MAX])
{
    for (size_t i = 0; i < FLEET_FACTS; i++) {
        ret_names[i] = fleet_facts[i].name;
    }
    return FLEET_FACTS;
}

bool compile_fleet(struct compiler *compiler, size_t part, const char *name,
                   size_t length, bool *ret_good)
{
    const struct syntax_node *syntax = &compiler->syntax.node[part];
    const struct syntax_node *span = NULL;

    *ret_good = false;
    for (size_t i = 0; i < FLEET_FACTS; i++) {
        if (strlen(fleet_facts[i].name) != length ||
            memcmp(fleet_facts[i].name, name, length) != 0) {
            continue;
        }
        if (syntax->arguments != (fleet_facts[i].spans ? 1 : 0)) {
            char usage[40];

            (void)snprintf(usage, sizeof(usage), "%s%s", fleet_facts[i].name,
                           fleet_facts[i].spans ? "(1h)" : "");
            compiler_fix(compiler,
                         compiler_error(compiler, syntax->begin, syntax->end,
                                        "this fact is written '%s'", usage),
                         syntax->begin, syntax->end, usage);
            return true;
        }
        if (!fleet_facts[i].spans) {
            *ret_good = emit_fleet(compiler, part, fleet_facts[i].fact, 0);
            return true;
        }
        span = &compiler->syntax.node[syntax->argument[0]];
        if (span->kind != SYNTAX_LITERAL || span->literal != TOKEN_DURATION ||
            span->span <= 0) {
            (void)compiler_error(compiler, span->begin, span->end,
                                 "a duration is wanted here: %s(1h)",
                                 fleet_facts[i].name);
            return true;
        }
        *ret_good = emit_fleet(compiler, part, fleet_facts[i].fact, span->span);
        return true;
    }
    return false;
}
