/* Every bound: refused at the door or said, never dropped inside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "help_story.h"

static const char *const three[] = {"shop", "cart", "mail"};

static enum outcome outcome_of(const struct story *story)
{
    return story->answer.answer.outcome;
}

static struct registration of(const char *service, const char *version)
{
    return (struct registration){.service = service,
                                 .environment = "prod",
                                 .version = version,
                                 .data_change = "none"};
}

/* A registration that names an unknown previous version needs two places. */
static void one_place_left_is_none_for_two(void **state)
{
    (void)state;
    struct story *story = story_new(three, 3);
    story->options.releases_max = 2;
    for (size_t i = 0; i < 3; i++) {
        story->world[i].observe = DEPLOYER_FAILS;
    }
    story_start(story);
    story_policy(story, STORY_POLICY);
    story_register(story, "shop", "1.1");
    struct registration registration = of("cart", "1.1");
    registration.previous = "1.0";
    story_registration(story, &registration);
    assert_int_equal(outcome_of(story), OUTCOME_FULL);
    story_register(story, "mail", "1.1"); /* one place it has */
    assert_int_equal(outcome_of(story), OUTCOME_DONE);
    story_end(story);
}

/* A broken pipeline registers and never deploys: it may go on registering. */
static void deploys_that_never_came_make_room(void **state)
{
    (void)state;
    struct story *story = story_settled();
    for (int i = 0; i < 3 * RELEASES_PER_SERVICE_MAX; i++) {
        char version[16];
        snprintf(version, sizeof version, "2.%d", i);
        struct registration registration = of("shop", version);
        char previous[16];
        snprintf(previous, sizeof previous, "1.%d", i);
        registration.previous = previous;
        story_registration(story, &registration);
        assert_int_equal(outcome_of(story), OUTCOME_DONE);
        story_run(story, SECOND_MS);
    }
    assert_string_equal(story_release(story, "shop", "2.191").last_good_version,
                        "1.0");
    assert_int_equal(story_gate(story, "shop", "3.0").gate, GATE_GO);
    story_end(story);
}

/* Seconds where milliseconds were meant, or a clock that was never set. */
static void a_deploy_of_another_age_is_refused(void **state)
{
    (void)state;
    struct story *story = story_settled();
    static const time_ms ancient[] = {1, 1700000000,
                                      STORY_START - 367 * DAY_MS};
    for (size_t i = 0; i < sizeof ancient / sizeof ancient[0]; i++) {
        struct registration registration = of("shop", "1.1");
        registration.deployed_at = ancient[i];
        story_registration(story, &registration);
        assert_int_equal(outcome_of(story), OUTCOME_INVALID);
    }
    story_end(story);
}

/* Lower limits than what is remembered needs: said at the start. */
static void limits_below_the_journal_are_said(void **state)
{
    (void)state;
    struct story *story = story_new(three, 3);
    story_start(story);
    story_policy(story, STORY_POLICY);
    for (size_t i = 0; i < 3; i++) {
        story_adopt(story, three[i], "1.0");
        story_run(story, MINUTE_MS);
        story_deploy(story, three[i], "1.1", 0);
        story_register(story, three[i], "1.1");
        story_run(story, MINUTE_MS);
    }
    struct core_options options = story->options;
    story->options.services_count = 0;
    story->options.services_max = 2;
    assert_true(story_lacks(story, "services"));
    story->options = options;
    story->options.releases_max = 2; /* each has a live and a last good one */
    assert_true(story_lacks(story, "releases"));
    story->options.releases_max = 6;
    assert_false(story_lacks(story, "releases"));
    story->options = options;
    story_end(story);
}

/* A smaller ledger forgets what nobody needs, and goes on. */
static void a_smaller_ledger_goes_on(void **state)
{
    (void)state;
    struct story *story = story_settled();
    char version[16];
    for (int i = 0; i < 20; i++) {
        snprintf(version, sizeof version, "2.%d", i);
        story_deploy(story, "shop", version, 0);
        story_register(story, "shop", version);
        story_run(story, MINUTE_MS);
    }
    story->options.releases_max = 3;
    story_crash(story);
    story_restart(story, SECOND_MS);
    story_run(story, 5 * MINUTE_MS);
    assert_string_equal(story_release(story, "shop", "2.19").last_good_version,
                        "1.0");
    story_hurt(story, true);
    story_run_until(story, "rollback applied", 10 * MINUTE_MS);
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_place_left_is_none_for_two),
        cmocka_unit_test(deploys_that_never_came_make_room),
        cmocka_unit_test(limits_below_the_journal_are_said),
        cmocka_unit_test(a_smaller_ledger_goes_on),
        cmocka_unit_test(a_deploy_of_another_age_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
