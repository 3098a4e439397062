#include "controller/core/describe.h"

#include <assert.h>

#include "controller/core/guard.h"
#include "controller/core/inside.h"
#include "controller/core/ledger.h"
#include "policies/explain/explain.h"

/* So many make a sentence that can still be read at night. */
#define VALUES_MAX 6

static const char *node_text(const struct policy *policy,
                             const struct node *node)
{
    return node->op == OP_SIGNAL
               ? policy_text(policy, policy_signal(policy, node->signal)->name)
               : policy_text(policy, node->text);
}

static void add_word(char *text, size_t size, const char *word,
                     const char *what)
{
    text_append(text, size, text[0] ? ", " : "", word, what, NULL);
}

static int add_values(const struct policy *policy,
                      const struct verdict *verdict, enum op op, char *ret_text,
                      size_t size)
{
    int count = 0;
    for (uint16_t i = 0; i < policy->nodes && count < VALUES_MAX; i++) {
        const struct node *node = policy_node(policy, i);
        const struct value *value = &verdict->values[i];
        if (node->op != op || node->type != TYPE_NUMBER ||
            value->unknown != KNOWN) {
            continue;
        }
        char quantity[QUANTITY_TEXT_MAX], word[QUANTITY_TEXT_MAX + 2];
        text_join(word, sizeof word, " ",
                  quantity_print(value->number, node->unit, quantity), NULL);
        add_word(ret_text, size, node_text(policy, node), word);
        count++;
    }
    return count;
}

void describe_values(const struct policy *policy, const struct verdict *verdict,
                     char *ret_text, size_t size)
{
    explain_decisive(policy, verdict, ret_text, size);
    if (ret_text[0] == '\0' &&
        add_values(policy, verdict, OP_NAMED, ret_text, size) == 0) {
        (void)add_values(policy, verdict, OP_SIGNAL, ret_text, size);
    }
}

void describe_unknowns(const struct policy *policy,
                       const struct verdict *verdict, char *ret_text,
                       size_t size)
{
    int count = 0;
    ret_text[0] = '\0';
    for (uint16_t i = 0; i < policy->nodes && count < VALUES_MAX; i++) {
        const struct node *node = policy_node(policy, i);
        enum unknown unknown = verdict->values[i].unknown;
        if (node->op != OP_SIGNAL || unknown == KNOWN) {
            continue;
        }
        char word[64];
        text_join(word, sizeof word, " (", unknown_name(unknown), ")", NULL);
        add_word(ret_text, size, node_text(policy, node), word);
        count++;
    }
}

const char *describe_rolling_back(const struct service *service,
                                  const char *suspect, const char *target,
                                  char text[ROLLING_TEXT_MAX])
{
    text_join(text, ROLLING_TEXT_MAX, "rolling back ", service->name, " in ",
              service->environment, " from ", suspect, " to ", target, NULL);
    return text;
}

void describe_proposal(const struct core *core, const struct release *suspect,
                       const struct release *target, char text[RECORD_TEXT_MAX])
{
    const struct service *service = service_at(core, suspect->service);
    const struct watch *watch = watch_of(core, service);
    text_join(text, RECORD_TEXT_MAX, "roll back ", service->name, " in ",
              service->environment, " from ", suspect->version, " to ",
              target ? target->version : "its last good version",
              watch->on && watch->values[0] ? ": " : "",
              watch->on ? watch->values : "", NULL);
}

const char *describe_moment(time_ms moment, char text[MOMENT_TEXT_MAX])
{
    return moment_print(moment / SECOND_MS * SECOND_MS, text);
}

void describe_leaf(const struct core *core, const struct policy *policy,
                   uint16_t leaf, const struct release *release, char *ret_text,
                   size_t size)
{
    const struct service *service = service_at(core, release->service);
    const struct release *target = ledger_last_good(core, release);
    ret_text[0] = '\0';
    if (policy_leaf(policy, leaf)->text != 0) {
        leaf_text(policy, leaf, service->name, service->environment,
                  release->version, target ? target->version : "", ret_text,
                  size);
    }
}

const char *describe_release(const struct core *core,
                             const struct release *release,
                             char text[RELEASE_TEXT_MAX])
{
    const struct service *service = service_at(core, release->service);
    text_join(text, RELEASE_TEXT_MAX, service->name, " ", release->version,
              " in ", service->environment, NULL);
    return text;
}

static void describe_hold(const struct core *core,
                          const struct release *release, const char *said,
                          char *ret_text, size_t size)
{
    const struct service *service = service_at(core, release->service);
    char name[RELEASE_TEXT_MAX];
    time_ms countdown = 0;
    bool holds = guard_mode_now(core, service, &countdown) != MODE_OBSERVE;
    text_join(ret_text, size, describe_release(core, release, name),
              holds ? " is held: " : " would be held (observe): ", said,
              holds ? "; 'lastgood resume' or a newer release opens the gate"
                    : "",
              NULL);
}

void describe_verdict(const struct core *core, const struct watch *watch,
                      const struct release *release, char *ret_text,
                      size_t size)
{
    const struct policy *policy = rule_policy(core, watch->rule);
    char name[RELEASE_TEXT_MAX], said[POLICY_TEXT_MAX];
    assert(policy);
    describe_release(core, release, name);
    describe_leaf(core, policy, watch->leaf, release, said, sizeof said);
    switch (policy_leaf(policy, watch->leaf)->kind) {
    case LEAF_ROLLBACK:
        text_join(ret_text, size, name, " should be rolled back", NULL);
        break;
    case LEAF_HOLD:
        describe_hold(core, release, said, ret_text, size);
        break;
    case LEAF_PAGE:
        text_join(ret_text, size, name, ": ", said, NULL);
        break;
    case LEAF_HEALTHY:
        text_join(ret_text, size, name, " is healthy", NULL);
        break;
    case LEAF_WAIT:
        text_join(ret_text, size, name, " cannot be judged now", NULL);
        break;
    }
    if (watch->values[0]) {
        text_append(ret_text, size, " (", watch->values, ")", NULL);
    }
}
