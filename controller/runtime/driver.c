#include "controller/runtime/driver_inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "controller/config/template.h"
#include "policies/memory.h"

/* --- Feeding the core ----------------------------------------------------- */

/* Room for the records of one more step, so that none is ever refused inside;
 * the kill switch alone may be fed however many effects wait. */
static bool has_room(const struct driver *driver)
{
    return !driver->is_stopping && !driver->is_lost &&
           store_thread_waiting(driver->store) + driver->batched +
                   DECISION_RECORDS_MAX <=
               STORE_QUEUE_MAX;
}

bool driver_may_feed(const struct driver *driver)
{
    return has_room(driver) &&
           driver->held_count + DECISION_EFFECTS_MAX <= HELD_MAX;
}

bool driver_may_go_forward(const struct driver *driver)
{
    return driver_may_feed(driver) && !driver->is_down;
}

/* One step: decide, remember, then act.  The decision is used up before any
 * adapter runs, because an adapter may answer from within. */
static void step(struct driver *driver, const struct input *input)
{
    struct input dated = *input;

    dated.now = driver_now(driver);
    core_step(driver->core, &dated, &driver->decision);
    journal_append(driver);
    effects_take(driver);
    record_lines(driver->options.log, &driver->decision);
    effects_carry_out(driver);
}

static void run_ticks(struct driver *driver)
{
    const struct input tick = {.kind = INPUT_TICK};

    while (driver->ticks_left > 0 && driver_may_feed(driver) &&
           core_deadline(driver->core) <= driver_now(driver)) {
        driver->ticks_left--;
        step(driver, &tick);
    }
    if (!driver->is_stopping) {
        journal_flush(driver);
    }
}

void driver_feed(struct driver *driver, const struct input *input)
{
    step(driver, input);
    run_ticks(driver);
}

/* --- Answers that came while there was no room ---------------------------- */

static const char *keep_text(char *kept, size_t size, const char *text)
{
    if (text == NULL) {
        return NULL;
    }
    (void)snprintf(kept, size, "%s", text);
    return kept;
}

static void keep(struct driver *driver, const struct input *input)
{
    struct kept_answer *kept = memory_zeroed(1, sizeof(*kept));

    kept->kept_at = clock_boot();
    kept->input = *input;
    if (input->kind == INPUT_TARGET) {
        kept->input.target.version = keep_text(
            kept->version, sizeof(kept->version), input->target.version);
        kept->input.target.text =
            keep_text(kept->text, sizeof(kept->text), input->target.text);
    } else {
        kept->input.done.text =
            keep_text(kept->text, sizeof(kept->text), input->done.text);
    }
    STAILQ_INSERT_TAIL(&driver->kept, kept, link);
}

/* What was seen live before a long wait may be so no more, and a revert would
 * rely on it: the core observes again. */
static void age(struct kept_answer *kept)
{
    if (kept->input.kind == INPUT_TARGET &&
        kept->input.target.result == TARGET_OBSERVED &&
        kept->input.target.version != NULL &&
        clock_boot() - kept->kept_at >= OBSERVE_FRESH_MS) {
        kept->input.target.result = TARGET_UNCLEAR;
        kept->input.target.text = "the answer had to wait for the store";
    }
}

static void feed_kept(struct driver *driver)
{
    while (!STAILQ_EMPTY(&driver->kept) && driver_may_feed(driver)) {
        struct kept_answer *kept = STAILQ_FIRST(&driver->kept);

        STAILQ_REMOVE_HEAD(&driver->kept, link);
        age(kept);
        driver_feed(driver, &kept->input);
        free(kept);
    }
}

static void drop_kept(struct driver *driver)
{
    while (!STAILQ_EMPTY(&driver->kept)) {
        struct kept_answer *kept = STAILQ_FIRST(&driver->kept);

        STAILQ_REMOVE_HEAD(&driver->kept, link);
        free(kept);
    }
}

/* --- The door for inputs -------------------------------------------------- */

/* What the core does not remember, people may want to see. */
static void note_target(struct driver *driver, const struct input *input)
{
    switch (input->target.result) {
    case TARGET_OBSERVED:
        revert_clock_answer(driver, input);
        break;
    case TARGET_ACCEPTED:
        break;
    case TARGET_RACED:
    case TARGET_REJECTED:
    case TARGET_UNCLEAR:
        log_event(driver->options.log, LOG_WARNING, "target.trouble", "text",
                  input->target.text == NULL ? "" : input->target.text, NULL);
        break;
    }
}

static void push_done(struct driver *driver, const struct input *input)
{
    if (input->kind == INPUT_TARGET) {
        note_target(driver, input);
    }
    if (input->kind == INPUT_NOTICE_DONE && input->done.id == ALARM_NOTICE) {
        upkeep_alarm_done(driver, input);
        return;
    }
    if (driver_may_feed(driver) && STAILQ_EMPTY(&driver->kept)) {
        driver_feed(driver, input);
    } else {
        keep(driver, input);
    }
}

/* What people say of a rollback goes back, too: they hear of it by way of the
 * reserve, and their word may use it. */
static bool goes_back(const struct input *input)
{
    return input->kind == INPUT_COMMAND &&
           (input->command.kind == COMMAND_CANCEL ||
            input->command.kind == COMMAND_APPROVE ||
            input->command.kind == COMMAND_ROLLBACK);
}

bool driver_push(struct driver *driver, const struct input *input)
{
    if (driver->is_stopping) {
        return false;
    }
    switch (input->kind) {
    case INPUT_SAMPLES:
        /* Dropped while there is no room: its grid time is gone by then. */
        revert_clock_samples(driver);
        if (driver_may_feed(driver)) {
            driver_feed(driver, input);
        }
        return true;
    case INPUT_HISTORY:
        if (!history_take(driver, input) && driver_may_feed(driver)) {
            driver_feed(driver, input);
        }
        return true;
    case INPUT_TARGET:
    case INPUT_NOTICE_DONE:
    case INPUT_ACTION_DONE:
        push_done(driver, input);
        return true;
    case INPUT_STOP_FILE:
        if (!has_room(driver)) {
            return false;
        }
        driver_feed(driver, input);
        return true;
    case INPUT_TICK:
    case INPUT_STORE:
    case INPUT_CLOCK_SET:
    case INPUT_STARTED:
        if (!driver_may_feed(driver)) {
            return false;
        }
        driver_feed(driver, input);
        return true;
    case INPUT_REGISTER:
    case INPUT_COMMAND:
    case INPUT_POLICY_ACCEPTED:
    case INPUT_POLICY_REMOVED:
    case INPUT_POLICY_BROKEN:
        if (!(goes_back(input) ? driver_may_feed(driver)
                               : driver_may_go_forward(driver))) {
            return false;
        }
        driver_feed(driver, input);
        return true;
    }
    return false;
}

void driver_on_answer(struct driver *driver, driver_answer *answer, void *data)
{
    driver->answer = answer;
    driver->answer_data = data;
}

/* --- The loop ------------------------------------------------------------- */

static void on_more(uv_idle_t *idle)
{
    run_ticks(idle->data);
}

static void on_deadline(uv_timer_t *timer)
{
    run_ticks(timer->data);
}

/* Once a turn, before the loop sleeps: until when? */
static void on_prepare(uv_prepare_t *prepare)
{
    struct driver *driver = prepare->data;
    const time_ms deadline =
        driver_may_feed(driver) ? core_deadline(driver->core) : TIME_NEVER;
    const time_ms now = driver_now(driver);

    driver->ticks_left = TICKS_PER_TURN;
    if (deadline <= now) {
        (void)uv_idle_start(&driver->more, on_more);
    } else {
        (void)uv_idle_stop(&driver->more);
    }
    if (deadline == TIME_NEVER || deadline <= now) {
        (void)uv_timer_stop(&driver->deadline);
    } else {
        (void)uv_timer_start(&driver->deadline, on_deadline,
                             (uint64_t)(deadline - now), 0);
    }
}

static void on_wake(uv_async_t *wake)
{
    struct driver *driver = wake->data;

    journal_news(driver);
    /* Before answers that were kept: one of them may call for the revert. */
    if (driver->stop_is_untold) {
        upkeep_stop_file(driver);
    }
    effects_carry_out(driver);
    feed_kept(driver);
    policy_watch_feed(driver);
}

/* Called by the store's thread. */
static void wake_up(void *data)
{
    struct driver *driver = data;

    (void)uv_async_send(&driver->wake);
}

static void on_second(uv_timer_t *timer)
{
    upkeep_second(timer->data);
}

/* --- Making --------------------------------------------------------------- */

static void open_handles(struct driver *driver)
{
    uv_loop_t *loop = driver->options.loop;
    int failed = 0;

    failed |= uv_timer_init(loop, &driver->deadline);
    failed |= uv_timer_init(loop, &driver->second);
    failed |= uv_prepare_init(loop, &driver->prepare);
    failed |= uv_idle_init(loop, &driver->more);
    failed |= uv_async_init(loop, &driver->wake, on_wake);
    driver->deadline.data = driver;
    driver->second.data = driver;
    driver->prepare.data = driver;
    driver->more.data = driver;
    driver->wake.data = driver;
    driver->handles += 5;
    failed |= uv_prepare_start(&driver->prepare, on_prepare);
    failed |= uv_timer_start(&driver->second, on_second, SECOND_MS, SECOND_MS);
    assert(failed == 0);
}

static void make_adapters(struct driver *driver)
{
    const struct config *config = driver->options.config;
    const struct adapter_makers *makers = &driver->options.makers;

    for (uint16_t i = 0; i < config->sources_count; i++) {
        driver->sources[i] = makers->source(driver, i);
    }
    for (uint16_t i = 0; i < config->targets_count; i++) {
        driver->targets[i] = makers->target(driver, i);
    }
    for (uint16_t i = 0; i < config->notices_count; i++) {
        driver->notices[i] = makers->notice(driver, i);
    }
    for (uint16_t i = 0; i < config->actions_count; i++) {
        driver->actions[i] = makers->action(driver, i);
    }
}

/* What was recovered goes on: first the epoch, then the kill switch, then the
 * policies, so that nothing is decided before they are known: the first tick is
 * the loop's (until it turns, none are left). */
static void start(struct driver *driver)
{
    const struct input started = {.kind = INPUT_STARTED};
    struct core_counts counts = {0};

    assert(driver->ticks_left == 0);
    view_counts(driver->core, &counts);
    driver->stop_stands = counts.stopped;
    driver_feed(driver, &started);
    upkeep_stop_file(driver);
    policy_watch_start(driver);
}

static struct driver *allocate(const struct driver_options *options)
{
    struct driver *driver = memory_zeroed(1, sizeof(*driver));

    driver->options = *options;
    driver->hangs_after = STORE_HANGS_MS;
    clock_init(&driver->clock);
    TAILQ_INIT(&driver->held);
    TAILQ_INIT(&driver->ready);
    TAILQ_INIT(&driver->merges);
    STAILQ_INIT(&driver->kept);
    driver->core = core_new(&options->config->core);
    driver->folder = policy_folder_new(options->config);
    driver->said = memory_zeroed(1, sizeof(*driver->said));
    return driver;
}

static void free_driver(struct driver *driver)
{
    effects_drop(driver);
    history_drop(driver);
    drop_kept(driver);
    policy_folder_free(driver->folder);
    free(driver->said);
    core_free(driver->core);
    free(driver);
}

struct driver *driver_new_on_store(const struct driver_options *options,
                                   struct store *store, char *ret_error,
                                   size_t size)
{
    struct driver *driver = allocate(options);

    if (!recovery_run(driver, store, ret_error, size) ||
        !policy_folder_may_start(driver->folder, ret_error, size)) {
        store->ops->close(store);
        free_driver(driver);
        return NULL;
    }
    open_handles(driver);
    driver->store = store_thread_start(store, wake_up, driver);
    driver->http = http_new(options->loop);
    driver->handles++;
    make_adapters(driver);
    start(driver);
    heartbeat_start(driver);
    return driver;
}

struct driver *driver_new(const struct driver_options *options, char *ret_error,
                          size_t size)
{
    struct store *store = store_sqlite_open(options->config->sqlite,
                                            STORE_WRITE, ret_error, size);

    return store == NULL ? NULL
                         : driver_new_on_store(options, store, ret_error, size);
}

/* --- Stopping ------------------------------------------------------------- */

static void close_adapters(struct driver *driver)
{
    const struct config *config = driver->options.config;

    for (size_t i = 0; i < config->actions_count; i++) {
        driver->actions[i]->ops->close(driver->actions[i]);
    }
    for (size_t i = 0; i < config->notices_count; i++) {
        driver->notices[i]->ops->close(driver->notices[i]);
    }
    for (size_t i = 0; i < config->targets_count; i++) {
        driver->targets[i]->ops->close(driver->targets[i]);
    }
    for (size_t i = 0; i < config->sources_count; i++) {
        driver->sources[i]->ops->close(driver->sources[i]);
    }
}

static void one_closed(struct driver *driver)
{
    void (*stopped)(void *) = driver->options.stopped;
    void *data = driver->options.data;

    driver->handles--;
    if (driver->handles > 0) {
        return;
    }
    free_driver(driver);
    if (stopped != NULL) {
        stopped(data);
    }
}

void driver_handle_closed(uv_handle_t *handle)
{
    one_closed(handle->data);
}

static void on_http_closed(void *data)
{
    one_closed(data);
}

/* The store's thread commits what waits before it ends: all that was decided
 * is remembered, and nothing is decided any more. */
void driver_stop(struct driver *driver)
{
    assert(!driver->is_stopping);
    driver->is_stopping = true;
    close_adapters(driver);
    http_close(driver->http, on_http_closed, driver);
    journal_flush(driver);
    store_thread_stop(driver->store);
    driver->store = NULL;
    journal_drop_reads(driver);
    policy_watch_close(driver);
    heartbeat_close(driver);
    uv_close((uv_handle_t *)&driver->wake, driver_handle_closed);
    uv_close((uv_handle_t *)&driver->more, driver_handle_closed);
    uv_close((uv_handle_t *)&driver->prepare, driver_handle_closed);
    uv_close((uv_handle_t *)&driver->second, driver_handle_closed);
    uv_close((uv_handle_t *)&driver->deadline, driver_handle_closed);
}
