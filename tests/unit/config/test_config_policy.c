/* Does the configuration have what a policy names? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policies/read/policy_read.h"
#include "tests/unit/config/help_config.h"

/* What a policy needs to be one; %s: applies_to, a signal, a leaf. */
#define POLICY                                                                 \
    "policy: p\n"                                                              \
    "applies_to: %s\n"                                                         \
    "mode: observe\n"                                                          \
    "signals:\n"                                                               \
    "  errors: %s\n"                                                           \
    "tree:\n"                                                                  \
    "  question: Is it bad?\n"                                                 \
    "  if: errors > 5/s\n"                                                     \
    "  then: %s\n"                                                             \
    "  else: healthy\n"

#define EVERYWHERE "{service: user-service}"
#define ASKS       "{prometheus: 'sum(rate(errors[1m]))', unit: per_second%s}"
#define PAGES      "{page: bad, blame: none}"

static const char config_text[] =
    "state: {sqlite: a}\n"
    "policies: p\n"
    "sources:\n"
    "  prom: {prometheus: http://prom}\n"
    "  page: {scrape: \"{metrics_url}\"}\n"
    "targets: {d: {http: {live: {get: http://d/, version: /v}, revert: {post: "
    "http://d/}}}}\n"
    "services:\n"
    "  - {service: user-service, environment: prod, target: d, source: prom, "
    "vars: {pool: users}}\n"
    "  - {service: \"user*\", environment: stage, target: d, source: page, "
    "vars: {metrics_url: http://m}}\n"
    "  - {service: other, environment: prod, target: d}\n"
    "notices: {oncall: {webhook: {url: http://h/}}}\n"
    "page: [oncall]\n"
    "actions:\n"
    "  scale: {post: \"http://ops/{pool}\"}\n"
    "  restart: {post: http://ops/restart}\n";

static struct policy *read_policy(struct config_stage *stage,
                                  const char *applies_to, const char *signal,
                                  const char *leaf)
{
    char text[2048];
    struct policy *policy = NULL;

    (void)snprintf(text, sizeof(text), POLICY, applies_to, signal, leaf);
    problems_init(&stage->problems, "p.yaml");
    policy = policy_read("p.yaml", text, strlen(text), &stage->problems);
    if (policy == NULL) {
        stage_print_problems(stage);
    }
    assert_non_null(policy);
    problems_init(&stage->problems, "p.yaml"); /* its lint is not our matter */
    return policy;
}

static void check(struct config_stage *stage, const char *applies_to,
                  const char *signal, const char *leaf)
{
    struct policy *policy = read_policy(stage, applies_to, signal, leaf);

    config_check_policy(stage_read_good(stage, config_text), policy,
                        &stage->problems);
    policy_free(policy);
}

/* A signal that asks Prometheus, with @more keys. */
static void check_prometheus(struct config_stage *stage, const char *applies_to,
                             const char *more, const char *leaf)
{
    char signal[256];

    (void)snprintf(signal, sizeof(signal), ASKS, more);
    check(stage, applies_to, signal, leaf);
}

static void expect_error(const struct config_stage *stage, const char *text,
                         int line)
{
    if (stage->problems.count != 1 || !stage_has_problem(stage, text)) {
        stage_print_problems(stage);
    }
    assert_int_equal(stage->problems.count, 1);
    assert_int_equal(stage->problems.errors, 1);
    assert_true(stage_has_problem(stage, text));
    assert_int_equal(stage->problems.list[0].line, line);
}

static void what_is_there_is_fine(void **state)
{
    struct config_stage *stage = *state;

    check_prometheus(stage, "{service: user-service, environment: prod}", "",
                     "{page: bad, run: scale, notify: [oncall]}");
    assert_int_equal(stage->problems.count, 0);
    check_prometheus(stage, "{service: other}", ", source: prom",
                     "{page: bad, run: restart}");
    assert_int_equal(stage->problems.count, 0);
}

static void the_policy_of_the_library_fits_its_configuration(void **state)
{
    struct config_stage *stage = *state;
    char text[POLICY_FILE_MAX];
    FILE *file = fopen(SOURCE_DIR "/policies/library/user-service.yaml", "r");
    struct policy *policy = NULL;
    size_t length = 0;

    assert_non_null(file);
    length = fread(text, 1, sizeof(text), file);
    (void)fclose(file);
    problems_init(&stage->problems, "user-service.yaml");
    policy = policy_read("user-service.yaml", text, length, &stage->problems);
    assert_non_null(policy);
    config_check_policy(stage_read_good(stage, config_printed), policy,
                        &stage->problems);
    assert_int_equal(stage->problems.count, 0);
    policy_free(policy);
}

static void an_unknown_source_is_named(void **state)
{
    struct config_stage *stage = *state;

    check_prometheus(stage, EVERYWHERE, ", source: prim", PAGES);
    expect_error(stage, "no source 'prim'; did you mean 'prom'?", 5);
}

static void a_source_of_another_kind_is_named(void **state)
{
    struct config_stage *stage = *state;

    check_prometheus(stage, "{service: user-service, environment: stage}", "",
                     PAGES);
    expect_error(stage,
                 "signal 'errors' asks by 'prometheus', and source 'page' is "
                 "'scrape'",
                 5);
}

static void a_service_without_a_source_needs_one(void **state)
{
    struct config_stage *stage = *state;

    check_prometheus(stage, "{service: other}", "", PAGES);
    expect_error(stage,
                 "signal 'errors' names no source, and service 'other' in "
                 "'prod' has none",
                 5);
}

static void variables_of_a_named_source_are_needed(void **state)
{
    struct config_stage *stage = *state;

    check(stage, "{service: user-service, environment: prod}",
          "{scrape: http_errors, unit: per_second, source: page}", PAGES);
    expect_error(stage,
                 "source 'page' of signal 'errors' needs the variable "
                 "'metrics_url', which service 'user-service' in 'prod' has "
                 "not",
                 5);
    check(stage, "{service: user-service, environment: stage}",
          "{scrape: http_errors, unit: per_second}", PAGES);
    assert_int_equal(stage->problems.count, 0);
}

static void unknown_notices_and_actions_are_named(void **state)
{
    struct config_stage *stage = *state;

    check_prometheus(stage, "{service: user-service, environment: prod}", "",
                     "{page: bad, notify: [onkall]}");
    expect_error(stage, "no notice 'onkall'; did you mean 'oncall'?", 9);
    check_prometheus(stage, "{service: user-service, environment: prod}", "",
                     "{page: bad, run: reboot-the-world}");
    expect_error(stage, "no action 'reboot-the-world'; describe it there", 9);
}

static void variables_of_an_action_are_needed(void **state)
{
    struct config_stage *stage = *state;

    check_prometheus(stage, "{service: other}", ", source: prom",
                     "{page: bad, run: scale}");
    expect_error(stage,
                 "action 'scale' needs the variable 'pool', which service "
                 "'other' in 'prod' has not",
                 9);
}

static void a_policy_for_nobody_is_pointed_out(void **state)
{
    struct config_stage *stage = *state;

    check_prometheus(stage, "{service: nobody}", "", PAGES);
    assert_int_equal(stage->problems.errors, 0);
    assert_true(stage_has_problem(
        stage, "policy 'p' applies to no service of the configuration"));
    check_prometheus(stage, "{service: \"user-*\", environment: prod}", "",
                     PAGES);
    assert_int_equal(stage->problems.count, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_begin, stage_end)
    const struct CMUnitTest tests[] = {
        TEST(what_is_there_is_fine),
        TEST(the_policy_of_the_library_fits_its_configuration),
        TEST(an_unknown_source_is_named),
        TEST(a_source_of_another_kind_is_named),
        TEST(a_service_without_a_source_needs_one),
        TEST(variables_of_a_named_source_are_needed),
        TEST(unknown_notices_and_actions_are_named),
        TEST(variables_of_an_action_are_needed),
        TEST(a_policy_for_nobody_is_pointed_out),
    };

    return cmocka_run_group_tests_name("config_policy", tests, NULL, NULL);
}
