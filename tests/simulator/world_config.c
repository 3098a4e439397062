/* The controller's configuration, made from the plan. */
#include <stdio.h>
#include <string.h>

#include "tests/simulator/world.h"

static void copy(char *place, size_t size, const char *text)
{
    (void)snprintf(place, size, "%s", text);
}

static void add_sources(struct world *world)
{
    const struct plan *plan = &world->plan;
    for (size_t i = 0; i < plan->sources_count; i++) {
        struct source_option *option = &world->source_options[i];
        (void)snprintf(option->name, sizeof option->name, "prom%zu", i);
        option->fetch = FETCH_PROMETHEUS;
        option->lag = plan->sources[i].lag;
        option->timeout = plan->sources[i].timeout;
    }
}

static void add_targets(struct world *world)
{
    const struct plan *plan = &world->plan;
    for (size_t i = 0; i < plan->targets_count; i++) {
        struct target_option *option = &world->target_options[i];
        (void)snprintf(option->name, sizeof option->name, "deployer%zu", i);
        option->deadline = plan->targets[i].deadline;
        option->timeout = plan->targets[i].timeout;
        option->can_check = plan->targets[i].can_check;
    }
}

static void add_services(struct world *world)
{
    const struct plan *plan = &world->plan;
    for (size_t i = 0; i < plan->services_count; i++) {
        struct service_option *option = &world->service_options[i];
        copy(option->service, sizeof option->service, plan->services[i].name);
        copy(option->environment, sizeof option->environment,
             plan->services[i].environment);
        option->target = plan->services[i].target;
        option->source = plan->services[i].source;
        option->ceiling = plan->services[i].ceiling;
    }
}

static void fill_core(struct world *world)
{
    const struct plan *plan = &world->plan;
    world->config.core = (struct core_options){
        .services_max = PLAN_SERVICES_MAX,
        .releases_max = 48,
        .series_max = 16,
        .ceiling = plan->ceiling,
        .per_service = {plan->per_service, plan->per_service_window},
        .fleet = {plan->fleet, plan->fleet_window},
        .shared_services = plan->shared_services,
        .shared_share = 0.3,
        .shared_window = 5 * MINUTE_MS,
        .services = world->service_options,
        .sources = world->source_options,
        .targets = world->target_options,
        .services_count = plan->services_count,
        .sources_count = plan->sources_count,
        .targets_count = plan->targets_count,
        .page = {"oncall"},
        .pages_count = 1,
        .seed = plan->seed,
        .version = "simulated",
    };
}

void world_configure(struct world *world)
{
    struct config *config = &world->config;
    add_sources(world);
    add_targets(world);
    add_services(world);
    fill_core(world);
    copy(world->notices_config[0].name, NAME_MAX_BYTES, "oncall");
    copy(world->notices_config[1].name, NAME_MAX_BYTES, "status");
    copy(world->actions_config[0].name, NAME_MAX_BYTES, "scale");
    copy(config->stop_file, sizeof config->stop_file, "STOP");
    copy(config->sqlite, sizeof config->sqlite, "simulated");
    copy(config->policies, sizeof config->policies, "policies");
    config->sources = world->sources_config;
    config->targets = world->targets_config;
    config->services = world->services_config;
    config->notices = world->notices_config;
    config->actions = world->actions_config;
    config->sources_count = world->plan.sources_count;
    config->targets_count = world->plan.targets_count;
    config->services_count = world->plan.services_count;
    config->notices_count = 2;
    config->actions_count = 1;
}
