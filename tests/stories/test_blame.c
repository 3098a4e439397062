/* Several releases in trouble over something they share: one is the suspect,
 * the others wait for what comes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "help_story.h"

static const char policy[] =
    "policy: shared\n"
    "mode: auto\n"
    "watch: {for: 2h, every: 15s, settle: 60s}\n"
    "baseline: 10m\n"
    "verify: {within: 5m, for: 1m}\n"
    "signals:\n"
    "  errors: {prometheus: errors, select: {service: release.service},\n"
    "           unit: per_second}\n"
    "  pool:   {prometheus: pool, select: {database: users}, unit: count}\n"
    "  hurt:    {is: errors > 10/s for 1m}\n"
    "  filling: {is: pool > 90 for 1m}\n"
    "tree:\n"
    "  question: Are users hurt, or about to be?\n"
    "  if: hurt or filling\n"
    "  then: {rollback: last_good, freeze: none}\n"
    "  else: healthy\n";

static const char *const names[] = {"cart", "user", "till"};

/* All three use the database "users"; the till's release is the newest. */
static struct story *three(const char *yaml)
{
    struct story *story = story_new(names, 3);
    story_metric_at(story, "pool", "users", STORY_START - HOUR_MS, 40);
    story_metric_at(story, "errors", "*", STORY_START - HOUR_MS, 0.1);
    story_start(story);
    story_policy(story, yaml);
    for (size_t i = 0; i < 3; i++) {
        story_adopt(story, names[i], "1.0");
    }
    story_run(story, MINUTE_MS);
    for (size_t i = 0; i < 3; i++) {
        story_deploy(story, names[i], "1.1", 0);
        story_register(story, names[i], "1.1");
        story_run(story, MINUTE_MS);
    }
    story_run(story, 3 * MINUTE_MS);
    story_skip(story);
    return story;
}

static size_t reverts(const struct story *story)
{
    return story_count(story, "-> revert");
}

static void the_newest_is_the_suspect(void **state)
{
    (void)state;
    struct story *story = three(policy);
    story_metric(story, "pool", "users", 95);
    story_run_until(story, "till: rollback applied", 2 * MINUTE_MS);
    story_metric(story, "pool", "users", 40);
    story_run(story, 20 * MINUTE_MS);
    assert_int_equal(reverts(story), 1);
    assert_int_equal(story_count(story, "till: rollback recovered"), 1);
    assert_int_equal(
        story_count(story, "cart: rollback refused (shared_blame)"), 1);
    assert_int_equal(
        story_count(story, "user: rollback refused (shared_blame)"), 1);
    assert_int_equal(story_count(story, "incident closed (quiet)"), 2);
    story_end(story);
}

/* What only one of them has says more than who came last. */
static void trouble_of_ones_own_comes_first(void **state)
{
    (void)state;
    struct story *story = three(policy);
    story_metric(story, "pool", "users", 95);
    story_metric(story, "errors", "cart", 20);
    story_run_until(story, "cart: rollback applied", 2 * MINUTE_MS);
    story_metric(story, "errors", "cart", 0.1);
    story_metric(story, "pool", "users", 40);
    story_run(story, 20 * MINUTE_MS);
    assert_int_equal(reverts(story), 1);
    assert_int_equal(
        story_count(story, "till: rollback refused (shared_blame)"), 1);
    story_end(story);
}

/* Going back did not help: the next one is asked. */
static void then_it_is_the_next_ones_turn(void **state)
{
    (void)state;
    struct story *story = three(policy);
    story_metric(story, "pool", "users", 95);
    story_run_until(story, "till: rollback not recovered", 10 * MINUTE_MS);
    assert_int_equal(reverts(story), 1);
    story_run_until(story, "user: rollback applied", 2 * MINUTE_MS);
    story_metric(story, "pool", "users", 40);
    story_run(story, 20 * MINUTE_MS);
    assert_int_equal(reverts(story), 2);
    assert_int_equal(story_count(story, "user: rollback recovered"), 1);
    story_end(story);
}

/* Three of three in trouble, each for itself: that is no release. */
static void trouble_everywhere_is_nobodys(void **state)
{
    (void)state;
    struct story *story = three(policy);
    story_metric(story, "errors", "*", 20);
    story_run(story, 5 * MINUTE_MS);
    assert_int_equal(reverts(story), 0);
    assert_int_equal(story_count(story, "refused (shared_cause)"), 3);
    story_end(story);
}

/* A policy that only watches takes no blame away from one that acts. */
static void who_only_observes_holds_nobody_up(void **state)
{
    (void)state;
    static const char observes[] =
        "policy: shop\n"
        "applies_to: {service: till}\n"
        "mode: observe\n"
        "watch: {for: 2h, every: 15s, settle: 60s}\n"
        "signals:\n"
        "  pool: {prometheus: pool, select: {database: users}, unit: count}\n"
        "tree:\n"
        "  question: Is the pool full?\n"
        "  if: pool > 90 for 1m\n"
        "  then: {rollback: last_good, freeze: none}\n"
        "  else: healthy\n";
    struct story *story = three(policy);
    story_policy(story, observes);
    story_run(story, 3 * MINUTE_MS);
    story_metric(story, "pool", "users", 95);
    story_run_until(story, "user: rollback applied", 3 * MINUTE_MS);
    assert_int_equal(reverts(story), 1);
    story_end(story);
}

/* A crash while it goes back: the others wait all the same. */
static void a_restart_forgets_nobody(void **state)
{
    (void)state;
    struct story *story = three(policy);
    story_metric(story, "pool", "users", 95);
    story_run_until(story, "till: rollback verifying", 2 * MINUTE_MS);
    story_crash(story);
    story_restart(story, 5 * SECOND_MS);
    story_run(story, 2 * MINUTE_MS);
    assert_int_equal(reverts(story), 1);
    story_metric(story, "pool", "users", 40);
    story_run(story, 20 * MINUTE_MS);
    assert_int_equal(reverts(story), 1);
    story_end(story);
}

/* The newest has just come, and settles: it may be the one. */
static void what_came_last_is_waited_for(void **state)
{
    (void)state;
    struct story *story = three(policy);
    story_run(story, HOUR_MS);
    story_deploy(story, "till", "1.2", 0);
    story_register(story, "till", "1.2");
    story_skip(story);
    story_metric(story, "pool", "users", 95);
    story_run_until(story, "till: rollback applied", 5 * MINUTE_MS);
    story_metric(story, "pool", "users", 40);
    story_run(story, 10 * MINUTE_MS);
    assert_int_equal(reverts(story), 1);
    story_end(story);
}

/* A suspect that cannot go back holds nobody up. */
static void a_refused_suspect_holds_nobody_up(void **state)
{
    (void)state;
    struct story *story = three(policy);
    story_command(story, (struct command){
                             .kind = COMMAND_MUTE,
                             .release = story_release(story, "till", "1.1").id,
                             .span = 4 * HOUR_MS,
                             .reason = "it is not the till"});
    story_metric(story, "pool", "users", 95);
    story_run_until(story, "user: rollback applied", 3 * MINUTE_MS);
    assert_int_equal(reverts(story), 1);
    story_end(story);
}

/* The same query on two grids is one thing that they share. */
static void grids_do_not_matter(void **state)
{
    (void)state;
    static const char slower[] =
        "policy: till\n"
        "applies_to: {service: till}\n"
        "mode: auto\n"
        "watch: {for: 2h, every: 20s, settle: 60s}\n"
        "verify: {within: 5m, for: 1m}\n"
        "signals:\n"
        "  pool: {prometheus: pool, select: {database: users}, unit: count}\n"
        "tree:\n"
        "  question: Is the pool full?\n"
        "  if: pool > 90 for 1m\n"
        "  then: {rollback: last_good, freeze: none}\n"
        "  else: healthy\n";
    struct story *story = three(policy);
    story_policy(story, slower);
    story_run(story, 3 * MINUTE_MS);
    story_skip(story);
    story_metric(story, "pool", "users", 95);
    story_run(story, 4 * MINUTE_MS);
    assert_int_equal(reverts(story), 1);
    story_end(story);
}

static void a_person_does_not_wait(void **state)
{
    (void)state;
    struct story *story = three(policy);
    story_metric(story, "pool", "users", 95);
    story_run_until(story, "till: rollback verifying", 2 * MINUTE_MS);
    story_command(story, (struct command){
                             .kind = COMMAND_ROLLBACK,
                             .release = story_release(story, "cart", "1.1").id,
                             .reason = "it is the cart"});
    assert_int_equal(story->answer.answer.outcome, OUTCOME_DONE);
    story_run_until(story, "cart: rollback applied", MINUTE_MS);
    story_end(story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_is_the_suspect),
        cmocka_unit_test(trouble_of_ones_own_comes_first),
        cmocka_unit_test(then_it_is_the_next_ones_turn),
        cmocka_unit_test(trouble_everywhere_is_nobodys),
        cmocka_unit_test(who_only_observes_holds_nobody_up),
        cmocka_unit_test(a_restart_forgets_nobody),
        cmocka_unit_test(what_came_last_is_waited_for),
        cmocka_unit_test(a_refused_suspect_holds_nobody_up),
        cmocka_unit_test(grids_do_not_matter),
        cmocka_unit_test(a_person_does_not_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
