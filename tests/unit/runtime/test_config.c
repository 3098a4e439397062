/* The daemon's configuration: read whole, refused whole, printed back. */
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

#include "controller/runtime/config.h"
#include "tests/unit/runtime/help_files.h"

/* As product.md prints it, but for the folder. */
static const char printed[] =
    "listen:   {http: 127.0.0.1:7333, unix: /run/lastgood/lastgood.sock}\n"
    "state:    {sqlite: /var/lib/lastgood/lastgood.db}        # the reserve "
    "file lies beside it\n"
    "policies: /etc/lastgood/policies\n"
    "ceiling:  auto                                           # the file STOP "
    "beside the configuration means observe, at once\n"
    "limits:   {services: 2000, releases: 10000, series: 20000}\n"
    "interlocks: {per_service: 1 in 30m, fleet: 3 in 10m, shared_cause: 3 "
    "services and 30% in 5m}\n"
    "sources:\n"
    "  prom: {prometheus: http://127.0.0.1:9090, lag: 2s, timeout: 5s, alive: "
    "'up{job=\"app\"}', bearer_file: /etc/lastgood/prom.token}\n"
    "  page: {scrape: \"{metrics_url}\", every: 15s}            # { } : "
    "variables of the service below; url-encoded\n"
    "targets:\n"
    "  deployer:\n"
    "    http:\n"
    "      live:   {get: \"{deploy_url}/version\", version: /version, "
    "complete: /ready}      # JSON pointers\n"
    "      has:    {get: \"{deploy_url}/versions/{target}\"}                  "
    "               # optional: is the target still there\n"
    "      revert: {post: \"{deploy_url}/deploy\", json: {service: "
    "\"{service}\", version: \"{target}\", expected_version: \"{suspect}\"},\n"
    "               ok: [200, 202], raced: [409], idempotency_header: "
    "Idempotency-Key, timeout: 10s}\n"
    "      bearer_file: /etc/lastgood/deploy.token\n"
    "    deadline: 10m\n"
    "services:                                                # first match "
    "wins; none: 'register' is refused\n"
    "  - {service: user-service, environment: production, target: deployer, "
    "source: prom, vars: {deploy_url: https://deploy.internal}}\n"
    "  - {service: \"*\", environment: staging, target: deployer, source: "
    "prom, ceiling: observe, vars: {deploy_url: https://stage.internal}}\n"
    "notices:\n"
    "  oncall:      {webhook: {url: https://hooks.internal/page, secret_file: "
    "/etc/lastgood/hook.key}}\n"
    "  status-page: {webhook: {url: https://hooks.internal/status, "
    "secret_file: /etc/lastgood/hook.key}}\n"
    "page:      [oncall]                                      # whom every "
    "page, hold and the daemon's own alarms tell\n"
    "heartbeat: {get: https://dms.internal/lastgood, every: 60s}\n"
    "actions: {scale-pool: {post: https://ops.internal/pools/users/scale, "
    "json: {by: 1.5}, once_per: 1h}}\n";

#define MINIMAL                                                                \
    "state: {sqlite: lastgood.db}\n"                                           \
    "policies: policies\n"                                                     \
    "targets:\n"                                                               \
    "  deployer:\n"                                                            \
    "    http:\n"                                                              \
    "      live: {get: http://d/live, version: /version}\n"                    \
    "      revert: {post: http://d/deploy, json: {version: \"{target}\"}}\n"   \
    "services:\n"                                                              \
    "  - {service: \"*\", environment: \"*\", target: deployer}\n"             \
    "notices: {oncall: {webhook: {url: http://h/page}}}\n"                     \
    "page: [oncall]\n"

struct stage {
    char folder[FILES_PATH_MAX];
    struct problems problems;
    struct config *config;
};

static int begin(void **state)
{
    struct stage *stage = calloc(1, sizeof(*stage));

    assert_non_null(stage);
    files_begin(stage->folder);
    (void)files_write(stage->folder, "prom.token", "prometheus-token\n");
    (void)files_write(stage->folder, "deploy.token", "deploy-token");
    (void)files_write(stage->folder, "hook.key", "hook-key\r\n");
    *state = stage;
    return 0;
}

static int end(void **state)
{
    struct stage *stage = *state;

    config_free(stage->config);
    files_end(stage->folder);
    free(stage);
    return 0;
}

/* @text with "/etc/lastgood" replaced by the test's folder; malloc'd. */
static char *with_folder(const struct stage *stage, const char *text)
{
    static const char place[] = "/etc/lastgood";
    char *result = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&result, &length);

    assert_non_null(out);
    for (const char *at = strstr(text, place); at != NULL;
         at = strstr(text, place)) {
        (void)fwrite(text, 1, (size_t)(at - text), out);
        (void)fputs(stage->folder, out);
        text = at + strlen(place);
    }
    (void)fputs(text, out);
    (void)fclose(out);
    return result;
}

static struct config *read_as(struct stage *stage, const char *name,
                              const char *text)
{
    char *filled = with_folder(stage, text);
    const char *path = files_write(stage->folder, name, filled);

    config_free(stage->config);
    stage->config = config_read(path, &stage->problems);
    free(filled);
    return stage->config;
}

static struct config *read_text(struct stage *stage, const char *text)
{
    return read_as(stage, "lastgood.yaml", text);
}

static void print_problems(const struct stage *stage)
{
    problems_print(&stage->problems, NULL, 0, false, stderr);
}

static const struct config *read_good(struct stage *stage, const char *text)
{
    const struct config *config = read_text(stage, text);

    if (config == NULL) {
        print_problems(stage);
    }
    assert_non_null(config);
    assert_int_equal(stage->problems.errors, 0);
    return config;
}

static bool has_problem(const struct stage *stage, const char *text)
{
    for (size_t i = 0; i < stage->problems.count; i++) {
        if (strstr(stage->problems.list[i].text, text) != NULL) {
            return true;
        }
    }
    return false;
}

/* Refused with exactly one error that says @error. */
static void expect_refusal(struct stage *stage, const char *text,
                           const char *error)
{
    assert_null(read_text(stage, text));
    if (stage->problems.errors != 1 || !has_problem(stage, error)) {
        fprintf(stderr, "wanted: %s\n", error);
        print_problems(stage);
    }
    assert_int_equal(stage->problems.errors, 1);
    assert_true(has_problem(stage, error));
}

/* MINIMAL and one more line. */
static void expect_refused_line(struct stage *stage, const char *line,
                                const char *error)
{
    char text[4096];

    (void)snprintf(text, sizeof(text), "%s%s\n", MINIMAL, line);
    expect_refusal(stage, text, error);
}

/* --- As printed ----------------------------------------------------------- */

static void check_top(const struct config *config)
{
    assert_string_equal(config->listen_host, "127.0.0.1");
    assert_int_equal(config->listen_port, 7333);
    assert_string_equal(config->listen_unix, "/run/lastgood/lastgood.sock");
    assert_string_equal(config->sqlite, "/var/lib/lastgood/lastgood.db");
    assert_int_equal(config->core.ceiling, MODE_AUTO);
    assert_int_equal(config->core.services_max, 2000);
    assert_int_equal(config->core.releases_max, 10000);
    assert_int_equal(config->core.series_max, 20000);
    assert_int_equal(config->core.per_service.count, 1);
    assert_int_equal(config->core.per_service.window, 30 * MINUTE_MS);
    assert_int_equal(config->core.fleet.count, 3);
    assert_int_equal(config->core.fleet.window, 10 * MINUTE_MS);
    assert_int_equal(config->core.shared_services, 3);
    assert_true(config->core.shared_share == 0.3);
    assert_int_equal(config->core.shared_window, 5 * MINUTE_MS);
    assert_true(config->heartbeat_given);
    assert_string_equal(config->heartbeat_url, "https://dms.internal/lastgood");
    assert_int_equal(config->heartbeat_every, 60 * SECOND_MS);
}

static void check_sources(const struct config *config)
{
    const struct source_config *source = config->sources;

    assert_int_equal(config->sources_count, 2);
    assert_string_equal(source[0].name, "prom");
    assert_int_equal(source[0].fetch, FETCH_PROMETHEUS);
    assert_string_equal(source[0].url, "http://127.0.0.1:9090");
    assert_int_equal(source[0].lag, 2 * SECOND_MS);
    assert_int_equal(source[0].timeout, 5 * SECOND_MS);
    assert_string_equal(source[0].alive, "up{job=\"app\"}");
    assert_string_equal(source[0].bearer, "prometheus-token");
    assert_int_equal(source[1].fetch, FETCH_SCRAPE);
    assert_string_equal(source[1].url, "{metrics_url}");
    assert_int_equal(source[1].every, 15 * SECOND_MS);
    assert_int_equal(source[1].lag, 2 * SECOND_MS);
    assert_string_equal(source[1].bearer, "");
    assert_int_equal(config->core.sources_count, 2);
    assert_string_equal(config->core.sources[0].name, "prom");
    assert_false(config->core.sources[0].per_service);
    assert_true(config->core.sources[1].per_service);
    assert_int_equal(config->core.sources[1].timeout, 5 * SECOND_MS);
}

static void check_target(const struct config *config)
{
    const struct target_config *target = config->targets;

    assert_int_equal(config->targets_count, 1);
    assert_string_equal(target->name, "deployer");
    assert_string_equal(target->live.method, "GET");
    assert_string_equal(target->live.url, "{deploy_url}/version");
    assert_string_equal(target->live.version_pointer, "/version");
    assert_string_equal(target->live.complete_pointer, "/ready");
    assert_true(target->has.given);
    assert_string_equal(target->revert.method, "POST");
    assert_string_equal(target->revert.json,
                        "{\"service\":\"{service}\",\"version\":\"{target}\","
                        "\"expected_version\":\"{suspect}\"}");
    assert_int_equal(target->revert.ok_count, 2);
    assert_int_equal(target->revert.ok[1], 202);
    assert_int_equal(target->revert.raced_count, 1);
    assert_int_equal(target->revert.raced[0], 409);
    assert_string_equal(target->revert.idempotency_header, "Idempotency-Key");
    assert_int_equal(target->revert.timeout, 10 * SECOND_MS);
    assert_string_equal(target->bearer, "deploy-token");
    assert_int_equal(target->deadline, 10 * MINUTE_MS);
    assert_true(config->core.targets[0].can_check);
    assert_int_equal(config->core.targets[0].timeout, 10 * SECOND_MS);
    assert_int_equal(config->core.targets[0].deadline, 10 * MINUTE_MS);
}

static void check_services(const struct config *config)
{
    const struct service_config *service = config->services;

    assert_int_equal(config->services_count, 2);
    assert_string_equal(service[0].service, "user-service");
    assert_string_equal(service[0].environment, "production");
    assert_int_equal(service[0].ceiling, MODE_AUTO);
    assert_int_equal(service[0].vars_count, 1);
    assert_string_equal(service[0].vars[0].name, "deploy_url");
    assert_string_equal(service[0].vars[0].value, "https://deploy.internal");
    assert_string_equal(service[1].service, "*");
    assert_int_equal(service[1].ceiling, MODE_OBSERVE);
    assert_int_equal(config->core.services_count, 2);
    assert_string_equal(config->core.services[1].environment, "staging");
    assert_int_equal(config->core.services[1].ceiling, MODE_OBSERVE);
    assert_int_equal(config->core.services[1].target, 0);
    assert_int_equal(config->core.services[1].source, 0);
}

static void check_people(const struct config *config)
{
    assert_int_equal(config->notices_count, 2);
    assert_string_equal(config->notices[1].name, "status-page");
    assert_string_equal(config->notices[1].url,
                        "https://hooks.internal/status");
    assert_string_equal(config->notices[1].secret, "hook-key");
    assert_int_equal(config->core.pages_count, 1);
    assert_string_equal(config->core.page[0], "oncall");
    assert_int_equal(config->actions_count, 1);
    assert_string_equal(config->actions[0].call.method, "POST");
    assert_string_equal(config->actions[0].call.json, "{\"by\":1.5}");
    assert_int_equal(config->actions[0].once_per, HOUR_MS);
}

static void the_printed_configuration_loads(void **state)
{
    struct stage *stage = *state;
    const struct config *config = read_good(stage, printed);
    char path[FILES_PATH_MAX + 16];

    assert_int_equal(stage->problems.count, 0);
    check_top(config);
    check_sources(config);
    check_target(config);
    check_services(config);
    check_people(config);
    (void)snprintf(path, sizeof(path), "%s/STOP", stage->folder);
    assert_string_equal(config->stop_file, path);
    (void)snprintf(path, sizeof(path), "%s/policies", stage->folder);
    assert_string_equal(config->policies, path);
}

static char *print_config(const struct config *config)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    assert_non_null(out);
    config_print(config, out);
    (void)fclose(out);
    return text;
}

static void
what_is_printed_reads_back_the_same_and_holds_no_secret(void **state)
{
    static const char *const texts[] = {
        printed, MINIMAL,
        MINIMAL "listen: {http: \"[::1]:0\"}\n"
                "ceiling: countdown\n"
                "sources: {a:b: {json: \"http://h/{service}\", every: 30s}}\n"
                "interlocks: {shared_cause: 2 services and 12.5% in 90s}\n"};
    struct stage *stage = *state;

    for (size_t i = 0; i < 3; i++) {
        char *first = print_config(read_good(stage, texts[i]));
        char *second = print_config(read_good(stage, first));

        assert_string_equal(first, second);
        assert_null(strstr(first, "deploy-token"));
        assert_null(strstr(first, "prometheus-token"));
        assert_null(strstr(first, "hook-key"));
        free(first);
        free(second);
    }
}

/* --- Defaults and spellings ----------------------------------------------- */

static void a_small_configuration_gets_the_defaults(void **state)
{
    struct stage *stage = *state;
    const struct config *config = read_good(stage, MINIMAL);
    char path[FILES_PATH_MAX + 16];

    assert_string_equal(config->listen_host, "127.0.0.1");
    assert_int_equal(config->listen_port, 7333);
    assert_string_equal(config->listen_unix, "");
    (void)snprintf(path, sizeof(path), "%s/lastgood.db", stage->folder);
    assert_string_equal(config->sqlite, path);
    assert_int_equal(config->core.ceiling, MODE_AUTO);
    assert_int_equal(config->core.services_max, 2000);
    assert_int_equal(config->core.per_service.window, 30 * MINUTE_MS);
    assert_int_equal(config->targets[0].deadline, 10 * MINUTE_MS);
    assert_int_equal(config->targets[0].live.timeout, 10 * SECOND_MS);
    assert_string_equal(config->targets[0].live.complete_pointer, "");
    assert_int_equal(config->targets[0].revert.ok_count, 0);
    assert_false(config->core.targets[0].can_check);
    assert_int_equal(config->services[0].source, NONE_INDEX);
    assert_string_equal(config->notices[0].secret, "");
    assert_false(config->heartbeat_given);
    assert_string_equal(config->core.version, LASTGOOD_VERSION);
}

static void listening_takes_only_what_is_named(void **state)
{
    struct stage *stage = *state;
    const struct config *config =
        read_good(stage, MINIMAL "listen: {unix: run.sock}\n");
    char path[FILES_PATH_MAX + 16];

    assert_string_equal(config->listen_host, "");
    (void)snprintf(path, sizeof(path), "%s/run.sock", stage->folder);
    assert_string_equal(config->listen_unix, path);
    config = read_good(stage, MINIMAL "listen: {http: \"[::1]:0\"}\n");
    assert_string_equal(config->listen_host, "::1");
    assert_int_equal(config->listen_port, 0);
    assert_string_equal(config->listen_unix, "");
    config = read_good(stage, MINIMAL "listen: {http: localhost:80}\n");
    assert_string_equal(config->listen_host, "localhost");
    assert_int_equal(config->listen_port, 80);
}

static void a_body_keeps_its_types_and_its_order(void **state)
{
    struct stage *stage = *state;
    const struct config *config = read_good(
        stage, MINIMAL
        "actions:\n"
        "  act:\n"
        "    put: http://h/x\n"
        "    json:\n"
        "      number: 1.10\n"
        "      text: \"1.10\"\n"
        "      version: 1.2.3\n"
        "      octal: 007\n"
        "      yes: true\n"
        "      nothing:\n"
        "      list: [1, {deep: [[], {}]}, \"{service} \\\"q\\\" \\n\"]\n"
        "      \"quo\\\"te\": ünï\n");

    assert_string_equal(config->actions[0].call.method, "PUT");
    assert_string_equal(
        config->actions[0].call.json,
        "{\"number\":1.10,\"text\":\"1.10\",\"version\":\"1.2.3\","
        "\"octal\":\"007\",\"yes\":true,\"nothing\":null,"
        "\"list\":[1,{\"deep\":[[],{}]},\"{service} \\\"q\\\" \\n\"],"
        "\"quo\\\"te\":\"ünï\"}");
}

static void json_is_a_configuration_too(void **state)
{
    static const char text[] =
        "{\"state\": {\"sqlite\": \"/x/lastgood.db\"}, \"policies\": \"p\",\n"
        " \"limits\": {\"services\": 5},\n"
        " \"targets\": {\"d\": {\"http\": {\n"
        "   \"live\": {\"get\": \"http://d/\", \"version\": \"/v\"},\n"
        "   \"revert\": {\"put\": \"http://d/\", \"ok\": [200],\n"
        "     \"json\": {\"to\": \"{target}\", \"wait\": 5, \"5\": "
        "\"5\"}}}}},\n"
        " \"services\": [{\"service\": \"a*\", \"environment\": \"*\",\n"
        "   \"target\": \"d\"}]}\n";
    struct stage *stage = *state;
    const struct config *config = read_as(stage, "lastgood.json", text);

    if (config == NULL) {
        print_problems(stage);
    }
    assert_non_null(config);
    assert_int_equal(config->core.services_max, 5);
    assert_string_equal(config->services[0].service, "a*");
    assert_string_equal(config->targets[0].revert.json,
                        "{\"to\":\"{target}\",\"wait\":5,\"5\":\"5\"}");
    assert_true(has_problem(stage, "nobody is told")); /* a warning */
    assert_int_equal(stage->problems.errors, 0);
}

/* --- Refusals ------------------------------------------------------------- */

static void unknown_keys_and_names_are_refused_at_their_place(void **state)
{
    struct stage *stage = *state;

    expect_refused_line(stage, "celing: auto", "did you mean 'ceiling'?");
    assert_int_equal(stage->problems.list[0].line, 12);
    assert_int_equal(stage->problems.list[0].column, 1);
    expect_refused_line(stage, "heartbeat: {get: http://h/, evry: 5s}",
                        "did you mean 'every'?");
    assert_int_equal(stage->problems.list[0].column, 29);
    expect_refused_line(stage, "ceiling: aut", "'auto'");
    expect_refused_line(stage, "actions: {x y: {post: http://h/}}",
                        "is no name");
}

static void every_problem_is_told_in_one_go(void **state)
{
    struct stage *stage = *state;

    assert_null(read_text(
        stage, "state: {postgres: x}\n"
               "limits: {services: 0, releases: many, series: 100001}\n"
               "interlocks: {per_service: one in 30m, fleet: 3 in 10, "
               "shared_cause: 1 services and 30% in 5m}\n"
               "sources: {a: {prometheus: ftp://x, lag: 1w}, b: {every: 5s}}\n"
               "targets: {t: {}}\n"
               "services: [{service: a, environment: b, target: tt}]\n"
               "page: [nobody]\n"));
    print_problems(stage);
    assert_true(has_problem(stage, "unknown key 'postgres'"));
    assert_true(has_problem(stage, "'state' needs 'sqlite'"));
    assert_true(has_problem(stage, "'policies' is missing"));
    assert_true(has_problem(stage, "'per_service' must be as in '1 in 30m'"));
    assert_true(has_problem(stage, "'fleet' must be as in '1 in 30m'"));
    assert_true(has_problem(stage, "'shared_cause' must be as in"));
    assert_true(has_problem(stage, "begins with http:// or https://"));
    assert_true(has_problem(stage, "a source is one of"));
    assert_true(has_problem(stage, "a target needs 'http'"));
    assert_true(has_problem(stage, "unknown target 'tt'; did you mean 't'?"));
    assert_true(has_problem(stage, "unknown notice 'nobody'"));
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
    struct stage *stage = *state;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char line[256];

        (void)snprintf(line, sizeof(line), "heartbeat: {get: %s}", bad[i].url);
        expect_refused_line(stage, line, bad[i].error);
    }
    expect_refused_line(stage, "actions: {x: {post: \"http://h/{service\"}}",
                        "a brace is not closed");
    expect_refused_line(stage, "actions: {x: {post: \"http://h/{A b}\"}}",
                        "no blanks");
}

static void calls_say_one_method_and_sane_answers(void **state)
{
    struct stage *stage = *state;

    expect_refused_line(stage,
                        "actions: {x: {post: http://h/, put: http://h/}}",
                        "keep one of 'post' or 'put'");
    expect_refused_line(stage, "actions: {x: {json: {a: 1}}}",
                        "give 'post' or 'put'");
    expect_refused_line(stage,
                        "actions: {x: {get: http://h/, post: http://h/}}",
                        "unknown key 'get'");
    expect_refused_line(stage, "actions: {x: {post: http://h/, json: text}}",
                        "'json' must be a map or a list");
    expect_refused_line(stage,
                        "actions: {x: {post: http://h/, json: {a: \"{\"}}}",
                        "a brace is not closed");
    expect_refused_line(
        stage, "actions: {x: {post: http://h/, idempotency_header: Host}}",
        "a header that is free");
    expect_refused_line(
        stage, "actions: {x: {post: http://h/, idempotency_header: \"a: b\"}}",
        "a header that is free");
    expect_refused_line(stage, "actions: {x: {post: http://h/, timeout: 1ms}}",
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
    struct stage *stage = *state;

    expect_refusal(stage, target_with("ok: [200, 500]"), "500");
    expect_refusal(stage, target_with("ok: [99]"), "499");
    expect_refusal(stage, target_with("ok: []"), "'ok' holds 1 to 8");
    expect_refusal(stage, target_with("ok: [200, 200]"), "second time");
    expect_refusal(stage, target_with("ok: [200, 409], raced: [409]"),
                   "both 'ok' and 'raced'");
    (void)read_good(stage, target_with("ok: [200, 304], raced: [409, 412]"));
}

static void variables_must_be_had_by_who_needs_them(void **state)
{
    struct stage *stage = *state;

    expect_refusal(stage,
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
    expect_refusal(stage,
                   "state: {sqlite: a}\n"
                   "policies: p\n"
                   "targets: {d: {http: {live: {get: \"{url}/v\", version: "
                   "/v}, revert: {post: http://d/, json: {a: [\"{suspct}\"]}}}}"
                   "}\n"
                   "services:\n"
                   "  - {service: a, environment: e, target: d, vars: {url: "
                   "http://u}}\n",
                   "target 'd' needs the variable 'suspct' in 'revert'");
    expect_refused_line(stage, "actions: {x: {post: \"http://h/{pool}\"}}",
                        "action 'x' needs the variable 'pool'");
    expect_refused_line(
        stage, "actions: {x: {post: http://h/, json: {a: \"{version}\"}}}",
        "action 'x' needs the variable 'version'");
}

static void an_address_in_a_variable_is_looked_at_too(void **state)
{
    struct stage *stage = *state;

    expect_refusal(stage,
                   "state: {sqlite: a}\n"
                   "policies: p\n"
                   "targets: {d: {http: {live: {get: \"{url}/v\", version: "
                   "/v}, revert: {post: http://d/}}}}\n"
                   "services:\n"
                   "  - {service: a, environment: e, target: d, vars: {url: "
                   "deploy.internal}}\n",
                   "'live' of target 'd' begins with {url}, which is no "
                   "address: an address begins with http:// or https://");
    expect_refusal(stage,
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
    struct stage *stage = *state;
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
        expect_refusal(stage, text, bad[i].error);
    }
}

static void an_entry_behind_a_wider_one_is_pointed_out(void **state)
{
    struct stage *stage = *state;

    (void)read_good(stage,
                    "state: {sqlite: a}\n"
                    "policies: p\n"
                    "targets: {d: {http: {live: {get: http://d/, version: "
                    "/v}, revert: {post: http://d/}}}}\n"
                    "services:\n"
                    "  - {service: \"user*\", environment: \"*\", target: d}\n"
                    "  - {service: user-service, environment: e, target: d}\n"
                    "  - {service: \"use*\", environment: e, target: d}\n");
    assert_int_equal(stage->problems.count, 2); /* and nobody is told */
    assert_true(has_problem(stage, "already takes user-service in e"));
}

static void secrets_are_files_with_one_line(void **state)
{
    static const char hook[] = "notices: {n: {webhook: {url: http://h/, "
                               "secret_file: key}}}\n";
    static const char rest[] =
        "state: {sqlite: a}\npolicies: p\nservices: []\n";
    struct stage *stage = *state;
    char text[512], folder[FILES_PATH_MAX + 16];

    (void)snprintf(text, sizeof(text), "%s%s", rest, hook);
    expect_refusal(stage, text, "key: No such file or directory");
    (void)files_write(stage->folder, "key", "");
    expect_refusal(stage, text, "one line of printable ASCII");
    (void)files_write(stage->folder, "key", "one\ntwo\n");
    expect_refusal(stage, text, "one line of printable ASCII");
    (void)files_write(stage->folder, "key", "\n\n");
    expect_refusal(stage, text, "one line of printable ASCII");
    (void)files_write(stage->folder, "key", "good\n");
    (void)read_good(stage, text);
    (void)snprintf(folder, sizeof(folder), "%s/key", stage->folder);
    (void)unlink(folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    expect_refusal(stage, text, "key: Is a directory");
    (void)rmdir(folder);
}

static void a_secret_as_a_value_is_an_unknown_key(void **state)
{
    struct stage *stage = *state;

    expect_refused_line(stage,
                        "sources: {p: {prometheus: http://h, bearer: abc}}",
                        "unknown key 'bearer'");
}

static void files_that_cannot_be_read_say_why(void **state)
{
    struct stage *stage = *state;
    char path[FILES_PATH_MAX + 32];
    char *big = malloc(CONFIG_FILE_MAX + 1);

    (void)snprintf(path, sizeof(path), "%s/none.yaml", stage->folder);
    assert_null(config_read(path, &stage->problems));
    assert_true(has_problem(stage, "No such file or directory"));
    assert_string_equal(stage->problems.list[0].path, path);
    assert_null(config_read(stage->folder, &stage->problems));
    assert_true(has_problem(stage, "Is a directory"));
    assert_non_null(big);
    memset(big, '#', CONFIG_FILE_MAX);
    big[CONFIG_FILE_MAX] = '\0';
    assert_null(read_text(stage, big));
    assert_true(stage->problems.errors == 1);
    free(big);
    assert_null(read_text(stage, ""));
    assert_true(stage->problems.errors >= 1);
    assert_null(read_text(stage, "just words"));
    assert_true(stage->problems.errors >= 1);
    assert_null(read_text(stage, "a: {b: [\n"));
    assert_true(stage->problems.errors >= 1);
}

static void the_shipped_example_loads(void **state)
{
    struct stage *stage = *state;
    FILE *file = fopen(SOURCE_DIR "/deploy/config/lastgood.yaml", "r");
    char text[16384];
    size_t length = 0;

    assert_non_null(file);
    length = fread(text, 1, sizeof(text) - 1, file);
    (void)fclose(file);
    text[length] = '\0';
    (void)read_good(stage, text);
    assert_int_equal(stage->problems.count, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(the_printed_configuration_loads),
        TEST(what_is_printed_reads_back_the_same_and_holds_no_secret),
        TEST(a_small_configuration_gets_the_defaults),
        TEST(listening_takes_only_what_is_named),
        TEST(a_body_keeps_its_types_and_its_order),
        TEST(json_is_a_configuration_too),
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
        TEST(the_shipped_example_loads),
    };

    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
