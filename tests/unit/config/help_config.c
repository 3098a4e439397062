#include "tests/unit/config/help_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const char config_printed[] =
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

int stage_begin(void **state)
{
    struct config_stage *stage = calloc(1, sizeof(*stage));

    assert_non_null(stage);
    files_begin(stage->folder);
    (void)files_write(stage->folder, "prom.token", "prometheus-token\n");
    (void)files_write(stage->folder, "deploy.token", "deploy-token");
    (void)files_write(stage->folder, "hook.key", "hook-key\r\n");
    *state = stage;
    return 0;
}

int stage_end(void **state)
{
    struct config_stage *stage = *state;

    config_free(stage->config);
    files_end(stage->folder);
    free(stage);
    return 0;
}

/* @text with "/etc/lastgood" replaced by the test's folder; malloc'd. */
static char *with_folder(const struct config_stage *stage, const char *text)
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

struct config *stage_read_as(struct config_stage *stage, const char *name,
                             const char *text)
{
    char *filled = with_folder(stage, text);
    const char *path = files_write(stage->folder, name, filled);

    config_free(stage->config);
    stage->config = config_read(path, &stage->problems);
    free(filled);
    return stage->config;
}

struct config *stage_read(struct config_stage *stage, const char *text)
{
    return stage_read_as(stage, "lastgood.yaml", text);
}

void stage_print_problems(const struct config_stage *stage)
{
    problems_print(&stage->problems, NULL, 0, false, stderr);
}

const struct config *stage_read_good(struct config_stage *stage,
                                     const char *text)
{
    const struct config *config = stage_read(stage, text);

    if (config == NULL) {
        stage_print_problems(stage);
    }
    assert_non_null(config);
    assert_int_equal(stage->problems.errors, 0);
    return config;
}

bool stage_has_problem(const struct config_stage *stage, const char *text)
{
    for (size_t i = 0; i < stage->problems.count; i++) {
        if (strstr(stage->problems.list[i].text, text) != NULL) {
            return true;
        }
    }
    return false;
}

void stage_expect_refusal(struct config_stage *stage, const char *text,
                          const char *error)
{
    assert_null(stage_read(stage, text));
    if (stage->problems.errors != 1 || !stage_has_problem(stage, error)) {
        fprintf(stderr, "wanted: %s\n", error);
        stage_print_problems(stage);
    }
    assert_int_equal(stage->problems.errors, 1);
    assert_true(stage_has_problem(stage, error));
}

void stage_expect_refused_line(struct config_stage *stage, const char *line,
                               const char *error)
{
    char text[4096];

    (void)snprintf(text, sizeof(text), "%s%s\n", MINIMAL, line);
    stage_expect_refusal(stage, text, error);
}
