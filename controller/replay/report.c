#include "controller/replay/report.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "controller/replay/report_text.h"
#include "policies/explain/explain.h"

/* The length of a duration in front of @text that spells @span, 0: none. */
static size_t spells(const char *text, time_ms span)
{
    size_t length = strspn(text, "0123456789dhms");
    char word[DURATION_TEXT_MAX] = "";
    time_ms spelt = 0;

    if (length == 0 || length >= sizeof(word)) {
        return 0;
    }
    memcpy(word, text, length);
    return duration_read(word, &spelt) && spelt == span ? length : 0;
}

const char *report_mode(const struct told *told, char text[MODE_TEXT_MAX])
{
    const char *name = mode_name(told->mode);
    const char *at = policy_text(told->policy, told->policy->source_text);
    size_t length = 0;

    if (told->mode != MODE_COUNTDOWN) {
        return name;
    }
    while (length == 0 && (at = strstr(at, name)) != NULL) {
        at += strlen(name);
        at += strspn(at, " ");
        length = spells(at, told->countdown);
    }
    if (length > 0) {
        (void)snprintf(text, MODE_TEXT_MAX, "%s %.*s", name, (int)length, at);
    } else { /* spelt in a way that only YAML can read */
        (void)snprintf(text, MODE_TEXT_MAX, "%s %llds", name,
                       (long long)(told->countdown / SECOND_MS));
    }
    return text;
}

/* --- JSON ----------------------------------------------------------------- */

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

static void json_begin(struct report *report)
{
    (void)fputs("{\"decisions\":[", report->out);
}

static void json_decision(struct report *report, const struct told *told)
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

static void json_end(struct report *report, const struct ending *ending)
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

/* --- One or the other ------------------------------------------------------
 */

void report_begin(struct report *report, const struct policy *policy,
                  const struct replay_options *options)
{
    if (report->json) {
        json_begin(report);
    } else {
        report_text_begin(report, policy, options);
    }
}

void report_look(struct report *report, const struct verdict *verdict,
                 const struct facts *facts)
{
    if (report->listener != NULL) {
        report->listener->look(report->listener->data, verdict, facts);
    }
    if (report->watcher != NULL) {
        report->watcher->look(report->watcher->data, verdict);
    }
}

void report_decision(struct report *report, const struct told *told)
{
    if (report->listener != NULL) {
        report->listener->decision(report->listener->data, told);
    } else if (report->json) {
        json_decision(report, told);
    } else {
        report_text_decision(report, told);
    }
    report->decisions++;
}

void report_note(struct report *report, time_ms at, const char *word,
                 const char *text)
{
    if (report->listener == NULL && !report->json) {
        report_text_note(report, at, word, text);
    }
}

void report_end(struct report *report, const struct ending *ending)
{
    if (report->watcher != NULL) {
        report->watcher->end(report->watcher->data, ending);
    }
    if (report->listener != NULL) {
        report->listener->end(report->listener->data, ending);
    } else if (report->json) {
        json_end(report, ending);
    } else {
        report_text_end(report, ending);
    }
}
