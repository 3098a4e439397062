/* The bounds of a configuration, and files that are not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "controller/config/config.h"

static struct problems *problems;
static char path[64];

static int begin(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof(path), "/tmp/lastgood-config-XXXXXX");
    problems = malloc(sizeof(*problems));
    return problems == NULL || close(mkstemp(path)) != 0;
}

static int end(void **state)
{
    (void)state;
    free(problems);
    return unlink(path);
}

static void check_first(const char *file, const char *expected)
{
    assert_null(config_read(file, problems));
    assert_true(problems->errors > 0);
    assert_string_equal(problems->list[0].text, expected);
}

static void a_file_that_is_not_there_says_so(void **state)
{
    (void)state;
    check_first("/tmp/lastgood-nowhere/lastgood.yaml",
                "cannot read the configuration: No such file or directory");
}

static void a_path_has_512_bytes(void **state)
{
    char longer[CONFIG_PATH_MAX + 1];

    (void)state;
    memset(longer, 'x', CONFIG_PATH_MAX);
    longer[CONFIG_PATH_MAX] = '\0';
    check_first(longer, "the path is too long; at most 511 bytes");
}

static void a_thousand_entries_are_services(void **state)
{
    FILE *file = fopen(path, "w");

    (void)state;
    assert_non_null(file);
    (void)fputs("state: {sqlite: l.db}\npolicies: p\nservices:\n", file);
    for (size_t i = 0; i < 1025; i++) {
        (void)fputs("  - {service: a}\n", file);
    }
    assert_int_equal(fclose(file), 0);
    check_first(path, "'services' has 1025 entries; at most 1024 are read: "
                      "use patterns");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_is_not_there_says_so),
        cmocka_unit_test(a_path_has_512_bytes),
        cmocka_unit_test(a_thousand_entries_are_services),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
