/* `policy new` and `test`: what is written loads, and its tests pass. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "help_program.h"

static struct ran ran;
static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/lastgood-policy-XXXXXX");
    return mkdtemp(folder) == NULL || chdir(folder) != 0;
}

static int remove_folder(void **state)
{
    DIR *open = opendir(".");

    (void)state;
    assert_non_null(open);
    for (struct dirent *entry = readdir(open); entry != NULL;
         entry = readdir(open)) {
        if (entry->d_name[0] != '.') {
            assert_int_equal(unlink(entry->d_name), 0);
        }
    }
    assert_int_equal(closedir(open), 0);
    assert_int_equal(chdir("/"), 0);
    return rmdir(folder);
}

static void says(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("'%s' does not say '%s'", text, part);
    }
}

static void every_answer_gives_a_policy_that_loads_and_passes(void **state)
{
    static const char *const answers[][2] = {
        {"errors", "prometheus"},
        {"latency", "prometheus"},
        {"pool", "prometheus"},
        {"errors,latency", "prometheus"},
        {"errors,pool", "prometheus"},
        {"latency,pool", "prometheus"},
        {"errors,latency,pool", "prometheus"},
        {"errors", "scrape"},
        {"pool", "scrape"},
        {"errors,pool", "scrape"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "p%zu", i);
        run_program(&ran, "policy", "new", name, "--signals", answers[i][0],
                    "--from", answers[i][1], "--mode", "auto", NULL);
        assert_string_equal(ran.err, "");
        assert_int_equal(ran.code, 0);
    }
    run_program(&ran, "check", ".", NULL);
    assert_string_equal(ran.err, "");
    assert_int_equal(ran.code, 0);
    run_program(&ran, "test", NULL);
    assert_string_equal(ran.err, "");
    says(ran.out, "38 cases passed, 0 failed\n");
    assert_int_equal(ran.code, 0);
}

static void it_applies_to_what_was_said(void **state)
{
    (void)state;
    run_program(&ran, "policy", "new", "web", "--service", "web-*",
                "--environment", "*", "--mode", "countdown 60s", "--stdout",
                NULL);
    assert_string_equal(ran.err, "");
    assert_int_equal(ran.code, 0);
    says(ran.out, "policy: web\n"
                  "applies_to: {service: \"web-*\", environment: \"*\"}\n");
    says(ran.out, "\nmode: countdown 60s ");
    assert_int_equal(access("web.yaml", F_OK), -1);
}

static void nothing_is_written_over(void **state)
{
    (void)state;
    run_program(&ran, "policy", "new", "web", NULL);
    assert_string_equal(ran.out, "web.yaml\nweb.test.yaml\n");
    run_program(&ran, "policy", "new", "web", NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "web.yaml: File exists");
}

static void bad_answers_are_explained(void **state)
{
    (void)state;
    run_program(&ran, "policy", "new", "web", "--signals", "errors,speed",
                NULL);
    says(ran.err, "--signals is a list of errors, latency and pool, with "
                  "commas between; not 'speed'");
    run_program(&ran, "policy", "new", "web", "--from", "graphite", NULL);
    says(ran.err, "--from is prometheus or scrape");
    run_program(&ran, "policy", "new", "web", "--from", "scrape", "--signals",
                "latency", NULL);
    says(ran.err, "latency needs --from prometheus");
    run_program(&ran, "policy", "new", "../web", NULL);
    says(ran.err, "'../web' is no name for a policy");
    run_program(&ran, "policy", "new", "web", "--mode", "fast", NULL);
    says(ran.err, "unknown word 'fast'");
    assert_int_equal(ran.code, 1);
    run_program(&ran, "policy", "old", "web", NULL);
    says(ran.err, "usage: lastgood policy new NAME");
    assert_int_equal(ran.code, 1);
}

/* --- test ----------------------------------------------------------------- */

static void some_cases_are_run_by_name(void **state)
{
    (void)state;
    run_program(&ran, "policy", "new", "web", NULL);
    run_program(&ran, "test", "web.test.yaml", "--case", "healthy", NULL);
    assert_string_equal(ran.out, "web.test.yaml\n"
                                 "  ok    a healthy release stays: healthy\n"
                                 "1 case passed, 0 failed\n");
    run_program(&ran, "test", "--case", "nothing", NULL);
    says(ran.err, "no case has 'nothing' in its name");
    assert_int_equal(ran.code, 1);
    run_program(&ran, "test", "--show", "--case", "fails", NULL);
    says(ran.out, "> Are users hurt, or about to be? yes");
    says(ran.out, "\n    errors ");
    says(ran.out, "    verdict ");
    assert_int_equal(ran.code, 0);
}

static void a_folder_without_tests_says_so(void **state)
{
    (void)state;
    run_program(&ran, "test", NULL);
    says(ran.err, ".: there are no tests in it (*.test.yaml)");
    assert_int_equal(ran.code, 1);
    run_program(&ran, "test", "missing.test.yaml", NULL);
    says(ran.out, "missing.test.yaml: error: cannot be read: No such file or "
                  "directory");
    assert_int_equal(ran.code, 1);
}

#define STORY(name)                                                            \
    cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(every_answer_gives_a_policy_that_loads_and_passes),
        STORY(it_applies_to_what_was_said),
        STORY(nothing_is_written_over),
        STORY(bad_answers_are_explained),
        STORY(some_cases_are_run_by_name),
        STORY(a_folder_without_tests_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
