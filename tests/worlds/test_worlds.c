/* A small fixed sample of made-up worlds: what the library's default policy
 * makes of each of them, and what a plain alert cannot. */
#include "tests/worlds/classes.h"
#include "tests/worlds/measure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define SEED          1
#define WORLDS        2
#define ALERT_PARDONS 10 /* of 82; it is wrong about far more */

static char source[POLICY_FILE_MAX + 1];

static struct measure_options read_default(void)
{
    static const char path[] = SOURCE_DIR "/policies/library/default.yaml";
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    memset(source, 0, sizeof(source));
    (void)fread(source, 1, POLICY_FILE_MAX, file);
    (void)fclose(file);
    return (struct measure_options){path, source, NULL, NULL};
}

static void judge_world(const struct measure_options *options,
                        const struct world_class *world_class, unsigned number)
{
    struct world *world = world_make(world_class, SEED, number, 1);
    struct outcome outcome = measure_policy(world, options);

    if (!outcome_is_right(&world->plan, &outcome)) {
        fail_msg("%s %u: %s; draw it with 'worlds chart "
                 "policies/library/default.yaml %s %u'",
                 world_class->name, number,
                 outcome.reverts ? "reverts" : "does not revert",
                 world_class->name, number);
    }
    free(world);
}

static void judge_class(enum wanted wanted)
{
    struct measure_options options = read_default();

    for (size_t i = 0; i < world_classes_count; i++) {
        for (unsigned n = 0; n < WORLDS; n++) {
            if (world_classes[i].wanted == wanted) {
                judge_world(&options, &world_classes[i], n);
            }
        }
    }
}

static void bad_releases_go_back(void **state)
{
    (void)state;
    judge_class(WANTED_ROLLBACK);
}

static void what_the_release_did_not_do_stays(void **state)
{
    (void)state;
    judge_class(WANTED_STAY);
}

static void one_way_changes_are_held_and_never_reverted(void **state)
{
    (void)state;
    judge_class(WANTED_HOLD);
}

static void absence_of_data_never_reverts(void **state)
{
    (void)state;
    judge_class(WANTED_BLIND_STAY);
}

/* The sample would be worth nothing if anybody could judge it. */
static void a_plain_alert_is_often_wrong(void **state)
{
    unsigned wrong = 0;

    (void)state;
    for (size_t i = 0; i < world_classes_count; i++) {
        for (unsigned n = 0; n < WORLDS; n++) {
            struct world *world = world_make(&world_classes[i], SEED, n, 1);
            struct outcome outcome = measure_alert(world);

            wrong += !outcome_is_right(&world->plan, &outcome);
            free(world);
        }
    }
    assert_true(wrong > ALERT_PARDONS);
}

static void the_same_seed_is_the_same_world(void **state)
{
    const struct world_class *world_class = world_class_named("fast-leak");
    struct world *first = world_make(world_class, SEED, 3, 1);
    struct world *second = world_make(world_class, SEED, 3, 1);
    struct world *other = world_make(world_class, SEED + 1, 3, 1);

    (void)state;
    assert_int_equal(first->count, second->count);
    assert_memory_equal(first->readings, second->readings,
                        first->count * sizeof(first->readings[0]));
    assert_true(first->readings[0].requests != other->readings[0].requests);
    free(first);
    free(second);
    free(other);
}

/* In use is rate x hold time: Little's law, before anything happens. */
static void a_world_obeys_littles_law(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 20; n++) {
        struct world *world =
            world_make(world_class_named("late-errors"), SEED, n, 1);
        double in_use = 0, requests = 0;

        for (size_t i = 0; i < world->count; i++) {
            if (world->readings[i].at < 0) {
                in_use += world->readings[i].pool_in_use;
                requests += world->readings[i].requests;
            }
        }
        assert_true(in_use > 0.85 * requests * world->plan.hold);
        assert_true(in_use < 1.15 * requests * world->plan.hold);
        free(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_is_the_same_world),
        cmocka_unit_test(a_world_obeys_littles_law),
        cmocka_unit_test(bad_releases_go_back),
        cmocka_unit_test(what_the_release_did_not_do_stays),
        cmocka_unit_test(one_way_changes_are_held_and_never_reverted),
        cmocka_unit_test(absence_of_data_never_reverts),
        cmocka_unit_test(a_plain_alert_is_often_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
