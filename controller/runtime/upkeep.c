/* What the driver looks after once a second: the kill switch, the clock, and
 * whether it can do its work at all. */
#include "controller/runtime/driver_inside.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

/* A disk that was full for a moment wakes nobody. */
#define ALARM_AFTER_MS (10 * SECOND_MS)

/* Only a clear "there is none" lifts the kill switch; what cannot be looked at
 * stays as it was. */
void upkeep_stop_file(struct driver *driver)
{
    const char *path = driver->options.config->stop_file;
    struct stat status;
    const bool stands = stat(path, &status) == 0;
    struct input input = {.kind = INPUT_STOP_FILE, .stop = stands};

    if (!stands && errno != ENOENT && errno != ENOTDIR) {
        return;
    }
    driver->stop_is_untold =
        stands != driver->stop_stands && !driver_push(driver, &input);
    if (!driver->stop_is_untold) {
        driver->stop_stands = stands;
    }
}

/* What waits for its intent has a deadline by the clock as it was. */
static void shift_held(struct driver *driver, time_ms difference)
{
    struct held_effect *held = NULL;

    TAILQ_FOREACH(held, &driver->held, link)
    {
        if (held->effect.deadline != TIME_NEVER) {
            held->effect.deadline += difference;
        }
    }
}

static void look_at_clock(struct driver *driver)
{
    const time_ms drift = clock_drift(&driver->clock);
    struct input input = {.kind = INPUT_CLOCK_SET};

    if ((drift > CLOCK_DRIFT_MS || drift < -CLOCK_DRIFT_MS) &&
        driver_may_feed(driver)) {
        input.difference = clock_anchor(&driver->clock);
        shift_held(driver, input.difference);
        driver_feed(driver, &input);
    }
}

/* --- The driver's own alarm ----------------------------------------------- */

/* Does a rollback leave though the driver is not ready? */
static bool can_go_back(const struct driver *driver)
{
    return driver->is_down && !driver->no_reserve && driver_may_feed(driver);
}

/* Pages are recorded before they leave; that nothing can be recorded is told
 * without. */
static void page(struct driver *driver, const char *why)
{
    const struct core_options *options = &driver->options.config->core;
    struct effect effect = {.kind = EFFECT_NOTIFY,
                            .service = NONE_INDEX,
                            .deadline = driver_now(driver) + PAGE_REPEAT_MS,
                            .notify = {.notice = ALARM_NOTICE, .what = "page"}};
    char at[MOMENT_TEXT_MAX];

    driver->told_can_go_back = can_go_back(driver);
    (void)snprintf(effect.notify.text, sizeof(effect.notify.text),
                   "lastgood cannot do its work (%s): %s until this is mended: "
                   "%s",
                   moment_print(driver_now(driver), at),
                   driver->told_can_go_back
                       ? "requests are refused, nothing goes forward and "
                         "other pages wait, but a rollback still leaves,"
                       : "nothing is decided and no rollback leaves",
                   why);
    for (size_t i = 0; i < options->pages_count; i++) {
        (void)snprintf(effect.notify.sink, sizeof(effect.notify.sink), "%s",
                       options->page[i]);
        effects_notify(driver, &effect);
    }
}

static void look_for_trouble(struct driver *driver)
{
    const time_ms now = clock_boot();
    const char *why_not = NULL;

    if (driver_is_ready(driver, &why_not)) {
        driver->trouble_since = 0;
        return;
    }
    if (driver->trouble_since == 0) {
        driver->trouble_since = now;
    }
    if (driver->told_can_go_back && !can_go_back(driver)) {
        driver->alarmed_at = 0; /* it was told otherwise */
    }
    if (now - driver->trouble_since >= ALARM_AFTER_MS &&
        (driver->alarmed_at == 0 ||
         now - driver->alarmed_at >= PAGE_REPEAT_MS)) {
        driver->alarmed_at = now;
        log_event(driver->options.log, LOG_ERROR, "alarm", "text", why_not,
                  NULL);
        page(driver, why_not);
    }
}

void upkeep_alarm_done(struct driver *driver, const struct input *input)
{
    log_event(driver->options.log, input->done.delivered ? LOG_INFO : LOG_ERROR,
              "alarm.done", "delivered", input->done.delivered ? "yes" : "no",
              "text", input->done.text, NULL);
}

/* --- Every second --------------------------------------------------------- */

/* How much later than a second after the last time. */
static void note_lateness(struct driver *driver)
{
    const time_ms now = clock_boot();
    const time_ms late = now - driver->second_at - SECOND_MS;

    if (driver->second_at != 0 && late > 0) {
        driver->late += late;
    }
    driver->second_at = now;
}

void upkeep_second(struct driver *driver)
{
    note_lateness(driver);
    log_flush(driver->options.log);
    upkeep_stop_file(driver);
    look_at_clock(driver);
    policy_watch_second(driver);
    look_for_trouble(driver);
}
