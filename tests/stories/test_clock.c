/* The wall clock is set, ahead or back: nothing is credited, nothing ends,
 * nobody goes blind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "help_story.h"

/* The metrics of the shop as they are now, at all times. */
static void always(struct story *story, double errors)
{
    story_metric_at(story, "requests", "shop", 0, 100);
    story_metric_at(story, "errors", "shop", 0, errors);
}

static void a_clock_that_jumps_credits_nothing(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_run(story, 10 * MINUTE_MS);
    time_ms healthy = story_release(story, "shop", "1.1").healthy;
    story_metric_at(story, "errors", "shop", 0, 0.1);
    story_metric_at(story, "requests", "shop", 0, 100);
    story_clock_set(story, 30 * MINUTE_MS);
    story_run(story, 2 * MINUTE_MS);
    assert_true(story_release(story, "shop", "1.1").healthy <=
                healthy + 2 * MINUTE_MS);
    story_clock_set(story, -30 * MINUTE_MS);
    story_run(story, 2 * MINUTE_MS);
    assert_true(story_release(story, "shop", "1.1").healthy <=
                healthy + 4 * MINUTE_MS);
    assert_int_equal(story_count(story, "incident"), 0);
    assert_int_equal(story_count(story, "clock_set"), 2);
    story_hurt(story, true);
    story_run_until(story, "rollback intended", 5 * MINUTE_MS);
    story_end(story);
}

static void a_clock_that_jumps_ends_no_rollback(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_metric_at(story, "requests", "shop", 0, 100);
    story_world(story, "shop")->rollout = 5 * MINUTE_MS;
    story_hurt(story, true);
    story_run_until(story, "rollback in progress", 10 * MINUTE_MS);
    story_skip(story);
    story_clock_set(story, HOUR_MS);
    story_world(story, "shop")->ready_at += HOUR_MS;
    story_run_until(story, "rollback applied", 6 * MINUTE_MS);
    story_hurt(story, false);
    story_run_until(story, "rollback recovered", 6 * MINUTE_MS);
    story_end(story);
}

static void killed_after_a_jump_a_rollback_goes_on(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    always(story, 20);
    story_world(story, "shop")->rollout = 5 * MINUTE_MS;
    story_run_until(story, "rollback in progress", 10 * MINUTE_MS);
    story_clock_set(story, HOUR_MS);
    story_world(story, "shop")->ready_at += HOUR_MS;
    story_crash(story);
    story_restart(story, MINUTE_MS);
    story_run_until(story, "rollback applied", 6 * MINUTE_MS);
    story_end(story);
}

/* An hour back: the deploy lies in the future now.  It is watched all the
 * same, after it settled anew. */
static void a_clock_set_back_blinds_no_watch(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    always(story, 20);
    story_clock_set(story, -HOUR_MS);
    story_run_until(story, "verdict 1.1 rollback", 3 * MINUTE_MS);
    story_end(story);
}

static void a_start_with_a_clock_behind_blinds_no_watch(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    always(story, 20);
    story_crash(story);
    story_restart(story, -HOUR_MS);
    story_run_until(story, "verdict 1.1 rollback", 3 * MINUTE_MS);
    story_end(story);
}

static void a_clock_set_back_ends_no_verification(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    always(story, 20);
    story_run_until(story, "rollback applied", 10 * MINUTE_MS);
    always(story, 0.1);
    story_clock_set(story, -HOUR_MS);
    story_run_until(story, "rollback recovered", 4 * MINUTE_MS);
    story_end(story);
}

static void a_clock_set_ahead_refills_no_budget(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    always(story, 20);
    story_run_until(story, "rollback applied", 10 * MINUTE_MS);
    always(story, 0.1);
    story_run_until(story, "incident closed", 10 * MINUTE_MS);
    story_clock_set(story, 2 * HOUR_MS);
    story_run(story, MINUTE_MS);
    story_deploy(story, "shop", "1.2", 0);
    story_register(story, "shop", "1.2");
    story_run(story, 3 * MINUTE_MS);
    always(story, 20);
    story_run_until(story, "rollback refused (per_service)", 5 * MINUTE_MS);
    story_end(story);
}

static void a_clock_set_back_silences_no_page(void **state)
{
    (void)state;
    struct story *story = story_settled();
    always(story, 20); /* before the deploy too: nobody is to blame */
    story_run(story, 15 * MINUTE_MS);
    story_deploy(story, "shop", "1.1", 0);
    story_register(story, "shop", "1.1");
    story_run_until(story, "notice page", 10 * MINUTE_MS);
    story_run(story, 10 * MINUTE_MS);
    story_clock_set(story, -DAY_MS);
    story_skip(story);
    story_run(story, 15 * MINUTE_MS);
    assert_int_equal(story_count(story, "notice page"), 0);
    story_run(story, 10 * MINUTE_MS);
    assert_int_equal(story_count(story, "notice page"), 1);
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_jumps_credits_nothing),
        cmocka_unit_test(a_clock_that_jumps_ends_no_rollback),
        cmocka_unit_test(killed_after_a_jump_a_rollback_goes_on),
        cmocka_unit_test(a_clock_set_back_blinds_no_watch),
        cmocka_unit_test(a_start_with_a_clock_behind_blinds_no_watch),
        cmocka_unit_test(a_clock_set_back_ends_no_verification),
        cmocka_unit_test(a_clock_set_ahead_refills_no_budget),
        cmocka_unit_test(a_clock_set_back_silences_no_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
