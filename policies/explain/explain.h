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
json_t *explain_path(const struct policy *policy,
                     const struct verdict *verdict);

/* The expressions that decided: for each question on the path the condition,
 * then from the top down the comparisons, the functions, the facts and the
 * named signals under it, each once: [{"expr":"...","value":0.087|true|null,
 * "unit":"ratio","unknown":"stale"}] ("unit" of numbers; "unknown" only when
 * value is null).  baseline() and before() are not entered.  worse() has
 * "compared", what it has seen so far: explain_compared.h. */
json_t *explain_because(const struct policy *policy,
                        const struct verdict *verdict);

/* The whole explanation of a verdict: {"at","policy","digest","verdict":
 * "rollback","text":"...","unsure":bool,"path":[...],"because":[...],
 * "tree":{...},"signals":[...]}.  Facts fill {{...}} in texts.
 *
 * "tree" is the policy's whole tree, nested: {"question","if","answer"?,
 * "taken":bool,"lines"?,"then","else","unknown"} and leaves {"leaf":"rollback",
 * "text","taken"}.  "unknown" is the word "then" or "else" when it leads to the
 * same.  A question on the path has an answer and "lines" for people, with
 * every value against its threshold: [{"depth":1,"text":"error_rate = 8.7% > 5%
 * for 2m","answer":"no","unknown"?,"now"?}], "now" being what a `for` holds
 * over when that differs.
 *
 * "signals" are the fetched ones that the policy reads, {"name","value",
 * "unit","unknown"?,"from":"prometheus","query","select":{...}}, then the named
 * expressions, {"name","value","unit"?,"unknown"?,"is":"errors / requests"}. */
json_t *explain_verdict(const struct policy *policy,
                        const struct verdict *verdict,
                        const struct facts *facts);

/* The comparisons that made the answers on the path, at most five, for one
 * sentence: "pool_saturation 81% > 70% for 2m, avg(hold_time, 5m) 361 ms >=
 * 283 ms".  Empty when no comparison decided.  Cut at @size. */
void explain_decisive(const struct policy *policy,
                      const struct verdict *verdict, char *ret_text,
                      size_t size);

/* "healthy", "wait", "rollback", "hold", "page". */
const char *leaf_kind_name(enum leaf_kind kind);

/* Print @explanation (made by explain_verdict, perhaps read back from a
 * journal) for people: the verdict as a sentence, the tree with the path taken
 * marked by `>` and values against thresholds; then each signal with its query.
 * At most @columns wide, 40 at least; what is missing or odd is left out. */
void explain_print(const json_t *explanation, bool colour, int columns,
                   FILE *out);

/* Its two parts, for what stands between them. */
void explain_print_verdict(const json_t *explanation, bool colour, int columns,
                           FILE *out);
void explain_print_signals(const json_t *explanation, bool colour, int columns,
                           FILE *out);

#endif
