/* The few comparisons that decided, as one sentence says them. */
#include "policies/explain/explain.h"

#include "tests/unit/policies/help_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "policies/utf8.h"

static struct world world;

static void expect(const char *sentence)
{
    char text[POLICY_TEXT_MAX];

    explain_decisive(world.policy, &world.verdict, text, sizeof(text));
    assert_string_equal(text, sentence);
    world_end(&world);
}

static void look(const char *condition, double x, double y)
{
    world_condition(&world, condition);
    world_say(&world, "x", x);
    world_say(&world, "y", y);
    world_looks(&world, 1, 12);
}

static void of_an_or_only_the_side_that_held(void **state)
{
    (void)state;
    look("x > 5 or y > 5", 7, 1);
    expect("x 7 > 5");
    look("x > 5 or y > 5", 1, 2);
    expect("x 1 <= 5, y 2 <= 5");
}

static void of_an_and_only_the_side_that_failed(void **state)
{
    (void)state;
    look("x > 5 and y > 5", 7, 1);
    expect("y 1 <= 5");
    look("x > 5 and not y > 5", 7, 1);
    expect("x 7 > 5, y 1 <= 5");
}

static void what_had_to_last_says_how_long(void **state)
{
    (void)state;
    look("(x > 5 and y < 5) for 1m", 7, 1);
    expect("x 7 > 5 for 1m, y 1 < 5 for 1m");
    look("x > 5 for 3 of 4", 7, 1);
    expect("x 7 > 5 for 3 of 4 looks");

    world_condition(&world, "x > 5 for 1m");
    world_say(&world, "x", 1);
    world_looks(&world, 1, 11);
    world_say(&world, "x", 7);
    world_look(&world, 12);
    expect("x 7 > 5 but not for 1m");
}

static void a_limit_that_moves_is_told_with_its_value(void **state)
{
    (void)state;
    look("x >= 115% * y", 7, 2);
    expect("x 7 >= 2.3");
}

static void what_is_not_known_says_why(void **state)
{
    (void)state;
    world_condition(&world, "surely(x > 5) or y > 5");
    world_say(&world, "y", 1);
    world_unknown(&world, "x", UNKNOWN_STALE);
    world_look(&world, 4);
    expect("x (stale) > 5, y 1 <= 5");
}

static void the_same_is_not_told_twice_and_not_more_than_five(void **state)
{
    (void)state;
    look("x > 1 or x > 2 or x > 3 or x > 4 or x > 5 or x > 6", 7, 1);
    expect("x 7 > 1, x 7 > 2, x 7 > 3, x 7 > 4, x 7 > 5");
}

static void a_small_buffer_cuts(void **state)
{
    char text[8];

    (void)state;
    look("x > 5 or y > 5", 7, 9);
    explain_decisive(world.policy, &world.verdict, text, sizeof(text));
    assert_string_equal(text, "x 7 > 5");
    world_end(&world);
}

/* What is cut inside a character could not be written as JSON. */
static void only_whole_characters_are_told(void **state)
{
    static const char begun[] = "release.kind == \"a\xc3\xa9";
    char condition[700] = "";
    size_t used = 0;

    (void)state;
    used = (size_t)snprintf(condition, sizeof(condition), "%s", begun);
    while (used < 500) {
        used += (size_t)snprintf(condition + used, sizeof(condition) - used,
                                 "\xc3\xa9");
    }
    (void)snprintf(condition + used, sizeof(condition) - used, "\"");
    world_condition(&world, condition);
    world.facts.kind = "b";
    world_look(&world, 4);
    for (size_t size = 1; size < 230; size++) {
        char text[230];
        size_t length = 0;

        explain_decisive(world.policy, &world.verdict, text, size);
        length = strlen(text);
        assert_true(length < size);
        for (size_t at = 0; at < length;) {
            uint32_t code = 0;
            size_t bytes = utf8_decode(text + at, length - at, &code);

            assert_true(bytes > 0);
            at += bytes;
        }
        assert_true(length + 2 >= size || strstr(text, " is not so") != NULL);
    }
    world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_an_or_only_the_side_that_held),
        cmocka_unit_test(of_an_and_only_the_side_that_failed),
        cmocka_unit_test(what_had_to_last_says_how_long),
        cmocka_unit_test(a_limit_that_moves_is_told_with_its_value),
        cmocka_unit_test(what_is_not_known_says_why),
        cmocka_unit_test(the_same_is_not_told_twice_and_not_more_than_five),
        cmocka_unit_test(a_small_buffer_cuts),
        cmocka_unit_test(only_whole_characters_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
