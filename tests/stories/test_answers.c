/* A yes and a no mean what they say, whatever happens around them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "help_consent.h"

static const char *const shop[] = {"shop"};

/* ---- no ---------------------------------------------------------------- */

static void a_second_no_does_not_shorten_the_first(void **state)
{
    (void)state;
    struct story *story = consent_hurting(COUNTDOWN_POLICY("auto"));
    assert_int_equal(consent_mute(story, 4 * HOUR_MS), OUTCOME_DONE);
    story_run(story, 5 * MINUTE_MS);
    assert_int_equal(consent_say(story, COMMAND_CANCEL), OUTCOME_DONE);
    story_run(story, 3 * HOUR_MS);
    assert_int_equal(story_count(story, "-> revert"), 0);
    story_end(story);
}

static void a_mute_holds_what_waits_for_its_leaf(void **state)
{
    (void)state;
    struct story *story = consent_hurting(COUNTDOWN_POLICY("countdown 60s"));
    story_run(story, MINUTE_MS);
    consent_dark(story, true);
    story_run(story, 30 * SECOND_MS);
    assert_int_equal(consent_mute(story, 11 * MINUTE_MS), OUTCOME_DONE);
    assert_int_equal(consent_newest(story).state, ROLLBACK_REFUSED);
    story_run(story, 11 * MINUTE_MS);
    assert_int_equal(story_count(story, "overdue"), 0);
    /* It is over: people have a minute again. */
    consent_dark(story, false);
    story_run(story, 75 * SECOND_MS);
    assert_int_equal(story_count(story, "(countdown)"), 2);
    assert_int_equal(story_count(story, "-> revert"), 0);
    story_end(story);
}

/* What was discovered is registered late: the same version, the same no. */
static void a_no_is_about_the_version(void **state)
{
    (void)state;
    struct story *story = story_new(shop, 1);
    story_metric_at(story, "requests", "shop", STORY_START - HOUR_MS, 100);
    story_metric_at(story, "errors", "shop", STORY_START - HOUR_MS, 0.1);
    story_start(story);
    story_policy(story, COUNTDOWN_POLICY("countdown 60s"));
    story_adopt(story, "shop", "1.0");
    story_run(story, MINUTE_MS);
    time_ms deployed_at = story->now;
    story_deploy(story, "shop", "1.1", 0);
    story_run(story, 11 * MINUTE_MS);
    story_hurt(story, true);
    story_run_until(story, "(countdown)", 3 * MINUTE_MS);
    uint64_t first = consent_newest(story).id;
    assert_int_equal(consent_say(story, COMMAND_CANCEL), OUTCOME_DONE);
    struct registration late = {.service = "shop",
                                .environment = "prod",
                                .version = "1.1",
                                .deployed_at = deployed_at};
    story_registration(story, &late);
    story_run(story, 10 * MINUTE_MS);
    assert_int_equal(story_count(story, "-> revert"), 0);
    assert_int_equal(story_count(story, "rollback refused (muted)"), 1);
    assert_int_not_equal(consent_newest(story).id, first);
    story_end(story);
}

static void a_no_to_an_old_one_names_the_new_one(void **state)
{
    (void)state;
    struct story *story = consent_hurting(COUNTDOWN_POLICY("suggest"));
    story_run(story, 2 * MINUTE_MS);
    uint64_t first = consent_newest(story).id;
    story_hurt(story, false);
    story_run(story, 3 * MINUTE_MS);
    story_hurt(story, true);
    story_run(story, 3 * MINUTE_MS);
    uint64_t second = consent_newest(story).id;
    assert_true(second > first);
    char command[64];
    snprintf(command, sizeof command, "'lastgood cancel %llu'",
             (unsigned long long)second);
    assert_int_equal(consent_say_of(story, COMMAND_CANCEL, first),
                     OUTCOME_CONFLICT);
    assert_non_null(strstr(story->answer.answer.text, command));
    story_end(story);
}

static void a_no_of_the_last_incident_is_told_in_the_next(void **state)
{
    (void)state;
    struct story *story = consent_hurting(COUNTDOWN_POLICY("countdown 60s"));
    story_run(story, MINUTE_MS);
    (void)consent_say(story, COMMAND_CANCEL);
    story_hurt(story, false);
    story_run(story, 12 * MINUTE_MS);
    assert_int_equal(story_count(story, "incident closed (quiet)"), 1);
    story_skip(story);
    story_hurt(story, true);
    story_run(story, 3 * MINUTE_MS);
    assert_int_equal(story_count(story, "rollback refused (muted)"), 1);
    assert_int_equal(story_count(story, "notice refused to oncall"), 1);
    story_end(story);
}

/* ---- yes --------------------------------------------------------------- */

/* Who said yes read another version. */
static void a_yes_is_to_one_target(void **state)
{
    (void)state;
    struct story *story = consent_hurting(COUNTDOWN_POLICY("suggest"));
    story_run(story, 2 * MINUTE_MS);
    consent_dark(story, true);
    story_run(story, 20 * SECOND_MS);
    assert_int_equal(consent_say(story, COMMAND_APPROVE), OUTCOME_DONE);
    struct registration older = {.service = "shop",
                                 .environment = "prod",
                                 .version = "0.7",
                                 .deployed_at = story->now - HOUR_MS};
    story_registration(story, &older);
    story_adopt(story, "shop", "0.7");
    consent_dark(story, false);
    story_run(story, 5 * MINUTE_MS);
    assert_int_equal(story_count(story, "-> revert"), 0);
    assert_string_equal(consent_newest(story).target, "0.7");
    assert_string_equal(consent_newest(story).approved_by, "");
    assert_int_equal(story_count(story, "notice proposed to oncall"), 2);
    story_end(story);
}

static void a_yes_that_is_void_is_told(void **state)
{
    (void)state;
    struct story *story = consent_hurting(COUNTDOWN_POLICY("suggest"));
    story_stop_file(story, true);
    story_run(story, 2 * MINUTE_MS); /* refused once, and told */
    story_stop_file(story, false);
    story_run(story, 30 * SECOND_MS);
    consent_dark(story, true);
    story_run(story, 20 * SECOND_MS);
    assert_int_equal(consent_say(story, COMMAND_APPROVE), OUTCOME_DONE);
    story_skip(story);
    story_stop_file(story, true);
    consent_dark(story, false);
    story_run(story, 2 * MINUTE_MS);
    assert_int_equal(story_count(story, "notice refused to oncall"), 1);
    story_end(story);
}

static void a_yes_that_nobody_says_is_asked_for_again(void **state)
{
    (void)state;
    struct story *story = consent_hurting(COUNTDOWN_POLICY("suggest"));
    story_run(story, 100 * MINUTE_MS);
    assert_int_equal(story_count(story, "notice proposed to oncall"), 4);
    assert_int_equal(story_count(story, "rollback proposed (suggested)"), 1);
    story_end(story);
}

/* ---- how long ---------------------------------------------------------- */

static void a_policy_that_changed_asks_anew(void **state)
{
    (void)state;
    struct story *story = consent_hurting(COUNTDOWN_POLICY("countdown 60s"));
    story_run(story, MINUTE_MS);
    story_policy(story, COUNTDOWN_POLICY("countdown 30m"));
    story_run(story, 25 * MINUTE_MS);
    assert_int_equal(story_count(story, "-> revert"), 0);
    assert_int_equal(story_count(story, "(countdown)"), 2);
    story_run_until(story, "rollback applied", 7 * MINUTE_MS);
    story_end(story);
}

/* Its policy goes in the middle: nobody says so any more. */
static void no_policy_no_countdown(void **state)
{
    (void)state;
    struct story *story = consent_hurting(COUNTDOWN_POLICY("countdown 60s"));
    story_run(story, MINUTE_MS);
    story_policy_removed(story, "shop");
    story_run(story, 5 * MINUTE_MS);
    assert_int_equal(story_count(story, "rollback cancelled (no_policy)"), 1);
    assert_int_equal(story_count(story, "-> revert"), 0);
    story_end(story);
}

/* An interlock that comes and goes is asked at the end, not on the way. */
static void what_passes_does_not_begin_it_anew(void **state)
{
    (void)state;
    struct story *story = consent_hurting(COUNTDOWN_POLICY("countdown 5m"));
    story_run(story, 2 * MINUTE_MS);
    story_world(story, "shop")->observe = DEPLOYER_FAILS;
    story_command(story, (struct command){.kind = COMMAND_ANNOUNCE,
                                          .service = "shop",
                                          .environment = "prod",
                                          .version = "1.2"});
    story_run(story, 3 * MINUTE_MS);
    assert_int_equal(story_count(story, "refused"), 0);
    story_run(story, MINUTE_MS);
    assert_int_equal(story_count(story, "rollback refused (announced)"), 1);
    assert_int_equal(story_count(story, "(countdown)"), 1);
    story_end(story);
}

static void a_clock_that_went_back_keeps_the_promise(void **state)
{
    (void)state;
    struct story *story = consent_hurting(COUNTDOWN_POLICY("countdown 60s"));
    story_run(story, MINUTE_MS);
    story_crash(story);
    story_restart(story, -2 * HOUR_MS);
    assert_true(consent_newest(story).acts_at <= story->now + MINUTE_MS);
    story_end(story);
}

/* ---- with a target that is asked what it has --------------------------- */

static struct story *with_has(const char *policy)
{
    struct story *story = story_new(shop, 1);
    story->target.can_check = true;
    consent_begin(story, policy);
    return story;
}

static void the_leaf_went_while_the_target_was_asked(void **state)
{
    (void)state;
    struct story *story = with_has(COUNTDOWN_POLICY("countdown 70s"));
    story_run_until(story, "(countdown)", 2 * MINUTE_MS);
    story_run(story, 67 * SECOND_MS);
    story_world(story, "shop")->takes = 9 * SECOND_MS;
    consent_dark(story, true);
    story_run(story, 5 * MINUTE_MS);
    assert_int_equal(story_count(story, "-> has"), 1);
    assert_int_equal(story_count(story, "notice overdue to oncall"), 1);
    assert_int_equal(story_count(story, "-> revert"), 0);
    story_end(story);
}

static void an_order_ends_in_a_record(void **state)
{
    (void)state;
    struct story *story = with_has(COUNTDOWN_POLICY("suggest"));
    story_run(story, 2 * MINUTE_MS);
    story_hurt(story, false);
    story_run(story, 10 * MINUTE_MS);
    story_world(story, "shop")->takes = 4 * SECOND_MS;
    /* The incident closes while the target is asked. */
    story_command(story, (struct command){
                             .kind = COMMAND_ROLLBACK,
                             .release = story_release(story, "shop", "1.1").id,
                             .reason = "now"});
    story_run(story, MINUTE_MS);
    assert_int_equal(story_count(story, "incident closed (quiet)"), 1);
    assert_int_equal(story_count(story, "rollback cancelled (closed)"), 1);
    assert_int_equal(story_count(story, "notice cancelled to oncall"), 1);
    story_end(story);
}

static void an_order_outlives_a_crash_and_the_countdown(void **state)
{
    (void)state;
    struct story *story = with_has(COUNTDOWN_POLICY("countdown 60s"));
    story_run(story, 100 * SECOND_MS);
    story_command(story, (struct command){
                             .kind = COMMAND_ROLLBACK,
                             .release = story_release(story, "shop", "1.1").id,
                             .reason = "now"});
    story_crash(story);
    story_restart(story, 30 * SECOND_MS);
    story_run_until(story, "rollback applied", MINUTE_MS);
    assert_int_equal(story_count(story, "refused"), 0);
    story_end(story);
}

/* ---- room -------------------------------------------------------------- */

/* Everybody is told of everything at once. */
static void as_many_are_told_as_can_be(void **state)
{
#define FOUR "notify: [a, b, c, d]"
    static const char *const pages[] = {"p1", "p2", "p3", "p4"};
    static const char *const policies[] = {
        ASKING_POLICY("countdown 60s", "{page: 'x', run: scale, " FOUR "}",
                      "{rollback: last_good, " FOUR "}"),
        ASKING_POLICY("countdown 60s", "{hold: 'x', run: scale, " FOUR "}",
                      "{rollback: last_good, " FOUR "}"),
    };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct story *story = story_new(shop, 1);
        story->options.pages_count = 4;
        memcpy(story->options.page, pages, sizeof pages);
        consent_begin(story, policies[i]);
        story_run(story, 70 * SECOND_MS);
        story_metric(story, "requests", "shop", 2000);
        story_metric(story, "errors", "shop", 400);
        story_run(story, 2 * MINUTE_MS);
        assert_int_equal(story_count(story, "notice countdown"), 8);
        assert_int_equal(story_count(story, "notice cancelled"), 8);
        story_end(story);
    }
}

/* A countdown of an hour, and a release that is forgotten before. */
static void what_is_forgotten_does_not_act(void **state)
{
    (void)state;
    struct story *story = story_new(shop, 1);
    story->options.releases_max = 4;
    consent_begin(story, COUNTDOWN_POLICY("countdown 1h"));
    story_run_until(story, "(countdown)", 3 * MINUTE_MS);
    story_hurt(story, false);
    for (int i = 2; i < 9; i++) {
        char version[8];
        snprintf(version, sizeof version, "1.%d", i);
        story_deploy(story, "shop", version, 0);
        story_register(story, "shop", version);
        story_run(story, i == 2 ? 13 * MINUTE_MS : 2 * MINUTE_MS);
    }
    story_run(story, 2 * HOUR_MS);
    assert_int_equal(story_count(story, "-> revert"), 0);
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_no_does_not_shorten_the_first),
        cmocka_unit_test(a_mute_holds_what_waits_for_its_leaf),
        cmocka_unit_test(a_no_is_about_the_version),
        cmocka_unit_test(a_no_to_an_old_one_names_the_new_one),
        cmocka_unit_test(a_no_of_the_last_incident_is_told_in_the_next),
        cmocka_unit_test(a_yes_is_to_one_target),
        cmocka_unit_test(a_yes_that_is_void_is_told),
        cmocka_unit_test(a_yes_that_nobody_says_is_asked_for_again),
        cmocka_unit_test(a_policy_that_changed_asks_anew),
        cmocka_unit_test(no_policy_no_countdown),
        cmocka_unit_test(what_passes_does_not_begin_it_anew),
        cmocka_unit_test(a_clock_that_went_back_keeps_the_promise),
        cmocka_unit_test(the_leaf_went_while_the_target_was_asked),
        cmocka_unit_test(an_order_ends_in_a_record),
        cmocka_unit_test(an_order_outlives_a_crash_and_the_countdown),
        cmocka_unit_test(as_many_are_told_as_can_be),
        cmocka_unit_test(what_is_forgotten_does_not_act),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
