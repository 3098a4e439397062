#include "policies/facts.h"

#include <assert.h>
#include <string.h>

static const char *label_value(const struct facts *facts, const char *name)
{
    for (size_t i = 0; i < facts->labels_count; i++) {
        if (strcmp(facts->labels[i].name, name) == 0) {
            return facts->labels[i].value;
        }
    }
    return NULL;
}

const char *fact_text(const struct facts *facts, enum fact fact,
                      const char *label)
{
    assert(fact <= FACT_LABEL); /* the texts come first */
    switch (fact) {
    case FACT_SERVICE:
        return facts->service;
    case FACT_ENVIRONMENT:
        return facts->environment;
    case FACT_VERSION:
        return facts->version;
    case FACT_CONTROL_VERSION:
        return facts->control_version;
    case FACT_KIND:
        return facts->kind;
    case FACT_DATA_CHANGE:
        return facts->data_change;
    case FACT_LABEL:
        return label_value(facts, label);
    case FACT_ROLLBACK_SAFE:
    case FACT_STUCK:
    case FACT_AGE:
        break;
    }
    return NULL;
}

const char *selected_text(const struct policy *policy,
                          const struct select *select,
                          const struct facts *facts)
{
    const char *text = select->value ? policy_text(policy, select->value) : "";

    return select->is_fact ? fact_text(facts, select->fact, text) : text;
}

const char *node_text(const struct policy *policy, const struct node *node,
                      const struct facts *facts)
{
    if (node->op == OP_TEXT) {
        return policy_text(policy, node->text);
    }
    assert(node->op == OP_FACT);
    return fact_text(facts, node->fact,
                     node->fact == FACT_LABEL ? policy_text(policy, node->label)
                                              : NULL);
}
