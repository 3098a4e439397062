/* A verdict in words and in JSON: every question, value, threshold and query.
 *
 * The JSON is what journals, HTTP answers, `why --format json` and replay
 * print; the text is what people read.  Both are made from the policy and the
 * verdict alone, so that daemon and replay agree byte for byte. */
#ifndef POLICIES_EXPLAIN_H
#define POLICIES_EXPLAIN_H

#include "policies/judge.h"

#include <jansson.h>

/* [{"question":"...","answer":"yes|no|unknown"}, ...] */
json_t *explain_path(const struct policy *policy, const struct verdict *verdict);

/* The expressions that decided: for each question on the path the condition,
 * its comparisons and the named signals under them, each once, in order of
 * first use: [{"expr":"...","value":0.087|true|null,"unit":"ratio",
 * "unknown":"stale"}] ("unknown" only when value is null). */
json_t *explain_because(const struct policy *policy,
                        const struct verdict *verdict);

/* The whole explanation of a verdict: {"at","policy","digest","verdict":
 * "rollback","text":"...","unsure":bool,"path":[...],"because":[...],
 * "tree":{...},"signals":[{"name","value","unknown","unit","query","select"}]}.
 * "tree" is the policy's whole tree, nested: {"question","if","answer"?,
 * "taken":bool,"then","else","unknown"} and leaves {"leaf":"rollback",
 * "text","taken"}.  Facts fill {{...}} in texts. */
json_t *explain_verdict(const struct policy *policy,
                        const struct verdict *verdict,
                        const struct facts *facts);

/* "healthy", "wait", "rollback", "hold", "page". */
const char *leaf_kind_name(enum leaf_kind kind);

/* Print @explanation (made by explain_verdict, perhaps read back from a
 * journal) as the tree with the path taken, values, thresholds and queries.
 * At most @columns wide. */
void explain_print(const json_t *explanation, bool colour, int columns,
                   FILE *out);

#endif
