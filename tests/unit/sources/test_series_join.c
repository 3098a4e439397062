#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "controller/sources/series_join.h"

static struct join_value value(const char *text)
{
    return (struct join_value){text, strlen(text)};
}

static void every_series_is_found_by_its_values(void **state)
{
    (void)state;
    struct series_join *join = join_new();
    const char *labels[] = {"service", "zone"};
    char names[3000][2][16];
    for (uint32_t i = 0; i < 3000; i++) {
        const char *values[] = {names[i][0], names[i][1]};
        (void)snprintf(names[i][0], 16, "s%u", i / 3);
        (void)snprintf(names[i][1], 16, "z%u", i % 3);
        assert_int_equal(join_add(join, 2, labels, values), i);
    }
    assert_int_equal(join_sets(join), 1);
    assert_int_equal(join_count(join), 3000);
    for (uint32_t i = 0; i < 3000; i++) {
        struct join_value values[] = {value(names[i][0]), value(names[i][1])};
        const char *texts[] = {names[i][0], names[i][1]};
        assert_int_equal(join_find(join, 0, values), i);
        assert_int_equal(join_next(join, i, values), JOIN_NONE);
        assert_int_equal(join_lookup(join, 2, labels, texts), i);
    }
    struct join_value nobody[] = {value("s1"), value("z")};
    assert_int_equal(join_find(join, 0, nobody), JOIN_NONE);
    join_free(join);
}

static void values_do_not_run_into_each_other(void **state)
{
    (void)state;
    struct series_join *join = join_new();
    const char *labels[] = {"a", "b"};
    const char *first[] = {"xy", ""}, *second[] = {"x", "y"};
    (void)join_add(join, 2, labels, first);
    (void)join_add(join, 2, labels, second);
    struct join_value values[] = {value("x"), value("y")};
    assert_int_equal(join_find(join, 0, values), 1);
    struct join_value others[] = {value("xy"), value("")};
    assert_int_equal(join_find(join, 0, others), 0);
    join_free(join);
}

static void selections_by_other_labels_are_other_sets(void **state)
{
    (void)state;
    struct series_join *join = join_new();
    const char *labels[] = {"a", "b"}, *turned[] = {"b", "a"};
    const char *values[] = {"1", "1"};
    size_t count;
    assert_int_equal(join_add(join, 1, labels, values), 0);
    assert_int_equal(join_add(join, 2, labels, values), 1);
    assert_int_equal(join_add(join, 2, turned, values), 2);
    assert_int_equal(join_add(join, 0, NULL, NULL), 3);
    assert_int_equal(join_sets(join), 4);
    assert_string_equal(join_labels(join, 2, &count)[0], "b");
    assert_int_equal(count, 2);
    struct join_value ones[] = {value("1"), value("1")};
    for (uint32_t set = 0; set < 4; set++) {
        assert_int_equal(join_find(join, set, ones), set);
    }
    assert_int_equal(join_lookup(join, 1, turned, values), JOIN_NONE);
    assert_int_equal(join_lookup(join, 0, NULL, NULL), 3);
    join_free(join);
}

static void the_same_selection_twice_is_found_twice(void **state)
{
    (void)state;
    struct series_join *join = join_new();
    const char *label = "a", *text = "1";
    (void)join_add(join, 1, &label, &text);
    (void)join_add(join, 1, &label, &text);
    struct join_value one = value("1");
    uint32_t first = join_find(join, 0, &one);
    uint32_t second = join_next(join, first, &one);
    assert_int_equal(first + second, 1);
    assert_int_equal(join_next(join, second, &one), JOIN_NONE);
    join_free(join);
}

static void an_empty_join_has_no_sets(void **state)
{
    (void)state;
    struct series_join *join = join_new();
    const char *label = "a", *text = "1";
    assert_int_equal(join_sets(join), 0);
    assert_int_equal(join_lookup(join, 1, &label, &text), JOIN_NONE);
    join_free(join);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_series_is_found_by_its_values),
        cmocka_unit_test(values_do_not_run_into_each_other),
        cmocka_unit_test(selections_by_other_labels_are_other_sets),
        cmocka_unit_test(the_same_selection_twice_is_found_twice),
        cmocka_unit_test(an_empty_join_has_no_sets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
