/* A dead-man's switch: silence is the alarm.  The loop sends it, and only while
 * the store's thread confirms what it is given and breathes: a loop or a disk
 * that hangs, and a store that is down, end it. */
#include "controller/runtime/driver_inside.h"

#include <assert.h>

#define PATIENCE_MS (10 * SECOND_MS)
/* The store's thread breathes once a second: less says nothing. */
#define BREATHES_LEAST_MS (5 * SECOND_MS)

static void on_done(void *data, const struct http_answer *answer)
{
    struct driver *driver = data;
    struct heartbeat *heartbeat = &driver->heartbeat;
    const bool fails = answer->end != HTTP_ANSWERED || answer->status >= 300;

    heartbeat->request = NULL;
    if (answer->end == HTTP_CANCELLED) {
        return;
    }
    if (fails && !heartbeat->fails) {
        log_event(driver->options.log, LOG_WARNING, "heartbeat.failed", "text",
                  answer->text, NULL);
    }
    if (!fails && heartbeat->fails) {
        log_event(driver->options.log, LOG_INFO, "heartbeat.back", NULL);
    }
    heartbeat->fails = fails;
    heartbeat->taken_at = fails ? heartbeat->taken_at : driver_now(driver);
}

static bool store_breathes(const struct driver *driver)
{
    const time_ms every = driver->options.config->heartbeat_every;
    const time_ms patience =
        every < BREATHES_LEAST_MS ? BREATHES_LEAST_MS : every;

    return clock_boot() - driver_store_alive_at(driver) < patience;
}

static void on_beat(uv_timer_t *timer)
{
    struct driver *driver = timer->data;
    struct heartbeat *heartbeat = &driver->heartbeat;
    const struct config *config = driver->options.config;
    const time_ms every = config->heartbeat_every;
    const struct http_call call = {
        .method = "GET",
        .url = config->heartbeat_url,
        .timeout = every < PATIENCE_MS ? every : PATIENCE_MS};
    const char *why_not = NULL;

    if (heartbeat->request == NULL && driver_is_ready(driver, &why_not) &&
        store_breathes(driver)) {
        heartbeat->request = http_send(driver->http, &call, on_done, driver);
        heartbeat->sent_at = driver_now(driver);
    }
}

void heartbeat_start(struct driver *driver)
{
    uv_timer_t *timer = &driver->heartbeat.timer;
    const uint64_t every = (uint64_t)driver->options.config->heartbeat_every;
    int failed = uv_timer_init(driver->options.loop, timer);

    timer->data = driver;
    driver->handles++;
    if (driver->options.config->heartbeat_given) {
        failed |= uv_timer_start(timer, on_beat, 0, every);
    }
    assert(failed == 0);
}

/* The request ends with the HTTP client. */
void heartbeat_close(struct driver *driver)
{
    uv_close((uv_handle_t *)&driver->heartbeat.timer, driver_handle_closed);
}

void driver_heartbeat(const struct driver *driver,
                      struct driver_heartbeat *ret_heartbeat)
{
    *ret_heartbeat = (struct driver_heartbeat){
        .given = driver->options.config->heartbeat_given,
        .sent_at = driver->heartbeat.sent_at,
        .taken_at = driver->heartbeat.taken_at,
        .fails = driver->heartbeat.fails};
}
