#include "controller/replay/backtest_report.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "policies/explain/explain.h"
#include "policies/explain/json_make.h"
#include "policies/memory.h"

static const char *worth_name(enum backtest_worth worth)
{
    static const char *const names[] = {"-", "right", "wrong", "missed",
                                        "quiet"};

    return names[worth];
}

static double share(size_t part, size_t whole)
{
    assert(whole > 0);
    return (double)part / (double)whole;
}

/* --- For people ----------------------------------------------------------- */

/* "-2m", "6m15s", "1h30m". */
static const char *print_span(time_ms span, char text[SPAN_TEXT_MAX])
{
    return span_print(span, SECOND_MS, 2, "", text);
}

static const char *paint_of(enum backtest_worth worth)
{
    static const char *const paints[] = {"", "\033[32m", "\033[31m", "\033[31m",
                                         "\033[32m"};

    return paints[worth];
}

/* "nothing; healthy in the end; it said rollback at ..." */
static void print_nothing(const struct backtest_report *report, size_t i)
{
    const struct backtest_outcome *outcome = &report->outcomes[i];
    const struct backtest_decision *stayed = &outcome->stayed;
    bool refused = strcmp(stayed->mode, mode_name(MODE_AUTO)) == 0;
    char at[MOMENT_TEXT_MAX];

    (void)fprintf(
        report->out, "nothing; %s in the end%s", outcome->final,
        report->releases->list[i].superseded ? ", when the next one came" : "");
    if (stayed->at != 0) {
        (void)fprintf(report->out, "; it said rollback at %s (%s), %s: %s",
                      moment_print(stayed->at, at), stayed->mode,
                      refused ? "which an interlock refused"
                              : "which was withdrawn or refused in time",
                      stayed->why);
    }
    (void)fputc('\n', report->out);
}

/* "rollback after 6m15s (auto): error_rate 8% > 5% for 2m" */
static void print_did(const struct backtest_report *report, size_t i)
{
    const struct backtest_release *release = &report->releases->list[i];
    const struct backtest_outcome *outcome = &report->outcomes[i];
    const struct backtest_decision *decision = &outcome->decision;
    char span[SPAN_TEXT_MAX], at[MOMENT_TEXT_MAX], shown[RECORD_TEXT_MAX];
    const char *why = decision->why;

    if (outcome->final[0] == '\0') {
        text_escape(outcome->refusal, shown, sizeof(shown));
        (void)fprintf(report->out, "not judged: %s\n", shown);
        return;
    }
    if (decision->did == DID_NOTHING) {
        print_nothing(report, i);
        return;
    }
    (void)fprintf(report->out, "%s after %s, at %s (%s)%s%s\n",
                  backtest_did_name(decision->did),
                  print_span(decision->at - release->release.deployed_at, span),
                  moment_print(decision->at, at), decision->mode,
                  why[0] != '\0' ? ": " : "", why);
}

static void print_releases(const struct backtest_report *report)
{
    size_t widest = 0;

    for (size_t i = 0; i < report->releases->count; i++) {
        const struct replay_release *said = &report->releases->list[i].release;
        size_t width = strlen(said->service) + strlen(said->version) +
                       strlen(said->environment) + 2;

        widest = width > widest ? width : widest;
    }
    for (size_t i = 0; i < report->releases->count; i++) {
        const struct backtest_release *release = &report->releases->list[i];
        const struct replay_release *said = &release->release;
        enum backtest_worth worth =
            backtest_worth(release, &report->outcomes[i]);
        const char *paint = report->colour ? paint_of(worth) : "";
        char at[MOMENT_TEXT_MAX], name[3 * NAME_MAX_BYTES + 8];

        (void)snprintf(name, sizeof(name), "%s %s %s", said->service,
                       said->version, said->environment);
        (void)fprintf(report->out, "%s%-6s%s  %s  %-*s  ", paint,
                      worth_name(worth), paint[0] != '\0' ? "\033[0m" : "",
                      moment_print(said->deployed_at, at), (int)widest, name);
        print_did(report, i);
    }
}

static void print_share(const struct backtest_report *report, size_t part,
                        size_t whole)
{
    char text[QUANTITY_TEXT_MAX];

    (void)fprintf(
        report->out, "  %9s",
        whole > 0 ? quantity_print(share(part, whole), (struct unit){0}, text)
                  : "-");
}

static void print_path(const struct backtest_report *report,
                       const struct backtest_decision *decision)
{
    static const char *const answers[] = {"no", "yes", "unknown"};

    (void)fprintf(report->out, "  %s", backtest_did_name(decision->did));
    for (uint8_t i = 0; i < decision->steps; i++) {
        const struct step *step = &decision->path[i];
        const struct question *question =
            policy_question(report->policy, step->question);

        (void)fprintf(report->out, "%s %s %s", i == 0 ? ":" : ",",
                      policy_text(report->policy, question->text),
                      answers[step->answer]);
    }
    (void)fputc('\n', report->out);
}

static void print_rule(const struct backtest_report *report,
                       const struct backtest_score *score,
                       const struct backtest_rule *rule)
{
    char span[SPAN_TEXT_MAX];

    (void)fprintf(report->out, "%5zu  %5zu", rule->fired, rule->right);
    print_share(report, rule->right, rule->labelled);
    print_share(report, rule->right, score->incidents);
    (void)fprintf(report->out, "  %8s",
                  rule->right > 0 ? print_span(rule->delay, span) : "-");
    if (rule->decision != NULL) {
        print_path(report, rule->decision);
    } else {
        (void)fprintf(report->out, "  all rollbacks\n");
    }
}

static void print_score(const struct backtest_report *report,
                        const struct backtest_score *score)
{
    (void)fprintf(report->out, "\n%zu %s judged, %zu labelled, %zu %s\n",
                  score->judged, score->judged == 1 ? "release" : "releases",
                  score->labelled, score->incidents,
                  score->incidents == 1 ? "incident" : "incidents");
    if (score->rules_count > 0 || score->labelled > 0) {
        (void)fprintf(report->out,
                      "\nfired  right  precision     recall     delay  "
                      "rule\n");
        for (size_t i = 0; i < score->rules_count; i++) {
            print_rule(report, score, &score->rules[i]);
        }
        print_rule(report, score, &score->total);
    }
    if (score->rules_cut) {
        (void)fprintf(report->out, "(only the first %d rules are listed)\n",
                      BACKTEST_RULES_MAX);
    }
}

static void print_text(const struct backtest_report *report,
                       const struct backtest_score *score)
{
    const struct backtest_releases *releases = report->releases;
    char from[MOMENT_TEXT_MAX], to[MOMENT_TEXT_MAX];

    (void)fprintf(report->out, "%s, %s to %s\n",
                  policy_text(report->policy, report->policy->name),
                  moment_print(report->from, from),
                  moment_print(report->to, to));
    if (releases->not_ours + releases->not_then > 0) {
        (void)fprintf(report->out,
                      "left out: %zu that the policy does not apply to, %zu of "
                      "another time\n",
                      releases->not_ours, releases->not_then);
    }
    (void)fputc('\n', report->out);
    print_releases(report);
    print_score(report, score);
}

/* --- For machines --------------------------------------------------------- */

static json_t *moment(time_ms at)
{
    char text[MOMENT_TEXT_MAX];

    return at == 0 ? json_null()
                   : json_made(json_string(moment_print(at, text)));
}

static json_t *ratio(size_t part, size_t whole)
{
    return whole == 0 ? json_null() : json_made(json_real(share(part, whole)));
}

static json_t *seconds(time_ms span, bool known)
{
    return known ? json_made(json_real((double)span / 1000)) : json_null();
}

static json_t *path(const struct backtest_report *report,
                    const struct backtest_decision *decision)
{
    struct verdict *verdict = memory_zeroed(1, sizeof(*verdict));
    json_t *json = NULL;

    verdict->steps = decision->steps;
    memcpy(verdict->path, decision->path, sizeof(verdict->path));
    json = json_made(explain_path(report->policy, verdict));
    free(verdict);
    return json;
}

static json_t *stayed_json(const struct backtest_decision *stayed)
{
    return stayed->at == 0
               ? json_null()
               : json_made(json_pack("{s:o, s:s}", "at", moment(stayed->at),
                                     "mode", stayed->mode));
}

static json_t *release_json(const struct backtest_report *report, size_t i)
{
    const struct backtest_release *release = &report->releases->list[i];
    const struct backtest_outcome *outcome = &report->outcomes[i];
    const struct backtest_decision *decision = &outcome->decision;
    enum backtest_worth worth = backtest_worth(release, outcome);
    bool did = decision->did != DID_NOTHING;

    return json_made(json_pack(
        "{s:s, s:s, s:s, s:o, s:o, s:b, s:s, s:s, s:o, s:o, s:o, s:s, s:b, "
        "s:o, s:o, s:o, s:o, s:o, s:s?}",
        "service", release->release.service, "environment",
        release->release.environment, "version", release->release.version,
        "deployed_at", moment(release->release.deployed_at), "judged_until",
        moment(release->ends), "superseded", release->superseded, "final",
        outcome->final, "did", backtest_did_name(decision->did), "at",
        moment(did ? decision->at : 0), "mode",
        did ? json_made(json_string(decision->mode)) : json_null(), "path",
        path(report, decision), "why", decision->why, "acts", outcome->acts,
        "incident",
        release->label == LABEL_NONE
            ? json_null()
            : json_boolean(release->label == LABEL_INCIDENT),
        "began", moment(release->began), "outcome",
        worth == WORTH_UNKNOWN ? json_null()
                               : json_made(json_string(worth_name(worth))),
        "delay_seconds",
        seconds(backtest_delay(release, outcome), worth == WORTH_RIGHT),
        "not_carried_out", stayed_json(&outcome->stayed), "refusal",
        outcome->refusal[0] != '\0' ? outcome->refusal : NULL));
}

static json_t *rule_json(const struct backtest_report *report,
                         const struct backtest_score *score,
                         const struct backtest_rule *rule)
{
    const struct backtest_decision *decision = rule->decision;

    return json_made(json_pack(
        "{s:s, s:o, s:I, s:I, s:I, s:o, s:o, s:o}", "did",
        backtest_did_name(decision != NULL ? decision->did : DID_ROLLBACK),
        "path", decision != NULL ? path(report, decision) : json_null(),
        "fired", (json_int_t)rule->fired, "labelled",
        (json_int_t)rule->labelled, "right", (json_int_t)rule->right,
        "precision", ratio(rule->right, rule->labelled), "recall",
        ratio(rule->right, score->incidents), "delay_seconds",
        seconds(rule->delay, rule->right > 0)));
}

static void print_json(const struct backtest_report *report,
                       const struct backtest_score *score)
{
    json_t *releases = json_made(json_array()),
           *rules = json_made(json_array());
    json_t *all = NULL;
    int failed = 0;

    for (size_t i = 0; i < report->releases->count; i++) {
        json_append(releases, release_json(report, i));
    }
    for (size_t i = 0; i < score->rules_count; i++) {
        json_append(rules, rule_json(report, score, &score->rules[i]));
    }
    all = json_made(json_pack(
        "{s:s, s:s, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o}",
        "policy", policy_text(report->policy, report->policy->name), "digest",
        report->policy->digest, "from", moment(report->from), "to",
        moment(report->to), "judged", (json_int_t)score->judged, "labelled",
        (json_int_t)score->labelled, "incidents", (json_int_t)score->incidents,
        "left_out_by_policy", (json_int_t)report->releases->not_ours,
        "left_out_by_time", (json_int_t)report->releases->not_then, "releases",
        releases, "rules", rules, "total",
        rule_json(report, score, &score->total)));
    failed =
        json_dumpf(all, report->out, JSON_COMPACT | JSON_REAL_PRECISION(15));
    (void)failed; /* a full disk is seen when the output is flushed */
    (void)fputc('\n', report->out);
    json_decref(all);
}

void backtest_report(const struct backtest_report *report)
{
    struct backtest_score *score = memory_zeroed(1, sizeof(*score));

    backtest_score(report->releases->list, report->outcomes,
                   report->releases->count, score);
    if (report->json) {
        print_json(report, score);
    } else {
        print_text(report, score);
    }
    free(score);
}
