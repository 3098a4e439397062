/* Many services at once: one query serves all, one bad release is one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "help_story.h"

#define MANY 200

static char names[MANY][32];

static struct story *fleet(size_t count, bool per_service)
{
    const char *list[MANY];
    for (size_t i = 0; i < count; i++) {
        snprintf(names[i], sizeof names[i], "s%zu", i);
        list[i] = names[i];
    }
    struct story *story = story_new(list, count);
    story->source.per_service = per_service;
    story_metric_at(story, "requests", "*", STORY_START - HOUR_MS, 100);
    story_metric_at(story, "errors", "*", STORY_START - HOUR_MS, 0.1);
    story_start(story);
    story_policy(story, STORY_POLICY);
    for (size_t i = 0; i < count; i++) {
        story_adopt(story, names[i], "1.0");
    }
    story_run(story, 2 * MINUTE_MS);
    for (size_t i = 0; i < count; i++) {
        story_deploy(story, names[i], "1.1", 0);
        story_register(story, names[i], "1.1");
    }
    story_run(story, 3 * MINUTE_MS);
    story_skip(story);
    return story;
}

static void two_hundred_watches_are_two_queries_a_grid_time(void **state)
{
    (void)state;
    struct story *story = fleet(MANY, false);
    struct core_counts counts;
    view_counts(story->core, &counts);
    assert_int_equal(counts.watched, MANY);
    assert_int_equal(counts.queries, 2);
    assert_int_equal(counts.series, 2 * MANY);
    size_t queries = story->queries;
    uint64_t looks = counts.looks;
    story_run(story, 4 * 15 * SECOND_MS);
    view_counts(story->core, &counts);
    assert_int_equal(story->queries - queries, 4 * 2);
    assert_int_equal(counts.looks - looks, 4 * MANY);
    story_end(story);
}

static void one_of_two_hundred_is_rolled_back(void **state)
{
    (void)state;
    struct story *story = fleet(MANY, false);
    story_metric(story, "errors", "s77", 20);
    story_run_until(story, "s77: rollback applied", 5 * MINUTE_MS);
    story_metric(story, "errors", "s77", 0.1);
    story_run_until(story, "s77: rollback recovered", 5 * MINUTE_MS);
    assert_int_equal(story_count(story, "incident opened"), 1);
    assert_int_equal(story_count(story, "-> revert"), 1);
    story_end(story);
}

static void two_hundred_watches_survive_a_restart(void **state)
{
    (void)state;
    struct story *story = fleet(MANY, false);
    story_crash(story);
    story_restart(story, MINUTE_MS);
    story_run(story, 2 * MINUTE_MS);
    struct core_counts counts;
    view_counts(story->core, &counts);
    assert_int_equal(counts.watched, MANY);
    assert_int_equal(counts.queries, 2);
    story_metric(story, "errors", "s5", 20);
    story_run_until(story, "s5: rollback intended", 3 * MINUTE_MS);
    story_end(story);
}

/* An address with variables of the service is asked for each service. */
static void a_source_of_each_service_is_asked_for_each(void **state)
{
    (void)state;
    struct story *story = fleet(3, true);
    struct core_counts counts;
    view_counts(story->core, &counts);
    assert_int_equal(counts.queries, 6);
    size_t cursor = 0;
    struct query_view query;
    while (view_next_query(story->core, &cursor, &query)) {
        assert_int_not_equal(query.service, NONE_INDEX);
    }
    story_metric(story, "errors", "s1", 20);
    story_run_until(story, "s1: rollback applied", 5 * MINUTE_MS);
    assert_int_equal(story_count(story, "-> revert"), 1);
    story_end(story);
}

/* No clock, no hash order, no address decides anything. */
static void the_same_inputs_give_the_same_bytes(void **state)
{
    (void)state;
    struct story *stories[2];
    for (int i = 0; i < 2; i++) {
        stories[i] = story_deployed();
        story_world(stories[i], "shop")->revert = DEPLOYER_FAILS;
        story_hurt(stories[i], true);
        story_run(stories[i], 10 * MINUTE_MS);
    }
    assert_int_equal(stories[0]->journal_count, stories[1]->journal_count);
    for (size_t i = 0; i < stories[0]->journal_count; i++) {
        assert_string_equal(stories[0]->journal[i], stories[1]->journal[i]);
    }
    story_end(stories[0]);
    story_end(stories[1]);
}

static const char *const few[] = {"shop", "cart", "mail", "user", "auth"};

static struct story *many(size_t count, uint32_t shared_services)
{
    struct story *story = story_new(few, count);
    story->options.shared_services = shared_services;
    for (size_t i = 0; i < count; i++) {
        story_metric_at(story, "requests", few[i], STORY_START - HOUR_MS, 100);
        story_metric_at(story, "errors", few[i], STORY_START - HOUR_MS, 0.1);
    }
    story_start(story);
    story_policy(story, STORY_POLICY);
    for (size_t i = 0; i < count; i++) {
        story_adopt(story, few[i], "1.0");
    }
    story_run(story, 5 * MINUTE_MS);
    for (size_t i = 0; i < count; i++) {
        story_deploy(story, few[i], "1.1", 0);
        story_register(story, few[i], "1.1");
    }
    story_run(story, 5 * MINUTE_MS);
    story_skip(story);
    return story;
}

static void two_services_at_once_are_both_rolled_back(void **state)
{
    (void)state;
    struct story *story = many(5, 3);
    story_metric(story, "errors", "shop", 20);
    story_metric(story, "errors", "cart", 30);
    story_run_until(story, "cart: rollback applied", 10 * MINUTE_MS);
    assert_int_equal(story_world(story, "shop")->reverts, 1);
    assert_int_equal(story_world(story, "cart")->reverts, 1);
    assert_int_equal(story_world(story, "mail")->reverts, 0);
    struct core_counts counts;
    view_counts(story->core, &counts);
    assert_int_equal(counts.queries, 2); /* one each, for five releases */
    assert_int_equal(counts.series, 6);  /* three still watched */
    story_end(story);
}

static void the_fleet_has_a_budget(void **state)
{
    (void)state;
    struct story *story = many(5, 0);
    for (size_t i = 0; i < 4; i++) {
        story_metric(story, "errors", few[i], 20);
        story_run(story, 2 * MINUTE_MS);
    }
    assert_int_equal(story_count(story, "rollback applied"), 3);
    assert_int_equal(story_count(story, "user: rollback refused (fleet)"), 1);
    story_run_until(story, "user: rollback intended", 10 * MINUTE_MS);
    story_end(story);
}

static void a_cause_they_share_is_nobodys_release(void **state)
{
    (void)state;
    struct story *story = many(5, 3);
    for (size_t i = 0; i < 4; i++) {
        story_metric(story, "errors", few[i], 20);
    }
    story_run(story, 3 * MINUTE_MS);
    assert_int_equal(story_count(story, "rollback refused (shared_cause)"), 4);
    story_run(story, 20 * MINUTE_MS); /* and so it stays while they all stand */
    for (size_t i = 0; i < 2; i++) {
        story_metric(story, "errors", few[i], 0.1);
    }
    assert_int_equal(story_count(story, "-> revert"), 0);
    story_end(story);
}

static void policies_and_lost_sources_are_listed(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    struct policy_view policy;
    struct lost_source_view lost;
    size_t cursor = 0;
    assert_true(view_next_policy(story->core, &cursor, &policy));
    assert_string_equal(policy.name, "shop");
    assert_string_equal(policy.service, "*");
    assert_int_equal(policy.mode, MODE_AUTO);
    assert_int_equal(policy.judges, 1);
    assert_false(view_next_policy(story->core, &cursor, &policy));
    cursor = 0;
    assert_false(view_next_lost_source(story->core, &cursor, &lost));
    story->source_down_from = story->now;
    story->source_down_until = story->now + MINUTE_MS;
    time_ms since = story->now;
    story_run(story, 30 * SECOND_MS);
    cursor = 0;
    assert_true(view_next_lost_source(story->core, &cursor, &lost));
    assert_string_equal(lost.name, "prom");
    assert_true(lost.since > since && lost.since <= story->now);
    assert_non_null(strstr(lost.text, "source prom does not answer: connection "
                                      "refused; query "));
    story_run(story, MINUTE_MS);
    cursor = 0;
    assert_false(view_next_lost_source(story->core, &cursor, &lost));
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_hundred_watches_are_two_queries_a_grid_time),
        cmocka_unit_test(one_of_two_hundred_is_rolled_back),
        cmocka_unit_test(two_hundred_watches_survive_a_restart),
        cmocka_unit_test(a_source_of_each_service_is_asked_for_each),
        cmocka_unit_test(two_services_at_once_are_both_rolled_back),
        cmocka_unit_test(the_fleet_has_a_budget),
        cmocka_unit_test(a_cause_they_share_is_nobodys_release),
        cmocka_unit_test(policies_and_lost_sources_are_listed),
        cmocka_unit_test(the_same_inputs_give_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
