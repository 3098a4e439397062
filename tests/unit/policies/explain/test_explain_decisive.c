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

static const char canary[] =
    "policy: canary\n"
    "mode: suggest\n"
    "watch: {every: 15s, settle: 1m}\n"
    "signals:\n"
    "  e: {prometheus: e, select: {v: release.version}, unit: per_second}\n"
    "  r: {prometheus: r, select: {v: release.version}, unit: per_second}\n"
    "  x: {prometheus: x, select: {v: release.version}, unit: seconds}\n"
    "tree:\n"
    "  question: Is it worse?\n"
    "  if: worse(e, r, 150%) or worse(e, r) or worse(x, 110%)\n"
    "  then: {page: so}\n"
    "  else: healthy\n";

/* So many looks after settling, at 20 and 380 requests a second. */
static void compare(int looks, double errors, double x)
{
    world_policy(&world, canary);
    world_say(&world, "e", errors);
    world_say(&world, "r", 20);
    world_say(&world, "x", x);
    world_say(&world, "e:control", 0.2);
    world_say(&world, "r:control", 380);
    world_say(&world, "x:control", 1);
    world_looks(&world, 1, 4 + looks);
}

static void what_was_compared_is_told_with_its_numbers(void **state)
{
    (void)state;
    compare(3, 0.2, 1.05);
    expect("canary 9 of 900 failed (1%), control 9 of 17,100 (0.05263%): not "
           "worse than 150% of control so far (evidence 26 : 1), canary 9 of "
           "900 failed (1%), control 9 of 17,100 (0.05263%): not worse so far "
           "(evidence 60 : 1), canary higher than 110% of control in 0 of 1 "
           "comparisons: not worse so far (evidence 1.0 : 1)");
    compare(4, 0.2, 1.05);
    expect("canary 12 of 1,200 failed (1%), control 12 of 22,800 (0.05263%): "
           "worse than 150% of control at 1% (evidence 137 : 1), canary 12 of "
           "1,200 failed (1%), control 12 of 22,800 (0.05263%): worse at 1% "
           "(evidence 442 : 1)");
    compare(1000, 0.005, 1.2);
    expect("canary higher than 110% of control in 250 of 250 comparisons: "
           "worse at 1% (evidence over 1,000,000 : 1)");
}

static void before_it_has_settled_there_is_nothing_to_tell(void **state)
{
    (void)state;
    compare(-1, 0.2, 2);
    expect("worse(e, r, 150%) is not known, worse(e, r) is not known, "
           "worse(x, 110%) is not known");
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
        cmocka_unit_test(what_was_compared_is_told_with_its_numbers),
        cmocka_unit_test(before_it_has_settled_there_is_nothing_to_tell),
        cmocka_unit_test(a_small_buffer_cuts),
        cmocka_unit_test(only_whole_characters_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
