/* What is live comes and goes: instances that answer in turns, versions that
 * come back, deploys that were announced. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "help_story.h"

/* 0.9 and 1.0 are good; 1.1 is deployed and healthy. */
static struct story *with_two_good_ones(void)
{
    struct story *story = story_settled();
    story_adopt_older(story, "shop", "0.9");
    story_deploy(story, "shop", "1.1", 0);
    story_register(story, "shop", "1.1");
    story_run(story, 5 * MINUTE_MS);
    story_skip(story);
    return story;
}

static void live_is(struct story *story, const char *version, bool complete)
{
    struct world_service *world = story_world(story, "shop");
    world->coming[0] = '\0';
    strcpy(world->live, version);
    world->complete = complete;
}

static void roll_back_to_1_0(struct story *story)
{
    story_hurt(story, true);
    story_run_until(story, "rollback applied", 5 * MINUTE_MS);
    story_hurt(story, false);
    story_run_until(story, "incident closed (recovered)", 5 * MINUTE_MS);
    assert_string_equal(story_world(story, "shop")->live, "1.0");
    story_skip(story);
}

/* The suspect answers once more, then 1.0 again: it is still what our own
 * rollback put live, and only people go back from it. */
static void what_flips_is_still_what_a_rollback_put_live(void **state)
{
    (void)state;
    struct story *story = with_two_good_ones();
    roll_back_to_1_0(story);
    live_is(story, "1.1", true);
    story_run_until(story, "live 1.1", 6 * MINUTE_MS);
    live_is(story, "1.0", true);
    story_run_until(story, "live 1.0", 6 * MINUTE_MS);
    story_run(story, 40 * MINUTE_MS); /* the budget is back */
    story_hurt(story, true);
    story_run_until(story, "rollback refused (put_live)", 10 * MINUTE_MS);
    story_run(story, HOUR_MS);
    assert_string_equal(story_world(story, "shop")->live, "1.0");
    story_end(story);
}

/* The rollback was given up, and its target comes up all the same. */
static void what_comes_live_too_late_was_put_live_too(void **state)
{
    (void)state;
    struct story *story = with_two_good_ones();
    story_world(story, "shop")->revert = DEPLOYER_IGNORES;
    story_hurt(story, true);
    story_run_until(story, "rollback failed (incomplete)", 20 * MINUTE_MS);
    story_deploy(story, "shop", "1.0", 0);
    story_hurt(story, false);
    story_run(story, 30 * MINUTE_MS);
    story_hurt(story, true);
    story_run_until(story, "rollback refused (put_live)", 10 * MINUTE_MS);
    story_run(story, HOUR_MS);
    assert_string_equal(story_world(story, "shop")->live, "1.0");
    story_end(story);
}

/* An instance of the suspect that is just going answers in between. */
static void a_straggler_ends_no_verification(void **state)
{
    (void)state;
    struct story *story = with_two_good_ones();
    story_hurt(story, true);
    story_run_until(story, "rollback applied", 5 * MINUTE_MS);
    story_hurt(story, false);
    live_is(story, "1.1", false);
    story_register(story, "shop", "1.2"); /* makes it look */
    story_run(story, SECOND_MS);
    live_is(story, "1.0", true);
    story_skip(story);
    story_run_until(story, "incident closed", 5 * MINUTE_MS);
    story_expect(story, "12:47 rollback recovered (recovered)\n"
                        "12:47 notice recovered to status\n"
                        "12:47 notice recovered to oncall\n"
                        "12:47 incident closed (recovered)\n");
    story_end(story);
}

/* And where only stragglers answer, nobody has seen the release. */
static void stragglers_give_no_credit(void **state)
{
    (void)state;
    struct story *story = with_two_good_ones();
    live_is(story, "1.0", false);
    story_run(story, 20 * MINUTE_MS);
    time_ms healthy = story_release(story, "shop", "1.1").healthy;
    story_run(story, 20 * MINUTE_MS);
    assert_int_equal(story_release(story, "shop", "1.1").healthy, healthy);
    story_end(story);
}

/* Back from what a rollback put live: the pipeline's echo of the second. */
static void the_second_rollback_has_its_echo_too(void **state)
{
    (void)state;
    struct story *story = with_two_good_ones();
    roll_back_to_1_0(story);
    story_run(story, 30 * MINUTE_MS);
    story_world(story, "shop")->rollout = MINUTE_MS;
    story_command(story, (struct command){
                             .kind = COMMAND_ROLLBACK,
                             .release = story_release(story, "shop", "1.0").id,
                             .reason = "worse"});
    story_run_until(story, "rollback in progress", MINUTE_MS);
    story_register(story, "shop", "0.9");
    assert_string_equal(story->answer.answer.code, "echo");
    story_run_until(story, "incident closed (recovered)", 5 * MINUTE_MS);
    assert_string_equal(story_world(story, "shop")->live, "0.9");
    story_end(story);
}

static void another_registration_is_not_what_was_announced(void **state)
{
    (void)state;
    struct story *story = story_settled();
    story_command(story, (struct command){.kind = COMMAND_ANNOUNCE,
                                          .service = "shop",
                                          .environment = "prod",
                                          .version = "1.2"});
    story_deploy(story, "shop", "1.1", 0);
    story_register(story, "shop", "1.1");
    story_run(story, 5 * MINUTE_MS);
    story_hurt(story, true);
    story_run_until(story, "rollback refused (announced)", 5 * MINUTE_MS);
    story_end(story);
}

/* False once, then dark: nobody knows, and nobody says otherwise. */
static void a_recovery_that_went_dark_is_unverified(void **state)
{
    (void)state;
    struct story *story = with_two_good_ones();
    story_hurt(story, true);
    story_run_until(story, "rollback applied", 5 * MINUTE_MS);
    story_hurt(story, false);
    story_run(story, 72 * SECOND_MS); /* one look says no, and so does `for` */
    story_metric_unknown(story, "requests", "shop", UNKNOWN_NO_DATA);
    story_run(story, 20 * MINUTE_MS);
    assert_int_equal(story_count(story, "rollback unverified"), 1);
    story_end(story);
}

/* The process sleeps through the minutes that were to prove it. */
static void a_sleep_proves_no_recovery(void **state)
{
    (void)state;
    struct story *story = with_two_good_ones();
    story_hurt(story, true);
    story_run_until(story, "rollback applied", 5 * MINUTE_MS);
    story_hurt(story, false);
    story_run(story, 85 * SECOND_MS); /* the first look that says no */
    story->now += 3 * MINUTE_MS;
    story->events_count = 0;
    story_skip(story);
    story_run(story, 50 * SECOND_MS);
    assert_int_equal(story_count(story, "rollback recovered"), 0);
    story_run(story, 30 * SECOND_MS);
    assert_int_equal(story_count(story, "rollback recovered"), 1);
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_flips_is_still_what_a_rollback_put_live),
        cmocka_unit_test(what_comes_live_too_late_was_put_live_too),
        cmocka_unit_test(a_straggler_ends_no_verification),
        cmocka_unit_test(stragglers_give_no_credit),
        cmocka_unit_test(the_second_rollback_has_its_echo_too),
        cmocka_unit_test(another_registration_is_not_what_was_announced),
        cmocka_unit_test(a_recovery_that_went_dark_is_unverified),
        cmocka_unit_test(a_sleep_proves_no_recovery),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
