/* Does the configuration have what a policy names? */
#include "controller/config/config_parts.h"

#include <string.h>

struct check {
    const struct config *config;
    const struct policy *policy;
    struct problems *problems;
};

static const char *const fetch_words[] = {"prometheus", "scrape", "json"};

struct place {
    int line, column;
};

/* Where a signal's first reader stands. */
static struct place place_of_signal(const struct policy *policy,
                                    const struct signal *signal)
{
    const struct node *node = NULL;

    if (signal->node == NONE_INDEX) {
        return (struct place){0, 0};
    }
    node = policy_node(policy, signal->node);
    return (struct place){node->line, node->column};
}

/* The index of @name among @names; complains when there is none. */
static bool find(struct check *check, const struct config_names *names,
                 const char *name, struct place place, uint16_t *ret_index)
{
    const char *nearest = NULL;

    if (config_find_name(names, name, ret_index)) {
        return true;
    }
    nearest = config_nearest(names, name);
    (void)problems_error(
        check->problems, place.line, place.column,
        "the configuration has no %s '%s'; %s%s%s", names->what, name,
        nearest != NULL ? "did you mean '" : "describe it there",
        nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
    return false;
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
    struct place place = place_of_signal(check->policy, signal);

    if (source->fetch != signal->fetch) {
        (void)problems_error(check->problems, place.line, place.column,
                             "signal '%s' asks by '%s', and source '%s' is "
                             "'%s'; name another with 'source:'",
                             name, fetch_words[signal->fetch], source->name,
                             fetch_words[source->fetch]);
    } else if (config_misses_variable(service, config_known_always, source->url,
                                      "", missing)) {
        (void)problems_error(check->problems, place.line, place.column,
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
    struct place place = place_of_signal(check->policy, signal);

    for (size_t i = 0; i < config->services_count; i++) {
        const struct service_config *service = &config->services[i];

        if (!may_match(check->policy, service)) {
            continue;
        }
        if (service->source != NONE_INDEX) {
            check_source(check, signal, service,
                         &config->sources[service->source]);
            continue;
        }
        (void)problems_error(check->problems, place.line, place.column,
                             "signal '%s' names no source, and service '%s' "
                             "in '%s' has none; give one of both",
                             policy_text(check->policy, signal->name),
                             service->service, service->environment);
    }
}

static void check_named_source(struct check *check, const struct signal *signal)
{
    const struct config *config = check->config;
    const struct config_names names = config_source_names(config);
    const char *name = policy_text(check->policy, signal->source);
    const struct source_config *source = NULL;
    uint16_t index = 0;

    if (!find(check, &names, name, place_of_signal(check->policy, signal),
              &index)) {
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
    const struct config_names names = config_action_names(config);
    const char *name = policy_text(check->policy, leaf->run);
    struct place place = {leaf->line, leaf->column};
    const struct call_config *call = NULL;
    uint16_t index = 0;

    if (!find(check, &names, name, place, &index)) {
        return;
    }
    call = &config->actions[index].call;
    for (size_t i = 0; i < config->services_count; i++) {
        const struct service_config *service = &config->services[i];
        char missing[CONFIG_NAME_MAX];

        if (may_match(check->policy, service) &&
            config_misses_variable(service, config_known_always, call->url,
                                   call->json, missing)) {
            (void)problems_error(check->problems, place.line, place.column,
                                 "action '%s' needs the variable '%s', which "
                                 "service '%s' in '%s' has not",
                                 name, missing, service->service,
                                 service->environment);
        }
    }
}

static void check_leaf(struct check *check, const struct leaf *leaf)
{
    const struct config_names names = config_notice_names(check->config);

    for (size_t i = 0; i < leaf->notifies; i++) {
        struct place place = {leaf->line, leaf->column};
        uint16_t index = 0;

        (void)find(check, &names, policy_text(check->policy, leaf->notify[i]),
                   place, &index);
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
