/* Incidents: who is in them, what they remember, how they end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "help_story.h"

static void told(struct story *story, const char *version, const char *change)
{
    story_deploy(story, "shop", version, 0);
    struct registration registration = {.service = "shop",
                                        .environment = "prod",
                                        .version = version,
                                        .data_change = change};
    story_registration(story, &registration);
}

static void ordered(struct story *story, enum command_kind kind,
                    const char *version)
{
    story_command(
        story,
        (struct command){.kind = kind,
                         .release = story_release(story, "shop", version).id,
                         .incident = story_service(story, "shop").incident,
                         .reason = "so"});
}

/* Whatever its leaf says later: a hold ends with `resume` or a newer release.
 */
static void what_is_held_stays_held_through_a_suspicion(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    ordered(story, COMMAND_HOLD, "1.1");
    story_stop_file(story, true);
    story_hurt(story, true);
    story_run(story, 3 * MINUTE_MS);
    story_hurt(story, false);
    story_run(story, 15 * MINUTE_MS);
    assert_int_equal(story_count(story, "rollback refused (stop)"), 1);
    assert_int_equal(story_count(story, "incident closed (quiet)"), 1);
    assert_int_equal(story_release(story, "shop", "1.1").state, RELEASE_HELD);
    assert_string_equal(story_gate(story, "shop", "1.2").code, "held");
    ordered(story, COMMAND_RESUME, "1.1");
    assert_int_equal(story_gate(story, "shop", "1.2").gate, GATE_GO);
    story_end(story);
}

static void a_good_release_that_was_held_is_good_again(void **state)
{
    (void)state;
    struct story *story = story_settled();
    ordered(story, COMMAND_HOLD, "1.0");
    assert_int_equal(story_release(story, "shop", "1.0").state, RELEASE_HELD);
    ordered(story, COMMAND_RESUME, "1.0");
    assert_int_equal(story_release(story, "shop", "1.0").state, RELEASE_GOOD);
    story_end(story);
}

/* The incident of the release before is open still: a leaf's effects fire once
 * for each release. */
static void a_newer_release_in_an_open_incident_is_held_too(void **state)
{
    (void)state;
    struct story *story = story_settled();
    told(story, "1.1", "contract");
    story_run(story, 5 * MINUTE_MS);
    story_hurt(story, true);
    story_run_until(story, "release 1.1 held", 5 * MINUTE_MS);
    story_hurt(story, false); /* the fix is on its way */
    story_run(story, 2 * MINUTE_MS);
    told(story, "1.2", "contract");
    story_run(story, 3 * MINUTE_MS);
    story_skip(story);
    story_hurt(story, true);
    story_run(story, 3 * MINUTE_MS);
    assert_int_equal(story_count(story, "incident opened"), 0);
    assert_int_equal(story_count(story, "release 1.2 held, none (hold)"), 1);
    assert_int_equal(story_count(story, "notice hold to oncall"), 1);
    assert_string_equal(story_gate(story, "shop", "1.3").code, "held");
    story_end(story);
}

static void a_newer_release_in_an_open_incident_is_suspected_too(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story_world(story, "shop")->revert = DEPLOYER_REJECTS;
    story_hurt(story, true);
    story_run_until(story, "rollback failed", 5 * MINUTE_MS);
    story_hurt(story, false);
    told(story, "1.2", "none");
    story_run(story, 3 * MINUTE_MS);
    story_hurt(story, true);
    story_run(story, 3 * MINUTE_MS);
    assert_int_equal(story_release(story, "shop", "1.2").state,
                     RELEASE_SUSPECT);
    story_command(story, (struct command){.kind = COMMAND_THAW,
                                          .service = "shop",
                                          .environment = "prod",
                                          .reason = "fix"});
    assert_string_equal(story_gate(story, "shop", "1.3").code, "suspect");
    story_end(story);
}

/* A person closes it while the trouble stands: quiet for half an hour. */
static void what_stands_after_a_person_closed_it_opens_another(void **state)
{
    (void)state;
    struct story *story = story_settled();
    told(story, "1.1", "contract");
    story_run(story, 5 * MINUTE_MS);
    story_hurt(story, true);
    story_run_until(story, "release 1.1 held", 5 * MINUTE_MS);
    ordered(story, COMMAND_CLOSE, "1.1");
    story_skip(story);
    story_run(story, 29 * MINUTE_MS);
    story_expect(story, "");
    story_run(story, 5 * MINUTE_MS);
    story_expect(story, "40:47 incident opened\n"
                        "40:47 verdict 1.1 hold\n"
                        "40:47 notice hold to status\n"
                        "40:47 notice hold to oncall\n");
    story_end(story);
}

/* Somebody orders it, somebody else closes the incident before it is known
 * whether the last good version is still there. */
static void an_order_in_an_incident_that_is_closed_is_cancelled(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story->target.can_check = true;
    story_crash(story);
    story_restart(story, SECOND_MS);
    story_run(story, MINUTE_MS);
    story_world(story, "shop")->takes = 5 * SECOND_MS;
    story_skip(story);
    ordered(story, COMMAND_ROLLBACK, "1.1");
    story_run(story, SECOND_MS);
    ordered(story, COMMAND_CLOSE, "1.1");
    story_run(story, MINUTE_MS);
    story_expect(story, "11:01 commanded rollback\n"
                        "11:01 incident opened\n"
                        "11:01 rollback proposed 1.1 -> 1.0\n"
                        "11:01 -> has 1.0\n"
                        "11:02 commanded close\n"
                        "11:02 rollback cancelled (closed)\n"
                        "11:02 notice cancelled to oncall\n"
                        "11:02 incident closed (closed)\n");
    story_end(story);
}

/* A suggestion that comes and goes is told once in half an hour. */
static void a_suggestion_that_flaps_is_told_once(void **state)
{
    (void)state;
    struct story *story = story_deployed();
    story->options.ceiling = MODE_SUGGEST;
    story_crash(story);
    story_restart(story, SECOND_MS);
    story_run(story, 3 * MINUTE_MS);
    story_skip(story);
    for (int i = 0; i < 4; i++) {
        story_hurt(story, true);
        story_run(story, 2 * MINUTE_MS);
        story_hurt(story, false);
        story_run(story, 2 * MINUTE_MS);
    }
    assert_int_equal(story_count(story, "incident opened"), 1);
    assert_int_equal(story_count(story, "rollback proposed (suggested)"), 4);
    assert_int_equal(story_count(story, "notice proposed to oncall"), 1);
    story_end(story);
}

/* The excuse is asked first, and ends: what they blame then counts together. */
static const char excusing[] =
    "policy: shop\n"
    "mode: auto\n"
    "signals:\n"
    "  errors: {prometheus: errors, select: {service: release.service},\n"
    "           unit: per_second}\n"
    "  load: {prometheus: load, select: {service: release.service},\n"
    "         unit: per_second}\n"
    "tree:\n"
    "  question: Are users hurt?\n"
    "  if: errors > 10/s for 1m\n"
    "  else: healthy\n"
    "  then:\n"
    "    question: Does the load explain it?\n"
    "    if: load > 500/s\n"
    "    then: {page: 'load, not the release', blame: none}\n"
    "    else: {rollback: last_good}\n";

static void a_shared_cause_that_was_excused_first_still_counts(void **state)
{
    (void)state;
    static const char *const few[] = {"shop", "cart", "mail"};
    struct story *story = story_new(few, 3);
    story_metric_at(story, "errors", "*", STORY_START - HOUR_MS, 0.1);
    story_metric_at(story, "load", "*", STORY_START - HOUR_MS, 1000);
    story_start(story);
    story_policy(story, excusing);
    for (size_t i = 0; i < 3; i++) {
        story_adopt(story, few[i], "1.0");
        story_run(story, MINUTE_MS);
        story_deploy(story, few[i], "1.1", 0);
        story_register(story, few[i], "1.1");
    }
    story_run(story, 5 * MINUTE_MS);
    story_metric(story, "errors", "*", 20);
    story_run(story, 20 * MINUTE_MS);
    assert_int_equal(story_count(story, "verdict 1.1 page"), 3);
    story_metric(story, "load", "*", 100);
    story_run(story, 5 * MINUTE_MS);
    assert_int_equal(story_count(story, "rollback refused (shared_cause)"), 3);
    assert_int_equal(story_count(story, "-> revert"), 0);
    story_end(story);
}

/* Three orders of people are no trouble that services share. */
static void what_people_order_is_no_shared_cause(void **state)
{
    (void)state;
    static const char *const few[] = {"shop", "cart", "mail"};
    struct story *story = story_new(few, 3);
    story_metric_at(story, "errors", "*", STORY_START - HOUR_MS, 0.1);
    story_metric_at(story, "load", "*", STORY_START - HOUR_MS, 100);
    story_start(story);
    story_policy(story, excusing);
    for (size_t i = 0; i < 3; i++) {
        story_adopt(story, few[i], "1.0");
        story_run(story, MINUTE_MS);
        story_deploy(story, few[i], "1.1", 0);
        story_register(story, few[i], "1.1");
    }
    story_run(story, 5 * MINUTE_MS);
    for (size_t i = 0; i < 3; i++) {
        struct command order = {.kind = COMMAND_ROLLBACK,
                                .release =
                                    story_release(story, few[i], "1.1").id,
                                .reason = "a bad library"};
        story_command(story, order);
        assert_int_equal(story->answer.answer.outcome, OUTCOME_DONE);
    }
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_held_stays_held_through_a_suspicion),
        cmocka_unit_test(a_good_release_that_was_held_is_good_again),
        cmocka_unit_test(a_newer_release_in_an_open_incident_is_held_too),
        cmocka_unit_test(a_newer_release_in_an_open_incident_is_suspected_too),
        cmocka_unit_test(what_stands_after_a_person_closed_it_opens_another),
        cmocka_unit_test(an_order_in_an_incident_that_is_closed_is_cancelled),
        cmocka_unit_test(a_suggestion_that_flaps_is_told_once),
        cmocka_unit_test(a_shared_cause_that_was_excused_first_still_counts),
        cmocka_unit_test(what_people_order_is_no_shared_cause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
