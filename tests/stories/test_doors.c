/* What pipelines and people ask for: register, adopt, gate, freeze, close. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "help_story.h"

static enum outcome outcome_of(const struct story *story)
{
    return story->answer.answer.outcome;
}

static struct registration of(const char *version)
{
    return (struct registration){.service = "shop",
                                 .environment = "prod",
                                 .version = version,
                                 .data_change = "none"};
}

static void the_same_key_and_body_is_one_release(void **state)
{
    (void)state;
    struct story *story = story_settled();
    struct registration registration = of("1.1");
    registration.key = "build-7";
    registration.key_digest = "aa";
    story_registration(story, &registration);
    assert_int_equal(outcome_of(story), OUTCOME_DONE);
    uint64_t release = story->answer.answer.release;
    story_skip(story);
    story_registration(story, &registration);
    assert_int_equal(outcome_of(story), OUTCOME_ALREADY);
    assert_int_equal(story->answer.answer.release, release);
    registration.key_digest = "bb";
    story_registration(story, &registration);
    assert_int_equal(outcome_of(story), OUTCOME_CONFLICT);
    assert_string_equal(story->transcript, "");
    registration.key = "build-8"; /* the same version, deployed anew */
    story_registration(story, &registration);
    assert_int_equal(outcome_of(story), OUTCOME_DONE);
    story_end(story);
}

static void without_a_key_the_same_version_is_one_release(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_register(story, "shop", "1.1");
    assert_int_equal(outcome_of(story), OUTCOME_ALREADY);
    assert_string_equal(story->transcript, "");
    struct registration registration = of("1.1");
    registration.deployed_at = story->now - SECOND_MS;
    story_registration(story, &registration);
    assert_int_equal(outcome_of(story), OUTCOME_DONE);
    story_end(story);
}

static void what_is_wrong_is_refused_with_a_sentence(void **state)
{
    (void)state;
    struct story *story = story_settled();
    struct registration wrong[8];
    for (size_t i = 0; i < 8; i++) {
        wrong[i] = of("1.1");
    }
    wrong[0].version = "../1.1";
    wrong[1].service = "";
    wrong[2].environment = NULL;
    wrong[3].data_change = "maybe";
    wrong[4].deployed_at = story->now + REGISTRATION_AHEAD_MS + 1;
    wrong[5].previous = "1 0";
    wrong[6].compatible_from = "..";
    wrong[7].deployed_at = -1;
    for (size_t i = 0; i < 8; i++) {
        story_registration(story, &wrong[i]);
        assert_int_equal(outcome_of(story), OUTCOME_INVALID);
        assert_true(story->answer.answer.text[0] != '\0');
    }
    assert_string_equal(story->transcript, "");
    struct registration unknown = of("1.1");
    unknown.service = "nobody";
    story_registration(story, &unknown);
    assert_int_equal(outcome_of(story), OUTCOME_REFUSED);
    assert_string_equal(
        story->answer.answer.text,
        "no entry of services: matches nobody in prod; add {service: nobody, "
        "environment: prod, target: ..., source: ...} to the configuration");
    story_end(story);
}

static void without_a_policy_it_is_recorded_and_unwatched(void **state)
{
    (void)state;
    static const char *const shop[] = {"shop"};
    struct story *story = story_new(shop, 1);
    story_start(story);
    story_run(story, SECOND_MS);
    story_deploy(story, "shop", "1.1", 0);
    story_register(story, "shop", "1.1");
    assert_int_equal(outcome_of(story), OUTCOME_UNWATCHED);
    story_run(story, MINUTE_MS);
    story_expect(story, "00:00 started 1\n"
                        "00:00 live 1.0\n"
                        "00:00 discovered 1.0\n"
                        "00:00 release 1.0 unwatched, none (no_policy)\n"
                        "00:01 registered 1.1\n"
                        "00:01 release 1.1 unwatched, none (no_policy)\n"
                        "00:01 live 1.1\n"
                        "00:01 release 1.0 superseded, none (observed)\n");
    story_end(story);
}

static void the_previous_version_is_recorded_without_a_grade(void **state)
{
    (void)state;
    static const char *const shop[] = {"shop"};
    struct story *story = story_new(shop, 1);
    story_world(story, "shop")->observe = DEPLOYER_FAILS;
    story_start(story);
    story_policy(story, STORY_POLICY);
    struct registration registration = of("1.1");
    registration.previous = "1.0";
    story_registration(story, &registration);
    story_expect(story, "00:00 started 1\n"
                        "00:00 policy_set shop\n"
                        "00:00 discovered 1.0\n"
                        "00:00 registered 1.1\n");
    assert_int_equal(story_release(story, "shop", "1.0").grade, GRADE_NONE);
    assert_int_equal(story_release(story, "shop", "1.1").last_good, 0);
    story_end(story);
}

static void an_old_deploy_told_late_is_superseded(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    struct registration registration = of("0.9");
    registration.deployed_at = STORY_START - HOUR_MS;
    story_registration(story, &registration);
    assert_int_equal(outcome_of(story), OUTCOME_UNWATCHED);
    story_run(story, MINUTE_MS);
    story_expect(story, "10:00 registered 0.9\n"
                        "10:00 release 0.9 superseded, none (older)\n");
    story_end(story);
}

static void compatibility_is_read_from_the_ledger(void **state)
{
    (void)state;
    struct story *story = story_settled();
    struct registration first = of("1.1");
    first.data_change = "contract";
    first.compatible_from = "1.0"; /* says more than data_change */
    story_registration(story, &first);
    assert_int_equal(story_release(story, "shop", "1.1").rollback_safe,
                     ANSWER_YES);
    struct registration second = of("1.2");
    second.compatible_from = "1.1"; /* 1.0 is older than that */
    story_registration(story, &second);
    assert_int_equal(story_release(story, "shop", "1.2").rollback_safe,
                     ANSWER_NO);
    struct registration third = of("1.3");
    third.compatible_from = "1.3"; /* no way back */
    story_registration(story, &third);
    assert_int_equal(story_release(story, "shop", "1.3").rollback_safe,
                     ANSWER_NO);
    story_end(story);
}

static void an_unsafe_release_between_makes_the_pair_unsafe(void **state)
{
    (void)state;
    struct story *story = story_settled();
    struct registration first = of("1.1");
    first.data_change = NULL;
    story_registration(story, &first);
    struct registration second = of("1.2");
    story_registration(story, &second);
    assert_int_equal(story_release(story, "shop", "1.2").rollback_safe,
                     ANSWER_UNKNOWN);
    first = of("1.1.1");
    first.data_change = "irreversible";
    story_registration(story, &first);
    second = of("1.3");
    story_registration(story, &second);
    assert_int_equal(story_release(story, "shop", "1.3").rollback_safe,
                     ANSWER_NO);
    story_end(story);
}

static void a_full_ledger_refuses_and_the_gate_says_so(void **state)
{
    (void)state;
    static const char *const shop[] = {"shop", "cart", "mail"};
    struct story *story = story_new(shop, 3);
    story->options.releases_max = 2;
    story->world[0].observe = DEPLOYER_FAILS;
    story->world[1].observe = DEPLOYER_FAILS;
    story->world[2].observe = DEPLOYER_FAILS;
    story_start(story);
    story_policy(story, STORY_POLICY);
    story_register(story, "shop", "1.1");
    story_register(story, "cart", "1.1");
    assert_int_equal(outcome_of(story), OUTCOME_DONE);
    story_register(story, "mail", "1.1");
    assert_int_equal(outcome_of(story), OUTCOME_FULL);
    assert_string_equal(story_gate(story, "mail", "1.1").code, "full");
    story_end(story);
}

static void old_releases_are_forgotten_but_never_the_last_good(void **state)
{
    (void)state;
    struct story *story = story_settled();
    for (int i = 0; i < 100; i++) {
        char version[16];
        snprintf(version, sizeof version, "2.%d", i);
        story_deploy(story, "shop", version, 0);
        story_register(story, "shop", version);
        assert_int_equal(outcome_of(story), OUTCOME_DONE);
        story_run(story, 20 * SECOND_MS);
    }
    assert_string_equal(story_release(story, "shop", "2.99").last_good_version,
                        "1.0");
    struct core_counts counts;
    view_counts(story->core, &counts);
    assert_int_equal(counts.releases, RELEASES_PER_SERVICE_MAX);
    story_end(story);
}

static void a_freeze_closes_the_gate_until_it_ends(void **state)
{
    (void)state;
    struct story *story = story_settled();
    assert_int_equal(story_gate(story, "shop", "1.1").gate, GATE_GO);
    struct command freeze = {.kind = COMMAND_FREEZE,
                             .service = "shop",
                             .environment = "prod",
                             .span = HOUR_MS,
                             .reason = "sale"};
    story_command(story, freeze);
    assert_int_equal(outcome_of(story), OUTCOME_DONE);
    struct gate_view gate = story_gate(story, "shop", "1.1");
    assert_string_equal(gate.code, "frozen");
    assert_string_equal(gate.text, "shop in prod is frozen until "
                                   "2023-11-14T23:05:00Z by ann: sale; "
                                   "'lastgood thaw' ends it");
    story_run(story, HOUR_MS + SECOND_MS);
    assert_int_equal(story_gate(story, "shop", "1.1").gate, GATE_GO);
    story_command(story, freeze);
    story_command(story, (struct command){.kind = COMMAND_THAW,
                                          .service = "shop",
                                          .environment = "prod",
                                          .reason = "over"});
    assert_int_equal(story_gate(story, "shop", "1.1").gate, GATE_GO);
    story_end(story);
}

static void the_gate_knows_suspects_taints_and_strangers(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    assert_int_equal(story_gate(story, "nobody", "1").gate, GATE_UNKNOWN);
    story_hurt(story, true);
    story_stop_file(story, true);
    story_run(story, 3 * MINUTE_MS);
    assert_string_equal(story_gate(story, "shop", "1.2").code, "suspect");
    story_stop_file(story, false);
    story_run_until(story, "rollback applied", MINUTE_MS);
    story_command(story, (struct command){.kind = COMMAND_THAW,
                                          .service = "shop",
                                          .environment = "prod",
                                          .reason = "fix"});
    assert_string_equal(story_gate(story, "shop", "1.1").code, "tainted");
    assert_int_equal(story_gate(story, "shop", "1.2").gate, GATE_GO);
    story_end(story);
}

static void a_person_holds_and_resumes(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    struct command command = {.kind = COMMAND_HOLD,
                              .release = story_release(story, "shop", "1.1").id,
                              .reason = "odd"};
    story_command(story, command);
    assert_string_equal(story_gate(story, "shop", "1.2").code, "held");
    command.kind = COMMAND_RESUME;
    story_command(story, command);
    story_command(story, command);
    assert_int_equal(outcome_of(story), OUTCOME_CONFLICT);
    story_expect(story, "10:00 commanded hold\n"
                        "10:00 release 1.1 held, none (person)\n"
                        "10:00 notice hold to oncall\n"
                        "10:00 commanded resume\n"
                        "10:00 release 1.1 watching, none (resumed)\n");
    story_end(story);
}

static void a_person_closes_what_a_rollback_left_open(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_world(story, "shop")->revert = DEPLOYER_REJECTS;
    story_hurt(story, true);
    story_run_until(story, "rollback failed", 10 * MINUTE_MS);
    story_run(story, SECOND_MS);
    story_skip(story);
    story_command(story, (struct command){
                             .kind = COMMAND_CLOSE,
                             .incident = story_service(story, "shop").incident,
                             .reason = "known"});
    assert_int_equal(outcome_of(story), OUTCOME_DONE);
    story_run(story, 5 * MINUTE_MS);
    story_expect(story, "10:48 commanded close\n"
                        "10:48 release 1.1 watching, tainted (closed)\n"
                        "10:48 incident closed (closed)\n");
    story_end(story);
}

static void an_override_is_recorded_and_paged(void **state)
{
    (void)state;
    struct story *story = story_settled();
    struct command override = {.kind = COMMAND_OVERRIDE,
                               .service = "shop",
                               .environment = "prod",
                               .version = "1.1"};
    story_command(story, override);
    assert_int_equal(outcome_of(story), OUTCOME_INVALID);
    override.reason = "the fix";
    story_command(story, override);
    story_expect(story, "05:00 commanded override\n"
                        "05:00 notice override to oncall\n");
    assert_string_equal(story->notified.notify.version, "1.1");
    story_end(story);
}

static void an_adopted_version_lifts_its_taint(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_hurt(story, true);
    story_run_until(story, "rollback applied", 10 * MINUTE_MS);
    story_hurt(story, false);
    story_run_until(story, "incident closed", 10 * MINUTE_MS);
    story_command(story, (struct command){.kind = COMMAND_THAW,
                                          .service = "shop",
                                          .environment = "prod",
                                          .reason = "fix"});
    assert_string_equal(story_gate(story, "shop", "1.1").code, "tainted");
    story_adopt(story, "shop", "1.1");
    assert_int_equal(story_gate(story, "shop", "1.1").gate, GATE_GO);
    story_end(story);
}

/* A typing error is not what everybody goes back to. */
static void a_version_that_was_never_seen_is_not_adopted(void **state)
{
    (void)state;
    struct story *story = story_settled();
    story_adopt(story, "shop", "1.O");
    assert_int_equal(outcome_of(story), OUTCOME_NOT_FOUND);
    assert_string_equal(
        story->answer.answer.text,
        "1.O of shop was never seen in prod: live is 1.0. Adopt that, or tell "
        "of an older version with the next registration ('lastgood register "
        "--previous 1.O')");
    assert_string_equal(story->transcript, "");
    struct registration next = of("1.1");
    next.previous = "0.9";
    story_registration(story, &next);
    story_adopt(story, "shop", "0.9");
    assert_int_equal(outcome_of(story), OUTCOME_DONE);
    story_end(story);
}

/* Whichever comes to our ears first, what is live or what is coming: the
 * answer and the ledger are the same. */
static void a_stranger_that_is_live_is_what_the_deploy_replaces(void **state)
{
    (void)state;
    static const char *const shop[] = {"shop"};
    for (int seen_first = 0; seen_first < 2; seen_first++) {
        struct story *story = story_new(shop, 1);
        story_start(story);
        story_policy(story, STORY_POLICY);
        if (seen_first) {
            story_run(story, SECOND_MS);
        }
        story_register(story, "shop", "1.1");
        assert_int_equal(outcome_of(story), OUTCOME_DONE);
        assert_string_equal(
            story->answer.answer.text,
            seen_first ? "registered; it is watched from when it is seen live "
                         "(now live: 1.0)"
                       : "registered; it is watched from when it is seen "
                         "live");
        story_run(story, MINUTE_MS);
        assert_int_equal(story_release(story, "shop", "1.1").state,
                         RELEASE_CANDIDATE);
        story_deploy(story, "shop", "1.1", 0);
        story_run(story, MINUTE_MS);
        assert_int_equal(story_release(story, "shop", "1.1").state,
                         RELEASE_WATCHING);
        assert_int_equal(story_release(story, "shop", "1.0").state,
                         RELEASE_SUPERSEDED);
        story_end(story);
    }
}

/* Its time to roll out is over: what is seen instead came after it. */
static void an_old_deploy_is_over_when_a_stranger_is_seen(void **state)
{
    (void)state;
    static const char *const shop[] = {"shop"};
    struct story *story = story_new(shop, 1);
    story_start(story);
    story_policy(story, STORY_POLICY);
    struct registration registration = of("0.9");
    registration.deployed_at = story->now - HOUR_MS;
    story_registration(story, &registration);
    story_run(story, MINUTE_MS);
    assert_int_equal(story_release(story, "shop", "0.9").state,
                     RELEASE_SUPERSEDED);
    registration.version = "0.8";
    story_registration(story, &registration);
    assert_int_equal(outcome_of(story), OUTCOME_UNWATCHED);
    assert_string_equal(
        story->answer.answer.text,
        "recorded, but nobody watches it: 1.0 is live, and newer");
    story_end(story);
}

static void refusals_name_what_they_are_about(void **state)
{
    (void)state;
    struct story *story = story_settled();
    story_command(story,
                  (struct command){.kind = COMMAND_HOLD, .release = 999});
    assert_string_equal(story->answer.answer.text,
                        "there is no release 999; 'lastgood status' shows "
                        "what there is");
    story_command(story, (struct command){.kind = COMMAND_FREEZE,
                                          .service = "nobody",
                                          .environment = "prod"});
    assert_string_equal(story->answer.answer.text,
                        "no entry of services: in the configuration matches "
                        "nobody in prod");
    story_command(story, (struct command){.kind = COMMAND_THAW,
                                          .service = "shop",
                                          .environment = "prod"});
    assert_string_equal(story->answer.answer.text,
                        "deploys of shop into prod are not frozen");
    story_end(story);
}

static void nothing_is_known_of_strangers(void **state)
{
    (void)state;
    struct story *story = story_settled();
    struct command command = {.kind = COMMAND_HOLD, .release = 999};
    story_command(story, command);
    assert_int_equal(outcome_of(story), OUTCOME_NOT_FOUND);
    command.kind = COMMAND_ROLLBACK;
    story_command(story, command);
    assert_int_equal(outcome_of(story), OUTCOME_NOT_FOUND);
    command = (struct command){.kind = COMMAND_CLOSE, .incident = 999};
    story_command(story, command);
    assert_int_equal(outcome_of(story), OUTCOME_NOT_FOUND);
    command = (struct command){.kind = COMMAND_ADOPT,
                               .service = "nobody",
                               .environment = "prod",
                               .version = "1"};
    story_command(story, command);
    assert_int_equal(outcome_of(story), OUTCOME_NOT_FOUND);
    assert_string_equal(story->transcript, "");
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_key_and_body_is_one_release),
        cmocka_unit_test(a_version_that_was_never_seen_is_not_adopted),
        cmocka_unit_test(a_stranger_that_is_live_is_what_the_deploy_replaces),
        cmocka_unit_test(an_old_deploy_is_over_when_a_stranger_is_seen),
        cmocka_unit_test(refusals_name_what_they_are_about),
        cmocka_unit_test(without_a_key_the_same_version_is_one_release),
        cmocka_unit_test(what_is_wrong_is_refused_with_a_sentence),
        cmocka_unit_test(without_a_policy_it_is_recorded_and_unwatched),
        cmocka_unit_test(the_previous_version_is_recorded_without_a_grade),
        cmocka_unit_test(an_old_deploy_told_late_is_superseded),
        cmocka_unit_test(compatibility_is_read_from_the_ledger),
        cmocka_unit_test(an_unsafe_release_between_makes_the_pair_unsafe),
        cmocka_unit_test(a_full_ledger_refuses_and_the_gate_says_so),
        cmocka_unit_test(old_releases_are_forgotten_but_never_the_last_good),
        cmocka_unit_test(a_freeze_closes_the_gate_until_it_ends),
        cmocka_unit_test(the_gate_knows_suspects_taints_and_strangers),
        cmocka_unit_test(a_person_holds_and_resumes),
        cmocka_unit_test(a_person_closes_what_a_rollback_left_open),
        cmocka_unit_test(an_override_is_recorded_and_paged),
        cmocka_unit_test(an_adopted_version_lifts_its_taint),
        cmocka_unit_test(nothing_is_known_of_strangers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
