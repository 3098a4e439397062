#include "controller/replay/chart.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "policies/memory.h"

/* More grid times share a row, which then has their mean. */
#define ROWS_MAX 600

struct chart {
    const struct run_options *run;
    struct picture picture;
    uint16_t nodes[PICTURE_TRACES_MAX]; /* of the traces */
    double *sums[PICTURE_TRACES_MAX];   /* of each row, and how many */
    uint32_t *counts[PICTURE_TRACES_MAX];
    time_ms from, to, seen; /* the newest grid time that is in it */
};

/* --- What is shown -------------------------------------------------------- */

static bool is_threshold_of(const struct policy *policy,
                            const struct node *node, uint16_t trace,
                            double *ret_number)
{
    bool compares = node->op == OP_LESS || node->op == OP_LESS_EQUAL ||
                    node->op == OP_GREATER || node->op == OP_GREATER_EQUAL;
    uint16_t other = node->a == trace ? node->b : node->a;

    if (!compares || (node->a != trace && node->b != trace) ||
        policy_node(policy, other)->op != OP_LITERAL) {
        return false;
    }
    *ret_number = policy_node(policy, other)->number;
    return true;
}

static void add_thresholds(const struct policy *policy, uint16_t node,
                           struct picture_trace *trace)
{
    for (uint16_t i = 0; i < policy->nodes; i++) {
        double number = 0;

        if (trace->thresholds_count < PICTURE_THRESHOLDS_MAX &&
            is_threshold_of(policy, policy_node(policy, i), node, &number)) {
            trace->thresholds[trace->thresholds_count++] = number;
        }
    }
}

static void add_trace(struct chart *chart, uint16_t index)
{
    const struct policy *policy = chart->run->policy;
    const struct node *node = policy_node(policy, index);
    const char *name =
        node->op == OP_SIGNAL
            ? policy_text(policy, policy_signal(policy, node->signal)->name)
            : policy_text(policy, node->text);
    size_t count = chart->picture.count, rows = chart->picture.rows;
    struct picture_trace *trace =
        picture_add(&chart->picture, name, node->unit);

    if (trace != NULL) {
        chart->nodes[count] = index;
        chart->sums[count] = memory_zeroed(rows, sizeof(double));
        chart->counts[count] = memory_zeroed(rows, sizeof(uint32_t));
        add_thresholds(policy, index, trace);
    }
}

/* Signals that a source or the table gives, then what the policy makes of them:
 * numbers with a name. */
static void add_traces(struct chart *chart)
{
    const struct policy *policy = chart->run->policy;

    for (uint16_t i = 0; i < policy->signals; i++) {
        const struct signal *signal = policy_signal(policy, i);

        if (signal->node != NONE_INDEX &&
            csv_find(chart->run->csv, policy_text(policy, signal->name)) !=
                CSV_NO_COLUMN &&
            policy_node(policy, signal->node)->type == TYPE_NUMBER) {
            add_trace(chart, signal->node);
        }
    }
    for (uint16_t i = 0; i < policy->nodes; i++) {
        const struct node *node = policy_node(policy, i);

        if (node->op == OP_NAMED && node->type == TYPE_NUMBER) {
            add_trace(chart, i);
        }
    }
}

/* --- Values --------------------------------------------------------------- */

static size_t row_of(const struct chart *chart, time_ms g)
{
    return (size_t)((g - chart->picture.start) / chart->picture.every);
}

static void keep(struct chart *chart, size_t trace, time_ms g,
                 const struct value *value)
{
    size_t row = row_of(chart, g);
    struct value *shown = &chart->picture.traces[trace].values[row];

    if (value->unknown == KNOWN) {
        chart->sums[trace][row] += value->number;
        chart->counts[trace][row]++;
        *shown = (struct value){
            chart->sums[trace][row] / chart->counts[trace][row], KNOWN};
    } else if (chart->counts[trace][row] == 0) {
        *shown = *value;
    }
}

static void keep_all(struct chart *chart, time_ms g, const struct value *values)
{
    if (g < chart->from || g > chart->to) {
        return;
    }
    for (size_t i = 0; i < chart->picture.count; i++) {
        keep(chart, i, g, &values[chart->nodes[i]]);
    }
    chart->seen = g;
}

/* Judged as if it had been deployed when the picture begins: what looks back
 * on a baseline is not known then. */
static void judge_before(struct chart *chart)
{
    const struct run_options *run = chart->run;
    const struct policy *policy = run->policy;
    struct judge *judge = memory_zeroed(1, policy->judge_bytes);
    struct verdict *verdict = memory_zeroed(1, sizeof(*verdict));
    struct sample *row = memory_zeroed(POLICY_SIGNALS_MAX, sizeof(*row));
    struct csv_cursor *cursor = memory_zeroed(1, sizeof(*cursor));
    struct facts facts = {.service = run->release->service,
                          .environment = run->release->environment,
                          .version = run->release->last_good,
                          .deployed_at = chart->from - 1,
                          .rollback_safe = ANSWER_UNKNOWN};
    struct table table;

    table_init(&table, policy, run->csv);
    csv_begin(cursor, run->csv, run->fill);
    judge_start(policy, judge, chart->from - 1);
    for (time_ms g = chart->from; g <= run->release->deployed_at;
         g += policy->watch.every) {
        csv_seek(cursor, g);
        table_row(&table, cursor, row);
        judge_look(policy, judge, g, row, &facts, verdict);
        keep_all(chart, g, verdict->values);
    }
    free(cursor);
    free(row);
    free(verdict);
    free(judge);
}

void chart_look(void *data, const struct verdict *verdict)
{
    struct chart *chart = data;
    const struct policy *policy = chart->run->policy;

    if (verdict->at >= chart->from && verdict->at <= chart->to) {
        keep_all(chart, verdict->at, verdict->values);
        picture_judge(&chart->picture, row_of(chart, verdict->at),
                      policy_leaf(policy, verdict->leaf)->kind);
    }
}

/* What the table goes on to say when nobody judges any more. */
static void show_rest(struct chart *chart)
{
    const struct run_options *run = chart->run;
    const struct policy *policy = run->policy;
    struct csv_cursor *cursor = memory_zeroed(1, sizeof(*cursor));
    struct sample *row = memory_zeroed(POLICY_SIGNALS_MAX, sizeof(*row));
    struct table table;

    table_init(&table, policy, run->csv);
    csv_begin(cursor, run->csv, run->fill);
    for (time_ms g = chart->seen + policy->watch.every; g <= chart->to;
         g += policy->watch.every) {
        csv_seek(cursor, g);
        table_row(&table, cursor, row);
        for (size_t i = 0; i < chart->picture.count; i++) {
            const struct node *node = policy_node(policy, chart->nodes[i]);

            if (node->op == OP_SIGNAL) {
                const struct sample *sample = &row[node->signal];
                const struct value value = {
                    sample->number * policy_signal(policy, node->signal)->scale,
                    sample->unknown};

                keep(chart, i, g, &value);
            }
        }
    }
    free(row);
    free(cursor);
}

void chart_end(void *data, const struct ending *ending)
{
    struct chart *chart = data;
    char moment[MOMENT_TEXT_MAX];

    show_rest(chart);
    if (ending->acts && ending->first_action_at <= chart->to) {
        chart->picture.mark = row_of(chart, ending->first_action_at);
        (void)snprintf(chart->picture.mark_text,
                       sizeof(chart->picture.mark_text), "the call leaves, %s",
                       moment_print(ending->first_action_at, moment));
    }
}

/* --- Making --------------------------------------------------------------- */

/* As much of the time before as is the baseline, or a quarter of the rest. */
static time_ms begins(const struct run_options *run)
{
    time_ms deployed_at = run->release->deployed_at;
    time_ms last = csv_time(run->csv, csv_rows(run->csv) - 1);
    time_ms before = (last - deployed_at) / 4;
    time_ms first = csv_time(run->csv, 0);

    before = run->policy->baseline > before ? run->policy->baseline : before;
    return first > deployed_at - before ? first : deployed_at - before;
}

struct chart *chart_new(const struct run_options *run)
{
    struct chart *chart = memory_zeroed(1, sizeof(*chart));
    time_ms every = run->policy->watch.every, step = 0;
    int64_t looks = 0;

    chart->run = run;
    chart->from = (begins(run) + every - 1) / every * every;
    chart->to = csv_time(run->csv, csv_rows(run->csv) - 1) / every * every;
    chart->to = chart->to < chart->from ? chart->from : chart->to;
    chart->seen = chart->from - every;
    looks = (chart->to - chart->from) / every + 1;
    step = (looks + ROWS_MAX - 1) / ROWS_MAX * every;
    picture_init(&chart->picture, chart->from, step,
                 (size_t)((chart->to - chart->from) / step) + 1,
                 run->release->deployed_at);
    add_traces(chart);
    judge_before(chart);
    return chart;
}

void chart_free(struct chart *chart)
{
    if (chart == NULL) {
        return;
    }
    for (size_t i = 0; i < chart->picture.count; i++) {
        free(chart->sums[i]);
        free(chart->counts[i]);
    }
    picture_release(&chart->picture);
    free(chart);
}

const struct picture *chart_picture(const struct chart *chart)
{
    return &chart->picture;
}
