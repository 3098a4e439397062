/* What a configuration is refused for: all of it in one go, each at its
 * place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/config/help_config.h"

/* --- Refusals ------------------------------------------------------------- */

static void unknown_keys_and_names_are_refused_at_their_place(void **state)
{
    struct config_stage *stage = *state;

    stage_expect_refused_line(stage, "celing: auto", "did you mean 'ceiling'?");
    assert_int_equal(stage->problems.list[0].line, 12);
    assert_int_equal(stage->problems.list[0].column, 1);
    stage_expect_refused_line(stage, "heartbeat: {get: http://h/, evry: 5s}",
                              "did you mean 'every'?");
    assert_int_equal(stage->problems.list[0].column, 29);
    stage_expect_refused_line(stage, "ceiling: aut", "'auto'");
    stage_expect_refused_line(stage, "actions: {x y: {post: http://h/}}",
                              "is no name");
}

static void every_problem_is_told_in_one_go(void **state)
{
    struct config_stage *stage = *state;

    assert_null(stage_read(
        stage, "state: {postgres: x}\n"
               "limits: {services: 0, releases: many, series: 100001}\n"
               "interlocks: {per_service: one in 30m, fleet: 3 in 10, "
               "shared_cause: 1 services and 30% in 5m}\n"
               "sources: {a: {prometheus: ftp://x, lag: 1w}, b: {every: 5s}}\n"
               "targets: {t: {}}\n"
               "services: [{service: a, environment: b, target: tt}]\n"
               "page: [nobody]\n"));
    assert_true(stage_has_problem(stage, "unknown key 'postgres'"));
    assert_true(stage_has_problem(stage, "'state' needs 'sqlite'"));
    assert_true(stage_has_problem(stage, "'policies' is missing"));
    assert_true(
        stage_has_problem(stage, "'per_service' must be as in '1 in 30m'"));
    assert_true(stage_has_problem(stage, "'fleet' must be as in '1 in 30m'"));
    assert_true(stage_has_problem(stage, "'shared_cause' must be as in"));
    assert_true(stage_has_problem(stage, "begins with http:// or https://"));
    assert_true(stage_has_problem(stage, "a source is one of"));
    assert_true(stage_has_problem(stage, "a target needs 'http'"));
    assert_true(
        stage_has_problem(stage, "unknown target 'tt'; did you mean 't'?"));
    assert_true(stage_has_problem(stage, "unknown notice 'nobody'"));
    assert_true(stage->problems.errors >= 14);
}

static void addresses_are_plain_http_without_secrets(void **state)
{
    static const struct {
        const char *url, *error;
    } bad[] = {
        {"file:///etc/passwd", "begins with http:// or https://"},
        {"//h/x", "begins with http:// or https://"},
        {"http://", "has no host"},
        {"http:///x", "has no host"},
        {"http://user:pass@h/", "no user or password"},
        {"http://h/a b", "no blanks"},
        {"http://h/ü", "only ASCII"},
        {"'http://h/#x'", "before its '#'"},
        {"'http://h/{service}'", "no variables in this address"},
    };
    struct config_stage *stage = *state;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char line[256];

        (void)snprintf(line, sizeof(line), "heartbeat: {get: %s}", bad[i].url);
        stage_expect_refused_line(stage, line, bad[i].error);
    }
    stage_expect_refused_line(stage,
                              "actions: {x: {post: \"http://h/{service\"}}",
                              "a brace is not closed");
    stage_expect_refused_line(stage, "actions: {x: {post: \"http://h/{A b}\"}}",
                              "no blanks");
}

static void calls_say_one_method_and_sane_answers(void **state)
{
    struct config_stage *stage = *state;

    stage_expect_refused_line(stage,
                              "actions: {x: {post: http://h/, put: http://h/}}",
                              "keep one of 'post' or 'put'");
    stage_expect_refused_line(stage, "actions: {x: {json: {a: 1}}}",
                              "give 'post' or 'put'");
    stage_expect_refused_line(stage,
                              "actions: {x: {get: http://h/, post: http://h/}}",
                              "unknown key 'get'");
    stage_expect_refused_line(stage,
                              "actions: {x: {post: http://h/, json: text}}",
                              "'json' must be a map or a list");
    stage_expect_refused_line(
        stage, "actions: {x: {post: http://h/, json: {a: \"{\"}}}",
        "a brace is not closed");
    stage_expect_refused_line(
        stage, "actions: {x: {post: http://h/, idempotency_header: Host}}",
        "a header that is free");
    stage_expect_refused_line(
        stage, "actions: {x: {post: http://h/, idempotency_header: \"a: b\"}}",
        "a header that is free");
    stage_expect_refused_line(stage,
                              "actions: {x: {post: http://h/, timeout: 1ms}}",
                              "write 100ms to 5m");
}

static const char *target_with(const char *revert)
{
    static char text[2048];

    (void)snprintf(text, sizeof(text),
                   "state: {sqlite: lastgood.db}\n"
                   "policies: policies\n"
                   "targets:\n"
                   "  d:\n"
                   "    http:\n"
                   "      live: {get: http://d/live, version: /version}\n"
                   "      revert: {post: http://d/deploy, %s}\n"
                   "services: []\n",
                   revert);
    return text;
}

static void statuses_are_answers_that_say_something(void **state)
{
    struct config_stage *stage = *state;

    stage_expect_refusal(stage, target_with("ok: [200, 500]"), "500");
    stage_expect_refusal(stage, target_with("ok: [99]"), "499");
    stage_expect_refusal(stage, target_with("ok: []"), "'ok' holds 1 to 8");
    stage_expect_refusal(stage, target_with("ok: [200, 200]"), "second time");
    stage_expect_refusal(stage, target_with("ok: [200, 409], raced: [409]"),
                         "both 'ok' and 'raced'");
    (void)stage_read_good(stage,
                          target_with("ok: [200, 304], raced: [409, 412]"));
}

static void variables_must_be_had_by_who_needs_them(void **state)
{
    struct config_stage *stage = *state;

    stage_expect_refusal(
        stage,
        "state: {sqlite: a}\n"
        "policies: p\n"
        "sources: {s: {scrape: \"{metrics_url}/m\"}}\n"
        "targets: {d: {http: {live: {get: \"{url}/v\", version: "
        "/v}, revert: {post: \"{url}/d\"}}}}\n"
        "services:\n"
        "  - {service: a, environment: e, target: d, source: s, "
        "vars: {url: http://u, metric_url: http://m}}\n",
        "source 's' needs the variable 'metrics_url' in 'address', "
        "and this service has none; did you mean 'metric_url'?");
    assert_int_equal(stage->problems.list[0].line, 6);
    stage_expect_refusal(
        stage,
        "state: {sqlite: a}\n"
        "policies: p\n"
        "targets: {d: {http: {live: {get: \"{url}/v\", version: "
        "/v}, revert: {post: http://d/, json: {a: [\"{suspct}\"]}}}}"
        "}\n"
        "services:\n"
        "  - {service: a, environment: e, target: d, vars: {url: "
        "http://u}}\n",
        "target 'd' needs the variable 'suspct' in 'revert'");
    stage_expect_refused_line(stage,
                              "actions: {x: {post: \"http://h/{pool}\"}}",
                              "action 'x' needs the variable 'pool'");
    stage_expect_refused_line(
        stage, "actions: {x: {post: http://h/, json: {a: \"{version}\"}}}",
        "action 'x' needs the variable 'version'");
}

static void an_address_in_a_variable_is_looked_at_too(void **state)
{
    struct config_stage *stage = *state;

    stage_expect_refusal(
        stage,
        "state: {sqlite: a}\n"
        "policies: p\n"
        "targets: {d: {http: {live: {get: \"{url}/v\", version: "
        "/v}, revert: {post: http://d/}}}}\n"
        "services:\n"
        "  - {service: a, environment: e, target: d, vars: {url: "
        "deploy.internal}}\n",
        "'live' of target 'd' begins with {url}, which is no "
        "address: an address begins with http:// or https://");
    stage_expect_refusal(
        stage,
        "state: {sqlite: a}\n"
        "policies: p\n"
        "targets: {d: {http: {live: {get: \"{service}/v\", version: "
        "/v}, revert: {post: http://d/}}}}\n"
        "services:\n"
        "  - {service: a, environment: e, target: d}\n",
        "begins with {service}");
}

static void services_are_patterns_with_variables_of_their_own(void **state)
{
    struct config_stage *stage = *state;
    static const struct {
        const char *entry, *error;
    } bad[] = {
        {"{service: \"a*b\", environment: e, target: d}",
         "'service' must be a name"},
        {"{service: \"**\", environment: e, target: d}",
         "'service' must be a name"},
        {"{service: a, environment: \"e e\", target: d}",
         "'environment' must be a name"},
        {"{service: a, target: d}", "'environment' is missing"},
        {"{service: a, environment: e}", "'target' is missing"},
        {"{service: a, environment: e, target: d, source: s}",
         "unknown source 's'"},
        {"{service: a, environment: e, target: d, vars: {Url: x}}",
         "no variable's name"},
        {"{service: a, environment: e, target: d, vars: {target: x}}",
         "filled in by the controller"},
        {"{service: a, environment: e, target: d, ceiling: off}",
         "unknown word 'off'"},
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[1024];

        (void)snprintf(text, sizeof(text),
                       "state: {sqlite: a}\n"
                       "policies: p\n"
                       "targets: {d: {http: {live: {get: http://d/, version: "
                       "/v}, revert: {post: http://d/}}}}\n"
                       "services: [%s]\n",
                       bad[i].entry);
        stage_expect_refusal(stage, text, bad[i].error);
    }
}

static void an_entry_behind_a_wider_one_is_pointed_out(void **state)
{
    struct config_stage *stage = *state;

    (void)stage_read_good(
        stage, "state: {sqlite: a}\n"
               "policies: p\n"
               "targets: {d: {http: {live: {get: http://d/, version: "
               "/v}, revert: {post: http://d/}}}}\n"
               "services:\n"
               "  - {service: \"user*\", environment: \"*\", target: d}\n"
               "  - {service: user-service, environment: e, target: d}\n"
               "  - {service: \"use*\", environment: e, target: d}\n");
    assert_int_equal(stage->problems.count, 2); /* and nobody is told */
    assert_true(stage_has_problem(stage, "already takes user-service in e"));
}

static void secrets_are_files_with_one_line(void **state)
{
    static const char hook[] = "notices: {n: {webhook: {url: http://h/, "
                               "secret_file: key}}}\n";
    static const char rest[] =
        "state: {sqlite: a}\npolicies: p\nservices: []\n";
    struct config_stage *stage = *state;
    char text[512], folder[FILES_PATH_MAX + 16];

    (void)snprintf(text, sizeof(text), "%s%s", rest, hook);
    stage_expect_refusal(stage, text, "key: No such file or directory");
    (void)files_write(stage->folder, "key", "");
    stage_expect_refusal(stage, text, "one line of printable ASCII");
    (void)files_write(stage->folder, "key", "one\ntwo\n");
    stage_expect_refusal(stage, text, "one line of printable ASCII");
    (void)files_write(stage->folder, "key", "\n\n");
    stage_expect_refusal(stage, text, "one line of printable ASCII");
    (void)files_write(stage->folder, "key", "good\n");
    (void)stage_read_good(stage, text);
    (void)snprintf(folder, sizeof(folder), "%s/key", stage->folder);
    (void)unlink(folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    stage_expect_refusal(stage, text, "key: Is a directory");
    (void)rmdir(folder);
}

static void a_secret_as_a_value_is_an_unknown_key(void **state)
{
    struct config_stage *stage = *state;

    stage_expect_refused_line(
        stage, "sources: {p: {prometheus: http://h, bearer: abc}}",
        "unknown key 'bearer'");
}

static void files_that_cannot_be_read_say_why(void **state)
{
    struct config_stage *stage = *state;
    char path[FILES_PATH_MAX + 32];
    char *big = malloc(CONFIG_FILE_MAX + 2);

    (void)snprintf(path, sizeof(path), "%s/none.yaml", stage->folder);
    assert_null(config_read(path, &stage->problems));
    assert_true(stage_has_problem(stage, "No such file or directory"));
    assert_string_equal(stage->problems.list[0].path, path);
    assert_null(config_read(stage->folder, &stage->problems));
    assert_true(stage_has_problem(stage, "Is a directory"));
    assert_non_null(big);
    memset(big, '#', CONFIG_FILE_MAX + 1);
    big[CONFIG_FILE_MAX + 1] = '\0';
    assert_null(stage_read(stage, big));
    assert_true(stage->problems.errors == 1);
    assert_true(stage_has_problem(stage, "File too large"));
    free(big);
    assert_null(stage_read(stage, ""));
    assert_true(stage->problems.errors >= 1);
    assert_null(stage_read(stage, "just words"));
    assert_true(stage->problems.errors >= 1);
    assert_null(stage_read(stage, "a: {b: [\n"));
    assert_true(stage->problems.errors >= 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_begin, stage_end)
    const struct CMUnitTest tests[] = {
        TEST(unknown_keys_and_names_are_refused_at_their_place),
        TEST(every_problem_is_told_in_one_go),
        TEST(addresses_are_plain_http_without_secrets),
        TEST(calls_say_one_method_and_sane_answers),
        TEST(statuses_are_answers_that_say_something),
        TEST(variables_must_be_had_by_who_needs_them),
        TEST(an_address_in_a_variable_is_looked_at_too),
        TEST(services_are_patterns_with_variables_of_their_own),
        TEST(an_entry_behind_a_wider_one_is_pointed_out),
        TEST(secrets_are_files_with_one_line),
        TEST(a_secret_as_a_value_is_an_unknown_key),
        TEST(files_that_cannot_be_read_say_why),
    };

    return cmocka_run_group_tests_name("config_refusals", tests, NULL, NULL);
}
