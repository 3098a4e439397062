/* The facts of a release that are texts, and the texts of expressions. */
#ifndef POLICIES_FACTS_H
#define POLICIES_FACTS_H

#include "policies/judge.h"

/* A fact that is a text (a label's by its name); NULL when it is not said. */
const char *fact_text(const struct facts *facts, enum fact fact,
                      const char *label);

/* What @select wants of a label: a literal, or a fact; NULL when the release
 * does not say it. */
const char *selected_text(const struct policy *policy,
                          const struct select *select,
                          const struct facts *facts);

/* The text of a node of TYPE_TEXT; NULL when it is not said. */
const char *node_text(const struct policy *policy, const struct node *node,
                      const struct facts *facts);

#endif
