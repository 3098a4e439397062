#include "controller/replay/report_text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "policies/explain/explain.h"

#define SENTENCE_MAX 1024

enum colour { PLAIN, DIM, BOLD, RED, YELLOW, GREEN };

static void paint(const struct report *report, enum colour colour)
{
    static const char *const codes[] = {
        [PLAIN] = "\033[0m",  [DIM] = "\033[2m",       [BOLD] = "\033[1m",
        [RED] = "\033[1;31m", [YELLOW] = "\033[1;33m", [GREEN] = "\033[32m",
    };

    if (report->colour) {
        (void)fputs(codes[colour], report->out);
    }
}

static enum colour colour_of(enum leaf_kind kind)
{
    switch (kind) {
    case LEAF_HEALTHY:
        return GREEN;
    case LEAF_ROLLBACK:
        return RED;
    case LEAF_HOLD:
    case LEAF_PAGE:
        return YELLOW;
    case LEAF_WAIT:
        break;
    }
    return DIM;
}

/* "1h 4m 30s": since the deploy. */
static const char *since_print(const struct report *report, time_ms at,
                               char text[SPAN_TEXT_MAX])
{
    return span_print(at - report->release->deployed_at, 1, 5, " ", text);
}

/* --- The head ------------------------------------------------------------- */

static void escaped(const struct report *report, const char *text)
{
    char shown[SENTENCE_MAX];

    text_escape(text, shown, sizeof(shown));
    (void)fputs(shown, report->out);
}

static void print_release(const struct report *report)
{
    const struct replay_release *release = report->release;
    char at[MOMENT_TEXT_MAX];

    (void)fprintf(report->out,
                  "%s %s in %s, deployed %s\n"
                  "  last good  %s; data change: %s\n",
                  release->service, release->version, release->environment,
                  moment_print(release->deployed_at, at), release->last_good,
                  release->data_change[0] != '\0' ? release->data_change
                                                  : "not said");
}

static void print_policy(const struct report *report,
                         const struct policy *policy,
                         const struct replay_options *options)
{
    const struct told told = {
        .mode = policy->mode, .countdown = policy->countdown, .policy = policy};
    char every[DURATION_TEXT_MAX], lasts[DURATION_TEXT_MAX];
    char mode[MODE_TEXT_MAX];

    (void)fprintf(report->out, "  policy     %s, mode %s, every %s for %s (",
                  policy_text(policy, policy->name), report_mode(&told, mode),
                  duration_print(policy->watch.every, every),
                  duration_print(policy->watch.lasts, lasts));
    escaped(report, options->policy);
    (void)fputs(")\n", report->out);
}

static void print_samples(const struct report *report,
                          const struct replay_options *options)
{
    const struct csv *csv = report->csv;
    size_t rows = csv_rows(csv);
    char from[MOMENT_TEXT_MAX], to[MOMENT_TEXT_MAX];

    (void)fprintf(report->out, "  samples    %zu row%s, %s to %s%s (", rows,
                  rows == 1 ? "" : "s", moment_print(csv_time(csv, 0), from),
                  moment_print(csv_time(csv, rows - 1), to),
                  options->linear ? ", interpolated" : "");
    escaped(report, options->samples);
    (void)fputs(")\n\n", report->out);
}

void report_text_begin(struct report *report, const struct policy *policy,
                       const struct replay_options *options)
{
    print_release(report);
    print_policy(report, policy, options);
    print_samples(report, options);
}

/* --- Lines ---------------------------------------------------------------- */

static void print_line(const struct report *report, time_ms at,
                       enum colour colour, const char *word)
{
    char moment[MOMENT_TEXT_MAX], span[SPAN_TEXT_MAX], since[SPAN_TEXT_MAX + 1];

    (void)snprintf(since, sizeof(since), "+%s", since_print(report, at, span));
    paint(report, DIM);
    (void)fprintf(report->out, "%s  %12s", moment_print(at, moment), since);
    paint(report, PLAIN);
    paint(report, colour);
    (void)fprintf(report->out, "  %-9s", word);
    paint(report, PLAIN);
    (void)fputc(' ', report->out);
}

/* "Is it new? unknown": the last question answered, which led to the leaf. */
static void print_last_step(const struct report *report,
                            const struct told *told)
{
    const struct verdict *verdict = told->verdict;
    const struct step *step = NULL;
    const struct question *question = NULL;
    struct value value;

    if (verdict->steps == 0) {
        return;
    }
    step = &verdict->path[verdict->steps - 1];
    question = policy_question(told->policy, step->question);
    value = verdict->values[question->node];
    escaped(report, policy_text(told->policy, question->text));
    (void)fprintf(report->out, " %s", answer_name(step->answer));
    if (value.unknown != KNOWN) {
        (void)fprintf(report->out, " (%s)", unknown_name(value.unknown));
    }
}

/* What the leaf says; a wait says why. */
static void print_sentence(const struct report *report, const struct told *told)
{
    const struct leaf *leaf = policy_leaf(told->policy, told->verdict->leaf);
    const struct replay_release *release = report->release;
    char text[SENTENCE_MAX], mode[MODE_TEXT_MAX];

    if (leaf->kind == LEAF_WAIT || leaf->kind == LEAF_HEALTHY) {
        print_last_step(report, told);
        return;
    }
    leaf_text(told->policy, told->verdict->leaf, release->service,
              release->environment, release->version, release->last_good, text,
              sizeof(text));
    escaped(report, text);
    if (leaf->kind == LEAF_ROLLBACK) {
        (void)fprintf(report->out, " (%s)", report_mode(told, mode));
    }
}

static void print_answers(const struct report *report, const struct told *told)
{
    const struct verdict *verdict = told->verdict;

    for (uint8_t i = 0; i < verdict->steps; i++) {
        (void)fprintf(report->out, "%s%s", i == 0 ? "; " : ", ",
                      answer_name(verdict->path[i].answer));
    }
}

/* Worked out by the policy, or by whoever wrote the table in its place. */
static bool is_worked_out(const struct policy *policy, const struct node *node)
{
    return node->op == OP_NAMED ||
           (node->op == OP_SIGNAL &&
            policy_signal(policy, node->signal)->fetch == FETCH_TABLE);
}

#define VALUES_MAX 6

/* "error_rate 0.1%, hold_time 1.5 s": known numbers, of the names that are
 * worked out or of those that are fetched.  Returns how many. */
static int print_values(const struct report *report, const struct told *told,
                        bool worked_out)
{
    const struct policy *policy = told->policy;
    char quantity[QUANTITY_TEXT_MAX];
    int count = 0;

    for (uint16_t i = 0; i < policy->nodes && count < VALUES_MAX; i++) {
        const struct node *node = policy_node(policy, i);
        struct value value = told->verdict->values[i];

        if ((node->op == OP_NAMED || node->op == OP_SIGNAL) &&
            is_worked_out(policy, node) == worked_out &&
            node->type == TYPE_NUMBER && value.unknown == KNOWN) {
            (void)fprintf(report->out, "%s%s %s", count == 0 ? ": " : ", ",
                          policy_text(policy, node->text),
                          quantity_print(value.number, node->unit, quantity));
            count++;
        }
    }
    return count;
}

/* What decided; where nothing is wrong, how things are. */
static void print_reasons(const struct report *report, const struct told *told,
                          enum leaf_kind kind)
{
    char reasons[SENTENCE_MAX] = "";

    if (kind != LEAF_HEALTHY && kind != LEAF_WAIT) {
        explain_decisive(told->policy, told->verdict, reasons, sizeof(reasons));
    }
    if (reasons[0] != '\0') {
        (void)fprintf(report->out, ": %s", reasons);
    } else if (print_values(report, told, true) == 0) {
        (void)print_values(report, told, false);
    }
}

void report_text_decision(struct report *report, const struct told *told)
{
    const struct verdict *verdict = told->verdict;
    enum leaf_kind kind = policy_leaf(told->policy, verdict->leaf)->kind;

    print_line(report, verdict->at, colour_of(kind), leaf_kind_name(kind));
    print_sentence(report, told);
    if (verdict->steps > 1) {
        print_answers(report, told);
    }
    print_reasons(report, told, kind);
    (void)fputc('\n', report->out);
}

void report_text_note(struct report *report, time_ms at, const char *word,
                      const char *text)
{
    print_line(report, at, DIM, word);
    escaped(report, text);
    (void)fputc('\n', report->out);
}

/* --- The end -------------------------------------------------------------- */

static void print_action(const struct report *report,
                         const struct ending *ending)
{
    const struct replay_release *release = report->release;
    char at[MOMENT_TEXT_MAX], span[SPAN_TEXT_MAX];

    paint(report, RED);
    (void)fprintf(report->out, "final: %s", ending->final);
    paint(report, PLAIN);
    (void)fprintf(report->out,
                  " to %s; the call would leave at %s, %s after the deploy%s\n",
                  release->last_good, moment_print(ending->first_action_at, at),
                  since_print(report, ending->first_action_at, span),
                  ending->by_countdown ? ", when the countdown ran down" : "");
}

static void print_final(const struct report *report,
                        const struct ending *ending)
{
    char at[MOMENT_TEXT_MAX];

    (void)fputc('\n', report->out);
    if (ending->acts) {
        print_action(report, ending);
        return;
    }
    paint(report, BOLD);
    (void)fprintf(report->out, "final: %s", ending->final);
    paint(report, PLAIN);
    (void)fprintf(report->out, "; nothing would be rolled back until %s\n",
                  moment_print(ending->at, at));
}

/* The table gave the values, whatever the daemon would ask for them. */
static void name_table(const struct report *report, const json_t *explanation)
{
    json_t *signals = json_object_get(explanation, "signals");
    json_t *signal = NULL;
    size_t i = 0;

    json_array_foreach(signals, i, signal)
    {
        const char *name = json_string_value(json_object_get(signal, "name"));

        if (json_object_get(signal, "from") != NULL &&
            csv_find(report->csv, name) != CSV_NO_COLUMN &&
            json_object_set_new(signal, "from", json_string("table")) != 0) {
            abort();
        }
    }
}

void report_text_end(struct report *report, const struct ending *ending)
{
    json_t *explanation = NULL;

    print_final(report, ending);
    if (ending->last == NULL) {
        (void)fputs("no look was taken: the table ends before the first grid "
                    "time after the deploy\n",
                    report->out);
        return;
    }
    (void)fputc('\n', report->out);
    explanation = explain_verdict(ending->last->policy, ending->last->verdict,
                                  ending->last->facts);
    name_table(report, explanation);
    explain_print(explanation, report->colour, report->columns, report->out);
    json_decref(explanation);
}
