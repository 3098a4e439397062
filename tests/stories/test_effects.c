/* Effects: fired once, answered late or never, and never forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "help_story.h"

static const char scaling[] =
    "policy: shop\n"
    "mode: auto\n"
    "signals:\n"
    "  errors: {prometheus: errors, select: {service: release.service},\n"
    "           unit: per_second}\n"
    "tree:\n"
    "  question: Are users hurt?\n"
    "  if: errors > 10/s for 1m\n"
    "  then: {page: 'raise the pool of {{service}}', run: scale-pool,\n"
    "         notify: [oncall, status], blame: none}\n"
    "  else: healthy\n";

static struct story *scaled(void)
{
    struct story *story = story_settled();
    story_policy(story, scaling);
    story_deploy(story, "shop", "1.1", 0);
    story_register(story, "shop", "1.1");
    story_run(story, 5 * MINUTE_MS);
    story_skip(story);
    return story;
}

static void a_leaf_fires_once_an_incident(void **state)
{
    (void)state;
    struct story *story = scaled();
    for (int i = 0; i < 3; i++) { /* it comes and goes within ten minutes */
        story_hurt(story, true);
        story_run(story, 3 * MINUTE_MS);
        story_hurt(story, false);
        story_run(story, 3 * MINUTE_MS);
    }
    story_expect(story, "10:47 incident opened\n"
                        "10:47 verdict 1.1 page\n"
                        "10:47 notice page to oncall\n"
                        "10:47 notice page to status\n"
                        "10:47 action scale-pool\n"
                        "10:47 -> run scale-pool\n"
                        "13:02 verdict 1.1 healthy\n"
                        "16:47 verdict 1.1 page\n"
                        "19:02 verdict 1.1 healthy\n"
                        "22:47 verdict 1.1 page\n"
                        "25:02 verdict 1.1 healthy\n");
    story_end(story);
}

/* The kill switch, or a ceiling, means observe: say it, do nothing. */
static void while_observing_nothing_is_run(void **state)
{
    (void)state;
    struct story *story = scaled();
    story_stop_file(story, true);
    story_skip(story);
    story_hurt(story, true);
    story_run(story, 3 * MINUTE_MS);
    story_expect(story, "10:47 incident opened\n"
                        "10:47 verdict 1.1 page\n"
                        "10:47 notice page to oncall\n"
                        "10:47 notice page to status\n"
                        "10:47 action_done scale-pool (not_run)\n");
    story_end(story);
}

static void while_observing_nothing_is_held(void **state)
{
    (void)state;
    struct story *story = story_settled();
    story_deploy(story, "shop", "1.1", 0);
    struct registration registration = {.service = "shop",
                                        .environment = "prod",
                                        .version = "1.1",
                                        .data_change = "contract"};
    story_registration(story, &registration);
    story_run(story, 5 * MINUTE_MS);
    story_stop_file(story, true);
    story_skip(story);
    story_hurt(story, true);
    story_run(story, 3 * MINUTE_MS);
    story_expect(story, "10:47 incident opened\n"
                        "10:47 verdict 1.1 hold\n"
                        "10:47 notice hold to status\n"
                        "10:47 notice hold to oncall\n");
    assert_int_equal(story_gate(story, "shop", "1.2").gate, GATE_GO);
    story_end(story);
}

static void an_action_is_not_run_twice_after_a_crash(void **state)
{
    (void)state;
    struct story *story = scaled();
    story->sinks_hang = true;
    story_hurt(story, true);
    story_crash_at(story, "-> run scale-pool");
    story_run(story, 5 * MINUTE_MS);
    assert_true(story->crashed);
    story_restart(story, MINUTE_MS);
    story_skip(story);
    story_run(story, 10 * MINUTE_MS);
    assert_int_equal(story_count(story, "-> run"), 0);
    story_end(story);
}

/* What, whom, when, why: for people to see. */
static void check_undelivered(struct story *story)
{
    static const char *const sinks[] = {"status", "oncall"};
    struct undelivered_view one;
    struct core_counts counts;
    size_t cursor = 0;
    view_counts(story->core, &counts);
    assert_int_equal(counts.notices_undelivered, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_true(view_next_undelivered(story->core, &cursor, &one));
        assert_string_equal(one.sink, sinks[i]);
        assert_string_equal(one.what, "page");
        assert_string_equal(one.why, "nobody could be told within 1h");
        assert_true(one.text[0] != '\0');
        assert_true(one.at > 0);
    }
    assert_false(view_next_undelivered(story->core, &cursor, &one));
}

static void a_notice_that_nobody_takes_is_given_up_after_an_hour(void **state)
{
    (void)state;
    struct story *story = scaled();
    story->sinks_hang = true;
    story_hurt(story, true);
    story_run(story, 3 * MINUTE_MS);
    story_hurt(story, false);
    struct core_counts counts;
    view_counts(story->core, &counts);
    assert_int_equal(counts.notices_pending, 2);
    story_run(story, 55 * MINUTE_MS);
    view_counts(story->core, &counts);
    assert_int_equal(counts.notices_pending, 2);
    assert_int_equal(counts.notices_undelivered, 0);
    story_run(story, 10 * MINUTE_MS);
    view_counts(story->core, &counts);
    assert_int_equal(counts.notices_pending, 0);
    check_undelivered(story);
    story_restart(story, MINUTE_MS); /* the journal remembers it */
    check_undelivered(story);
    story_end(story);
}

static void a_source_that_hangs_is_an_error_at_the_deadline(void **state)
{
    (void)state;
    struct story *story = scaled();
    story->source_hangs = true;
    story_run(story, 8 * MINUTE_MS);
    story->source_hangs = false;
    story_run(story, 2 * MINUTE_MS);
    story_expect(story, "10:07 source_lost prom\n"
                        "10:52 verdict 1.1 wait\n"
                        "15:52 blind yes\n"
                        "15:52 notice blind to oncall\n"
                        "18:02 source_back prom\n"
                        "18:02 verdict 1.1 healthy\n"
                        "18:02 blind no\n");
    story_end(story);
}

/* The answer to a call that was given up changes a counter and nothing else. */
static void a_stranger_changes_only_a_counter(void **state)
{
    (void)state;
    struct story *story = scaled();
    struct decision *decision = story->decision;
    struct core_counts before, after;
    view_counts(story->core, &before);
    struct input inputs[4] = {
        {.kind = INPUT_TARGET, .now = story->now},
        {.kind = INPUT_HISTORY, .now = story->now},
        {.kind = INPUT_NOTICE_DONE, .now = story->now},
        {.kind = INPUT_SAMPLES, .now = story->now},
    };
    inputs[0].target.id = (struct effect_id){9, 9};
    inputs[0].target.version = "6.6";
    inputs[0].target.complete = true;
    inputs[0].target.result = TARGET_OBSERVED;
    inputs[1].history.id = (struct effect_id){9, 9};
    inputs[2].done.id = 999;
    inputs[3].samples.query = 999;
    for (size_t i = 0; i < 4; i++) {
        core_step(story->core, &inputs[i], decision);
        assert_int_equal(decision->records_count, 0);
        assert_int_equal(decision->effects_count, 0);
        core_check(story->core);
    }
    view_counts(story->core, &after);
    assert_int_equal(after.unknown_answers, before.unknown_answers + 4);
    story_end(story);
}

/* A source with a long lag is asked late and judged by data time. */
static void a_source_that_lags_is_judged_in_data_time(void **state)
{
    (void)state;
    static const char *const shop[] = {"shop"};
    struct story *story = story_new(shop, 1);
    story->source.lag = 40 * SECOND_MS; /* more than two grid times */
    story_metric_at(story, "requests", "shop", STORY_START - HOUR_MS, 100);
    story_metric_at(story, "errors", "shop", STORY_START - HOUR_MS, 0.1);
    story_start(story);
    story_policy(story, STORY_POLICY);
    story_adopt(story, "shop", "1.0");
    story_run(story, 5 * MINUTE_MS);
    story_deploy(story, "shop", "1.1", 0);
    story_register(story, "shop", "1.1");
    story_run(story, 5 * MINUTE_MS);
    story_skip(story);
    story_hurt(story, true); /* at 10:00; for 1m is 10:45 in data time */
    story_run_until(story, "rollback applied", 10 * MINUTE_MS);
    story_expect(story, "11:25 incident opened\n"
                        "11:25 verdict 1.1 rollback\n"
                        "11:25 release 1.1 suspect, none (rollback)\n"
                        "11:25 rollback proposed 1.1 -> 1.0\n"
                        "11:25 rollback intended (intended)\n"
                        "11:25 notice rollback to status\n"
                        "11:25 notice rollback to oncall\n"
                        "11:25 rollback requested (requested)\n"
                        "11:25 -> revert 1.1 -> 1.0\n"
                        "11:25 rollback in progress (accepted)\n"
                        "11:25 live 1.0 (incomplete)\n"
                        "11:30 live 1.0\n"
                        "11:30 rollback applied (applied)\n"
                        "11:30 rollback verifying (verifying)\n");
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leaf_fires_once_an_incident),
        cmocka_unit_test(while_observing_nothing_is_run),
        cmocka_unit_test(while_observing_nothing_is_held),
        cmocka_unit_test(an_action_is_not_run_twice_after_a_crash),
        cmocka_unit_test(a_notice_that_nobody_takes_is_given_up_after_an_hour),
        cmocka_unit_test(a_source_that_hangs_is_an_error_at_the_deadline),
        cmocka_unit_test(a_stranger_changes_only_a_counter),
        cmocka_unit_test(a_source_that_lags_is_judged_in_data_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
