#include "tests/unit/notices/help_driver.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "controller/config/template.h"

/* --- What adapters ask ---------------------------------------------------- */

bool driver_push(struct driver *driver, const struct input *input)
{
    struct told *told = &driver->told[driver->told_count];
    const char *text = "";

    assert(driver->told_count < TOLD_MAX);
    driver->told_count++;
    memset(told, 0, sizeof(*told));
    told->kind = input->kind;
    if (input->kind == INPUT_TARGET) {
        told->id = input->target.id;
        told->result = input->target.result;
        told->complete = input->target.complete;
        told->has = input->target.has;
        (void)snprintf(told->version, sizeof(told->version), "%s",
                       input->target.version != NULL ? input->target.version
                                                     : "");
        text = input->target.text;
    } else {
        told->done_id = input->done.id;
        told->delivered = input->done.delivered;
        text = input->done.text;
    }
    (void)snprintf(told->text, sizeof(told->text), "%s", text);
    return true;
}

bool driver_read(struct driver *driver, const struct store_query *query,
                 driver_read_done *done, void *data)
{
    (void)query;
    if (driver->is_busy) {
        return false;
    }
    assert(driver->read_done == NULL);
    driver->read_done = done;
    driver->read_data = data;
    driver->reads++;
    return true;
}

const struct core *driver_core(const struct driver *driver)
{
    return (const struct core *)driver; /* for the views below */
}

const struct config *driver_config(const struct driver *driver)
{
    return &driver->config;
}

struct http *driver_http(struct driver *driver)
{
    return driver->http;
}

uv_loop_t *driver_loop(struct driver *driver)
{
    return &driver->loop;
}

time_ms driver_now(struct driver *driver)
{
    return driver->now;
}

/* As the real one: @more, then the service's own, then its vars. */
bool driver_expand(const struct driver *driver, uint16_t service,
                   const char *text, bool url, const struct variable *more,
                   size_t more_count, char *ret_text, size_t size,
                   char *ret_error, size_t error_size)
{
    const struct service_config *config = &driver->config.services[service];
    struct variable all[CONFIG_VARS_MAX + 16];
    size_t count = 0;

    for (size_t i = 0; i < more_count; i++) {
        all[count++] = more[i];
    }
    all[count++] = (struct variable){"service", driver->service.service};
    all[count++] =
        (struct variable){"environment", driver->service.environment};
    for (size_t i = 0; i < config->vars_count; i++) {
        all[count++] =
            (struct variable){config->vars[i].name, config->vars[i].value};
    }
    return template_expand(text, url ? TEMPLATE_URL : TEMPLATE_PLAIN, all,
                           count, ret_text, size, ret_error, error_size);
}

bool view_service(const struct core *core, uint16_t index,
                  struct service_view *ret_view)
{
    (void)index;
    *ret_view = ((const struct driver *)core)->service;
    return true;
}

bool view_release(const struct core *core, uint64_t id,
                  struct release_view *ret_view)
{
    if (id != 0) {
        *ret_view = ((const struct driver *)core)->release;
    }
    return id != 0;
}

uint64_t core_sequence(const struct core *core)
{
    (void)core;
    return 41;
}

/* --- For the test --------------------------------------------------------- */

void driver_begin(struct driver *driver)
{
    int failed = 0;

    memset(driver, 0, sizeof(*driver));
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    failed = uv_loop_init(&driver->loop);
    assert(failed == 0);
    driver->http = http_new(&driver->loop);
    driver->now = 1726669200000; /* 2024-09-18T14:20:00Z */
    driver->service = (struct service_view){.service = "user-service",
                                            .environment = "production"};
    driver->release = (struct release_view){.version = "2.4.0"};
    driver->config.core.seed = 7;
}

void driver_wait(struct driver *driver, size_t count)
{
    while (driver->told_count < count) {
        (void)uv_run(&driver->loop, UV_RUN_ONCE);
    }
}

void driver_wait_for(struct driver *driver, const int *number, int least)
{
    while (*number < least) {
        (void)uv_run(&driver->loop, UV_RUN_ONCE);
    }
}

void driver_answer_read(struct driver *driver)
{
    driver_read_done *done = driver->read_done;
    const struct store_event event = {.kind = STORE_EVENT_READ,
                                      .result = driver->read_result,
                                      .entries = driver->entries,
                                      .count = driver->entries_count};

    assert(done != NULL);
    driver->read_done = NULL;
    done(driver->read_data, &event);
}

static void on_closed(void *data)
{
    struct driver *driver = data;

    driver->http = NULL;
}

void driver_end(struct driver *driver)
{
    http_close(driver->http, on_closed, driver);
    (void)uv_run(&driver->loop, UV_RUN_DEFAULT);
    assert(driver->http == NULL);
    int failed = uv_loop_close(&driver->loop);

    assert(failed == 0);
    curl_global_cleanup();
}
