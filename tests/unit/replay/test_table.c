/* A table judged in place of sources: columns for expressions, what is
 * missed, and the incident itself. */
#include "controller/replay/table.h"

#include "policies/explain/explain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct problems problems;
static struct judge_scratch scratch;
static struct verdict verdict;

struct bench {
    struct csv *csv;
    struct table table;
    struct policy *policy;
    struct judge *judge;
    struct facts facts;
};

static char *read_file(const char *path)
{
    char *text = calloc(1, POLICY_FILE_MAX);
    FILE *file = fopen(path, "r");

    assert_non_null(text);
    assert_non_null(file);
    text[fread(text, 1, POLICY_FILE_MAX - 1, file)] = '\0';
    assert_int_equal(fclose(file), 0);
    return text;
}

static void begin(struct bench *bench, const char *policy, const char *csv,
                  time_ms every)
{
    bool wanted[CSV_COLUMNS_MAX];

    memset(bench, 0, sizeof(*bench));
    problems_init(&problems, "samples.csv");
    bench->csv = csv_open(csv, strlen(csv), &problems);
    assert_non_null(bench->csv);
    problems_init(&problems, "policy.yaml");
    bench->policy = table_policy("policy.yaml", policy, strlen(policy),
                                 bench->csv, every, &problems);
    assert_non_null(bench->policy);
    problems_init(&problems, "samples.csv");
    table_want(bench->policy, bench->csv, wanted);
    assert_true(csv_load(bench->csv, wanted, &problems));
    table_init(&bench->table, bench->policy, bench->csv);
    table_warn(bench->policy, bench->csv, &problems);
    bench->judge = calloc(1, bench->policy->judge_bytes);
    assert_non_null(bench->judge);
    bench->facts = (struct facts){
        .service = "user-service",
        .environment = "production",
        .version = "2.4.0",
        .rollback_safe = ANSWER_UNKNOWN,
    };
}

static void end(struct bench *bench)
{
    csv_free(bench->csv);
    policy_free(bench->policy);
    free(bench->judge);
}

static struct sample row[POLICY_SIGNALS_MAX];

static void read_row(const struct bench *bench, time_ms g, enum csv_fill fill,
                     struct sample *ret_row)
{
    struct csv_cursor cursor;

    csv_begin(&cursor, bench->csv, fill);
    csv_seek(&cursor, g);
    table_row(&bench->table, &cursor, ret_row);
}

static void look(struct bench *bench, time_ms g, enum csv_fill fill)
{
    read_row(bench, g, fill, row);
    judge_look(bench->policy, bench->judge, g, row, &bench->facts, &verdict);
}

static void learn(struct bench *bench, time_ms deployed_at, enum csv_fill fill)
{
    time_ms every = bench->policy->watch.every;
    time_ms last = grid_at_or_before(deployed_at, every);
    size_t rows = (size_t)(bench->policy->history / every) + 1;
    struct sample *samples =
        calloc(rows * bench->policy->signals, sizeof(*samples));
    struct history history = {
        .from = last - (time_ms)(rows - 1) * every,
        .rows = rows,
        .samples = samples,
    };

    assert_non_null(samples);
    for (size_t i = 0; i < rows; i++) {
        read_row(bench, history.from + (time_ms)i * every, fill,
                 samples + i * bench->policy->signals);
    }
    judge_learn(bench->policy, bench->judge, &history, &bench->facts, &scratch);
    free(samples);
}

static void begin_incident(struct bench *bench, const char *path)
{
    char *policy = read_file("policies/library/user-service.yaml");
    char *csv = read_file(path);

    begin(bench, policy, csv, 0);
    free(policy);
    free(csv);
    assert_int_equal(problems.count, 0);
}

/* --- Columns and signals -------------------------------------------------- */

static const char small[] = "policy: small\n"
                            "mode: observe\n"
                            "watch: {every: 10s, settle: 0s}\n"
                            "signals:\n"
                            "  e: {prometheus: e, unit: per_second}\n"
                            "  r: {prometheus: r, unit: per_second}\n"
                            "  ms: {prometheus: ms, unit: milliseconds}\n"
                            "  rate_of: {is: e / r}\n"
                            "  slow: {is: ms > 100ms}\n"
                            "tree:\n"
                            "  question: q\n"
                            "  if: rate_of > 5% or slow\n"
                            "  then: {page: p}\n"
                            "  else: healthy\n";

static void every_signal_has_its_column(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, small, "time,ms,r,e\n1000,90,100,6\n1010,90,100,5\n", 0);
    assert_int_equal(problems.count, 0);
    assert_int_equal(bench.policy->signals, 3);
    judge_start(bench.policy, bench.judge, 990 * SECOND_MS);
    look(&bench, 1000 * SECOND_MS, CSV_STEP);
    assert_int_equal(verdict.root, ANSWER_YES);
    look(&bench, 1010 * SECOND_MS, CSV_STEP);
    assert_int_equal(verdict.root, ANSWER_NO);
    end(&bench);
}

static void a_column_replaces_an_expression(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, small,
          "time,rate_of,slow\n1000,0.06,0\n1010,0.05,0\n1020,0,1\n1030,,0\n",
          0);
    /* Neither e, r nor ms is missed. */
    assert_int_equal(problems.count, 0);
    judge_start(bench.policy, bench.judge, 990 * SECOND_MS);
    look(&bench, 1000 * SECOND_MS, CSV_STEP);
    assert_int_equal(verdict.root, ANSWER_YES);
    look(&bench, 1010 * SECOND_MS, CSV_STEP);
    assert_int_equal(verdict.root, ANSWER_NO);
    look(&bench, 1020 * SECOND_MS, CSV_STEP);
    assert_int_equal(verdict.root, ANSWER_YES);
    look(&bench, 1030 * SECOND_MS, CSV_STEP);
    assert_int_equal(verdict.root, ANSWER_UNKNOWN);
    end(&bench);
}

static void a_column_tells_a_fact(void **state)
{
    static const char asking[] =
        "policy: a\n"
        "mode: observe\n"
        "watch: {every: 10s}\n"
        "tree:\n"
        "  question: Is it stuck, or are others in trouble?\n"
        "  if: release.stuck or fleet.released(30m) > 2 or release.stuck\n"
        "  then: wait\n"
        "  else: healthy\n";
    struct bench bench;

    (void)state;
    begin(&bench, asking,
          "time,release.stuck,fleet.released(30m)\n1000,0,2\n1010,1,0\n"
          "1020,0,3\n1030,0,\n",
          0);
    assert_int_equal(problems.count, 0);
    assert_int_equal(bench.policy->signals, 2);
    judge_start(bench.policy, bench.judge, 990 * SECOND_MS);
    look(&bench, 1000 * SECOND_MS, CSV_STEP);
    assert_int_equal(verdict.root, ANSWER_NO);
    look(&bench, 1010 * SECOND_MS, CSV_STEP);
    assert_int_equal(verdict.root, ANSWER_YES);
    look(&bench, 1020 * SECOND_MS, CSV_STEP);
    assert_int_equal(verdict.root, ANSWER_YES);
    look(&bench, 1030 * SECOND_MS, CSV_STEP);
    assert_int_equal(verdict.root, ANSWER_UNKNOWN);
    end(&bench);
}

static void the_explanation_names_the_table(void **state)
{
    struct bench bench;
    json_t *explanation = NULL, *signals = NULL;
    char *text = NULL;

    (void)state;
    begin(&bench, small, "time,rate_of,slow\n1000,0.06,0\n", 0);
    judge_start(bench.policy, bench.judge, 990 * SECOND_MS);
    look(&bench, 1000 * SECOND_MS, CSV_STEP);
    explanation = explain_verdict(bench.policy, &verdict, &bench.facts);
    signals = json_object_get(explanation, "signals");
    text = json_dumps(signals, JSON_COMPACT | JSON_REAL_PRECISION(6));
    assert_string_equal(
        text, "[{\"name\":\"rate_of\",\"value\":0.06,\"unit\":\"ratio\","
              "\"from\":\"table\",\"query\":\"e / r\",\"select\":{}},"
              "{\"name\":\"slow\",\"value\":0.0,\"unit\":\"ratio\","
              "\"from\":\"table\",\"query\":\"ms > 100ms\",\"select\":{}},"
              "{\"name\":\"slow\",\"value\":false,\"is\":\"slow\"}]");
    free(text);
    json_decref(explanation);
    end(&bench);
}

static const char sided[] =
    "policy: p\nmode: auto\nwatch: {every: 10s, settle: 0s}\n"
    "signals:\n"
    "  e: {prometheus: 'rate(e[1m])', select: {v: release.version},\n"
    "      unit: per_second}\n"
    "  r: {prometheus: 'rate(r[1m])', select: {v: release.version},\n"
    "      unit: per_second}\n"
    "  rate_of: {is: e / r}\n"
    "tree: {question: q, if: rate_of > 2 * control(rate_of) or "
    "worse(rate_of),\n"
    "       then: {page: so}, else: healthy}\n";

static uint16_t spaced(const struct policy *policy)
{
    for (uint16_t i = 0; i < policy->nodes; i++) {
        if (policy_node(policy, i)->op == OP_WORSE) {
            return i;
        }
    }
    fail_msg("nothing is compared");
    return NONE_INDEX;
}

/* Of fetched signals, and of an expression that a column replaces. */
static void the_other_side_of_a_canary_is_a_column(void **state)
{
    static const char *const tables[] = {
        "time,e,r,e:control,r:control\n1000,3,30,4,100\n1010,3,30,6,100\n",
        "time,rate_of,rate_of:control\n1000,0.1,0.04\n1010,0.1,0.06\n",
    };
    struct bench bench;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        begin(&bench, sided, tables[i], 0);
        assert_int_equal(problems.count, 0);
        judge_start(bench.policy, bench.judge, 990 * SECOND_MS);
        look(&bench, 1000 * SECOND_MS, CSV_STEP);
        assert_int_equal(verdict.root, ANSWER_YES);
        look(&bench, 1010 * SECOND_MS, CSV_STEP);
        assert_int_equal(verdict.root, ANSWER_NO);
        assert_int_equal(policy_node(bench.policy, spaced(bench.policy))->span,
                         MINUTE_MS);
        end(&bench);
    }
}

/* A column is as smooth as the queries that it stands for. */
static void a_column_is_as_smooth_as_what_it_replaces(void **state)
{
    static const char *const tables[] = {"time,e,r\n1000,3,30\n",
                                         "time,rate_of\n1000,0.1\n"};
    char policy[sizeof(sided) + 16];
    struct bench bench;
    char *range = NULL;

    (void)state;
    memcpy(policy, sided, sizeof(sided));
    range = strstr(policy, "[1m]");
    memcpy(range, "[5m]", 4);
    for (size_t i = 0; i < 2; i++) {
        begin(&bench, policy, tables[i], 0);
        assert_int_equal(policy_node(bench.policy, spaced(bench.policy))->span,
                         5 * MINUTE_MS);
        end(&bench);
    }
}

static void what_is_missed_and_what_is_too_much_is_said_once(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, small, "time,extra,r,more,slow\n1000,1,2,3,0\n", 0);
    assert_int_equal(problems.count, 2);
    assert_int_equal(problems.errors, 0);
    assert_string_equal(problems.list[0].text,
                        "columns are ignored, the policy names no such "
                        "signal: extra, more");
    assert_string_equal(problems.list[1].text,
                        "no column for e: unknown at every look (no column)");
    judge_start(bench.policy, bench.judge, 990 * SECOND_MS);
    look(&bench, 1000 * SECOND_MS, CSV_STEP);
    assert_int_equal(verdict.root, ANSWER_UNKNOWN);
    assert_int_equal(
        verdict.values[policy_question(bench.policy, 0)->node].unknown,
        UNKNOWN_NO_COLUMN);
    end(&bench);
}

static void another_grid_replaces_the_policys(void **state)
{
    struct bench bench;

    (void)state;
    begin(&bench, small, "time,ms,r,e\n960,90,100,6\n1020,90,100,6\n",
          MINUTE_MS);
    assert_int_equal(bench.policy->watch.every, MINUTE_MS);
    judge_start(bench.policy, bench.judge, 900 * SECOND_MS);
    look(&bench, 960 * SECOND_MS, CSV_STEP);
    assert_int_equal(verdict.root, ANSWER_YES);
    look(&bench, 1020 * SECOND_MS, CSV_STEP);
    assert_int_equal(verdict.root, ANSWER_YES);
    end(&bench);
}

static void it_judges_whatever_release(void **state)
{
    struct bench bench;
    struct policy *asked = NULL;

    (void)state;
    begin_incident(&bench, "tests/data/incident/bare.csv");
    assert_int_equal(policy_match(bench.policy, "another", "place"), 0);
    asked = table_asked(bench.policy, false);
    assert_true(policy_match(asked, "another", "place") > 0);
    assert_string_equal(asked->digest, bench.policy->digest);
    assert_int_equal(asked->watch.lasts, bench.policy->watch.lasts);
    policy_free(asked);
    asked = table_asked(bench.policy, true);
    assert_true(asked->watch.lasts > 100 * 366 * DAY_MS);
    assert_true(asked->watch.at_most > 100 * 366 * DAY_MS);
    policy_free(asked);
    end(&bench);
}

static void many_ignored_columns_are_cut(void **state)
{
    char csv[8192] = "time,e,r,ms";
    size_t used = strlen(csv);
    struct bench bench;

    (void)state;
    for (int i = 0; i < 60; i++) {
        used += (size_t)snprintf(csv + used, sizeof(csv) - used,
                                 ",a_rather_long_name_%d", i);
    }
    used += (size_t)snprintf(csv + used, sizeof(csv) - used, "\n1");
    for (int i = 0; i < 63; i++) {
        used += (size_t)snprintf(csv + used, sizeof(csv) - used, ",1");
    }
    begin(&bench, small, csv, 0);
    assert_int_equal(problems.count, 1);
    assert_string_equal(
        problems.list[0].text + strlen(problems.list[0].text) - 5, ", ...");
    end(&bench);
}

/* --- The incident --------------------------------------------------------- */

#define AT(hour, minute) ((1726617600 + (hour)*3600 + (minute)*60) * 1000LL)

static time_ms first_rollback(struct bench *bench, time_ms from, time_ms to)
{
    time_ms every = bench->policy->watch.every;

    for (time_ms g = grid_after(from, every); g <= to; g += every) {
        look(bench, g, CSV_LINEAR);
        if (policy_leaf(bench->policy, verdict.leaf)->kind == LEAF_ROLLBACK) {
            return g;
        }
    }
    return TIME_NEVER;
}

static void assert_path(const char *letters)
{
    char path[POLICY_DEPTH_MAX + 1] = "";

    for (size_t i = 0; i < verdict.steps; i++) {
        path[i] = "nyu"[verdict.path[i].answer];
    }
    assert_string_equal(path, letters);
}

/* Nothing of the hour before the deploy: new? traffic? data? are unknown. */
static void the_bare_tables_of_the_incident(void **state)
{
    struct bench bench;
    time_ms at = 0;

    (void)state;
    begin_incident(&bench, "tests/data/incident/bare.csv");
    bench.facts.deployed_at = AT(14, 0);
    judge_start(bench.policy, bench.judge, AT(14, 0));
    learn(&bench, AT(14, 0), CSV_LINEAR);
    at = first_rollback(&bench, AT(14, 0), AT(15, 10));
    assert_true(at >= AT(14, 20));
    assert_true(at <= AT(14, 24));
    assert_path("yuuu");
    assert_true(verdict.unsure);
    end(&bench);
}

/* With an hour before it and data that can go back: new, not the traffic,
 * safe, and nothing unsure about it. */
static void the_incident_with_a_baseline(void **state)
{
    struct bench bench;
    time_ms at = 0;

    (void)state;
    begin_incident(&bench, "tests/data/incident/with-baseline.csv");
    bench.facts.deployed_at = AT(13, 15);
    bench.facts.rollback_safe = ANSWER_YES;
    judge_start(bench.policy, bench.judge, AT(13, 15));
    learn(&bench, AT(13, 15), CSV_LINEAR);
    at = first_rollback(&bench, AT(13, 15), AT(15, 10));
    assert_true(at <= AT(14, 24));
    assert_path("yyny");
    assert_false(verdict.unsure);
    end(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_signal_has_its_column),
        cmocka_unit_test(a_column_replaces_an_expression),
        cmocka_unit_test(a_column_tells_a_fact),
        cmocka_unit_test(the_explanation_names_the_table),
        cmocka_unit_test(the_other_side_of_a_canary_is_a_column),
        cmocka_unit_test(a_column_is_as_smooth_as_what_it_replaces),
        cmocka_unit_test(what_is_missed_and_what_is_too_much_is_said_once),
        cmocka_unit_test(another_grid_replaces_the_policys),
        cmocka_unit_test(it_judges_whatever_release),
        cmocka_unit_test(many_ignored_columns_are_cut),
        cmocka_unit_test(the_bare_tables_of_the_incident),
        cmocka_unit_test(the_incident_with_a_baseline),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
