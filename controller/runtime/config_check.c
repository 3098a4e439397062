/* Does the configuration have what a policy names? */
#include "controller/runtime/config_parts.h"

#include <string.h>

struct check {
    const struct config *config;
    const struct policy *policy;
    struct problems *problems;
};

static const char *const fetch_words[] = {"prometheus", "scrape", "json"};

/* Place of a signal: where its first reader stands. */
static void place_of_signal(const struct policy *policy,
                            const struct signal *signal, int *ret_line,
                            int *ret_column)
{
    const struct node *node = NULL;

    *ret_line = 0;
    *ret_column = 0;
    if (signal->node != NONE_INDEX) {
        node = policy_node(policy, signal->node);
        *ret_line = node->line;
        *ret_column = node->column;
    }
}

static void unknown_name_of(struct check *check, int line, int column,
                            const char *what, const char *name,
                            const char *nearest)
{
    char suggestion[NAME_MAX_BYTES + 32];

    (void)snprintf(suggestion, sizeof(suggestion), "did you mean '%s'?",
                   nearest != NULL ? nearest : "");
    (void)problems_error(check->problems, line, column,
                         "the configuration has no %s '%s'; %s", what, name,
                         nearest != NULL ? suggestion : "describe it there");
}

/* --- Signals -------------------------------------------------------------- */

static bool may_match(const struct policy *policy,
                      const struct service_config *service)
{
    return config_patterns_overlap(policy_text(policy, policy->service),
                                   service->service) &&
           config_patterns_overlap(policy_text(policy, policy->environment),
                                   service->environment);
}

/* @source is asked for a service that @service's entry describes. */
static void check_source(struct check *check, const struct signal *signal,
                         const struct service_config *service,
                         const struct source_config *source)
{
    const char *name = policy_text(check->policy, signal->name);
    char missing[CONFIG_NAME_MAX];
    int line = 0, column = 0;

    place_of_signal(check->policy, signal, &line, &column);
    if (source->fetch != signal->fetch) {
        (void)problems_error(check->problems, line, column,
                             "signal '%s' asks by '%s', and source '%s' is "
                             "'%s'; name another with 'source:'",
                             name, fetch_words[signal->fetch], source->name,
                             fetch_words[source->fetch]);
    } else if (config_misses_variable(service, config_known_always, source->url,
                                      "", missing)) {
        (void)problems_error(check->problems, line, column,
                             "source '%s' of signal '%s' needs the variable "
                             "'%s', which service '%s' in '%s' has not",
                             source->name, name, missing, service->service,
                             service->environment);
    }
}

/* The signal names no source: each service's own is asked. */
static void check_own_sources(struct check *check, const struct signal *signal)
{
    const struct config *config = check->config;

    for (size_t i = 0; i < config->services_count; i++) {
        const struct service_config *service = &config->services[i];
        int line = 0, column = 0;

        if (!may_match(check->policy, service)) {
            continue;
        }
        if (service->source != NONE_INDEX) {
            check_source(check, signal, service,
                         &config->sources[service->source]);
            continue;
        }
        place_of_signal(check->policy, signal, &line, &column);
        (void)problems_error(check->problems, line, column,
                             "signal '%s' names no source, and service '%s' "
                             "in '%s' has none; give one of both",
                             policy_text(check->policy, signal->name),
                             service->service, service->environment);
    }
}

static void check_named_source(struct check *check, const struct signal *signal)
{
    const struct config *config = check->config;
    const char *name = policy_text(check->policy, signal->source);
    const struct source_config *source = NULL;
    uint16_t index = 0;
    int line = 0, column = 0;

    if (!config_find_name(name, config->sources, config->sources_count,
                          sizeof(*config->sources), &index)) {
        place_of_signal(check->policy, signal, &line, &column);
        unknown_name_of(check, line, column, "source", name,
                        config_nearest(name, config->sources,
                                       config->sources_count,
                                       sizeof(*config->sources)));
        return;
    }
    source = &config->sources[index];
    for (size_t i = 0; i < config->services_count; i++) {
        if (may_match(check->policy, &config->services[i])) {
            check_source(check, signal, &config->services[i], source);
        }
    }
}

/* --- Leaves --------------------------------------------------------------- */

static void check_action(struct check *check, const struct leaf *leaf)
{
    const struct config *config = check->config;
    const char *name = policy_text(check->policy, leaf->run);
    const struct call_config *call = NULL;
    uint16_t index = 0;

    if (!config_find_name(name, config->actions, config->actions_count,
                          sizeof(*config->actions), &index)) {
        unknown_name_of(check, leaf->line, leaf->column, "action", name,
                        config_nearest(name, config->actions,
                                       config->actions_count,
                                       sizeof(*config->actions)));
        return;
    }
    call = &config->actions[index].call;
    for (size_t i = 0; i < config->services_count; i++) {
        const struct service_config *service = &config->services[i];
        char missing[CONFIG_NAME_MAX];

        if (may_match(check->policy, service) &&
            config_misses_variable(service, config_known_always, call->url,
                                   call->json, missing)) {
            (void)problems_error(check->problems, leaf->line, leaf->column,
                                 "action '%s' needs the variable '%s', which "
                                 "service '%s' in '%s' has not",
                                 name, missing, service->service,
                                 service->environment);
        }
    }
}

static void check_leaf(struct check *check, const struct leaf *leaf)
{
    const struct config *config = check->config;

    for (size_t i = 0; i < leaf->notifies; i++) {
        const char *name = policy_text(check->policy, leaf->notify[i]);
        uint16_t index = 0;

        if (!config_find_name(name, config->notices, config->notices_count,
                              sizeof(*config->notices), &index)) {
            unknown_name_of(check, leaf->line, leaf->column, "notice", name,
                            config_nearest(name, config->notices,
                                           config->notices_count,
                                           sizeof(*config->notices)));
        }
    }
    if (leaf->run != 0) {
        check_action(check, leaf);
    }
}

/* --- The policy ----------------------------------------------------------- */

static void warn_when_nobodys(struct check *check)
{
    const struct config *config = check->config;

    for (size_t i = 0; i < config->services_count; i++) {
        if (may_match(check->policy, &config->services[i])) {
            return;
        }
    }
    (void)problems_warning(check->problems, 0, 0,
                           "policy '%s' applies to no service of the "
                           "configuration",
                           policy_text(check->policy, check->policy->name));
}

void config_check_policy(const struct config *config,
                         const struct policy *policy, struct problems *problems)
{
    struct check check = {config, policy, problems};

    warn_when_nobodys(&check);
    for (uint16_t i = 0; i < policy->signals; i++) {
        const struct signal *signal = policy_signal(policy, i);

        if (signal->source != 0) {
            check_named_source(&check, signal);
        } else {
            check_own_sources(&check, signal);
        }
    }
    for (uint16_t i = 0; i < policy->leaves; i++) {
        check_leaf(&check, policy_leaf(policy, i));
    }
}
