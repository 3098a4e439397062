/* What backtest makes of releases, answers and labels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "controller/replay/backtest_past.h"
#include "controller/replay/backtest_score.h"
#include "policies/read/policy_read.h"

#define T0 1736035200000LL

static struct problems problems;

static struct policy *read_policy(void)
{
    static const char text[] =
        "policy: shop\n"
        "applies_to: {service: shop, environment: '*'}\n"
        "watch: {for: 1h, every: 15s}\n"
        "signals:\n"
        "  load: {prometheus: load, select: {service: release.service, team: "
        "release.labels.team}, unit: count}\n"
        "  pool: {prometheus: pool, unit: count, fresh: time() - "
        "timestamp(pool), max_age: 30s}\n"
        "tree: {question: full?, if: pool > load, then: {page: full}, else: "
        "healthy}\n";
    struct policy *policy = NULL;

    problems_init(&problems, "shop.yaml");
    policy = policy_read("shop.yaml", text, strlen(text), &problems);
    if (policy == NULL) {
        fail_msg("%s", problems.list[0].text);
    }
    return policy;
}

static const struct past_question *question_of(const struct past *past,
                                               const char *query)
{
    for (size_t i = 0; i < past_questions(past); i++) {
        if (strcmp(past_question(past, i)->query, query) == 0) {
            return past_question(past, i);
        }
    }
    fail_msg("nobody asks for %s", query);
    return NULL;
}

static struct backtest_release release_at(time_ms deployed_at, const char *team)
{
    struct backtest_release release = {.ends = deployed_at + MINUTE_MS};

    release.release.deployed_at = deployed_at;
    (void)snprintf(release.release.service, NAME_MAX_BYTES, "shop");
    if (team != NULL) {
        release.release.labels_count = 1;
        (void)snprintf(release.release.labels[0].name, 64, "team");
        (void)snprintf(release.release.labels[0].value, 64, "%s", team);
    }
    return release;
}

static void points_become_the_cells_of_their_grid_times(void **state)
{
    struct policy *policy = read_policy();
    struct backtest_release release = release_at(T0, "blue");
    struct past *past = past_new(policy, &release);
    const struct past_question *load = question_of(past, "load");
    const struct csv *table = NULL;
    struct sample one = {1, KNOWN};
    time_ms from = 0;
    size_t rows = past_rows(policy, &release, &from);

    (void)state;
    assert_int_equal(from % 15000, 0);
    assert_true(from <= T0 - policy->history);
    assert_int_equal(load->selection.count, 2);
    assert_string_equal(load->selection.values[1], "blue");
    past_take(past, load, from, one);
    past_take(past, load, from + 15000, (struct sample){0, UNKNOWN_NAN});
    past_take(past, load, from + 30000, one);
    past_take(past, load, from + 30000, one);
    past_take(past, load, from + 45000 + 1, one);
    past_take(past, load, from - 15000, one);
    past_take(past, load, from + (time_ms)rows * 15000, one);
    table = past_table(past);
    assert_int_equal(csv_rows(table), rows);
    assert_int_equal(csv_time(table, rows - 1), T0 + MINUTE_MS);
    assert_int_equal(csv_get(table, 0, load->column).unknown, KNOWN);
    assert_int_equal(csv_get(table, 1, load->column).unknown, UNKNOWN_NAN);
    assert_int_equal(csv_get(table, 2, load->column).unknown, UNKNOWN_SEVERAL);
    assert_int_equal(csv_get(table, 3, load->column).unknown, UNKNOWN_NO_DATA);
    assert_string_equal(csv_name(table, load->column), "load");
    past_free(past);
    policy_free(policy);
}

static void what_is_not_fresh_is_stale(void **state)
{
    struct policy *policy = read_policy();
    struct backtest_release release = release_at(T0, "blue");
    struct past *past = past_new(policy, &release);
    const struct past_question *pool = question_of(past, "pool");
    const struct past_question *ages =
        question_of(past, "time() - timestamp(pool)");
    const struct csv *table = NULL;
    time_ms from = 0;

    (void)state;
    (void)past_rows(policy, &release, &from);
    for (time_ms row = 0; row < 3; row++) {
        past_take(past, pool, from + row * 15000, (struct sample){1, KNOWN});
    }
    past_take(past, ages, from, (struct sample){30, KNOWN});
    past_take(past, ages, from + 15000, (struct sample){30.1, KNOWN});
    table = past_table(past);
    assert_int_equal(csv_get(table, 0, pool->column).unknown, KNOWN);
    for (size_t row = 1; row < 4; row++) {
        assert_int_equal(csv_get(table, row, pool->column).unknown,
                         UNKNOWN_STALE);
    }
    past_free(past);
    policy_free(policy);
}

static void a_fact_that_is_not_said_is_never_asked_for(void **state)
{
    struct policy *policy = read_policy();
    struct backtest_release release = release_at(T0, NULL);
    struct past *past = past_new(policy, &release);
    const struct csv *table = past_table(past);

    (void)state;
    assert_int_equal(past_columns(policy), 3);
    assert_int_equal(past_questions(past), 2);
    assert_int_equal(csv_get(table, 0, csv_find(table, "load")).unknown,
                     UNKNOWN_FACT);
    past_free(past);
    policy_free(policy);
}

/* One query of two selections: the release's version, and the last good. */
static void both_sides_of_a_canary_are_asked_for(void **state)
{
    static const char text[] =
        "policy: shop\n"
        "watch: {for: 1h, every: 15s}\n"
        "signals: {load: {prometheus: load, select: {v: release.version}, "
        "unit: count}}\n"
        "tree: {question: full?, if: load > control(load), then: {page: full}, "
        "else: healthy}\n";
    struct backtest_release release = release_at(T0, NULL);
    struct policy *policy = NULL;
    struct past *past = NULL;

    (void)state;
    problems_init(&problems, "shop.yaml");
    policy = policy_read("shop.yaml", text, strlen(text), &problems);
    assert_non_null(policy);
    (void)snprintf(release.release.version, NAME_MAX_BYTES, "1.1");
    (void)snprintf(release.release.last_good, NAME_MAX_BYTES, "1.0");
    past = past_new(policy, &release);
    assert_int_equal(past_questions(past), 2);
    assert_string_equal(past_question(past, 0)->query, "load");
    assert_string_equal(past_question(past, 1)->query, "load");
    assert_string_equal(past_question(past, 0)->selection.values[0], "1.1");
    assert_string_equal(past_question(past, 1)->selection.values[0], "1.0");
    past_free(past);
    policy_free(policy);
}

static void every_unknown_survives_its_cell(void **state)
{
    static const char *const names[] = {"x"};
    struct csv *csv = csv_make(names, 1);

    (void)state;
    csv_make_rows(csv, T0, 1000, UNKNOWN_LAST);
    for (int unknown = 0; unknown < UNKNOWN_LAST; unknown++) {
        csv_put(csv, (size_t)unknown, 0,
                (struct sample){7, (enum unknown)unknown});
        assert_int_equal(csv_get(csv, (size_t)unknown, 0).unknown, unknown);
    }
    assert_true(csv_get(csv, 0, 0).number == 7);
    csv_free(csv);
}

/* --- Which, and how long -------------------------------------------------- */

static void a_release_is_judged_until_the_next_one_or_the_end(void **state)
{
    static const char text[] =
        "[{\"service\":\"shop\",\"environment\":\"e\",\"version\":\"2\","
        "\"deployed_at\":1736036100},"
        "{\"service\":\"shop\",\"environment\":\"e\",\"version\":\"1\","
        "\"deployed_at\":1736035200,\"incident\":true,\"began\":1736035260},"
        "{\"service\":\"shop\",\"environment\":\"f\",\"version\":\"9\","
        "\"deployed_at\":1736035201},"
        "{\"service\":\"cart\",\"environment\":\"e\",\"version\":\"1\","
        "\"deployed_at\":1736035202},"
        "{\"service\":\"shop\",\"environment\":\"e\",\"version\":\"3\","
        "\"deployed_at\":1736042400}]";
    struct policy *policy = read_policy();
    struct backtest_releases releases;
    char error[512] = "";

    (void)state;
    assert_true(backtest_releases_read(text, strlen(text), &releases, error,
                                       sizeof(error)));
    backtest_releases_settle(&releases, policy, T0, T0 + HOUR_MS + MINUTE_MS);
    assert_int_equal(releases.count, 3);
    assert_int_equal(releases.not_ours, 1);
    assert_int_equal(releases.not_then, 1);
    assert_string_equal(releases.list[0].release.version, "1");
    assert_true(releases.list[0].superseded);
    assert_int_equal(releases.list[0].ends, T0 + 15 * MINUTE_MS);
    assert_int_equal(releases.list[0].began, T0 + MINUTE_MS);
    assert_int_equal(releases.list[1].ends, T0 + SECOND_MS + HOUR_MS);
    assert_false(releases.list[2].superseded);
    assert_int_equal(releases.list[2].ends, T0 + HOUR_MS + MINUTE_MS);
    backtest_releases_release(&releases);
    policy_free(policy);
}

/* --- What it was worth ---------------------------------------------------- */

static void fill(struct backtest_outcome *outcome, enum backtest_did did,
                 uint16_t leaf, time_ms at)
{
    memset(outcome, 0, sizeof(*outcome));
    (void)snprintf(outcome->final, sizeof(outcome->final), "healthy");
    outcome->decision.did = did;
    outcome->decision.leaf = leaf;
    outcome->decision.at = at;
}

static void rules_are_counted_by_their_paths(void **state)
{
    enum { COUNT = 7 };
    static const enum backtest_label labels[COUNT] = {
        LABEL_INCIDENT, LABEL_INCIDENT, LABEL_HEALTHY, LABEL_NONE,
        LABEL_INCIDENT, LABEL_HEALTHY,  LABEL_INCIDENT};
    static const enum backtest_worth worths[COUNT] = {
        WORTH_RIGHT,  WORTH_RIGHT, WORTH_WRONG,  WORTH_UNKNOWN,
        WORTH_MISSED, WORTH_QUIET, WORTH_UNKNOWN};
    struct backtest_release releases[COUNT];
    struct backtest_outcome outcomes[COUNT];
    struct backtest_score *score = calloc(1, sizeof(*score));

    (void)state;
    assert_non_null(score);
    for (size_t i = 0; i < COUNT; i++) {
        releases[i] = release_at(T0, NULL);
        releases[i].label = labels[i];
    }
    releases[1].began = T0 + 2 * MINUTE_MS;
    fill(&outcomes[0], DID_ROLLBACK, 2, T0 + 5 * MINUTE_MS);
    fill(&outcomes[1], DID_ROLLBACK, 3, T0 + MINUTE_MS); /* before it began */
    fill(&outcomes[2], DID_ROLLBACK, 2, T0 + MINUTE_MS);
    fill(&outcomes[3], DID_ROLLBACK, 2, T0 + MINUTE_MS);
    fill(&outcomes[4], DID_PAGE, 4, T0 + MINUTE_MS);
    fill(&outcomes[5], DID_NOTHING, 0, T0);
    memset(&outcomes[6], 0, sizeof(outcomes[6])); /* not judged */
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(backtest_worth(&releases[i], &outcomes[i]), worths[i]);
    }
    backtest_score(releases, outcomes, COUNT, score);
    assert_int_equal(score->judged, 6);
    assert_int_equal(score->labelled, 5);
    assert_int_equal(score->incidents, 3);
    assert_int_equal(score->rules_count, 3);
    assert_int_equal(score->rules[0].fired, 3);
    assert_int_equal(score->rules[0].labelled, 2);
    assert_int_equal(score->rules[0].right, 1);
    assert_int_equal(score->rules[0].delay, 5 * MINUTE_MS);
    assert_int_equal(score->rules[1].delay, -MINUTE_MS);
    assert_int_equal(score->rules[2].decision->did, DID_PAGE);
    assert_int_equal(score->total.fired, 4);
    assert_int_equal(score->total.right, 2);
    assert_int_equal(score->total.delay, -MINUTE_MS);
    free(score);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_become_the_cells_of_their_grid_times),
        cmocka_unit_test(what_is_not_fresh_is_stale),
        cmocka_unit_test(a_fact_that_is_not_said_is_never_asked_for),
        cmocka_unit_test(both_sides_of_a_canary_are_asked_for),
        cmocka_unit_test(every_unknown_survives_its_cell),
        cmocka_unit_test(a_release_is_judged_until_the_next_one_or_the_end),
        cmocka_unit_test(rules_are_counted_by_their_paths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
