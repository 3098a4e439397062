#include "tests/unit/sources/help_driver.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "controller/config/template.h"

#define PATIENCE_MS 20000

/* --- What adapters ask ---------------------------------------------------- */

static void *copy_of(const void *bytes, size_t size)
{
    void *copy = malloc(size + 1);
    assert(copy);
    if (size > 0) {
        memcpy(copy, bytes, size);
    }
    return copy;
}

bool driver_push(struct driver *driver, const struct input *input)
{
    if (driver->told_count == driver->told_size) {
        driver->told_size = driver->told_size * 2 + 8;
        driver->told =
            realloc(driver->told, driver->told_size * sizeof(*driver->told));
        assert(driver->told);
    }
    struct told *told = &driver->told[driver->told_count++];
    *told = (struct told){.kind = input->kind};
    const char *error = NULL;
    if (input->kind == INPUT_SAMPLES) {
        told->query = input->samples.query;
        told->g = input->samples.g;
        told->count = input->samples.count;
        told->series =
            copy_of(input->samples.series, told->count * sizeof(*told->series));
        told->samples = copy_of(input->samples.samples,
                                told->count * sizeof(*told->samples));
        error = input->samples.error;
    } else {
        assert(input->kind == INPUT_HISTORY);
        told->id = input->history.id;
        told->from = input->history.history.from;
        told->rows = input->history.history.rows;
        told->count = told->rows * driver->policy.signals;
        told->samples = copy_of(input->history.history.samples,
                                told->count * sizeof(*told->samples));
        error = input->history.error;
    }
    (void)snprintf(told->error, sizeof(told->error), "%s", error ? error : "");
    if (driver->on_push) {
        driver->on_push(driver);
    }
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
    return driver->now ? driver->now : clock_now(&driver->clock);
}

bool driver_expand(const struct driver *driver, uint16_t service,
                   const char *text, bool url, const struct variable *more,
                   size_t more_count, char *ret_text, size_t size,
                   char *ret_error, size_t error_size)
{
    const struct service_config *config = &driver->services[service];
    struct variable all[CONFIG_VARS_MAX];
    assert(!more && more_count == 0);
    for (size_t i = 0; i < config->vars_count; i++) {
        all[i] = (struct variable){config->vars[i].name, config->vars[i].value};
    }
    return template_expand(text, url ? TEMPLATE_URL : TEMPLATE_PLAIN, all,
                           config->vars_count, ret_text, size, ret_error,
                           error_size);
}

/* --- The core as a table -------------------------------------------------- */

static const struct driver *table(const struct core *core)
{
    return (const struct driver *)core;
}

bool view_query(const struct core *core, uint32_t id,
                struct query_view *ret_view)
{
    if (id >= table(core)->queries_count || !table(core)->queries[id].text) {
        return false;
    }
    *ret_view = table(core)->queries[id];
    return true;
}

bool view_next_query(const struct core *core, size_t *cursor,
                     struct query_view *ret_view)
{
    while (*cursor < table(core)->queries_count) {
        if (view_query(core, (uint32_t)(*cursor)++, ret_view)) {
            return true;
        }
    }
    return false;
}

bool view_next_series(const struct core *core, uint32_t query, size_t *cursor,
                      struct series_view *ret_view)
{
    while (*cursor < table(core)->series_count) {
        const struct fake_series *series = &table(core)->series[(*cursor)++];
        if (series->query != query) {
            continue;
        }
        *ret_view =
            (struct series_view){.id = series->id, .selects = series->selects};
        memcpy(ret_view->labels, series->labels, sizeof(series->labels));
        memcpy(ret_view->values, series->values, sizeof(series->values));
        return true;
    }
    return false;
}

bool view_release_series(const struct core *core, uint64_t release,
                         uint16_t signal, uint32_t *ret_query,
                         uint32_t *ret_series)
{
    const struct driver *driver = table(core);
    assert(release == 77);
    for (size_t i = 0; i < driver->series_count; i++) {
        if (driver->series[i].id == driver->signals[signal]) {
            *ret_query = driver->series[i].query;
            *ret_series = driver->series[i].id;
            return true;
        }
    }
    return false;
}

bool view_next_service(const struct core *core, size_t *cursor,
                       struct service_view *ret_view)
{
    if (*cursor >= table(core)->config.services_count) {
        return false;
    }
    *ret_view = (struct service_view){.index = (uint16_t)*cursor,
                                      .option = (uint16_t)*cursor};
    (*cursor)++;
    return true;
}

bool view_release(const struct core *core, uint64_t id,
                  struct release_view *ret_view)
{
    (void)core;
    (void)id;
    (void)ret_view;
    return false;
}

const struct policy *view_policy(const struct core *core, const char *name)
{
    (void)core;
    (void)name;
    return NULL;
}

/* --- For the test --------------------------------------------------------- */

void fake_begin(struct driver *driver)
{
    memset(driver, 0, sizeof(*driver));
    (void)signal(SIGPIPE, SIG_IGN); /* as main does */
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    int failed = uv_loop_init(&driver->loop);
    assert(failed == 0);
    driver->http = http_new(&driver->loop);
    clock_init(&driver->clock);
    driver->config.sources = driver->sources;
    driver->config.services = driver->services;
    driver->config.core.sources = driver->source_options;
}

uint16_t fake_source(struct driver *driver, const char *name, enum fetch fetch,
                     const char *url)
{
    struct source_config *source =
        &driver->sources[driver->config.sources_count];
    (void)snprintf(source->name, sizeof(source->name), "%s", name);
    (void)snprintf(source->url, sizeof(source->url), "%s", url);
    source->fetch = fetch;
    source->every = 15 * SECOND_MS;
    source->lag = 2 * SECOND_MS;
    source->timeout = 5 * SECOND_MS;
    driver->source_options[driver->config.sources_count].per_service =
        strchr(url, '{') != NULL;
    return (uint16_t)driver->config.sources_count++;
}

uint32_t fake_query(struct driver *driver, uint16_t source, const char *text,
                    const char *fresh)
{
    assert(driver->queries_count < FAKE_QUERIES_MAX);
    uint32_t id = (uint32_t)driver->queries_count++;
    driver->queries[id] = (struct query_view){.id = id,
                                              .source = source,
                                              .service = NONE_INDEX,
                                              .text = text,
                                              .fresh = fresh ? fresh : "",
                                              .every = 15 * SECOND_MS,
                                              .max_age = 30 * SECOND_MS};
    return id;
}

uint32_t fake_series(struct driver *driver, uint32_t query, size_t selects,
                     const char *const *labels, const char *const *values)
{
    if (driver->series_count == driver->series_size) {
        driver->series_size = driver->series_size * 2 + 8;
        driver->series = realloc(driver->series,
                                 driver->series_size * sizeof(*driver->series));
        assert(driver->series);
    }
    /* Ids that are not indexes, so that a mix-up shows. */
    struct fake_series *series = &driver->series[driver->series_count];
    *series = (struct fake_series){.id = 1000 + (uint32_t)driver->series_count,
                                   .query = query,
                                   .selects = (uint8_t)selects};
    for (size_t i = 0; i < selects; i++) {
        series->labels[i] = labels[i];
        series->values[i] = values[i];
    }
    driver->series_count++;
    return series->id;
}

uint32_t fake_all(struct driver *driver, uint32_t query)
{
    return fake_series(driver, query, 0, NULL, NULL);
}

uint32_t fake_one(struct driver *driver, uint32_t query, const char *label,
                  const char *value)
{
    return fake_series(driver, query, 1, &label, &value);
}

struct effect fake_history(struct driver *driver, size_t signals, time_ms from,
                           time_ms to, time_ms every)
{
    struct effect effect = {.kind = EFFECT_HISTORY, .id = {3, 14}};
    driver->policy.signals = (uint16_t)signals;
    effect.history.release = 77;
    effect.history.policy = &driver->policy;
    effect.history.from = from;
    effect.history.to = to;
    effect.history.every = every;
    return effect;
}

static void on_patience_end(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

static void run_until(struct driver *driver, bool (*done)(void *), void *data,
                      uint64_t patience_ms)
{
    uv_timer_t timer;
    bool late = false;
    int failed = uv_timer_init(&driver->loop, &timer);
    assert(failed == 0);
    timer.data = &late;
    (void)uv_timer_start(&timer, on_patience_end, patience_ms, 0);
    while (!done(data) && !late) {
        (void)uv_run(&driver->loop, UV_RUN_ONCE);
    }
    uv_close((uv_handle_t *)&timer, NULL);
    (void)uv_run(&driver->loop, UV_RUN_NOWAIT);
}

static bool never(void *data)
{
    (void)data;
    return false;
}

void fake_pause(struct driver *driver, uint64_t pause_ms)
{
    run_until(driver, never, NULL, pause_ms);
}

struct goal {
    const struct driver *driver;
    size_t count;
    const int *number;
    int least;
};

static bool told_enough(void *data)
{
    const struct goal *goal = data;
    return goal->driver->told_count >= goal->count;
}

static bool number_enough(void *data)
{
    const struct goal *goal = data;
    return *goal->number >= goal->least;
}

const struct told *fake_wait(struct driver *driver, size_t count)
{
    struct goal goal = {.driver = driver, .count = count};
    run_until(driver, told_enough, &goal, PATIENCE_MS);
    assert(told_enough(&goal)); /* else nothing came in 20 s */
    return &driver->told[driver->told_count - 1];
}

void fake_wait_for(struct driver *driver, const int *number, int least)
{
    struct goal goal = {.number = number, .least = least};
    run_until(driver, number_enough, &goal, PATIENCE_MS);
    assert(number_enough(&goal));
}

struct sample fake_sample(const struct told *told, uint32_t series)
{
    for (size_t i = 0; i < told->count; i++) {
        if (told->series[i] == series) {
            return told->samples[i];
        }
    }
    abort(); /* the input says nothing of this series */
}

static void on_http_closed(void *data)
{
    *(bool *)data = true;
}

void fake_end(struct driver *driver)
{
    bool closed = false;
    http_close(driver->http, on_http_closed, &closed);
    (void)uv_run(&driver->loop, UV_RUN_DEFAULT);
    assert(closed);
    int failed = uv_loop_close(&driver->loop);
    assert(failed == 0);
    for (size_t i = 0; i < driver->told_count; i++) {
        free(driver->told[i].series);
        free(driver->told[i].samples);
    }
    free(driver->told);
    free(driver->series);
}
