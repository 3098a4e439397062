/* The daemon's configuration: read whole, and printed back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/config/help_config.h"

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
    struct config_stage *stage = *state;
    const struct config *config = stage_read_good(stage, config_printed);
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
        config_printed, MINIMAL,
        MINIMAL "listen: {http: \"[::1]:0\"}\n"
                "ceiling: countdown\n"
                "sources: {a:b: {json: \"http://h/{service}\", every: 30s}}\n"
                "interlocks: {shared_cause: 2 services and 12.5% in 90s}\n"};
    struct config_stage *stage = *state;

    for (size_t i = 0; i < 3; i++) {
        char *first = print_config(stage_read_good(stage, texts[i]));
        char *second = print_config(stage_read_good(stage, first));

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
    struct config_stage *stage = *state;
    const struct config *config = stage_read_good(stage, MINIMAL);
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
    struct config_stage *stage = *state;
    const struct config *config =
        stage_read_good(stage, MINIMAL "listen: {unix: run.sock}\n");
    char path[FILES_PATH_MAX + 16];

    assert_string_equal(config->listen_host, "");
    (void)snprintf(path, sizeof(path), "%s/run.sock", stage->folder);
    assert_string_equal(config->listen_unix, path);
    config = stage_read_good(stage, MINIMAL "listen: {http: \"[::1]:0\"}\n");
    assert_string_equal(config->listen_host, "::1");
    assert_int_equal(config->listen_port, 0);
    assert_string_equal(config->listen_unix, "");
    config = stage_read_good(stage, MINIMAL "listen: {http: localhost:80}\n");
    assert_string_equal(config->listen_host, "localhost");
    assert_int_equal(config->listen_port, 80);
    assert_int_equal(stage->problems.count, 0);
    (void)stage_read_good(stage, MINIMAL "listen: {http: 0.0.0.0:80}\n");
    assert_true(stage_has_problem(stage, "whoever reaches 0.0.0.0 may"));
}

static void a_body_keeps_its_types_and_its_order(void **state)
{
    struct config_stage *stage = *state;
    const struct config *config = stage_read_good(
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
    struct config_stage *stage = *state;
    const struct config *config = stage_read_as(stage, "lastgood.json", text);

    if (config == NULL) {
        stage_print_problems(stage);
    }
    assert_non_null(config);
    assert_int_equal(config->core.services_max, 5);
    assert_string_equal(config->services[0].service, "a*");
    assert_string_equal(config->targets[0].revert.json,
                        "{\"to\":\"{target}\",\"wait\":5,\"5\":\"5\"}");
    assert_true(stage_has_problem(stage, "nobody is told")); /* a warning */
    assert_int_equal(stage->problems.errors, 0);
}

static void the_shipped_example_loads(void **state)
{
    struct config_stage *stage = *state;
    FILE *file = fopen(SOURCE_DIR "/deploy/config/lastgood.yaml", "r");
    char text[16384];
    size_t length = 0;

    assert_non_null(file);
    length = fread(text, 1, sizeof(text) - 1, file);
    (void)fclose(file);
    text[length] = '\0';
    (void)stage_read_good(stage, text);
    assert_int_equal(stage->problems.count, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_begin, stage_end)
    const struct CMUnitTest tests[] = {
        TEST(the_printed_configuration_loads),
        TEST(what_is_printed_reads_back_the_same_and_holds_no_secret),
        TEST(a_small_configuration_gets_the_defaults),
        TEST(listening_takes_only_what_is_named),
        TEST(a_body_keeps_its_types_and_its_order),
        TEST(json_is_a_configuration_too),
        TEST(the_shipped_example_loads),
    };

    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
