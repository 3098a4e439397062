/* The printed policy judges the incident it was written for, and its kin. */
#include "policies/explain/explain.h"

#include "help_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define MINUTE 4 /* looks */

static struct world world;

/* What the sources say at one grid time. */
struct state {
    double errors, requests, pool;
};

static void say_past(size_t back, struct state state)
{
    world_past_say(&world, back, "errors", state.errors);
    world_past_say(&world, back, "requests", state.requests);
    world_past_say(&world, back, "pool_in_use", state.pool);
    world_past_say(&world, back, "pool_size", 500);
}

/* The hour before, and the look-back of the ten minutes before the deploy. */
static void begin(struct state before)
{
    world_library(&world, "policies/library/user-service.yaml");
    world.facts.service = "user-service";
    world.facts.version = "2.4.0";
    world_past(&world, 300);
    for (size_t back = 0; back < 300; back++) {
        say_past(back, before);
    }
    world_learn(&world);
}

static void look(int n, struct state state)
{
    world_say(&world, "errors", state.errors);
    world_say(&world, "requests", state.requests);
    world_say(&world, "pool_in_use", state.pool);
    world_say(&world, "pool_size", 500);
    world_look(&world, n);
}

static const struct leaf *leaf_reached(void)
{
    return policy_leaf(world.policy, world.verdict.leaf);
}

static void assert_leaf(enum leaf_kind kind)
{
    assert_string_equal(leaf_kind_name(leaf_reached()->kind),
                        leaf_kind_name(kind));
}

/* The answers on the path, one letter each. */
static void assert_path(const char *letters)
{
    char path[POLICY_DEPTH_MAX + 1] = "";

    for (size_t i = 0; i < world.verdict.steps; i++) {
        path[i] = "nyu"[world.verdict.path[i].answer];
    }
    assert_string_equal(path, letters);
}

static const struct state calm = {0.1, 140, 180};

/* A leak: each minute ten connections more, whatever the traffic. */
static int looks_until_breach(enum answer rollback_safe)
{
    begin(calm);
    world.facts.rollback_safe = rollback_safe;
    for (int n = 1; n <= 60 * MINUTE; n++) {
        look(n, (struct state){0.1, 140, 180 + 2.5 * n});
        if (n > MINUTE && leaf_reached()->kind != LEAF_HEALTHY &&
            leaf_reached()->kind != LEAF_WAIT) {
            return n;
        }
    }
    return -1;
}

static void a_leak_is_rolled_back_before_anybody_is_hurt(void **state)
{
    int breach = looks_until_breach(ANSWER_YES);
    double saturation = (180 + 2.5 * breach) / 500;

    (void)state;
    assert_leaf(LEAF_ROLLBACK);
    assert_path("yyny"); /* hurt or about to be, new, not the traffic, safe */
    assert_false(world.verdict.unsure);
    assert_true(saturation < 0.80);
    world_end(&world);
}

static void a_leak_whose_data_went_one_way_is_held(void **state)
{
    (void)state;
    assert_true(looks_until_breach(ANSWER_NO) > 0);
    assert_leaf(LEAF_HOLD);
    assert_path("yynn");
    world_end(&world);
}

static void a_leak_of_which_the_data_is_unknown_is_unsure(void **state)
{
    (void)state;
    assert_true(looks_until_breach(ANSWER_UNKNOWN) > 0);
    assert_leaf(LEAF_ROLLBACK);
    assert_path("yynu");
    assert_true(world.verdict.unsure);
    world_end(&world);
}

/* The pool is left alone; errors cannot be excused by traffic. */
static void errors_are_rolled_back_two_minutes_after_settling(void **state)
{
    int first = 0;

    (void)state;
    begin(calm);
    world.facts.rollback_safe = ANSWER_YES;
    for (int n = 1; n <= 10 * MINUTE && first == 0; n++) {
        look(n, (struct state){17, 140, 180});
        if (leaf_reached()->kind == LEAF_ROLLBACK) {
            first = n;
        }
    }
    assert_int_equal(first, 3 * MINUTE); /* settle 1 min, for 2m */
    assert_path("yyny");
    world_end(&world);
}

/* +40 % traffic takes 40 % more connections: hold time stays. */
static void a_harmless_ramp_is_left_alone(void **state)
{
    (void)state;
    begin(calm);
    for (int n = 1; n <= 120 * MINUTE; n++) {
        double more = 1 + 0.4 * (n < 60 * MINUTE ? n / (60.0 * MINUTE) : 1);

        look(n, (struct state){0.1 * more, 140 * more, 180 * more});
        if (n > MINUTE) { /* settled */
            assert_true(leaf_reached()->kind == LEAF_HEALTHY ||
                        leaf_reached()->kind == LEAF_WAIT);
        }
    }
    assert_leaf(LEAF_HEALTHY);
    world_end(&world);
}

/* More traffic than the pool is made for: somebody is told, nothing is rolled
 * back, and the release is not to blame. */
static void load_that_fills_the_pool_is_paged_as_load(void **state)
{
    bool paged = false;

    (void)state;
    begin(calm);
    world.facts.rollback_safe = ANSWER_YES;
    for (int n = 1; n <= 60 * MINUTE; n++) {
        double more = 1 + 1.5 * n / (60.0 * MINUTE);

        look(n, (struct state){0.1 * more, 140 * more, 180 * more});
        if (n > MINUTE) {
            assert_true(leaf_reached()->kind != LEAF_ROLLBACK);
            paged = paged || leaf_reached()->kind == LEAF_PAGE;
        }
    }
    assert_true(paged);
    assert_path("yyy");
    assert_true(leaf_reached()->blames_nobody);
    assert_non_null(strstr(policy_text(world.policy, leaf_reached()->text),
                           "load, not the release"));
    world_end(&world);
}

static void what_burned_before_the_deploy_is_not_its_fault(void **state)
{
    const struct state burning = {20, 140, 180};

    (void)state;
    begin(burning);
    world.facts.rollback_safe = ANSWER_YES;
    for (int n = 1; n <= 10 * MINUTE; n++) {
        look(n, burning);
    }
    assert_leaf(LEAF_PAGE);
    assert_path("yn");
    assert_true(leaf_reached()->blames_nobody);
    world_end(&world);
}

/* A pool that always sits at 75 % is nobody's fault. */
static void a_pool_that_was_always_full_is_not_its_fault(void **state)
{
    const struct state full = {0.1, 140, 375};

    (void)state;
    begin(full);
    for (int n = 1; n <= 10 * MINUTE; n++) {
        look(n, full);
    }
    assert_leaf(LEAF_PAGE);
    assert_path("yn");
    world_end(&world);
}

static void blind_is_neither_health_nor_guilt(void **state)
{
    (void)state;
    begin(calm);
    for (int n = 1; n <= 20 * MINUTE; n++) {
        look(n, calm);
    }
    assert_leaf(LEAF_HEALTHY);
    world_all_unknown(&world, UNKNOWN_SOURCE_ERROR);
    for (int n = 20 * MINUTE + 1; n <= 40 * MINUTE; n++) {
        world_look(&world, n);
        if (n > 22 * MINUTE) { /* no known look is left in any `for` */
            assert_leaf(LEAF_WAIT);
            assert_int_equal(world_answer(&world), ANSWER_UNKNOWN);
        }
    }
    world_end(&world);
}

/* Prometheus has no 5xx series before the first 5xx. */
static void no_errors_at_all_is_an_answer(void **state)
{
    (void)state;
    begin(calm);
    for (int n = 1; n <= 20 * MINUTE; n++) {
        world_say(&world, "requests", 140);
        world_say(&world, "pool_in_use", 180);
        world_say(&world, "pool_size", 500);
        world_unknown(&world, "errors", UNKNOWN_NO_DATA);
        world_look(&world, n);
    }
    assert_leaf(LEAF_HEALTHY);
    assert_true(world_value(&world, "error_rate").number == 0);
    world_end(&world);
}

/* Nothing of the time before, of the traffic's part or of the data is known:
 * a rollback, but an unsure one that names its unknowns. */
static void a_full_pool_without_a_past_is_unsure(void **state)
{
    (void)state;
    world_library(&world, "policies/library/user-service.yaml");
    world_unknown(&world, "requests", UNKNOWN_NO_COLUMN);
    for (int n = 1; n <= 20 * MINUTE; n++) {
        world_unknown(&world, "errors", UNKNOWN_NO_COLUMN);
        world_say(&world, "pool_in_use", 450);
        world_say(&world, "pool_size", 500);
        world_look(&world, n);
    }
    assert_leaf(LEAF_ROLLBACK);
    assert_path("yuuu");
    assert_true(world.verdict.unsure);
    world_end(&world);
}

static void a_release_costs_little_memory(void **state)
{
    (void)state;
    world_library(&world, "policies/library/user-service.yaml");
    assert_true(world.policy->judge_bytes <= 4096);
    world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leak_is_rolled_back_before_anybody_is_hurt),
        cmocka_unit_test(a_leak_whose_data_went_one_way_is_held),
        cmocka_unit_test(a_leak_of_which_the_data_is_unknown_is_unsure),
        cmocka_unit_test(errors_are_rolled_back_two_minutes_after_settling),
        cmocka_unit_test(a_harmless_ramp_is_left_alone),
        cmocka_unit_test(load_that_fills_the_pool_is_paged_as_load),
        cmocka_unit_test(what_burned_before_the_deploy_is_not_its_fault),
        cmocka_unit_test(a_pool_that_was_always_full_is_not_its_fault),
        cmocka_unit_test(blind_is_neither_health_nor_guilt),
        cmocka_unit_test(no_errors_at_all_is_an_answer),
        cmocka_unit_test(a_full_pool_without_a_past_is_unsure),
        cmocka_unit_test(a_release_costs_little_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
