/* What adapters and doors may ask the driver. */
#include "controller/runtime/driver_inside.h"

#include <assert.h>
#include <string.h>

#include "controller/config/template.h"

#define VARIABLES_MAX (CONFIG_VARS_MAX + 16)

const struct core *driver_core(const struct driver *driver)
{
    return driver->core;
}

const struct config *driver_config(const struct driver *driver)
{
    return driver->options.config;
}

struct http *driver_http(struct driver *driver)
{
    return driver->http;
}

struct log *driver_log(struct driver *driver)
{
    return driver->options.log;
}

uv_loop_t *driver_loop(struct driver *driver)
{
    return driver->options.loop;
}

time_ms driver_now(struct driver *driver)
{
    return clock_now(&driver->clock);
}

bool driver_is_ready(const struct driver *driver, const char **ret_why_not)
{
    if (driver->is_stopping) {
        *ret_why_not = "shutting down";
        return false;
    }
    if (driver->is_down || driver->is_lost) {
        *ret_why_not = driver->store_error;
        return false;
    }
    if (clock_boot() - driver_store_alive_at(driver) >= driver->hangs_after) {
        *ret_why_not = "the store does not come back from its disk";
        return false;
    }
    if (!driver_may_feed(driver)) {
        *ret_why_not = "the store is behind: too many records wait";
        return false;
    }
    return true;
}

void driver_load(const struct driver *driver, struct driver_load *ret_load)
{
    *ret_load = (struct driver_load){
        .records_waiting =
            driver->is_stopping
                ? 0
                : store_thread_waiting(driver->store) + driver->batched,
        .effects_waiting = driver->held_count,
        .requests_waiting = http_waiting(driver->http),
        .late = driver->late};
}

time_ms driver_store_alive_at(const struct driver *driver)
{
    return store_thread_alive_at(driver->store);
}

bool driver_expand(const struct driver *driver, uint16_t service,
                   const char *text, bool url, const struct variable *more,
                   size_t more_count, char *ret_text, size_t size,
                   char *ret_error, size_t error_size)
{
    const struct config *config = driver->options.config;
    struct variable variables[VARIABLES_MAX];
    struct service_view view = {0};
    size_t count = 0;

    assert(more_count + 2 + CONFIG_VARS_MAX <= VARIABLES_MAX);
    for (size_t i = 0; i < more_count; i++) {
        variables[count++] = more[i];
    }
    if (view_service(driver->core, service, &view)) {
        variables[count++] = (struct variable){"service", view.service};
        variables[count++] = (struct variable){"environment", view.environment};
        for (size_t i = 0; view.option != NONE_INDEX &&
                           i < config->services[view.option].vars_count;
             i++) {
            variables[count++] =
                (struct variable){config->services[view.option].vars[i].name,
                                  config->services[view.option].vars[i].value};
        }
    }
    return template_expand(text, url ? TEMPLATE_URL : TEMPLATE_PLAIN, variables,
                           count, ret_text, size, ret_error, error_size);
}
