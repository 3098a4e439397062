/* kill -9 right after each record of a rollback: at most one effective revert,
 * none lost, and the target is observed before anything is repeated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "help_story.h"

/* Crash at @line, come back a minute later, end well. */
static struct story *killed_at(const char *line)
{
    struct story *story = story_deployed();
    story_hurt(story, true);
    story_crash_at(story, line);
    story_run(story, 10 * MINUTE_MS);
    assert_true(story->crashed);
    story_restart(story, MINUTE_MS);
    story_skip(story);
    return story;
}

static void ends_well(struct story *story)
{
    story_run_until(story, "rollback applied", 10 * MINUTE_MS);
    story_hurt(story, false);
    story_run_until(story, "rollback recovered", 10 * MINUTE_MS);
    assert_int_equal(story_world(story, "shop")->reverts, 1);
    assert_string_equal(story_world(story, "shop")->live, "1.0");
    story_end(story);
}

static void killed_at_the_verdict(void **state)
{
    (void)state;
    struct story *story = killed_at("verdict 1.1 rollback");
    story_run_until(story, "rollback intended", 5 * MINUTE_MS);
    story_expect(story, "11:47 -> history 645..705 s\n"
                        "12:02 rollback proposed 1.1 -> 1.0\n"
                        "12:02 rollback intended (intended)\n"
                        "12:02 notice rollback to status\n"
                        "12:02 notice rollback to oncall\n");
    ends_well(story);
}

static void killed_when_proposed(void **state)
{
    (void)state;
    struct story *story = killed_at("rollback proposed");
    story_run_until(story, "rollback in progress", 5 * MINUTE_MS);
    story_expect(story, "11:47 rollback requested (requested)\n"
                        "11:47 -> revert 1.1 -> 1.0\n"
                        "11:47 rollback in progress (accepted)\n");
    ends_well(story);
}

static void killed_when_intended(void **state)
{
    (void)state;
    struct story *story = killed_at("rollback intended");
    story_run_until(story, "rollback in progress", 5 * MINUTE_MS);
    story_expect(story, "11:47 rollback requested (requested)\n"
                        "11:47 -> revert 1.1 -> 1.0\n"
                        "11:47 rollback in progress (accepted)\n");
    ends_well(story);
}

static void killed_before_the_request_left(void **state)
{
    (void)state;
    struct story *story = killed_at("rollback requested");
    story_run_until(story, "rollback in progress", 5 * MINUTE_MS);
    story_expect(story, "11:47 -> revert 1.1 -> 1.0\n"
                        "11:47 rollback in progress (accepted)\n");
    ends_well(story);
}

static void killed_after_the_request_left(void **state)
{
    (void)state;
    struct story *story = killed_at("-> revert");
    story_run_until(story, "rollback applied", 5 * MINUTE_MS);
    story_expect(story, "11:47 live 1.0\n"
                        "11:47 rollback applied (applied)\n"
                        "11:47 rollback verifying (verifying)\n");
    story_hurt(story, false);
    story_run_until(story, "rollback recovered", 10 * MINUTE_MS);
    assert_int_equal(story_world(story, "shop")->reverts, 1);
    story_end(story);
}

static void killed_in_progress(void **state)
{
    (void)state;
    struct story *story = killed_at("rollback in progress");
    story_run_until(story, "rollback applied", 5 * MINUTE_MS);
    story_expect(story, "11:47 live 1.0\n"
                        "11:47 rollback applied (applied)\n"
                        "11:47 rollback verifying (verifying)\n");
    story_hurt(story, false);
    story_run_until(story, "rollback recovered", 10 * MINUTE_MS);
    assert_int_equal(story_world(story, "shop")->reverts, 1);
    story_end(story);
}

static void killed_while_verifying(void **state)
{
    (void)state;
    struct story *story = killed_at("rollback verifying");
    story_hurt(story, false);
    story_run_until(story, "incident closed", 10 * MINUTE_MS);
    story_expect(story, "12:47 rollback recovered (recovered)\n"
                        "12:47 notice recovered to status\n"
                        "12:47 notice recovered to oncall\n"
                        "12:47 incident closed (recovered)\n");
    story_end(story);
}

static void killed_when_recovered(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_hurt(story, true);
    story_run_until(story, "rollback applied", 10 * MINUTE_MS);
    story_hurt(story, false);
    story_crash_at(story, "rollback recovered");
    story_run(story, 10 * MINUTE_MS);
    assert_true(story->crashed);
    story_restart(story, MINUTE_MS);
    story_skip(story);
    story_run(story, 10 * MINUTE_MS);
    story_expect(story, "13:47 release 1.0 good, good (put_live)\n");
    assert_int_equal(story_service(story, "shop").incident, 0);
    story_end(story);
}

/* Somebody deployed a fix while we were down: nothing is reverted. */
static void live_has_changed_meanwhile(void **state)
{
    (void)state;
    struct story *story = killed_at("rollback intended");
    story_deploy(story, "shop", "1.2", 0);
    story_run(story, 2 * MINUTE_MS);
    assert_int_equal(story_world(story, "shop")->reverts, 0);
    assert_int_equal(story_count(story, "rollback failed (raced)"), 1);
    assert_int_equal(story_count(story, "-> revert"), 0);
    story_end(story);
}

/* A notice that nobody confirmed is sent again; what is told is told. */
static void undelivered_notices_are_sent_again(void **state)
{
    (void)state;
    struct story *story = killed_at("rollback intended");
    struct core_counts counts;
    view_counts(story->core, &counts);
    assert_int_equal(counts.notices_pending, 2);
    story_run(story, SECOND_MS);
    view_counts(story->core, &counts);
    assert_int_equal(counts.notices_pending, 0);
    story_end(story);
}

/* The budget is counted from the journal. */
static void a_restart_does_not_refill_the_budget(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_hurt(story, true);
    story_run_until(story, "rollback applied", 10 * MINUTE_MS);
    story_hurt(story, false);
    story_run_until(story, "incident closed", 10 * MINUTE_MS);
    story_crash(story);
    story_restart(story, MINUTE_MS);
    story_deploy(story, "shop", "1.2", 0);
    story_register(story, "shop", "1.2");
    story_run(story, 3 * MINUTE_MS);
    story_skip(story);
    story_hurt(story, true);
    story_run_until(story, "rollback refused (per_service)", 10 * MINUTE_MS);
    story_end(story);
}

static void a_watch_goes_on_after_a_restart(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_run(story, 20 * MINUTE_MS);
    time_ms healthy = story_release(story, "shop", "1.1").healthy;
    assert_true(healthy > 20 * MINUTE_MS);
    story_crash(story);
    story_restart(story, 2 * MINUTE_MS);
    story_run(story, MINUTE_MS);
    time_ms after = story_release(story, "shop", "1.1").healthy;
    assert_true(after >= healthy - PROGRESS_EVERY_MS);
    assert_true(after < healthy + MINUTE_MS); /* nothing for being down */
    story_expect(story, "32:00 started 2\n"
                        "32:02 -> history 1860..1920 s\n");
    story_end(story);
}

/* Trouble that began while nobody watched is found from the history. */
static void what_happened_while_down_is_read_from_the_source(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_crash(story);
    story_hurt(story, true);
    story_restart(story, 3 * MINUTE_MS);
    story_skip(story);
    story_run_until(story, "rollback intended", 30 * SECOND_MS);
    story_expect(story, "13:02 -> history 720..780 s\n"
                        "13:17 incident opened\n"
                        "13:17 verdict 1.1 rollback\n"
                        "13:17 release 1.1 suspect, none (rollback)\n"
                        "13:17 rollback proposed 1.1 -> 1.0\n"
                        "13:17 rollback intended (intended)\n"
                        "13:17 notice rollback to status\n"
                        "13:17 notice rollback to oncall\n");
    story_end(story);
}

static void a_start_with_an_older_clock_waits_for_nothing(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_hurt(story, true);
    story_crash_at(story, "rollback verifying");
    story_run(story, 10 * MINUTE_MS);
    assert_true(story->crashed);
    story_restart(story, -HOUR_MS); /* before the trouble, as it seems */
    story_run_until(story, "rollback recovered", 10 * MINUTE_MS);
    assert_int_equal(story_world(story, "shop")->reverts, 1);
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_at_the_verdict),
        cmocka_unit_test(killed_when_proposed),
        cmocka_unit_test(killed_when_intended),
        cmocka_unit_test(killed_before_the_request_left),
        cmocka_unit_test(killed_after_the_request_left),
        cmocka_unit_test(killed_in_progress),
        cmocka_unit_test(killed_while_verifying),
        cmocka_unit_test(killed_when_recovered),
        cmocka_unit_test(live_has_changed_meanwhile),
        cmocka_unit_test(undelivered_notices_are_sent_again),
        cmocka_unit_test(a_restart_does_not_refill_the_budget),
        cmocka_unit_test(a_watch_goes_on_after_a_restart),
        cmocka_unit_test(what_happened_while_down_is_read_from_the_source),
        cmocka_unit_test(a_start_with_an_older_clock_waits_for_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
