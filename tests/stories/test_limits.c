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

static uint64_t register_with_key(struct story *story, int number)
{
    char version[16], key[16];
    snprintf(version, sizeof version, "2.%d", number);
    snprintf(key, sizeof key, "build-%d", number);
    struct registration registration = of("shop", version);
    registration.key = key;
    story_registration(story, &registration);
    return story->answer.answer.release;
}

/* However many came and went, and after a restart; one that was forgotten is
 * new again. */
static void a_key_is_known_as_long_as_its_release(void **state)
{
    (void)state;
    struct story *story = story_settled();
    enum { COUNT = 3 * RELEASES_PER_SERVICE_MAX };
    uint64_t ids[COUNT];
    for (int i = 0; i < COUNT; i++) {
        ids[i] = register_with_key(story, i);
        assert_int_equal(outcome_of(story), OUTCOME_DONE);
    }
    for (int round = 0; round < 2; round++) {
        for (int i = COUNT - RELEASES_PER_SERVICE_MAX / 2; i < COUNT; i++) {
            assert_int_equal(register_with_key(story, i), ids[i]);
            assert_int_equal(outcome_of(story), OUTCOME_ALREADY);
        }
        story_crash(story);
        story_restart(story, SECOND_MS);
    }
    assert_int_not_equal(register_with_key(story, 0), ids[0]);
    assert_int_equal(outcome_of(story), OUTCOME_DONE);
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

/* The suspect is not forgotten while its rollback counts against a budget. */
static void forgetting_refills_no_budget(void **state)
{
    (void)state;
    struct story *story = story_new(three, 3);
    story->options.releases_max = 3;
    story_metric_at(story, "requests", "shop", STORY_START - HOUR_MS, 100);
    story_metric_at(story, "errors", "shop", STORY_START - HOUR_MS, 0.1);
    story->world[1].observe = DEPLOYER_FAILS;
    story->world[2].observe = DEPLOYER_FAILS;
    story_start(story);
    story_policy(story, STORY_POLICY);
    story_adopt(story, "shop", "1.0");
    story_run(story, 5 * MINUTE_MS);
    story_deploy(story, "shop", "1.1", 0);
    story_register(story, "shop", "1.1");
    story_run(story, 5 * MINUTE_MS);
    story_hurt(story, true);
    story_run_until(story, "rollback applied", 5 * MINUTE_MS);
    story_hurt(story, false);
    story_run_until(story, "incident closed", 5 * MINUTE_MS);
    story_run(story, 8 * MINUTE_MS);
    story_deploy(story, "shop", "1.2", 0);
    story_register(story, "shop", "1.2");
    story_run(story, 3 * MINUTE_MS);
    story_register(story, "cart", "1.1");
    assert_int_equal(outcome_of(story), OUTCOME_FULL);
    story_hurt(story, true);
    story_run_until(story, "rollback refused (per_service)", 5 * MINUTE_MS);
    story_end(story);
}

/* Nobody takes the notices: the oldest are given up, and that is recorded. */
static void notices_beyond_the_bound_are_given_up_aloud(void **state)
{
    (void)state;
    struct story *story = story_settled();
    story->sinks_hang = true;
    for (int i = 0; i < NOTICES_PENDING_MAX + 100; i++) {
        story_command(story, (struct command){.kind = COMMAND_OVERRIDE,
                                              .service = "shop",
                                              .environment = "prod",
                                              .version = "1.1",
                                              .reason = "now"});
        story->events_count = 0;
        story_run(story, 1);
    }
    struct core_counts counts;
    view_counts(story->core, &counts);
    assert_int_equal(counts.notices_pending, NOTICES_FULL);
    assert_int_equal(story_count(story, "notice_done  (pushed_out)"),
                     NOTICES_PENDING_MAX + 100 - NOTICES_FULL);
    story_end(story);
}

static void a_policy_beyond_the_bound_is_told(void **state)
{
    (void)state;
    static const char *const shop[] = {"shop"};
    struct story *story = story_new(shop, 1);
    story_start(story);
    for (int i = 0; i <= POLICIES_MAX; i++) {
        char yaml[256];
        snprintf(yaml, sizeof yaml,
                 "policy: p%d\napplies_to: {service: s%d}\nmode: observe\n"
                 "tree: {question: q, if: release.stuck, then: {page: p},\n"
                 "       else: healthy}\n",
                 i, i);
        story_skip(story);
        story_policy(story, yaml);
    }
    story_expect(story, "00:00 commanded policy\n"
                        "00:00 notice policy to oncall\n");
    story_policy_removed(story, "p7");
    story_skip(story);
    story_policy(story, STORY_POLICY);
    story_expect(story, "00:00 policy_set shop\n");
    story_end(story);
}

/* One watch reads more sources than one decision has records. */
static void twenty_sources_lost_at_once_are_twenty_records(void **state)
{
    (void)state;
    enum { MANY = 20 };
    static const char *const shop[] = {"shop"};
    static struct source_option sources[MANY];
    char yaml[8192] = "policy: shop\nmode: observe\nsignals:\n";
    struct story *story = story_new(shop, 1);
    for (int i = 0; i < MANY; i++) {
        sources[i] = story->source;
        snprintf(sources[i].name, sizeof sources[i].name, "s%d", i);
        snprintf(yaml + strlen(yaml), sizeof yaml - strlen(yaml),
                 "  x%d: {prometheus: x, source: s%d, unit: count}\n", i, i);
    }
    snprintf(yaml + strlen(yaml), sizeof yaml - strlen(yaml),
             "tree:\n  question: q\n  if: x0 > 1");
    for (int i = 1; i < MANY; i++) {
        snprintf(yaml + strlen(yaml), sizeof yaml - strlen(yaml),
                 " or absent(x%d)", i);
    }
    snprintf(yaml + strlen(yaml), sizeof yaml - strlen(yaml),
             "\n  then: {page: p}\n  else: healthy\n");
    story->options.sources = sources;
    story->options.sources_count = MANY;
    story->source_hangs = true;
    story_start(story);
    story_policy(story, yaml);
    story_run(story, 2 * MINUTE_MS);
    assert_int_equal(story_count(story, "source_lost"), MANY);
    /* It settles; then nobody answers. */
    assert_int_equal(story_count(story, "verdict 1.0 wait"), 2);
    story_end(story);
}

/* A registration forgets a release in the moment between its end and the end
 * of its watch. */
static void a_release_that_is_forgotten_leaves_no_watch(void **state)
{
    (void)state;
    struct story *story = story_new(three, 3);
    story->options.releases_max = 2;
    story->world[1].observe = DEPLOYER_FAILS;
    story->world[2].observe = DEPLOYER_FAILS;
    story_start(story);
    story_policy(story, STORY_POLICY);
    story_run(story, MINUTE_MS);
    story_deploy(story, "shop", "1.1", 0);
    story_register(story, "shop", "1.1");
    story_run_until(story, "release 1.0 superseded", MINUTE_MS);
    story_register(story, "cart", "1.1");
    assert_int_equal(outcome_of(story), OUTCOME_DONE);
    story_run(story, 5 * MINUTE_MS);
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_place_left_is_none_for_two),
        cmocka_unit_test(deploys_that_never_came_make_room),
        cmocka_unit_test(a_key_is_known_as_long_as_its_release),
        cmocka_unit_test(limits_below_the_journal_are_said),
        cmocka_unit_test(a_smaller_ledger_goes_on),
        cmocka_unit_test(a_release_that_is_forgotten_leaves_no_watch),
        cmocka_unit_test(forgetting_refills_no_budget),
        cmocka_unit_test(notices_beyond_the_bound_are_given_up_aloud),
        cmocka_unit_test(a_policy_beyond_the_bound_is_told),
        cmocka_unit_test(twenty_sources_lost_at_once_are_twenty_records),
        cmocka_unit_test(a_deploy_of_another_age_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
