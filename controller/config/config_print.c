/* The effective configuration, as YAML. */
#include "controller/config/config_parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

/* A text in double quotes: YAML reads JSON's escapes. */
static void put_text(FILE *out, const char *key, const char *text)
{
    json_t *string = json_string(text);
    char *literal = NULL;

    assert(string != NULL); /* it was read from UTF-8 */
    literal = json_dumps(string, JSON_ENCODE_ANY);
    assert(literal != NULL);
    (void)fprintf(out, "%s: %s", key, literal);
    free(literal);
    json_decref(string);
}

/* ", key: text" when there is one. */
static void put_more_text(FILE *out, const char *key, const char *text)
{
    if (text[0] != '\0') {
        (void)fputs(", ", out);
        put_text(out, key, text);
    }
}

/* A name as a key or in a list: quoted when YAML might see more in it. */
static void put_name(FILE *out, const char *name)
{
    bool plain = strpbrk(name, ":@") == NULL;

    (void)fprintf(out, "%s%s%s", plain ? "" : "\"", name, plain ? "" : "\"");
}

/* "  name: {" */
static void open_entry(FILE *out, const char *name, const char *opening)
{
    (void)fputs("  ", out);
    put_name(out, name);
    (void)fprintf(out, ":%s%s", opening[0] == '\n' ? "" : " ", opening);
}

static void put_more_span(FILE *out, const char *key, time_ms span)
{
    char text[DURATION_TEXT_MAX];

    (void)fprintf(out, ", %s: %s", key, duration_print(span, text));
}

static void print_header(const struct config *config, FILE *out)
{
    bool http = config->listen_host[0] != '\0';
    bool v6 = strchr(config->listen_host, ':') != NULL;
    char address[sizeof(config->listen_host) + 16];

    (void)fputs("listen: {", out);
    if (http) {
        (void)snprintf(address, sizeof(address), "%s%s%s:%d", v6 ? "[" : "",
                       config->listen_host, v6 ? "]" : "", config->listen_port);
        put_text(out, "http", address);
    }
    if (config->listen_unix[0] != '\0') {
        (void)fputs(http ? ", " : "", out);
        put_text(out, "unix", config->listen_unix);
    }
    (void)fputs("}\nstate: {", out);
    put_text(out, "sqlite", config->sqlite);
    (void)fputs("}\n", out);
    put_text(out, "policies", config->policies);
    (void)fprintf(out, "\nceiling: %s\n", mode_name(config->core.ceiling));
}

static void print_rules(const struct core_options *core, FILE *out)
{
    char one[DURATION_TEXT_MAX], two[DURATION_TEXT_MAX];
    char three[DURATION_TEXT_MAX];

    (void)fprintf(out,
                  "limits: {services: %u, releases: %u, series: %u}\n"
                  "interlocks: {per_service: %u in %s, fleet: %u in %s, "
                  "shared_cause: %u services and %.10g%% in %s}\n",
                  core->services_max, core->releases_max, core->series_max,
                  core->per_service.count,
                  duration_print(core->per_service.window, one),
                  core->fleet.count, duration_print(core->fleet.window, two),
                  core->shared_services, core->shared_share * 100,
                  duration_print(core->shared_window, three));
}

/* --- Calls ---------------------------------------------------------------- */

static void print_statuses(FILE *out, const char *key, const int *statuses,
                           size_t count)
{
    if (count == 0) {
        return;
    }
    (void)fprintf(out, ", %s: [", key);
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(out, "%s%d", i == 0 ? "" : ", ", statuses[i]);
    }
    (void)fputc(']', out);
}

/* "post: URL, json: {...}, ...": the inside of a map. */
static void print_call(const struct call_config *call, FILE *out)
{
    char method[16] = "";

    for (size_t i = 0; call->method[i] != '\0'; i++) {
        method[i] = (char)(call->method[i] - 'A' + 'a');
    }
    put_text(out, method, call->url);
    put_more_text(out, "version", call->version_pointer);
    put_more_text(out, "complete", call->complete_pointer);
    if (call->json[0] != '\0') {
        (void)fprintf(out, ", json: %s", call->json);
    }
    print_statuses(out, "ok", call->ok, call->ok_count);
    print_statuses(out, "raced", call->raced, call->raced_count);
    put_more_text(out, "idempotency_header", call->idempotency_header);
    put_more_span(out, "timeout", call->timeout);
}

static void print_part(const char *key, const struct call_config *call,
                       FILE *out)
{
    if (call->given) {
        (void)fprintf(out, "      %s: {", key);
        print_call(call, out);
        (void)fputs("}\n", out);
    }
}

/* --- Sections ------------------------------------------------------------- */

static void print_sources(const struct config *config, FILE *out)
{
    static const char *const words[] = {"prometheus", "scrape", "json"};

    (void)fputs(config->sources_count > 0 ? "sources:\n" : "", out);
    for (size_t i = 0; i < config->sources_count; i++) {
        const struct source_config *source = &config->sources[i];

        open_entry(out, source->name, "{");
        put_text(out, words[source->fetch], source->url);
        if (source->fetch != FETCH_PROMETHEUS) {
            put_more_span(out, "every", source->every);
        }
        put_more_span(out, "lag", source->lag);
        put_more_span(out, "timeout", source->timeout);
        put_more_text(out, "alive", source->alive);
        put_more_text(out, "bearer_file", source->bearer_file);
        (void)fputs("}\n", out);
    }
}

static void print_targets(const struct config *config, FILE *out)
{
    (void)fputs(config->targets_count > 0 ? "targets:\n" : "", out);
    for (size_t i = 0; i < config->targets_count; i++) {
        const struct target_config *target = &config->targets[i];
        char span[DURATION_TEXT_MAX];

        open_entry(out, target->name, "\n    http:\n");
        print_part("live", &target->live, out);
        print_part("has", &target->has, out);
        print_part("revert", &target->revert, out);
        if (target->bearer_file[0] != '\0') {
            (void)fputs("      ", out);
            put_text(out, "bearer_file", target->bearer_file);
            (void)fputc('\n', out);
        }
        (void)fprintf(out, "    deadline: %s\n",
                      duration_print(target->deadline, span));
    }
}

static void print_variables(const struct service_config *service, FILE *out)
{
    if (service->vars_count == 0) {
        return;
    }
    (void)fputs(", vars: {", out);
    for (size_t i = 0; i < service->vars_count; i++) {
        (void)fputs(i == 0 ? "" : ", ", out);
        put_text(out, service->vars[i].name, service->vars[i].value);
    }
    (void)fputc('}', out);
}

static void print_services(const struct config *config, FILE *out)
{
    (void)fputs(config->services_count > 0 ? "services:\n" : "services: []\n",
                out);
    for (size_t i = 0; i < config->services_count; i++) {
        const struct service_config *service = &config->services[i];

        (void)fputs("  - {", out);
        put_text(out, "service", service->service);
        put_more_text(out, "environment", service->environment);
        put_more_text(out, "target", config->targets[service->target].name);
        if (service->source != NONE_INDEX) {
            put_more_text(out, "source", config->sources[service->source].name);
        }
        (void)fprintf(out, ", ceiling: %s", mode_name(service->ceiling));
        print_variables(service, out);
        (void)fputs("}\n", out);
    }
}

static void print_notices(const struct config *config, FILE *out)
{
    (void)fputs(config->notices_count > 0 ? "notices:\n" : "", out);
    for (size_t i = 0; i < config->notices_count; i++) {
        const struct notice_config *notice = &config->notices[i];

        open_entry(out, notice->name, "{webhook: {");
        put_text(out, "url", notice->url);
        put_more_text(out, "secret_file", notice->secret_file);
        put_more_span(out, "timeout", notice->timeout);
        (void)fputs("}}\n", out);
    }
    if (config->core.pages_count > 0) {
        (void)fputs("page: [", out);
        for (size_t i = 0; i < config->core.pages_count; i++) {
            (void)fputs(i == 0 ? "" : ", ", out);
            put_name(out, config->core.page[i]);
        }
        (void)fputs("]\n", out);
    }
}

static void print_actions(const struct config *config, FILE *out)
{
    (void)fputs(config->actions_count > 0 ? "actions:\n" : "", out);
    for (size_t i = 0; i < config->actions_count; i++) {
        const struct action_config *action = &config->actions[i];

        open_entry(out, action->name, "{");
        print_call(&action->call, out);
        if (action->once_per > 0) {
            put_more_span(out, "once_per", action->once_per);
        }
        put_more_text(out, "bearer_file", action->bearer_file);
        (void)fputs("}\n", out);
    }
}

void config_print(const struct config *config, FILE *out)
{
    print_header(config, out);
    print_rules(&config->core, out);
    print_sources(config, out);
    print_targets(config, out);
    print_services(config, out);
    print_notices(config, out);
    if (config->heartbeat_given) {
        (void)fputs("heartbeat: {", out);
        put_text(out, "get", config->heartbeat_url);
        put_more_span(out, "every", config->heartbeat_every);
        (void)fputs("}\n", out);
    }
    print_actions(config, out);
}
