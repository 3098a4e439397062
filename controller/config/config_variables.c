/* Which {names} addresses and bodies need, and who has them. */
#include "controller/config/config_parts.h"

#include <string.h>

#include "controller/config/json_template.h"

const char *const config_known_always[] = {"service", "environment", NULL};
const char *const config_known_has[] = {"service", "environment", "target",
                                        NULL};
const char *const config_known_revert[] = {"service", "environment", "version",
                                           "suspect", "target",      NULL};

/* --- Asking --------------------------------------------------------------- */

struct search {
    const struct service_config *service;
    const char *const *known;
    char *ret_name;
    bool missed;
};

static const char *find_variable(const struct service_config *service,
                                 const char *name)
{
    for (size_t i = 0; i < service->vars_count; i++) {
        if (strcmp(service->vars[i].name, name) == 0) {
            return service->vars[i].value;
        }
    }
    return NULL;
}

static bool is_there(void *data, const char *name)
{
    struct search *search = data;

    for (size_t i = 0; search->known[i] != NULL; i++) {
        if (strcmp(search->known[i], name) == 0) {
            return true;
        }
    }
    if (find_variable(search->service, name) != NULL) {
        return true;
    }
    (void)snprintf(search->ret_name, CONFIG_NAME_MAX, "%s", name);
    search->missed = true;
    return false;
}

static bool are_there(void *data, const char *text)
{
    (void)template_names(text, is_there, data);
    return !((struct search *)data)->missed;
}

bool config_misses_variable(const struct service_config *service,
                            const char *const *known, const char *url,
                            const char *json, char ret_name[CONFIG_NAME_MAX])
{
    struct search search = {
        .service = service, .known = known, .ret_name = ret_name};

    return !are_there(&search, url) ||
           !json_template_strings(json, are_there, &search);
}

static bool stop_at_first(void *data, const char *name)
{
    (void)data;
    (void)name;
    return false;
}

bool config_has_variables(const char *url)
{
    return !template_names(url, stop_at_first, NULL);
}

/* --- Services ------------------------------------------------------------- */

/* One address that a service's peer has: "target 'deployer'", "live". */
struct need {
    const char *what, *name, *part;
    const char *const *known;
    const char *url, *json;
};

static const char *nearest_variable(const struct service_config *service,
                                    const char *name)
{
    const char *names[CONFIG_VARS_MAX];

    for (size_t i = 0; i < service->vars_count; i++) {
        names[i] = service->vars[i].name;
    }
    return nearest_name(name, names, service->vars_count);
}

static void complain_of_missing(struct config_reader *reader,
                                const struct yaml_item *item,
                                const struct service_config *service,
                                const struct need *need, const char *name)
{
    const char *nearest = nearest_variable(service, name);
    const char *ask = nearest != NULL ? "did you mean '" : "give it in 'vars'";

    (void)yaml_error(reader->problems, item,
                     "%s '%s' needs the variable '%s' in '%s', and this "
                     "service has none; %s%s%s",
                     need->what, need->name, name, need->part, ask,
                     nearest != NULL ? nearest : "",
                     nearest != NULL ? "'?" : "");
}

/* An address that begins with a variable is one only if the value is. */
static void check_base(struct config_reader *reader,
                       const struct yaml_item *item,
                       const struct service_config *service,
                       const struct need *need)
{
    char name[CONFIG_NAME_MAX];
    size_t length = strcspn(need->url, "}");
    const char *value = NULL, *refusal = NULL;

    if (need->url[0] != '{' || length > sizeof(name)) {
        return;
    }
    memcpy(name, need->url + 1, length - 1);
    name[length - 1] = '\0';
    value = find_variable(service, name);
    refusal = value == NULL ? "only a variable of 'vars' can be one"
                            : config_url_refusal(value, false);
    if (refusal != NULL) {
        (void)yaml_error(reader->problems, item,
                         "'%s' of %s '%s' begins with {%s}, which is no "
                         "address: %s",
                         need->part, need->what, need->name, name, refusal);
    }
}

static void check_need(struct config_reader *reader,
                       const struct yaml_item *entry,
                       const struct service_config *service,
                       const struct need *need)
{
    const struct yaml_item *vars = yaml_get(entry, "vars");
    const struct yaml_item *item = vars != NULL ? vars : entry;
    char name[CONFIG_NAME_MAX];

    if (config_misses_variable(service, need->known, need->url, need->json,
                               name)) {
        complain_of_missing(reader, item, service, need, name);
    } else {
        check_base(reader, item, service, need);
    }
}

static void check_service(struct config_reader *reader,
                          const struct yaml_item *entry,
                          const struct service_config *service)
{
    const struct config *config = reader->config;

    if (service->target != NONE_INDEX) {
        const struct target_config *target = &config->targets[service->target];
        const struct need needs[] = {
            {"target", target->name, "live", config_known_always,
             target->live.url, ""},
            {"target", target->name, "has", config_known_has, target->has.url,
             ""},
            {"target", target->name, "revert", config_known_revert,
             target->revert.url, target->revert.json},
        };

        for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
            check_need(reader, entry, service, &needs[i]);
        }
    }
    if (service->source != NONE_INDEX) {
        const struct source_config *source = &config->sources[service->source];
        const struct need need = {"source",    source->name,
                                  "address",   config_known_always,
                                  source->url, ""};

        check_need(reader, entry, service, &need);
    }
}

/* --- Actions -------------------------------------------------------------- */

static bool some_service_has_all(const struct config *config,
                                 const struct action_config *action,
                                 char ret_name[CONFIG_NAME_MAX])
{
    static const struct service_config nobody = {0};

    for (size_t i = 0; i < config->services_count; i++) {
        if (!config_misses_variable(&config->services[i], config_known_always,
                                    action->call.url, action->call.json,
                                    ret_name)) {
            return true;
        }
    }
    return !config_misses_variable(&nobody, config_known_always,
                                   action->call.url, action->call.json,
                                   ret_name);
}

static void check_actions(struct config_reader *reader,
                          const struct yaml_item *actions)
{
    const struct config *config = reader->config;
    const struct yaml_item *item = actions != NULL ? actions->first : NULL;

    for (size_t i = 0; i < config->actions_count; i++, item = item->next) {
        char name[CONFIG_NAME_MAX];

        if (!some_service_has_all(config, &config->actions[i], name)) {
            (void)yaml_key_error(reader->problems, item,
                                 "action '%s' needs the variable '%s', and no "
                                 "service has all it needs; give it in 'vars'",
                                 config->actions[i].name, name);
        }
    }
}

void config_check_variables(struct config_reader *reader,
                            const struct yaml_item *services,
                            const struct yaml_item *actions)
{
    const struct config *config = reader->config;
    const struct yaml_item *entry = services != NULL ? services->first : NULL;

    for (size_t i = 0; i < config->services_count; i++, entry = entry->next) {
        check_service(reader, entry, &config->services[i]);
    }
    check_actions(reader, actions);
}
