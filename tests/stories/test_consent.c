/* What people say before a rollback leaves: countdown, yes, no, mute. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "help_consent.h"

static const char *const shop[] = {"shop"};

#define BEGUN                                                                  \
    "06:47 incident opened\n"                                                  \
    "06:47 verdict 1.1 rollback\n"                                             \
    "06:47 release 1.1 suspect, none (rollback)\n"                             \
    "06:47 rollback proposed 1.1 -> 1.0\n"

#define COUNTS                                                                 \
    BEGUN "06:47 rollback proposed (countdown)\n"                              \
          "06:47 notice countdown to status\n"                                 \
          "06:47 notice countdown to oncall\n"

static void it_leaves_when_nobody_says_no(void **state)
{
    (void)state;
    struct story *story = consent_hurting(COUNTDOWN_POLICY("countdown 60s"));
    story_run(story, 75 * SECOND_MS);
    struct rollback_view counts = consent_newest(story);
    assert_int_equal(counts.state, ROLLBACK_PROPOSED);
    assert_int_equal(counts.mode, MODE_COUNTDOWN);
    assert_int_equal(counts.acts_at, counts.proposed_at + MINUTE_MS);
    story_run(story, 2 * MINUTE_MS);
    story_expect(story, COUNTS "07:47 rollback intended (intended)\n"
                               "07:47 notice rollback to status\n"
                               "07:47 notice rollback to oncall\n"
                               "07:47 rollback requested (requested)\n"
                               "07:47 -> revert 1.1 -> 1.0\n"
                               "07:47 rollback in progress (accepted)\n"
                               "07:47 live 1.0 (incomplete)\n"
                               "07:52 live 1.0\n"
                               "07:52 rollback applied (applied)\n"
                               "07:52 rollback verifying (verifying)\n");
    story_end(story);
}

static void a_ceiling_gives_people_a_minute(void **state)
{
    (void)state;
    struct story *story = story_new(shop, 1);
    story->services[0].ceiling = MODE_COUNTDOWN;
    consent_begin(story, COUNTDOWN_POLICY("auto"));
    story_run(story, 105 * SECOND_MS);
    assert_int_equal(consent_newest(story).countdown, MINUTE_MS);
    assert_int_equal(story_count(story, "-> revert"), 0);
    story_run_until(story, "rollback applied", MINUTE_MS);
    story_end(story);
}

static void another_leaf_withdraws_it(void **state)
{
    (void)state;
    struct story *story = consent_hurting(COUNTDOWN_POLICY("countdown 60s"));
    story_run(story, 70 * SECOND_MS);
    story_metric(story, "requests", "shop", 2000);
    story_metric(story, "errors", "shop", 400);
    story_run(story, 3 * MINUTE_MS);
    assert_int_equal(story_count(story, "rollback cancelled (withdrawn)"), 1);
    assert_int_equal(story_count(story, "notice cancelled to oncall"), 1);
    assert_int_equal(story_count(story, "-> revert"), 0);
    /* The leaf is back: a new countdown, from its beginning. */
    story_skip(story);
    story_metric(story, "requests", "shop", 100);
    story_metric(story, "errors", "shop", 20);
    story_run(story, 50 * SECOND_MS);
    assert_int_equal(story_count(story, "rollback proposed (countdown)"), 1);
    assert_int_equal(story_count(story, "-> revert"), 0);
    story_run_until(story, "rollback applied", 2 * MINUTE_MS);
    story_end(story);
}

/* No data is neither a yes nor a no: it waits, pages once, and acts when the
 * leaf is back. */
static void what_cannot_be_seen_does_not_act(void **state)
{
    (void)state;
    struct story *story = consent_hurting(COUNTDOWN_POLICY("countdown 60s"));
    story_run(story, 70 * SECOND_MS);
    consent_dark(story, true);
    story_run(story, 3 * MINUTE_MS);
    assert_int_equal(story_count(story, "rollback proposed (overdue)"), 1);
    assert_int_equal(story_count(story, "notice overdue to oncall"), 1);
    assert_int_equal(story_count(story, "rollback cancelled"), 0);
    assert_int_equal(story_count(story, "-> revert"), 0);
    story_metric(story, "requests", "shop", 100);
    story_run_until(story, "rollback applied", 3 * MINUTE_MS);
    assert_int_equal(story_count(story, "(countdown)"), 1);
    story_end(story);
}

static void every_interlock_is_asked_at_the_end(void **state)
{
    (void)state;
    struct story *story = consent_hurting(COUNTDOWN_POLICY("countdown 60s"));
    story_run(story, 105 * SECOND_MS);
    story_stop_file(story, true);
    story_run(story, 2 * MINUTE_MS);
    assert_int_equal(story_count(story, "rollback refused (stop)"), 1);
    assert_int_equal(story_count(story, "-> revert"), 0);
    /* What it was told before is over: it counts down anew. */
    story_stop_file(story, false);
    story_run(story, 30 * SECOND_MS);
    assert_int_equal(story_count(story, "(countdown)"), 2);
    story_run_until(story, "rollback applied", 2 * MINUTE_MS);
    story_end(story);
}

static void a_yes_ends_the_waiting(void **state)
{
    (void)state;
    struct story *story = consent_hurting(COUNTDOWN_POLICY("countdown 10m"));
    story_run(story, 2 * MINUTE_MS);
    assert_int_equal(consent_say(story, COMMAND_APPROVE), OUTCOME_DONE);
    story_run_until(story, "rollback applied", MINUTE_MS);
    assert_non_null(strstr(story->transcript, "08:00 rollback intended"));
    assert_string_equal(consent_newest(story).approved_by, "ann");
    assert_int_equal(consent_say(story, COMMAND_APPROVE), OUTCOME_ALREADY);
    assert_int_equal(consent_say(story, COMMAND_CANCEL), OUTCOME_CONFLICT);
    story_end(story);
}

/* Two people at once: one yes, and the second is told so. */
static void a_yes_to_what_does_not_stand_waits_for_it(void **state)
{
    (void)state;
    struct story *story = consent_hurting(COUNTDOWN_POLICY("suggest"));
    story_run(story, 2 * MINUTE_MS);
    story_expect(story, BEGUN "06:47 rollback proposed (suggested)\n"
                              "06:47 notice proposed to status\n"
                              "06:47 notice proposed to oncall\n");
    consent_dark(story, true);
    story_run(story, MINUTE_MS);
    assert_int_equal(consent_say(story, COMMAND_APPROVE), OUTCOME_DONE);
    assert_int_equal(consent_say(story, COMMAND_APPROVE), OUTCOME_ALREADY);
    story_run(story, MINUTE_MS);
    assert_int_equal(story_count(story, "-> revert"), 0);
    story_metric(story, "requests", "shop", 100);
    story_run_until(story, "rollback applied", 3 * MINUTE_MS);
    story_end(story);
}

/* A yes is to the mode; what another interlock refuses stays refused, and the
 * yes is over. */
static void a_yes_overrules_no_interlock(void **state)
{
    (void)state;
    struct story *story = consent_hurting(COUNTDOWN_POLICY("suggest"));
    story_run(story, 2 * MINUTE_MS);
    story_stop_file(story, true);
    assert_int_equal(consent_say(story, COMMAND_APPROVE), OUTCOME_REFUSED);
    assert_non_null(strstr(story->answer.answer.text, "STOP"));
    story_stop_file(story, false);
    story_run(story, 5 * MINUTE_MS);
    assert_int_equal(story_count(story, "-> revert"), 0);
    assert_int_equal(consent_newest(story).state, ROLLBACK_PROPOSED);
    assert_int_equal(consent_say(story, COMMAND_APPROVE), OUTCOME_DONE);
    story_run_until(story, "rollback applied", MINUTE_MS);
    story_end(story);
}

static void a_no_mutes_its_leaf_for_half_an_hour(void **state)
{
    (void)state;
    struct story *story = consent_hurting(COUNTDOWN_POLICY("countdown 60s"));
    story_run(story, MINUTE_MS);
    assert_int_equal(consent_say(story, COMMAND_CANCEL), OUTCOME_DONE);
    assert_non_null(strstr(story->answer.answer.text, "the load test"));
    assert_int_equal(consent_say(story, COMMAND_CANCEL), OUTCOME_ALREADY);
    assert_int_equal(consent_say(story, COMMAND_APPROVE), OUTCOME_CONFLICT);
    story_run(story, 29 * MINUTE_MS);
    story_expect(story, COUNTS "07:00 commanded cancel\n"
                               "07:00 muted\n"
                               "07:00 rollback cancelled (cancelled)\n"
                               "07:00 notice cancelled to status\n"
                               "07:00 notice cancelled to oncall\n");
    /* Judged all the same, and suspect. */
    assert_int_equal(story_release(story, "shop", "1.1").state,
                     RELEASE_SUSPECT);
    story_run(story, 2 * MINUTE_MS);
    assert_int_equal(story_count(story, "37:02 rollback proposed (countdown)"),
                     1);
    story_run_until(story, "rollback applied", 2 * MINUTE_MS);
    story_end(story);
}

static void a_mute_is_a_recorded_refusal(void **state)
{
    (void)state;
    struct story *story = consent_hurting(COUNTDOWN_POLICY("auto"));
    struct command mute = {.kind = COMMAND_MUTE,
                           .release = story_release(story, "shop", "1.1").id,
                           .span = 10 * MINUTE_MS,
                           .reason = "we look into it"};
    story_command(story, mute);
    assert_int_equal(story->answer.answer.outcome, OUTCOME_DONE);
    story_run(story, 5 * MINUTE_MS);
    story_expect(story, "06:00 commanded mute\n"
                        "06:00 muted\n" BEGUN "06:47 rollback refused (muted)\n"
                        "06:47 notice refused to status\n"
                        "06:47 notice refused to oncall\n");
    story_run_until(story, "rollback applied", 6 * MINUTE_MS);
    assert_non_null(strstr(story->transcript, "16:02 rollback intended"));
    story_end(story);
}

static void a_person_may_order_what_is_muted(void **state)
{
    (void)state;
    struct story *story = consent_hurting(COUNTDOWN_POLICY("countdown 60s"));
    story_run(story, MINUTE_MS);
    (void)consent_say(story, COMMAND_CANCEL);
    story_command(story, (struct command){
                             .kind = COMMAND_ROLLBACK,
                             .release = story_release(story, "shop", "1.1").id,
                             .reason = "after all"});
    assert_int_equal(story->answer.answer.outcome, OUTCOME_DONE);
    story_run_until(story, "rollback applied", MINUTE_MS);
    story_end(story);
}

static void a_mute_stops_a_countdown_at_once(void **state)
{
    (void)state;
    struct story *story = consent_hurting(COUNTDOWN_POLICY("countdown 60s"));
    story_run(story, MINUTE_MS);
    story_command(story, (struct command){
                             .kind = COMMAND_MUTE,
                             .release = story_release(story, "shop", "1.1").id,
                             .reason = "wait"});
    assert_int_equal(consent_newest(story).state, ROLLBACK_REFUSED);
    assert_int_equal(consent_newest(story).acts_at, 0);
    story_run(story, 29 * MINUTE_MS);
    assert_int_equal(story_count(story, "-> revert"), 0);
    story_end(story);
}

static void a_countdown_survives_a_restart(void **state)
{
    (void)state;
    struct story *story = consent_hurting(COUNTDOWN_POLICY("countdown 5m"));
    story_run(story, 2 * MINUTE_MS);
    time_ms acts_at = consent_newest(story).acts_at;
    story_crash(story);
    story_restart(story, MINUTE_MS);
    assert_int_equal(consent_newest(story).acts_at, acts_at);
    story_run(story, 2 * MINUTE_MS);
    assert_int_equal(story_count(story, "-> revert"), 0);
    story_run_until(story, "rollback applied", 2 * MINUTE_MS);
    assert_non_null(strstr(story->transcript, "11:47 rollback intended"));
    assert_int_equal(story_count(story, "overdue"), 0);
    story_end(story);
}

/* It ran down while nobody was there: the first look decides. */
static void a_countdown_that_ended_meanwhile_wants_a_look(void **state)
{
    (void)state;
    struct story *story = consent_hurting(COUNTDOWN_POLICY("countdown 60s"));
    story_run(story, MINUTE_MS);
    story_crash(story);
    story_restart(story, 10 * MINUTE_MS);
    story_run_until(story, "rollback applied", 2 * MINUTE_MS);
    assert_int_equal(story_count(story, "overdue"), 0);
    assert_int_equal(story_count(story, "(countdown)"), 1);
    story_end(story);

    story = consent_hurting(COUNTDOWN_POLICY("countdown 60s"));
    story_run(story, MINUTE_MS);
    story_crash(story);
    story_hurt(story, false);
    story_restart(story, 20 * MINUTE_MS);
    story_run(story, 5 * MINUTE_MS);
    assert_int_equal(story_count(story, "-> revert"), 0);
    assert_int_equal(story_count(story, "rollback cancelled (withdrawn)"), 1);
    story_end(story);
}

static void the_clock_takes_a_countdown_along(void **state)
{
    (void)state;
    struct story *story = consent_hurting(COUNTDOWN_POLICY("countdown 5m"));
    story_run(story, 2 * MINUTE_MS);
    time_ms acts_at = consent_newest(story).acts_at;
    story_clock_set(story, 2 * HOUR_MS);
    assert_int_equal(consent_newest(story).acts_at, acts_at + 2 * HOUR_MS);
    story_run(story, 3 * MINUTE_MS);
    assert_int_equal(story_count(story, "-> revert"), 0);
    story_run_until(story, "rollback applied", 4 * MINUTE_MS);
    story_end(story);
}

/* The policy changes its mind about who decides. */
static void the_mode_is_read_at_each_look(void **state)
{
    (void)state;
    struct story *story = consent_hurting(COUNTDOWN_POLICY("countdown 5m"));
    story_run(story, 2 * MINUTE_MS);
    story_policy(story, COUNTDOWN_POLICY("suggest"));
    story_run(story, 10 * MINUTE_MS);
    assert_int_equal(story_count(story, "rollback proposed (suggested)"), 1);
    assert_int_equal(story_count(story, "-> revert"), 0);
    assert_int_equal(consent_newest(story).acts_at, 0);
    story_policy(story, COUNTDOWN_POLICY("auto"));
    story_run_until(story, "rollback applied", 2 * MINUTE_MS);
    story_end(story);
}

static void nobody_decides_about_what_is_not_there(void **state)
{
    (void)state;
    struct story *story = consent_hurting(COUNTDOWN_POLICY("observe"));
    static const enum command_kind kinds[] = {COMMAND_APPROVE, COMMAND_CANCEL};
    for (size_t i = 0; i < 2; i++) {
        story_command(story, (struct command){.kind = kinds[i],
                                              .rollback = 4711,
                                              .reason = "late"});
        assert_int_equal(story->answer.answer.outcome, OUTCOME_NOT_FOUND);
        assert_non_null(strstr(story->answer.answer.text, "4711"));
    }
    story_run(story, 2 * MINUTE_MS);
    /* It would be rolled back, and nobody asks. */
    assert_int_equal(consent_say(story, COMMAND_APPROVE), OUTCOME_CONFLICT);
    assert_non_null(strstr(story->answer.answer.text, "lastgood rollback "));
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_leaves_when_nobody_says_no),
        cmocka_unit_test(a_ceiling_gives_people_a_minute),
        cmocka_unit_test(another_leaf_withdraws_it),
        cmocka_unit_test(what_cannot_be_seen_does_not_act),
        cmocka_unit_test(every_interlock_is_asked_at_the_end),
        cmocka_unit_test(a_yes_ends_the_waiting),
        cmocka_unit_test(a_yes_to_what_does_not_stand_waits_for_it),
        cmocka_unit_test(a_yes_overrules_no_interlock),
        cmocka_unit_test(a_no_mutes_its_leaf_for_half_an_hour),
        cmocka_unit_test(a_mute_is_a_recorded_refusal),
        cmocka_unit_test(a_person_may_order_what_is_muted),
        cmocka_unit_test(a_mute_stops_a_countdown_at_once),
        cmocka_unit_test(a_countdown_survives_a_restart),
        cmocka_unit_test(a_countdown_that_ended_meanwhile_wants_a_look),
        cmocka_unit_test(the_clock_takes_a_countdown_along),
        cmocka_unit_test(the_mode_is_read_at_each_look),
        cmocka_unit_test(nobody_decides_about_what_is_not_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
