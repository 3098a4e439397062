/* The straight road from a leaf to proven recovery, and its turns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "help_story.h"

static void a_bad_release_is_rolled_back_and_recovery_is_proven(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_hurt(story, true);
    story_run_until(story, "rollback applied", 10 * MINUTE_MS);
    story_hurt(story, false);
    story_run(story, 10 * MINUTE_MS);
    story_expect(story, "10:47 incident opened\n"
                        "10:47 verdict 1.1 rollback\n"
                        "10:47 release 1.1 suspect, none (rollback)\n"
                        "10:47 rollback proposed 1.1 -> 1.0\n"
                        "10:47 rollback intended (intended)\n"
                        "10:47 notice rollback to status\n"
                        "10:47 notice rollback to oncall\n"
                        "10:47 rollback requested (requested)\n"
                        "10:47 -> revert 1.1 -> 1.0\n"
                        "10:47 rollback in progress (accepted)\n"
                        "10:47 live 1.0 (incomplete)\n"
                        "10:52 live 1.0\n"
                        "10:52 rollback applied (applied)\n"
                        "10:52 rollback verifying (verifying)\n"
                        "12:47 rollback recovered (recovered)\n"
                        "12:47 notice recovered to status\n"
                        "12:47 notice recovered to oncall\n"
                        "12:47 incident closed (recovered)\n"
                        "12:47 release 1.0 good, good (put_live)\n");
    assert_int_equal(story_world(story, "shop")->reverts, 1);
    assert_int_equal(story_release(story, "shop", "1.1").state,
                     RELEASE_REVERTED);
    assert_int_equal(story_release(story, "shop", "1.1").grade, GRADE_TAINTED);
    assert_int_equal(story_gate(story, "shop", "1.2").gate, GATE_REFUSED);
    assert_string_equal(story_gate(story, "shop", "1.2").code, "frozen");
    story_end(story);
}

/* The first words of a page say what happened and what it needs. */
static void the_page_says_what_and_why_and_what_next(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_hurt(story, true);
    story_run_until(story, "rollback intended", 10 * MINUTE_MS);
    const struct release_view release = story_release(story, "shop", "1.1");
    struct rollback_view rollback;
    assert_true(view_rollback(story->core, release.rollback, &rollback));
    assert_string_equal(rollback.text,
                        "rolling back shop in prod from 1.1 to 1.0: "
                        "error_rate 20% > 5% for 1m");
    while (story->notified.kind != EFFECT_NOTIFY) {
        story_run(story, 1);
    }
    assert_string_equal(story->notified.notify.text,
                        "rolling back shop in prod from 1.1 to 1.0: "
                        "error_rate 20% > 5% for 1m. Deploys are frozen until "
                        "2023-11-15T22:10:47Z; 'lastgood thaw' ends it for a "
                        "fix");
    assert_string_equal(
        story_gate(story, "shop", "1.2").text,
        "shop in prod is frozen until 2023-11-15T22:10:47Z by lastgood: 1.1 "
        "was rolled back (error_rate 20% > 5% for 1m); 'lastgood thaw' ends "
        "it");
    story_end(story);
}

static void a_rollback_that_does_not_help_is_escalated(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_hurt(story, true);
    story_run_until(story, "rollback applied", 10 * MINUTE_MS);
    story_skip(story);
    story_run(story, 30 * MINUTE_MS);
    story_expect(story, "20:52 rollback not recovered (not_recovered)\n"
                        "20:52 notice escalated to status\n"
                        "20:52 notice escalated to oncall\n"
                        "20:52 release 1.0 good, good (put_live)\n");
    assert_true(story_service(story, "shop").incident != 0);
    assert_int_equal(story_world(story, "shop")->reverts, 1);
    story_end(story);
}

static void recovery_that_nobody_can_see_is_unverified(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_hurt(story, true);
    story_run_until(story, "rollback applied", 10 * MINUTE_MS);
    story_skip(story);
    story_metric_unknown(story, "requests", "shop", UNKNOWN_NO_DATA);
    story_run(story, 30 * MINUTE_MS);
    story_expect(story, "20:52 rollback unverified (unverified)\n"
                        "20:52 notice escalated to status\n"
                        "20:52 notice escalated to oncall\n"
                        "20:52 release 1.0 good, good (put_live)\n");
    story_end(story);
}

static void a_revert_whose_answer_is_lost_happens_once(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_world(story, "shop")->revert = DEPLOYER_LOSES_ANSWER;
    story_hurt(story, true);
    story_run_until(story, "rollback applied", 10 * MINUTE_MS);
    story_expect(story, "10:47 incident opened\n"
                        "10:47 verdict 1.1 rollback\n"
                        "10:47 release 1.1 suspect, none (rollback)\n"
                        "10:47 rollback proposed 1.1 -> 1.0\n"
                        "10:47 rollback intended (intended)\n"
                        "10:47 notice rollback to status\n"
                        "10:47 notice rollback to oncall\n"
                        "10:47 rollback requested (requested)\n"
                        "10:47 -> revert 1.1 -> 1.0\n"
                        "10:47 live 1.0 (incomplete)\n"
                        "10:47 rollback in progress (in_progress)\n"
                        "10:53 live 1.0\n"
                        "10:53 rollback applied (applied)\n"
                        "10:53 rollback verifying (verifying)\n");
    assert_int_equal(story_world(story, "shop")->reverts, 1);
    story_end(story);
}

static void
an_unreachable_target_is_tried_eight_times_then_escalated(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_world(story, "shop")->revert = DEPLOYER_FAILS;
    story_hurt(story, true);
    story_run_until(story, "rollback failed", 30 * MINUTE_MS);
    assert_int_equal(story_count(story, "-> revert"), REVERT_ATTEMPTS_MAX);
    assert_int_equal(story_count(story, "rollback failed (unreachable)"), 1);
    story_skip(story);
    story_run(story, 40 * MINUTE_MS); /* failed is final */
    story_expect(story, "12:13 -> history 660..720 s\n");
    assert_int_equal(story_world(story, "shop")->reverts, 0);
    story_end(story);
}

static void every_retry_carries_the_same_key(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_world(story, "shop")->revert = DEPLOYER_HANGS;
    story_hurt(story, true);
    story_run_until(story, "-> revert", 30 * MINUTE_MS);
    char first[64];
    strcpy(first, story->reverted.target.key);
    assert_true(first[0] != '\0');
    story_skip(story);
    story_run_until(story, "-> revert", 30 * MINUTE_MS);
    assert_string_equal(first, story->reverted.target.key);
    story_end(story);
}

static void a_refusal_of_the_target_is_final(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_world(story, "shop")->revert = DEPLOYER_REJECTS;
    story_hurt(story, true);
    story_run(story, 40 * MINUTE_MS);
    story_expect(story, "10:47 incident opened\n"
                        "10:47 verdict 1.1 rollback\n"
                        "10:47 release 1.1 suspect, none (rollback)\n"
                        "10:47 rollback proposed 1.1 -> 1.0\n"
                        "10:47 rollback intended (intended)\n"
                        "10:47 notice rollback to status\n"
                        "10:47 notice rollback to oncall\n"
                        "10:47 rollback requested (requested)\n"
                        "10:47 -> revert 1.1 -> 1.0\n"
                        "10:47 rollback failed (rejected)\n"
                        "10:47 notice escalated to status\n"
                        "10:47 notice escalated to oncall\n"
                        "10:47 -> history 585..645 s\n");
    story_end(story);
}

static void a_race_is_looked_at_once_and_not_tried_again(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_world(story, "shop")->revert = DEPLOYER_RACES;
    story_hurt(story, true);
    story_run(story, 40 * MINUTE_MS);
    story_expect(story, "10:47 incident opened\n"
                        "10:47 verdict 1.1 rollback\n"
                        "10:47 release 1.1 suspect, none (rollback)\n"
                        "10:47 rollback proposed 1.1 -> 1.0\n"
                        "10:47 rollback intended (intended)\n"
                        "10:47 notice rollback to status\n"
                        "10:47 notice rollback to oncall\n"
                        "10:47 rollback requested (requested)\n"
                        "10:47 -> revert 1.1 -> 1.0\n"
                        "10:47 rollback failed (raced)\n"
                        "10:47 notice escalated to status\n"
                        "10:47 notice escalated to oncall\n"
                        "10:47 -> history 585..645 s\n");
    story_end(story);
}

static void someone_was_faster_with_a_third_version(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_hurt(story, true);
    story_run_until(story, "rollback proposed", 10 * MINUTE_MS);
    story_deploy(story, "shop", "1.2", 0);
    story_run(story, 2 * MINUTE_MS);
    story_expect(story, "10:47 incident opened\n"
                        "10:47 verdict 1.1 rollback\n"
                        "10:47 release 1.1 suspect, none (rollback)\n"
                        "10:47 rollback proposed 1.1 -> 1.0\n"
                        "10:47 rollback intended (intended)\n"
                        "10:47 notice rollback to status\n"
                        "10:47 notice rollback to oncall\n"
                        "10:47 live 1.2\n"
                        "10:47 rollback failed (raced)\n"
                        "10:47 notice escalated to status\n"
                        "10:47 notice escalated to oncall\n"
                        "10:47 discovered 1.2\n"
                        "10:47 release 1.1 superseded, tainted (observed)\n"
                        "10:47 release 1.2 watching, none (live)\n"
                        "11:02 verdict 1.2 wait\n"
                        "11:02 -> history -15..645 s\n"
                        "11:02 baseline shop\n"
                        "12:47 verdict 1.2 rollback\n"
                        "12:47 release 1.2 suspect, none (rollback)\n"
                        "12:47 rollback proposed 1.2 -> 1.0\n"
                        "12:47 rollback refused (per_service)\n"
                        "12:47 notice refused to status\n"
                        "12:47 notice refused to oncall\n");
    assert_int_equal(story_world(story, "shop")->reverts, 0);
    story_end(story);
}

static void someone_was_faster_with_the_same_rollback(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_hurt(story, true);
    story_run_until(story, "rollback proposed", 10 * MINUTE_MS);
    story_deploy(story, "shop", "1.0", 0);
    story_hurt(story, false);
    story_run(story, 5 * MINUTE_MS);
    story_expect(story, "10:47 incident opened\n"
                        "10:47 verdict 1.1 rollback\n"
                        "10:47 release 1.1 suspect, none (rollback)\n"
                        "10:47 rollback proposed 1.1 -> 1.0\n"
                        "10:47 rollback intended (intended)\n"
                        "10:47 notice rollback to status\n"
                        "10:47 notice rollback to oncall\n"
                        "10:47 live 1.0\n"
                        "10:47 rollback applied (applied)\n"
                        "10:47 rollback verifying (verifying)\n"
                        "12:47 rollback recovered (recovered)\n"
                        "12:47 notice recovered to status\n"
                        "12:47 notice recovered to oncall\n"
                        "12:47 incident closed (recovered)\n"
                        "12:47 release 1.0 good, good (put_live)\n");
    assert_int_equal(story_world(story, "shop")->reverts, 0);
    story_end(story);
}

static void a_target_that_says_yes_and_does_nothing_is_found_out(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_world(story, "shop")->revert = DEPLOYER_IGNORES;
    story_hurt(story, true);
    story_run(story, 20 * MINUTE_MS);
    story_expect(story, "10:47 incident opened\n"
                        "10:47 verdict 1.1 rollback\n"
                        "10:47 release 1.1 suspect, none (rollback)\n"
                        "10:47 rollback proposed 1.1 -> 1.0\n"
                        "10:47 rollback intended (intended)\n"
                        "10:47 notice rollback to status\n"
                        "10:47 notice rollback to oncall\n"
                        "10:47 rollback requested (requested)\n"
                        "10:47 -> revert 1.1 -> 1.0\n"
                        "10:47 rollback in progress (accepted)\n"
                        "20:48 rollback failed (incomplete)\n"
                        "20:48 notice escalated to status\n"
                        "20:48 notice escalated to oncall\n"
                        "20:48 -> history 1185..1245 s\n");
    story_end(story);
}

static void a_slow_rollout_is_waited_for(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_world(story, "shop")->rollout = 4 * MINUTE_MS;
    story_hurt(story, true);
    story_run_until(story, "rollback applied", 10 * MINUTE_MS);
    story_expect(story, "10:47 incident opened\n"
                        "10:47 verdict 1.1 rollback\n"
                        "10:47 release 1.1 suspect, none (rollback)\n"
                        "10:47 rollback proposed 1.1 -> 1.0\n"
                        "10:47 rollback intended (intended)\n"
                        "10:47 notice rollback to status\n"
                        "10:47 notice rollback to oncall\n"
                        "10:47 rollback requested (requested)\n"
                        "10:47 -> revert 1.1 -> 1.0\n"
                        "10:47 rollback in progress (accepted)\n"
                        "10:47 live 1.0 (incomplete)\n"
                        "14:47 live 1.0\n"
                        "14:47 rollback applied (applied)\n"
                        "14:47 rollback verifying (verifying)\n");
    story_end(story);
}

static void what_cannot_be_seen_is_not_reverted(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_hurt(story, true);
    story_run_until(story, "incident opened", 10 * MINUTE_MS);
    story_world(story, "shop")->observe = DEPLOYER_FAILS;
    story_run(story, 20 * MINUTE_MS);
    story_expect(story, "10:47 incident opened\n"
                        "10:47 verdict 1.1 rollback\n"
                        "10:47 release 1.1 suspect, none (rollback)\n"
                        "10:47 rollback proposed 1.1 -> 1.0\n"
                        "10:47 rollback intended (intended)\n"
                        "10:47 notice rollback to status\n"
                        "10:47 notice rollback to oncall\n"
                        "20:50 rollback failed (unobservable)\n"
                        "20:50 notice escalated to status\n"
                        "20:50 notice escalated to oncall\n"
                        "20:50 -> history 1185..1245 s\n");
    assert_int_equal(story_world(story, "shop")->reverts, 0);
    story_end(story);
}

static void a_deploy_during_verification_leaves_it_unverified(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_hurt(story, true);
    story_run_until(story, "rollback applied", 10 * MINUTE_MS);
    story_skip(story);
    story_deploy(story, "shop", "1.2", 0);
    story_register(story, "shop", "1.2");
    story_run(story, 2 * MINUTE_MS);
    story_expect(story, "10:52 registered 1.2\n"
                        "10:52 live 1.2\n"
                        "10:52 rollback unverified (overtaken)\n"
                        "10:52 notice escalated to status\n"
                        "10:52 notice escalated to oncall\n"
                        "10:52 release 1.2 watching, none (live)\n"
                        "11:02 verdict 1.2 wait\n"
                        "11:02 -> history -15..645 s\n"
                        "11:02 baseline shop\n"
                        "12:47 verdict 1.2 rollback\n"
                        "12:47 release 1.2 suspect, none (rollback)\n"
                        "12:47 rollback proposed 1.2 -> 1.0\n"
                        "12:47 rollback refused (per_service)\n"
                        "12:47 notice refused to status\n"
                        "12:47 notice refused to oncall\n");
    story_end(story);
}

static void the_echo_of_our_own_rollback_is_no_new_release(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_hurt(story, true);
    story_run_until(story, "rollback applied", 10 * MINUTE_MS);
    story_run(story, SECOND_MS);
    story_skip(story);
    story_register(story, "shop", "1.0");
    assert_int_equal(story->answer.answer.outcome, OUTCOME_ALREADY);
    assert_string_equal(story->answer.answer.code, "echo");
    assert_int_equal(story->answer.answer.release,
                     story_release(story, "shop", "1.0").id);
    assert_string_equal(story->transcript, "");
    story_end(story);
}

/* The kill switch stops even what was intended. */
static void a_stop_file_after_the_intent_stops_the_request(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_world(story, "shop")->observe = DEPLOYER_FAILS;
    story_hurt(story, true);
    story_run_until(story, "rollback intended", 10 * MINUTE_MS);
    story_stop_file(story, true);
    story_world(story, "shop")->observe = DEPLOYER_WORKS;
    story_skip(story);
    story_run(story, 5 * MINUTE_MS);
    story_expect(story, "10:47 rollback failed (stopped)\n"
                        "10:47 notice escalated to status\n"
                        "10:47 notice escalated to oncall\n"
                        "10:47 -> history 585..645 s\n");
    assert_int_equal(story_world(story, "shop")->reverts, 0);
    story_end(story);
}

static void what_was_put_live_and_deployed_anew_is_watched_again(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_hurt(story, true);
    story_run_until(story, "rollback applied", 10 * MINUTE_MS);
    story_hurt(story, false);
    story_run_until(story, "incident closed", 10 * MINUTE_MS);
    story_run(story, MINUTE_MS);
    story_skip(story);
    story_register(story, "shop", "1.0"); /* no echo any more */
    story_run(story, 2 * MINUTE_MS);
    story_expect(story, "13:47 registered 1.0\n"
                        "13:47 release 1.0 superseded, good (observed)\n"
                        "13:47 release 1.0 watching, none (live)\n"
                        "14:02 verdict 1.0 wait\n"
                        "14:02 -> history 165..825 s\n"
                        "14:02 baseline shop\n"
                        "15:02 verdict 1.0 healthy\n");
    story_end(story);
}

static void an_order_that_was_refused_is_not_carried_out_later(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story->services[0].ceiling = MODE_OBSERVE;
    story_stop_file(story, true);
    story_command(story, (struct command){
                             .kind = COMMAND_ROLLBACK,
                             .release = story_release(story, "shop", "1.1").id,
                             .reason = "customers call"});
    assert_int_equal(story->answer.answer.outcome, OUTCOME_REFUSED);
    story_stop_file(story, false);
    story_hurt(story, true);
    story_run(story, 5 * MINUTE_MS);
    story_expect(story, "10:00 stop file yes\n"
                        "10:00 commanded rollback\n"
                        "10:00 incident opened\n"
                        "10:00 rollback proposed 1.1 -> 1.0\n"
                        "10:00 rollback refused (stop)\n"
                        "10:00 notice refused to oncall\n"
                        "10:00 incident closed (refused)\n"
                        "10:00 stop file no\n"
                        "10:47 incident opened\n"
                        "10:47 verdict 1.1 rollback\n"
                        "10:47 release 1.1 suspect, none (rollback)\n"
                        "10:47 rollback proposed 1.1 -> 1.0\n"
                        "10:47 rollback refused (mode)\n"
                        "10:47 notice refused to status\n"
                        "10:47 notice refused to oncall\n");
    story_end(story);
}

static void what_failed_is_final_whatever_was_refused_since(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_world(story, "shop")->revert = DEPLOYER_REJECTS;
    story_hurt(story, true);
    story_run_until(story, "rollback failed", 5 * MINUTE_MS);
    story_command(story, (struct command){
                             .kind = COMMAND_ROLLBACK,
                             .release = story_release(story, "shop", "1.1").id,
                             .reason = "once more"});
    assert_int_equal(story->answer.answer.outcome, OUTCOME_REFUSED);
    story_skip(story);
    story_run(story, 40 * MINUTE_MS); /* longer than the budget's time */
    assert_int_equal(story_count(story, "rollback"), 0);
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bad_release_is_rolled_back_and_recovery_is_proven),
        cmocka_unit_test(the_page_says_what_and_why_and_what_next),
        cmocka_unit_test(a_rollback_that_does_not_help_is_escalated),
        cmocka_unit_test(recovery_that_nobody_can_see_is_unverified),
        cmocka_unit_test(a_revert_whose_answer_is_lost_happens_once),
        cmocka_unit_test(
            an_unreachable_target_is_tried_eight_times_then_escalated),
        cmocka_unit_test(every_retry_carries_the_same_key),
        cmocka_unit_test(a_refusal_of_the_target_is_final),
        cmocka_unit_test(a_race_is_looked_at_once_and_not_tried_again),
        cmocka_unit_test(someone_was_faster_with_a_third_version),
        cmocka_unit_test(someone_was_faster_with_the_same_rollback),
        cmocka_unit_test(a_target_that_says_yes_and_does_nothing_is_found_out),
        cmocka_unit_test(a_slow_rollout_is_waited_for),
        cmocka_unit_test(what_cannot_be_seen_is_not_reverted),
        cmocka_unit_test(a_deploy_during_verification_leaves_it_unverified),
        cmocka_unit_test(the_echo_of_our_own_rollback_is_no_new_release),
        cmocka_unit_test(a_stop_file_after_the_intent_stops_the_request),
        cmocka_unit_test(what_was_put_live_and_deployed_anew_is_watched_again),
        cmocka_unit_test(an_order_that_was_refused_is_not_carried_out_later),
        cmocka_unit_test(what_failed_is_final_whatever_was_refused_since),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
