/* Two versions of a service side by side: each policy that compares them is
 * answered by one query for both. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "help_story.h"

static const char policy[] =
    "policy: shop\n"
    "mode: auto\n"
    "watch: {for: 2h, every: 15s, settle: 60s}\n"
    "verify: {within: 10m, for: 1m}\n"
    "signals:\n"
    "  errors: {prometheus: errors, select: {version: release.version},\n"
    "           unit: per_second, on_no_data: zero}\n"
    "  requests: {prometheus: requests, select: {version: release.version},\n"
    "             unit: per_second}\n"
    "tree:\n"
    "  question: Is it worse than what was live before?\n"
    "  if: surely(worse(errors, requests))\n"
    "  then: {rollback: last_good}\n"
    "  else: healthy\n";

/* 1.1 is live; 1.0, when it is known to have been good, still has traffic. */
static struct story *side_by_side(bool known)
{
    static const char *const shop[] = {"shop"};
    struct story *story = story_new(shop, 1);
    story_metric_at(story, "requests", "1.0", STORY_START - HOUR_MS, 90);
    story_metric_at(story, "requests", "1.1", STORY_START - HOUR_MS, 10);
    story_metric_at(story, "errors", "1.0", STORY_START - HOUR_MS, 0.1);
    story_start(story);
    story_policy(story, policy);
    if (known) {
        story_adopt(story, "shop", "1.0");
    }
    story_run(story, 5 * MINUTE_MS);
    story_deploy(story, "shop", "1.1", 0);
    story_register(story, "shop", "1.1");
    story_run(story, 5 * MINUTE_MS);
    story_skip(story);
    return story;
}

static void a_version_that_is_worse_goes_back(void **state)
{
    (void)state;
    struct story *story = side_by_side(true);
    story_metric(story, "errors", "1.0", 20); /* both fail alike */
    story_metric(story, "errors", "1.1", 2.2);
    story_run(story, 10 * MINUTE_MS);
    assert_int_equal(story_count(story, "verdict"), 0);
    story_metric(story, "errors", "1.0", 0.1);
    story_metric(story, "errors", "1.1", 0.4);
    story_run_until(story, "verdict 1.1 rollback", 10 * MINUTE_MS);
    story_run_until(story, "live 1.0", 5 * MINUTE_MS);
    story_end(story);
}

/* One query, asked once a grid time, for four signals that are two names. */
static void both_sides_are_one_question(void **state)
{
    (void)state;
    struct story *story = side_by_side(true);
    size_t asked = story->queries;
    story_run(story, 10 * MINUTE_MS);
    assert_int_equal(story->queries - asked, 2 * 40);
    story_end(story);
}

/* What was not known to be good is nobody's control. */
static void without_a_control_nothing_is_proved(void **state)
{
    (void)state;
    struct story *story = side_by_side(false);
    story_metric(story, "errors", "1.1", 5);
    story_run(story, 30 * MINUTE_MS);
    assert_int_equal(story_count(story, "rollback"), 0);
    story_end(story);
}

/* Evidence is what the sources remember, not what a process does. */
static void evidence_outlives_a_restart(void **state)
{
    (void)state;
    struct story *story = side_by_side(true);
    story_metric(story, "errors", "1.1", 0.03);
    story_run(story, MINUTE_MS);
    assert_int_equal(story_count(story, "verdict 1.1 rollback"), 0);
    time_ms worse = story->now;
    story_run_until(story, "verdict 1.1 rollback", HOUR_MS);
    time_ms took = story->now - worse;
    assert_true(took > 3 * MINUTE_MS);
    story_end(story);

    story = side_by_side(true);
    story_metric(story, "errors", "1.1", 0.03);
    story_run(story, MINUTE_MS);
    worse = story->now;
    story_run(story, took - 45 * SECOND_MS);
    story_crash(story);
    story_restart(story, SECOND_MS);
    story_run_until(story, "verdict 1.1 rollback", MINUTE_MS);
    assert_in_range(story->now - worse, took - 15 * SECOND_MS,
                    took + 15 * SECOND_MS);
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_version_that_is_worse_goes_back),
        cmocka_unit_test(both_sides_are_one_question),
        cmocka_unit_test(without_a_control_nothing_is_proved),
        cmocka_unit_test(evidence_outlives_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
