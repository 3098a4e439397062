#include "help_driver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policies/read/policy_read.h"

#define NOW 1726669200000LL /* 2024-09-18T14:20:00Z */

static const struct service_option services[] = {
    {"user-service", "production", 0, 0, MODE_AUTO}};
static const struct source_option sources[] = {
    {"prom", FETCH_PROMETHEUS, 2000, 5000, false}};
static const struct target_option targets[] = {
    {"deployer", 600000, 10000, false}};

/* --- The world ------------------------------------------------------------ */

static void remember(struct driver *driver, const struct record *record)
{
    struct entry *entry = &driver->entries[driver->journal_count];
    size_t length = 0;

    assert_true(driver->journal_count < WORLD_JOURNAL_MAX);
    driver->journal[driver->journal_count] = record_to_json(record, &length);
    entry->sequence = record->sequence;
    entry->at = record->at;
    entry->kind = record->kind;
    entry->release = record->release;
    entry->incident = record->incident;
    entry->payload = driver->journal[driver->journal_count];
    entry->length = length;
    driver->journal_count++;
}

static void step(struct driver *driver, const struct input *input)
{
    struct input timed = *input;

    timed.now = driver->now;
    core_step(driver->core, &timed, &driver->decision);
    core_check(driver->core);
    for (size_t i = 0; i < driver->decision.records_count; i++) {
        remember(driver, &driver->decision.records[i]);
    }
    for (size_t i = 0; i < driver->decision.effects_count; i++) {
        assert_true(driver->queue_count < 256);
        driver->queue[driver->queue_count++] = driver->decision.effects[i];
    }
}

static void answer_target(struct driver *driver, const struct effect *effect)
{
    struct input input = {.kind = INPUT_TARGET};

    input.target.id = effect->id;
    input.target.text = "";
    if (effect->kind == EFFECT_REVERT) {
        (void)snprintf(driver->live, sizeof(driver->live), "%.60s",
                       effect->target.target);
        input.target.result = TARGET_ACCEPTED;
        input.target.text = "POST: 200 OK";
    } else {
        input.target.result = TARGET_OBSERVED;
        input.target.version = driver->live;
        input.target.complete = true;
        input.target.has = true;
    }
    step(driver, &input);
}

static void answer_history(struct driver *driver, const struct effect *effect)
{
    struct input input = {.kind = INPUT_HISTORY};

    input.history.id = effect->id;
    input.history.error = "this world has no past";
    step(driver, &input);
}

static void answer_query(struct driver *driver, const struct effect *effect)
{
    uint32_t series[16];
    struct sample samples[16];
    struct input input = {.kind = INPUT_SAMPLES};
    struct series_view view;
    size_t cursor = 0, count = 0;

    while (count < 16 && view_next_series(driver->core, effect->query.query,
                                          &cursor, &view)) {
        series[count] = view.id;
        samples[count++] = (struct sample){driver->errors, KNOWN};
    }
    input.samples.query = effect->query.query;
    input.samples.g = effect->query.g;
    input.samples.error = driver->lose_samples ? "prom: POST: 503" : NULL;
    input.samples.series = series;
    input.samples.samples = samples;
    input.samples.count = count;
    step(driver, &input);
}

static void answer_done(struct driver *driver, enum input_kind kind,
                        uint64_t id)
{
    struct input input = {.kind = kind};

    input.done.id = id;
    input.done.delivered = true;
    input.done.text = "";
    step(driver, &input);
}

static void carry_out(struct driver *driver, const struct effect *effect)
{
    switch (effect->kind) {
    case EFFECT_ANSWER:
        if (driver->hold_answers) {
            driver->held[driver->held_count++] = *effect;
        } else if (driver->answer != NULL) {
            driver->answer(driver->answer_data, effect);
        }
        return;
    case EFFECT_QUERY:
        answer_query(driver, effect);
        return;
    case EFFECT_HISTORY:
        answer_history(driver, effect);
        return;
    case EFFECT_OBSERVE:
    case EFFECT_HAS:
    case EFFECT_REVERT:
        answer_target(driver, effect);
        return;
    case EFFECT_NOTIFY:
        answer_done(driver, INPUT_NOTICE_DONE, effect->notify.notice);
        return;
    case EFFECT_RUN:
        answer_done(driver, INPUT_ACTION_DONE, effect->run.action);
        return;
    case EFFECT_POLICY_RELEASED:
        policy_free(effect->policy);
        return;
    }
}

static void carry_out_all(struct driver *driver)
{
    while (driver->queue_count > 0) {
        struct effect effect = driver->queue[0];

        driver->queue_count--;
        memmove(driver->queue, driver->queue + 1,
                driver->queue_count * sizeof(effect));
        carry_out(driver, &effect);
    }
}

static void accept_policy(struct driver *driver)
{
    static char source[POLICY_FILE_MAX];
    FILE *file = fopen(TESTS_DIR "/unit/api/policy.yaml", "r");
    struct input input = {.kind = INPUT_POLICY_ACCEPTED};
    size_t length = 0;

    assert_non_null(file);
    length = fread(source, 1, sizeof(source), file);
    (void)fclose(file);
    problems_init(&driver->problems, "policy.yaml");
    input.policy.block =
        policy_read("policy.yaml", source, length, &driver->problems);
    if (input.policy.block == NULL) {
        problems_print(&driver->problems, source, length, false, stderr);
    }
    assert_non_null(input.policy.block);
    step(driver, &input);
}

void world_open(struct driver *driver, uv_loop_t *loop)
{
    struct core_options options = {
        .services_max = 16,
        .releases_max = 64,
        .series_max = 64,
        .ceiling = MODE_AUTO,
        .per_service = {1, 30 * MINUTE_MS},
        .fleet = {3, 10 * MINUTE_MS},
        .shared_services = 3,
        .shared_share = 0.3,
        .shared_window = 5 * MINUTE_MS,
        .services = services,
        .sources = sources,
        .targets = targets,
        .services_count = 1,
        .sources_count = 1,
        .targets_count = 1,
        .page = {"oncall"},
        .pages_count = 1,
        .seed = 1,
        .version = "test",
    };
    struct input started = {.kind = INPUT_STARTED};

    memset(driver, 0, sizeof(*driver));
    driver->loop = loop;
    driver->now = NOW;
    driver->ready = true;
    driver->errors = 0.01;
    driver->log = log_new(stderr, LOG_LOGFMT, LOG_ERROR);
    (void)snprintf(driver->live, sizeof(driver->live), "2.3.2");
    (void)snprintf(driver->config.listen_host,
                   sizeof(driver->config.listen_host), "127.0.0.1");
    (void)snprintf(driver->source.name, sizeof(driver->source.name), "prom");
    driver->config.services = &driver->service;
    driver->config.services_count = 1;
    driver->config.sources = &driver->source;
    driver->config.sources_count = 1;
    driver->core = core_new(&options);
    step(driver, &started);
    accept_policy(driver);
    carry_out_all(driver);
}

void world_close(struct driver *driver)
{
    core_free(driver->core);
    log_free(driver->log);
    for (size_t i = 0; i < driver->journal_count; i++) {
        free(driver->journal[i]);
    }
}

void world_pass(struct driver *driver, time_ms span)
{
    time_ms end = driver->now + span;
    struct input tick = {.kind = INPUT_TICK};

    for (int i = 0; i < 100000 && core_deadline(driver->core) <= end; i++) {
        if (core_deadline(driver->core) > driver->now) {
            driver->now = core_deadline(driver->core);
        }
        step(driver, &tick);
        carry_out_all(driver);
    }
    driver->now = end;
}

void world_release(struct driver *driver)
{
    for (size_t i = 0; i < driver->held_count; i++) {
        driver->answer(driver->answer_data, &driver->held[i]);
    }
    driver->held_count = 0;
}

/* --- driver.h ------------------------------------------------------------- */

bool driver_push(struct driver *driver, const struct input *input)
{
    if (!driver->ready) {
        return false;
    }
    step(driver, input);
    carry_out_all(driver);
    return true;
}

void driver_on_answer(struct driver *driver, driver_answer *answer, void *data)
{
    driver->answer = answer;
    driver->answer_data = data;
}

struct read {
    uv_timer_t timer;
    struct driver *driver;
    struct store_query query;
    driver_read_done *done;
    void *data;
};

static bool wanted(const struct store_query *query, const struct entry *entry)
{
    return entry->sequence > query->after &&
           (query->before == 0 || entry->sequence < query->before) &&
           (query->release == 0 || entry->release == query->release) &&
           (query->incident == 0 || entry->incident == query->incident) &&
           (query->kind == RECORD_NONE || entry->kind == query->kind);
}

static void answer_read(struct read *read)
{
    struct driver *driver = read->driver;
    static struct entry found[WORLD_JOURNAL_MAX];
    struct store_event event = {.kind = STORE_EVENT_READ, .entries = found};
    size_t count = driver->journal_count;

    for (size_t i = 0; i < count; i++) {
        size_t at = read->query.newest_first ? count - 1 - i : i;

        if ((read->query.limit == 0 || event.count < read->query.limit) &&
            wanted(&read->query, &driver->entries[at])) {
            found[event.count++] = driver->entries[at];
        }
    }
    if (driver->break_reads) {
        event.result = STORE_UNAVAILABLE;
        event.count = 0;
        (void)snprintf(event.error, sizeof(event.error), "disk on fire");
    }
    driver->reads_waiting--;
    read->done(read->data, &event);
}

static void on_read_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_read(uv_timer_t *timer)
{
    answer_read(timer->data);
    uv_close((uv_handle_t *)timer, on_read_closed);
}

bool driver_read(struct driver *driver, const struct store_query *query,
                 driver_read_done *done, void *data)
{
    struct read *read = NULL;

    if (driver->refuse_reads) {
        return false;
    }
    read = calloc(1, sizeof(*read));
    assert_non_null(read);
    read->driver = driver;
    read->query = *query;
    read->done = done;
    read->data = data;
    read->timer.data = read;
    driver->reads_waiting++;
    (void)uv_timer_init(driver->loop, &read->timer);
    (void)uv_timer_start(&read->timer, on_read, driver->lose_reads ? 100 : 0,
                         0);
    return true;
}

const struct core *driver_core(const struct driver *driver)
{
    return driver->core;
}

const struct config *driver_config(const struct driver *driver)
{
    return &driver->config;
}

struct log *driver_log(struct driver *driver)
{
    return driver->log;
}

uv_loop_t *driver_loop(struct driver *driver)
{
    return driver->loop;
}

time_ms driver_now(struct driver *driver)
{
    return driver->now;
}

bool driver_is_ready(const struct driver *driver, const char **ret_why_not)
{
    if (!driver->ready) {
        *ret_why_not = "the disk is full";
    }
    return driver->ready;
}

const struct problems *driver_policy_problems(const struct driver *driver)
{
    return &driver->problems;
}

void driver_heartbeat(const struct driver *driver,
                      struct driver_heartbeat *ret_heartbeat)
{
    *ret_heartbeat = (struct driver_heartbeat){
        .given = true, .sent_at = driver->now, .taken_at = 0, .fails = true};
}

const struct revert_timing *driver_revert_timing(const struct driver *driver)
{
    return &driver->timing;
}

void driver_load(const struct driver *driver, struct driver_load *ret_load)
{
    (void)driver;
    *ret_load = (struct driver_load){.records_waiting = 3,
                                     .effects_waiting = 2,
                                     .requests_waiting = 1,
                                     .late = 1500};
}
