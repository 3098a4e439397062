/* canary(), control() and worse() in a policy: the two sides of a canary. */
#include "help_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "policies/facts.h"
#include "policies/sequential.h"

static struct world world;

static const char frame[] =
    "policy: canary\n"
    "mode: suggest\n"
    "watch: {every: 15s, settle: 1m}\n"
    "signals:\n"
    "  errors:\n"
    "    prometheus: sum by (version) (rate(errors_total[1m]))\n"
    "    select: {service: release.service, version: release.version}\n"
    "    unit: per_second\n"
    "    on_no_data: zero\n"
    "  requests:\n"
    "    prometheus: sum by (version) (rate(requests_total[1m]))\n"
    "    select: {service: release.service, version: release.version}\n"
    "    unit: per_second\n"
    "  wait: {prometheus: wait, select: {version: release.version}, "
    "unit: seconds}\n"
    "  load: {prometheus: load, unit: count}\n"
    "  share: {is: errors / requests}\n"
    "  v: {is: '%s'}\n"
    "tree: {question: Is it so?, if: '%s', then: {page: so}, else: healthy}\n";

static void begin(const char *number, const char *condition)
{
    char source[4096];

    (void)snprintf(source, sizeof(source), frame, number, condition);
    world_policy(&world, source);
    world.facts.control_version = "1.9.0";
}

static void say(double errors, double requests, double control_errors,
                double control_requests)
{
    world_say(&world, "errors", errors);
    world_say(&world, "requests", requests);
    world_say(&world, "errors:control", control_errors);
    world_say(&world, "requests:control", control_requests);
}

/* --- Two sides ------------------------------------------------------------ */

static const char *selected(const char *name)
{
    for (uint16_t i = 0; i < world.policy->signals; i++) {
        const struct signal *signal = policy_signal(world.policy, i);

        if (strcmp(policy_text(world.policy, signal->name), name) == 0) {
            return selected_text(world.policy,
                                 &signal->select[signal->selects - 1],
                                 &world.facts);
        }
    }
    fail_msg("no signal %s", name);
    return NULL;
}

static void one_query_is_asked_for_both_sides(void **state)
{
    const struct signal *written = NULL, *hidden = NULL;

    (void)state;
    begin("control(share)", "v > 5%");
    assert_int_equal(world.policy->signals, 6);
    written = policy_signal(world.policy, 0);
    hidden = policy_signal(world.policy, 4);
    assert_string_equal(policy_text(world.policy, hidden->name),
                        "errors:control");
    assert_int_equal(hidden->query, written->query);
    assert_int_equal(hidden->zero_when_empty, true);
    assert_string_equal(selected("errors"), "2.0.0");
    assert_string_equal(selected("errors:control"), "1.9.0");
    world.facts.control_version = NULL;
    assert_null(selected("errors:control"));
    world_end(&world);
}

static void an_expression_is_worked_out_on_the_controls_side(void **state)
{
    (void)state;
    begin("control(share)", "v > 5%");
    say(9, 10, 1, 20);
    world_looks(&world, 1, 5);
    assert_true(world_value(&world, "v").number == 1.0 / 20);
    assert_true(world_value(&world, "share").number == 9.0 / 10);
    world_unknown(&world, "requests:control", UNKNOWN_FACT);
    world_look(&world, 6);
    assert_int_equal(world_value(&world, "v").unknown, UNKNOWN_FACT);
    world_end(&world);
}

static void windows_of_the_control_are_its_own(void **state)
{
    (void)state;
    begin("canary(avg(wait, 1m)) / control(avg(wait, 1m))", "v > 200%");
    world_say(&world, "wait", 3);
    for (int n = 1; n <= 12; n++) {
        world_say(&world, "wait:control", n);
        world_look(&world, n);
    }
    assert_true(world_value(&world, "v").number == 3 / 10.5);
    assert_int_equal(world.policy->rings, 2);
    world_end(&world);
}

/* What has one side only is the same on both. */
static void what_is_not_of_a_version_is_shared(void **state)
{
    (void)state;
    begin("control(wait * load)", "v > 2 * wait * load");
    world_say(&world, "wait:control", 3);
    world_say(&world, "load", 7);
    world_looks(&world, 1, 5);
    assert_true(world_value(&world, "v").number == 21);
    world_end(&world);
}

static void what_is_read_twice_is_copied_once(void **state)
{
    (void)state;
    begin("control(share) + control(share) - control(errors) / 1/s",
          "worse(errors, requests) and worse(share)");
    assert_int_equal(world.policy->signals, 6);
    assert_int_equal(world.policy->trials, 2);
    world_end(&world);
}

/* --- worse() -------------------------------------------------------------- */

static const struct compared *seen(void)
{
    return &world.verdict.compared[0];
}

static void it_is_unknown_until_settled_and_then_no(void **state)
{
    (void)state;
    begin("share", "worse(errors, requests)");
    say(1, 10, 1, 90);
    world_looks(&world, 1, 4);
    assert_int_equal(world_why(&world), UNKNOWN_SETTLING);
    assert_true(seen()->times == 0);
    world_look(&world, 5);
    assert_int_equal(world_answer(&world), ANSWER_NO);
    world_end(&world);
}

/* The rate of a minute is read four times and judged once. */
static void what_the_query_looks_back_over_is_judged_once(void **state)
{
    (void)state;
    begin("share", "worse(errors, requests)");
    say(0.1, 10, 0.2, 90);
    world_looks(&world, 1, 4 + 5 * 4);
    assert_true(seen()->of[SIDE_CANARY] == 5 * 60 * 10);
    assert_true(seen()->of[SIDE_CONTROL] == 5 * 60 * 90);
    assert_true(seen()->events[SIDE_CANARY] == 5 * 6);
    assert_true(seen()->events[SIDE_CONTROL] == 5 * 12);
    world_end(&world);
}

static void it_stays_proved(void **state)
{
    (void)state;
    begin("share", "worse(errors, requests)");
    say(5, 10, 0, 90);
    world_looks(&world, 1, 40);
    assert_int_equal(world_answer(&world), ANSWER_YES);
    assert_true(seen()->times >= TRIAL_PROVED);
    say(0, 10, 5, 90);
    world_looks(&world, 41, 80);
    assert_int_equal(world_answer(&world), ANSWER_YES);
    world_all_unknown(&world, UNKNOWN_SOURCE_ERROR);
    world_look(&world, 81);
    assert_int_equal(world_answer(&world), ANSWER_YES);
    world_end(&world);
}

static void a_side_that_is_not_known_is_no_evidence(void **state)
{
    static const char *const names[] = {"errors", "requests", "errors:control",
                                        "requests:control"};

    (void)state;
    begin("share", "worse(errors, requests)");
    for (size_t i = 0; i < 4; i++) {
        judge_start(world.policy, world_judge(&world), WORLD_DEPLOYED);
        say(5, 10, 0, 90);
        world_unknown(&world, names[i], UNKNOWN_STALE);
        world_looks(&world, 1, 60);
        assert_int_equal(world_why(&world), UNKNOWN_STALE);
        assert_true(seen()->times == 0);
    }
    world_end(&world);
}

/* No traffic is known, and proves nothing. */
static void without_traffic_it_is_not_worse(void **state)
{
    (void)state;
    begin("share", "worse(errors, requests)");
    say(0, 0, 2, 90);
    world_looks(&world, 1, 60);
    assert_int_equal(world_answer(&world), ANSWER_NO);
    say(0, 0, 0, 0);
    world_looks(&world, 61, 120);
    assert_int_equal(world_answer(&world), ANSWER_NO);
    world_end(&world);
}

static void a_common_fault_is_nobodys(void **state)
{
    (void)state;
    begin("share", "worse(errors, requests)");
    say(0.1, 10, 0.9, 90);
    world_looks(&world, 1, 40);
    say(8, 10, 72, 90);
    world_looks(&world, 41, 400);
    assert_int_equal(world_answer(&world), ANSWER_NO);
    world_end(&world);
}

static void a_little_may_be_allowed(void **state)
{
    (void)state;
    begin("share", "worse(errors, requests, 200%)");
    say(0.19, 10, 0.9, 90);
    world_looks(&world, 1, 500);
    assert_int_equal(world_answer(&world), ANSWER_NO);
    say(5, 10, 0.9, 90);
    world_looks(&world, 501, 540);
    assert_int_equal(world_answer(&world), ANSWER_YES);
    world_end(&world);
}

static void something_slower_is_found_minute_by_minute(void **state)
{
    (void)state;
    begin("share", "worse(wait, 110%)");
    world_say(&world, "wait", 1.2);
    world_say(&world, "wait:control", 1);
    world_looks(&world, 1, 4 + 10 * 4);
    assert_int_equal(world_answer(&world), ANSWER_NO);
    assert_true(seen()->of[SIDE_CANARY] == 10);
    world_looks(&world, 45, 48);
    assert_int_equal(world_answer(&world), ANSWER_YES);
    world_end(&world);
}

/* Its past is one block of fixed size, whatever the watch lasts; the same rows
 * give the same bytes. */
static void the_memory_is_small_and_refills(void **state)
{
    static unsigned char memory[JUDGE_BYTES_MAX];

    (void)state;
    begin("share", "worse(errors, requests) or worse(wait)");
    assert_int_equal(world.policy->judge_bytes,
                     JUDGE_HEADER_BYTES + 2 * sizeof(struct trial));
    assert_true(sizeof(struct trial) <= 128);
    for (int round = 0; round < 2; round++) {
        judge_start(world.policy, world_judge(&world), WORLD_DEPLOYED);
        for (int n = 1; n < 1000; n++) {
            say(n % 7 * 0.1, 10, n % 5, 90);
            world_say(&world, "wait", n % 11);
            world_say(&world, "wait:control", n % 13);
            if (n % 17 != 0) {
                world_look(&world, n);
            }
        }
        if (round == 0) {
            memcpy(memory, world.block.bytes, world.policy->judge_bytes);
        }
    }
    assert_true(seen()->times > 1);
    assert_memory_equal(memory, world.block.bytes, world.policy->judge_bytes);
    world_end(&world);
}

/* What a restart can ask for: as much as a history may hold. */
static void a_refill_reaches_as_far_back_as_it_can(void **state)
{
    (void)state;
    begin("share", "worse(errors, requests)");
    assert_int_equal(world.policy->lookback,
                     (HISTORY_ROWS_MAX - 1) * 15 * SECOND_MS);
    assert_int_equal(world.policy->root_window, 0);
    world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_query_is_asked_for_both_sides),
        cmocka_unit_test(an_expression_is_worked_out_on_the_controls_side),
        cmocka_unit_test(windows_of_the_control_are_its_own),
        cmocka_unit_test(what_is_not_of_a_version_is_shared),
        cmocka_unit_test(what_is_read_twice_is_copied_once),
        cmocka_unit_test(it_is_unknown_until_settled_and_then_no),
        cmocka_unit_test(what_the_query_looks_back_over_is_judged_once),
        cmocka_unit_test(it_stays_proved),
        cmocka_unit_test(a_side_that_is_not_known_is_no_evidence),
        cmocka_unit_test(without_traffic_it_is_not_worse),
        cmocka_unit_test(a_common_fault_is_nobodys),
        cmocka_unit_test(a_little_may_be_allowed),
        cmocka_unit_test(something_slower_is_found_minute_by_minute),
        cmocka_unit_test(the_memory_is_small_and_refills),
        cmocka_unit_test(a_refill_reaches_as_far_back_as_it_can),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
