/* Only a leaf that stands acts: not while a deploy settles, not when the tree
 * changed its mind while somebody was asked, not beyond its mode. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "help_story.h"

/* A root without `for`, so that one sample answers it; the load excuses. */
#define HASTY                                                                  \
    "policy: shop\n"                                                           \
    "mode: auto\n"                                                             \
    "unsure: suggest\n"                                                        \
    "watch: {for: 2h, every: 5s, settle: 60s}\n"                               \
    "verify: {within: 10m, for: 1m}\n"                                         \
    "signals:\n"                                                               \
    "  errors: {prometheus: errors, select: {service: release.service},\n"     \
    "           unit: per_second}\n"                                           \
    "  load: {prometheus: load, select: {service: release.service},\n"         \
    "         unit: per_second}\n"                                             \
    "tree:\n"                                                                  \
    "  question: Are users hurt?\n"                                            \
    "  if: errors > 10/s\n"                                                    \
    "  else: healthy\n"                                                        \
    "  then:\n"                                                                \
    "    question: Does the load explain it?\n"                                \
    "    if: load > 500/s\n"                                                   \
    "    then: {page: 'load, not the release', blame: none}\n"                 \
    "    else: {rollback: last_good}\n"

static const char hasty[] = HASTY;
static const char hasty_and_unsure[] = HASTY "    unknown: else\n";

static struct story *hasty_story(const char *policy, bool can_check)
{
    static const char *const shop[] = {"shop"};
    struct story *story = story_new(shop, 1);
    story->target.can_check = can_check;
    story_metric_at(story, "errors", "shop", STORY_START - HOUR_MS, 0.1);
    story_metric_at(story, "load", "shop", STORY_START - HOUR_MS, 100);
    story_start(story);
    story_policy(story, policy);
    story_adopt(story, "shop", "1.0");
    story_run(story, 5 * MINUTE_MS);
    story_deploy(story, "shop", "1.1", 0);
    story_register(story, "shop", "1.1");
    return story;
}

/* Up to the moment when the deployment API, which takes longer than a look,
 * is asked again for the last good one after it did not say. */
static struct story *asked_for_last_good(const char *policy)
{
    struct story *story = hasty_story(policy, true);
    story_run(story, 5 * MINUTE_MS);
    story_world(story, "shop")->has = DEPLOYER_FAILS;
    story_hurt(story, true);
    story_run_until(story, "rollback refused (target_unclear)", 2 * MINUTE_MS);
    story_world(story, "shop")->has = DEPLOYER_WORKS;
    story_world(story, "shop")->takes = 9 * SECOND_MS;
    story_skip(story);
    story_run_until(story, "-> has", 2 * MINUTE_MS);
    return story;
}

static void while_a_deploy_settles_nothing_is_judged(void **state)
{
    (void)state;
    struct story *story = hasty_story(hasty, false);
    story_skip(story);
    story_hurt(story, true); /* the turbulence of the deploy */
    story_run(story, 55 * SECOND_MS);
    story_hurt(story, false);
    story_run(story, 5 * MINUTE_MS);
    story_expect(story, "05:00 live 1.1\n"
                        "05:00 release 1.0 superseded, good (observed)\n"
                        "05:00 release 1.1 watching, none (live)\n"
                        "05:07 verdict 1.1 wait\n"
                        "06:07 verdict 1.1 healthy\n");
    story_end(story);
}

static void while_the_target_settles_nothing_is_proven(void **state)
{
    (void)state;
    struct story *story = hasty_story(hasty, false);
    story_run(story, 5 * MINUTE_MS);
    story_hurt(story, true);
    story_run_until(story, "rollback applied", 2 * MINUTE_MS);
    story_hurt(story, false);
    time_ms applied = story->now;
    story_run_until(story, "rollback recovered", 10 * MINUTE_MS);
    /* settle, and then a minute of it known and false */
    assert_true(story->now > applied + 110 * SECOND_MS);
    story_end(story);
}

static void load_that_is_seen_meanwhile_excuses(void **state)
{
    (void)state;
    struct story *story = asked_for_last_good(hasty);
    story_metric(story, "load", "shop", 1000);
    story_run(story, 3 * MINUTE_MS);
    story_expect(story, "10:07 -> has 1.0\n"
                        "10:12 verdict 1.1 page\n"
                        "10:12 notice page to oncall\n");
    story_end(story);
}

static void a_tree_that_waits_meanwhile_is_waited_for(void **state)
{
    (void)state;
    struct story *story = asked_for_last_good(hasty);
    story_metric_unknown(story, "load", "shop", UNKNOWN_NO_DATA);
    story_run(story, 3 * MINUTE_MS);
    story_expect(story, "10:07 -> has 1.0\n"
                        "10:12 verdict 1.1 wait\n");
    story_metric(story, "load", "shop", 100); /* and it is back */
    story_run_until(story, "rollback applied", MINUTE_MS);
    story_end(story);
}

static void a_path_that_turns_unsure_meanwhile_is_a_suggestion(void **state)
{
    (void)state;
    struct story *story = asked_for_last_good(hasty_and_unsure);
    story_metric_unknown(story, "load", "shop", UNKNOWN_NO_DATA);
    story_run(story, 3 * MINUTE_MS);
    story_expect(story, "10:07 -> has 1.0\n"
                        "10:12 verdict 1.1 rollback\n"
                        "10:16 rollback proposed (suggested)\n"
                        "10:16 notice proposed to oncall\n");
    story_end(story);
}

static void an_incident_that_is_closed_meanwhile_is_over(void **state)
{
    (void)state;
    struct story *story = asked_for_last_good(hasty);
    story_command(story, (struct command){
                             .kind = COMMAND_CLOSE,
                             .incident = story_service(story, "shop").incident,
                             .reason = "known"});
    story_run(story, 3 * MINUTE_MS);
    assert_int_equal(story_count(story, "rollback intended"), 0);
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(while_a_deploy_settles_nothing_is_judged),
        cmocka_unit_test(while_the_target_settles_nothing_is_proven),
        cmocka_unit_test(load_that_is_seen_meanwhile_excuses),
        cmocka_unit_test(a_tree_that_waits_meanwhile_is_waited_for),
        cmocka_unit_test(a_path_that_turns_unsure_meanwhile_is_a_suggestion),
        cmocka_unit_test(an_incident_that_is_closed_meanwhile_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
