#include "tests/worlds/measure.h"

#include "tests/worlds/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define DEPLOYED_AT_MS (WORLD_DEPLOYED_AT * SECOND_MS)

/* --- Reading -------------------------------------------------------------- */

static void die(struct problems *problems, const char *source, size_t length)
{
    problems_print(problems, source, length, false, stderr);
    exit(1);
}

static struct csv *read_table(const struct world *world)
{
    static struct problems problems;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    struct csv *csv = NULL;

    assert(out != NULL);
    world_write_samples(world, out);
    (void)fclose(out);
    problems_init(&problems, "world.csv");
    csv = csv_open(text, length, &problems);
    if (csv == NULL || !csv_load(csv, NULL, &problems)) {
        die(&problems, text, length);
    }
    free(text);
    return csv;
}

static struct policy *read_policy(const struct measure_options *options,
                                  const struct csv *csv)
{
    static struct problems problems;
    size_t length = strlen(options->source);
    struct policy *policy = NULL;

    problems_init(&problems, options->path);
    policy =
        table_policy(options->path, options->source, length, csv, 0, &problems);
    if (policy == NULL) {
        die(&problems, options->source, length);
    }
    return policy;
}

/* --- Judging -------------------------------------------------------------- */

struct road {
    const struct measure_options *options;
    const struct csv *csv;
    struct table table;
    const struct policy *policy;
    struct judge *judge;
    struct facts facts;
    time_ms counting_since; /* 0: nothing counts down */
    struct outcome outcome;
};

static void learn(struct road *road)
{
    static struct sample samples[HISTORY_ROWS_MAX * POLICY_SIGNALS_MAX];
    static struct judge_scratch scratch;
    const struct policy *policy = road->policy;
    time_ms every = policy->watch.every;
    time_ms last = DEPLOYED_AT_MS - DEPLOYED_AT_MS % every;
    struct history history = {.samples = samples};
    struct csv_cursor cursor;

    history.from = DEPLOYED_AT_MS - policy->history;
    history.from -= history.from % every;
    history.rows = (size_t)((last - history.from) / every) + 1;
    assert(history.rows <= HISTORY_ROWS_MAX);
    csv_begin(&cursor, road->csv, CSV_STEP);
    for (size_t i = 0; i < history.rows; i++) {
        csv_seek(&cursor, history.from + (time_ms)i * every);
        table_row(&road->table, &cursor, samples + i * policy->signals);
    }
    judge_learn(policy, road->judge, &history, &road->facts, &scratch);
}

/* The lowest of the modes that have a say. */
static enum mode mode_of(const struct road *road, const struct leaf *leaf,
                         const struct verdict *verdict)
{
    enum mode mode = road->policy->mode;

    if (leaf->has_mode && leaf->mode < mode) {
        mode = leaf->mode;
    }
    if (verdict->unsure && road->policy->unsure < mode) {
        mode = road->policy->unsure;
    }
    return mode;
}

static void revert(struct road *road, time_ms at)
{
    road->outcome.reverts = true;
    road->outcome.reverted_at = (double)(at - DEPLOYED_AT_MS) / 1000;
}

static void act(struct road *road, const struct verdict *verdict)
{
    const struct leaf *leaf = policy_leaf(road->policy, verdict->leaf);
    enum mode mode = mode_of(road, leaf, verdict);

    road->outcome.pages = road->outcome.pages || leaf->kind == LEAF_PAGE;
    if (leaf->kind == LEAF_HOLD && !road->outcome.holds) {
        road->outcome.holds = true;
        road->outcome.held_at = (double)(verdict->at - DEPLOYED_AT_MS) / 1000;
    }
    if (leaf->kind != LEAF_ROLLBACK) {
        road->counting_since =
            leaf->kind == LEAF_WAIT ? road->counting_since : 0;
        return;
    }
    if (verdict->root != ANSWER_YES || mode < MODE_COUNTDOWN) {
        return;
    }
    if (mode == MODE_AUTO) {
        revert(road, verdict->at);
    } else if (road->counting_since == 0) {
        road->counting_since = verdict->at;
    } else if (verdict->at - road->counting_since >=
               road->policy->unsure_countdown) {
        revert(road, verdict->at);
    }
}

static void judge_all(struct road *road)
{
    static struct verdict verdict;
    struct sample row[POLICY_SIGNALS_MAX];
    const struct policy *policy = road->policy;
    time_ms every = policy->watch.every;
    size_t rows = csv_rows(road->csv);
    time_ms end = csv_time(road->csv, rows - 1);
    time_ms settled = DEPLOYED_AT_MS + policy->watch.settle;
    struct csv_cursor cursor;

    csv_begin(&cursor, road->csv, CSV_STEP);
    for (time_ms g = DEPLOYED_AT_MS - DEPLOYED_AT_MS % every + every;
         g <= end && !road->outcome.reverts; g += every) {
        csv_seek(&cursor, g);
        table_row(&road->table, &cursor, row);
        judge_look(policy, road->judge, g, row, &road->facts, &verdict);
        if (g > settled) {
            act(road, &verdict);
        }
        if (road->options->look != NULL) {
            road->options->look(policy, &verdict,
                                (double)(g - DEPLOYED_AT_MS) / 1000,
                                road->options->context);
        }
    }
}

static enum answer safe_answer(const struct plan *plan)
{
    if (plan->data_change == NULL) {
        return ANSWER_UNKNOWN;
    }
    return strcmp(plan->data_change, "none") == 0 ||
                   strcmp(plan->data_change, "expand") == 0
               ? ANSWER_YES
               : ANSWER_NO;
}

struct outcome measure_policy(const struct world *world,
                              const struct measure_options *options)
{
    static uint64_t block[JUDGE_BYTES_MAX / sizeof(uint64_t)];
    struct csv *csv = read_table(world);
    struct policy *policy = read_policy(options, csv);
    struct road road = {
        .options = options,
        .csv = csv,
        .policy = policy,
        .judge = (struct judge *)(void *)block,
        .facts = {.service = "shop",
                  .environment = "production",
                  .version = "2.0.0",
                  .data_change = world->plan.data_change,
                  .deployed_at = DEPLOYED_AT_MS,
                  .rollback_safe = safe_answer(&world->plan)},
    };

    table_init(&road.table, policy, csv);
    judge_start(policy, road.judge, DEPLOYED_AT_MS);
    learn(&road);
    judge_all(&road);
    policy_free(policy);
    csv_free(csv);
    return road.outcome;
}

/* --- The plain alert ------------------------------------------------------ */

static bool alerts(const struct plan *plan, const struct reading *reading)
{
    bool errors =
        !((reading->empty | reading->nan) & 1) && reading->error_rate > 0.05;
    bool pool = plan->has_pool && !((reading->empty | reading->nan) & 12) &&
                reading->pool_in_use > 0.95 * reading->pool_size;

    return errors || pool;
}

struct outcome measure_alert(const struct world *world)
{
    struct outcome outcome = {0};
    double since = -1;

    for (size_t i = 0; i < world->count && !outcome.reverts; i++) {
        const struct reading *reading = &world->readings[i];

        if (reading->at <= 0 || !alerts(&world->plan, reading)) {
            since = -1;
        } else if (since < 0) {
            since = reading->at;
        } else if (reading->at - since >= 60) {
            outcome.reverts = true;
            outcome.reverted_at = reading->at;
        }
    }
    return outcome;
}

bool outcome_is_right(const struct plan *plan, const struct outcome *outcome)
{
    switch (plan->wanted) {
    case WANTED_ROLLBACK:
        return outcome->reverts && outcome->reverted_at >= plan->onset;
    case WANTED_HOLD:
        return !outcome->reverts && outcome->holds;
    case WANTED_STAY:
    case WANTED_BLIND_STAY:
        break;
    }
    return !outcome->reverts;
}
