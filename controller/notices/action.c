/* The calls that a leaf's `run:` names.
 *
 * An action changes the world, so it is tried again only when it surely did
 * not happen: no connection, 425, 429, or the queue here was full; with an
 * idempotency header also after silence and 5xx, under the same key.  With
 * `once_per` it is not run again sooner; a restart does not forget that. */
#include "controller/notices/notices.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "controller/config/json_template.h"
#include "controller/notices/once.h"
#include "controller/notices/retry.h"
#include "controller/runtime/call.h"
#include "policies/memory.h"

#define KEY_TEXT_MAX 64

TAILQ_HEAD(run_list, run);

enum journal { JOURNAL_UNREAD, JOURNAL_READING, JOURNAL_READ };

struct action {
    struct notice_adapter adapter;
    struct driver *driver;
    const struct action_config *config;
    struct run_list runs; /* waiting for the journal, or under way */
    struct once once;
    enum journal journal;
    bool is_closed;
    uint64_t random;
};

/* One run: waiting (for the journal, or by its timer) or flying (request). */
struct run {
    struct action *action;
    uint64_t id;
    uint16_t service;
    char service_name[NAME_MAX_BYTES + 1], environment[NAME_MAX_BYTES + 1];
    time_ms began; /* 0: not yet */
    struct retry retry;
    struct http_request *request;
    uv_timer_t timer;
    char key[KEY_TEXT_MAX];
    TAILQ_ENTRY(run) list;
};

/* --- The end of a run ----------------------------------------------------- */

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void run_close(struct run *run)
{
    TAILQ_REMOVE(&run->action->runs, run, list);
    uv_close((uv_handle_t *)&run->timer, on_timer_closed);
}

__attribute__((format(printf, 3, 4))) static void
finish(struct run *run, bool delivered, const char *format, ...)
{
    struct driver *driver = run->action->driver;
    struct input input = {.kind = INPUT_ACTION_DONE, .now = driver_now(driver)};
    char text[RECORD_TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    input.done.id = run->id;
    input.done.delivered = delivered;
    input.done.text = text;
    run_close(run);
    (void)driver_push(driver, &input); /* answers are always taken */
}

static void finish_not_run(struct run *run, const char *why)
{
    if (run->began != 0) {
        once_remove(&run->action->once, run->service_name, run->environment,
                    run->began);
    }
    finish(run, false, ONCE_NOT_RUN "%s", why);
}

/* --- Tries ---------------------------------------------------------------- */

static void try_now(struct run *run);

static void on_timer(uv_timer_t *timer)
{
    try_now(timer->data);
}

/* The call never left, or its answer says that nothing was done yet. */
static bool did_not_happen_yet(const struct http_answer *answer)
{
    return answer->end == HTTP_UNREACHABLE || answer->end == HTTP_REFUSED ||
           (answer->end == HTTP_ANSWERED &&
            (answer->status == 425 || answer->status == 429));
}

static bool is_silence_or_breakdown(const struct http_answer *answer)
{
    return answer->end != HTTP_ANSWERED || answer->status < 200 ||
           answer->status >= 500 || answer->status == 408;
}

/* False: no more tries. */
static bool try_again(struct run *run, const struct http_answer *answer)
{
    struct action *action = run->action;
    time_ms wait = 0;

    if (!retry_next(&run->retry, clock_boot(), answer->retry_after,
                    &action->random, &wait)) {
        return false;
    }
    (void)uv_timer_start(&run->timer, on_timer, (uint64_t)wait, 0);
    return true;
}

static void on_answer(void *data, const struct http_answer *answer)
{
    struct run *run = data;
    bool has_key = run->action->config->call.idempotency_header[0] != '\0';

    run->request = NULL;
    if (answer->end == HTTP_CANCELLED) {
        return; /* we are closing */
    }
    if ((did_not_happen_yet(answer) ||
         (has_key && is_silence_or_breakdown(answer))) &&
        try_again(run, answer)) {
        return;
    }
    if (did_not_happen_yet(answer)) {
        finish_not_run(run, answer->text);
    } else if (is_silence_or_breakdown(answer) || answer->status / 100 == 3) {
        finish(run, false, "it may or may not have run: %s", answer->text);
    } else if (answer->status >= 400) {
        finish_not_run(run, answer->text);
    } else {
        finish(run, true, "%s", answer->text);
    }
}

static void try_now(struct run *run)
{
    struct action *action = run->action;
    const struct call_order order = {.call = &action->config->call,
                                     .service = run->service,
                                     .bearer = action->config->bearer,
                                     .key = run->key,
                                     .done = on_answer,
                                     .data = run};
    char error[256];

    run->request = call_send(action->driver, &order, error, sizeof(error));
    if (run->request == NULL) {
        finish_not_run(run, error);
    }
}

/* --- Once per ------------------------------------------------------------- */

static void begin(struct run *run)
{
    struct action *action = run->action;
    time_ms now = driver_now(action->driver);
    time_ms last =
        once_last(&action->once, run->service_name, run->environment, now);
    char at[MOMENT_TEXT_MAX], span[DURATION_TEXT_MAX], why[160];

    if (last != 0) {
        (void)snprintf(why, sizeof(why),
                       "it ran at %s, and runs once per %s at most",
                       moment_print(last, at),
                       duration_print(action->config->once_per, span));
        finish_not_run(run, why);
        return;
    }
    run->began = now;
    if (action->config->once_per > 0) {
        once_add(&action->once, run->service_name, run->environment, now);
    }
    try_now(run);
}

/* The journal answered for good: those who waited for it begin, or do not. */
static void end_reading(struct action *action, bool is_read)
{
    struct run *next = NULL;

    action->journal = is_read ? JOURNAL_READ : JOURNAL_UNREAD;
    for (struct run *run = TAILQ_FIRST(&action->runs); run != NULL;
         run = next) {
        next = TAILQ_NEXT(run, list);
        if (run->began == 0 && is_read) {
            begin(run);
        } else if (run->began == 0) {
            finish_not_run(run, "the journal cannot say when it last ran");
        }
    }
}

static bool read_kind(struct action *action, enum record_kind kind,
                      driver_read_done *done)
{
    const struct store_query query = {
        .kind = kind, .newest_first = true, .limit = STORE_READ_ENTRIES_MAX};

    return driver_read(action->driver, &query, done, action);
}

static void on_runs(void *data, const struct store_event *event)
{
    struct action *action = data;

    if (action->is_closed) {
        free(action);
        return;
    }
    if (event->result == STORE_OK) {
        /* The runs of this process wait here; the first is the oldest. */
        once_learn_runs(&action->once, event->entries, event->count,
                        TAILQ_FIRST(&action->runs)->id);
    }
    end_reading(action, event->result == STORE_OK);
}

static void on_ends(void *data, const struct store_event *event)
{
    struct action *action = data;

    if (action->is_closed) {
        free(action);
        return;
    }
    if (event->result == STORE_OK) {
        once_learn_ends(&action->once, event->entries, event->count);
    }
    if (event->result != STORE_OK ||
        !read_kind(action, RECORD_ACTION, on_runs)) {
        end_reading(action, false);
    }
}

/* False when the journal cannot be asked now. */
static bool ask_journal(struct action *action)
{
    if (action->journal == JOURNAL_UNREAD &&
        read_kind(action, RECORD_ACTION_DONE, on_ends)) {
        action->journal = JOURNAL_READING;
    }
    return action->journal == JOURNAL_READING;
}

/* --- The adapter ---------------------------------------------------------- */

static struct run *run_new(struct action *action, const struct effect *effect)
{
    struct run *run = memory_zeroed(1, sizeof(*run));
    struct service_view service = {.service = "", .environment = ""};

    (void)view_service(driver_core(action->driver), effect->service, &service);
    run->action = action;
    run->id = effect->run.action;
    run->service = effect->service;
    (void)snprintf(run->service_name, sizeof(run->service_name), "%s",
                   service.service);
    (void)snprintf(run->environment, sizeof(run->environment), "%s",
                   service.environment);
    /* Ids begin anew in another journal; moments do not. */
    (void)snprintf(run->key, sizeof(run->key), "lastgood-%llu-%llx",
                   (unsigned long long)effect->run.action,
                   (unsigned long long)driver_now(action->driver));
    retry_begin(&run->retry, clock_boot(),
                retry_left(effect->deadline, driver_now(action->driver)));
    (void)uv_timer_init(driver_loop(action->driver), &run->timer);
    run->timer.data = run;
    TAILQ_INSERT_TAIL(&action->runs, run, list);
    return run;
}

static void send_action(struct notice_adapter *adapter,
                        const struct effect *effect)
{
    struct action *action = (struct action *)adapter;
    struct run *run = run_new(action, effect);

    if (action->config->once_per == 0 || action->journal == JOURNAL_READ) {
        begin(run);
    } else if (!ask_journal(action)) {
        finish_not_run(run, "the journal is too busy to say when it last ran");
    }
}

static void close_action(struct notice_adapter *adapter)
{
    struct action *action = (struct action *)adapter;

    while (!TAILQ_EMPTY(&action->runs)) {
        struct run *run = TAILQ_FIRST(&action->runs);

        if (run->request != NULL) {
            http_cancel(driver_http(action->driver), run->request);
        }
        run_close(run);
    }
    once_release(&action->once);
    if (action->journal == JOURNAL_READING) {
        action->is_closed = true; /* freed when the journal answers */
    } else {
        free(action);
    }
}

static bool has_no_variables(void *data, const char *text)
{
    (void)data;
    return strchr(text, '{') == NULL;
}

struct notice_adapter *action_make(struct driver *driver, uint16_t index)
{
    static const struct notice_ops ops = {.send = send_action,
                                          .close = close_action};
    const struct config *config = driver_config(driver);
    struct action *action = memory_zeroed(1, sizeof(*action));
    bool by_service = false;

    assert(index < config->actions_count);
    action->adapter.ops = &ops;
    action->driver = driver;
    action->config = &config->actions[index];
    action->random = config->core.seed + SINKS_MAX + index;
    by_service = strchr(action->config->call.url, '{') != NULL ||
                 !json_template_strings(action->config->call.json,
                                        has_no_variables, NULL);
    once_init(&action->once, action->config->name, action->config->once_per,
              by_service);
    TAILQ_INIT(&action->runs);
    return &action->adapter;
}
