#include "controller/replay/report_json.h"

#include <assert.h>
#include <stdlib.h>

#include <jansson.h>

#include "policies/explain/explain.h"

/* As journals and the API write their explanations. */
#define FLAGS (JSON_COMPACT | JSON_REAL_PRECISION(15))

static void print(const struct report *report, json_t *json)
{
    int failed = 0;

    if (json == NULL) {
        abort(); /* out of memory; see architecture: memory */
    }
    failed = json_dumpf(json, report->out, FLAGS | JSON_ENCODE_ANY);
    (void)failed; /* a full disk is seen when the output is flushed */
    json_decref(json);
}

void report_json_begin(struct report *report)
{
    (void)fputs("{\"decisions\":[", report->out);
}

void report_json_decision(struct report *report, const struct told *told)
{
    const struct policy *policy = told->policy;
    const struct verdict *verdict = told->verdict;
    const struct leaf *leaf = policy_leaf(policy, verdict->leaf);
    char at[MOMENT_TEXT_MAX], mode[MODE_TEXT_MAX];

    (void)fputs(report->decisions > 0 ? ",\n" : "\n", report->out);
    print(report,
          json_pack("{s:s, s:s, s:s, s:o, s:o}", "at",
                    moment_print(verdict->at, at), "verdict",
                    leaf_kind_name(leaf->kind), "mode", report_mode(told, mode),
                    "path", explain_path(policy, verdict), "because",
                    explain_because(policy, verdict)));
}

void report_json_end(struct report *report, const struct ending *ending)
{
    char at[MOMENT_TEXT_MAX];

    (void)fputs(report->decisions > 0 ? "\n],\"first_action_at\":"
                                      : "],\"first_action_at\":",
                report->out);
    print(report, ending->acts
                      ? json_string(moment_print(ending->first_action_at, at))
                      : json_null());
    (void)fputs(",\"final\":", report->out);
    print(report, json_string(ending->final));
    (void)fputs("}\n", report->out);
}
