/* Answers that come late, out of order, or after the controller was away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "help_story.h"

/* A shell whose store was down keeps answers; what they saw is history. */
static void what_was_seen_a_minute_ago_is_not_live(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_hurt(story, true);
    story_run_until(story, "rollback intended", 10 * MINUTE_MS);
    assert_false(story->observed.target.urgent);
    while (story->observed.needs == 0) { /* the one before the revert */
        story_run(story, 1);
    }
    assert_true(story->observed.target.urgent);
    story->events_count = 0; /* its answer is kept back */
    story->now += MINUTE_MS;
    struct input kept = {.kind = INPUT_TARGET};
    kept.target.id = story->observed.id;
    kept.target.result = TARGET_OBSERVED;
    kept.target.version = "1.1";
    kept.target.complete = true;
    story_input(story, &kept);
    assert_int_equal(story_count(story, "-> revert"), 0);
    story_deploy(story, "shop", "1.2", 0); /* somebody fixed it meanwhile */
    story_run_until(story, "rollback failed (raced)", MINUTE_MS);
    assert_int_equal(story_world(story, "shop")->reverts, 0);
    story_end(story);
}

/* A regular observation that was asked before the revert, and answers after
 * the target is live, tells nothing new. */
static void an_old_observation_does_not_bring_the_suspect_back(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    struct world_service *world = story_world(story, "shop");
    story_hurt(story, true);
    story_run(story, 46 * SECOND_MS);
    world->reads_first = true;
    world->takes = 9 * SECOND_MS;
    story_register(story, "shop", "1.2"); /* makes it look */
    story_run(story, 10);
    world->takes = 0;
    story_run_until(story, "rollback applied", MINUTE_MS);
    story_skip(story);
    story_hurt(story, false);
    story_run(story, 10 * MINUTE_MS);
    assert_int_equal(story_count(story, "live 1.1"), 0);
    assert_int_equal(story_count(story, "rollback recovered"), 1);
    story_end(story);
}

/* The controller dies with the request on its way, and is away for longer than
 * a deploy may take: it looks before it gives up. */
static void away_for_long_what_was_done_is_seen(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_hurt(story, true);
    story_crash_at(story, "-> revert");
    story_run(story, 10 * MINUTE_MS);
    story_restart(story, HOUR_MS);
    assert_string_equal(story_world(story, "shop")->coming, "1.0");
    story_hurt(story, false);
    story_skip(story);
    story_run_until(story, "rollback recovered", 10 * MINUTE_MS);
    assert_int_equal(story_world(story, "shop")->reverts, 1);
    story_end(story);
}

/* What was intended an hour ago is not asked for now: people are told. */
static void away_for_long_what_was_not_done_is_left_to_people(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_hurt(story, true);
    story_crash_at(story, "rollback intended");
    story_run(story, 10 * MINUTE_MS);
    story_restart(story, HOUR_MS);
    story_skip(story);
    story_run(story, MINUTE_MS);
    assert_int_equal(story_count(story, "rollback failed (unreachable)"), 1);
    assert_int_equal(story_count(story, "notice escalated"), 2);
    assert_int_equal(story_world(story, "shop")->reverts, 0);
    story_end(story);
}

/* An order waits to hear whether the last good version is still there; killed
 * then, it is not lost: it goes on, or people are told. */
static void an_order_that_waited_goes_on_after_a_kill(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story->target.can_check = true;
    story_crash(story);
    story_restart(story, SECOND_MS);
    story_run(story, MINUTE_MS);
    story_skip(story);
    story_crash_at(story, "-> has");
    story_command(story, (struct command){
                             .kind = COMMAND_ROLLBACK,
                             .release = story_release(story, "shop", "1.1").id,
                             .reason = "customers call"});
    assert_true(story->crashed);
    story_restart(story, MINUTE_MS);
    story_run_until(story, "rollback applied", 2 * MINUTE_MS);
    assert_int_equal(story_world(story, "shop")->reverts, 1);
    story_end(story);
}

/* Refused by the kill switch meanwhile, a suggestion is a suggestion again
 * when that is gone; people are not asked twice. */
static void a_suggestion_stands_again_after_a_refusal(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story->options.ceiling = MODE_SUGGEST;
    story_crash(story);
    story_restart(story, SECOND_MS);
    story_run(story, 3 * MINUTE_MS);
    story_skip(story);
    story_hurt(story, true);
    story_run(story, 2 * MINUTE_MS);
    story_stop_file(story, true);
    story_run(story, MINUTE_MS);
    story_stop_file(story, false);
    story_run(story, MINUTE_MS);
    struct rollback_view view;
    assert_true(view_rollback(
        story->core, story_release(story, "shop", "1.1").rollback, &view));
    assert_int_equal(view.state, ROLLBACK_PROPOSED);
    assert_int_equal(story_count(story, "notice proposed to oncall"), 1);
    assert_int_equal(story_count(story, "rollback refused (stop)"), 1);
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_seen_a_minute_ago_is_not_live),
        cmocka_unit_test(an_old_observation_does_not_bring_the_suspect_back),
        cmocka_unit_test(away_for_long_what_was_done_is_seen),
        cmocka_unit_test(an_order_that_waited_goes_on_after_a_kill),
        cmocka_unit_test(a_suggestion_stands_again_after_a_refusal),
        cmocka_unit_test(away_for_long_what_was_not_done_is_left_to_people),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
