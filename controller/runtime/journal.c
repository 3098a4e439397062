#include "controller/runtime/driver_inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "state/windows.h"

/* What a verdict was judged from is kept beside its record, which has its
 * hash. */
static void add_windows(struct record *record, struct entry *entry)
{
    if (record->kind == RECORD_VERDICT && record->judge != NULL) {
        entry->windows = windows_to_json(record, &entry->windows_length);
        windows_digest(entry->windows, entry->windows_length, record->windows);
    }
}

void journal_flush(struct driver *driver)
{
    bool taken = false;

    if (driver->batched == 0) {
        return;
    }
    /* driver_may_feed() saw the room. */
    taken = store_thread_append(driver->store, driver->batch, driver->batched);
    assert(taken);
    (void)taken;
    driver->batched = 0;
}

static bool is_intent(const struct record *record)
{
    return record->kind == RECORD_ROLLBACK_MOVED &&
           record->rollback_state == ROLLBACK_INTENDED;
}

/* Everything a record points to is lent for the step: encode at once.  A
 * verdict and the intent that follows from it are steps of one turn: in one
 * batch they cost one fsync, not two.  The intent waits for nothing else. */
void journal_append(struct driver *driver)
{
    struct decision *decision = &driver->decision;
    bool is_urgent = false;

    if (driver->batched + decision->records_count > STORE_GROUP_MAX) {
        journal_flush(driver);
    }
    for (size_t i = 0; i < decision->records_count; i++) {
        struct entry *entry = &driver->batch[driver->batched];

        *entry = entry_of_record(&decision->records[i]);
        add_windows(&decision->records[i], entry);
        entry->payload = record_to_json(&decision->records[i], &entry->length);
        driver->batched++;
        revert_clock_record(driver, &decision->records[i]);
        is_urgent = is_urgent || is_intent(&decision->records[i]);
    }
    if (is_urgent) {
        journal_flush(driver);
    }
}

bool driver_read(struct driver *driver, const struct store_query *query,
                 driver_read_done *done, void *data)
{
    for (size_t i = 0; i < STORE_READS_MAX; i++) {
        if (driver->reads[i].done != NULL) {
            continue;
        }
        if (driver->is_stopping ||
            !store_thread_read(driver->store, query, i)) {
            return false;
        }
        driver->reads[i] = (struct pending_read){done, data};
        return true;
    }
    return false;
}

static void read_came(struct driver *driver, const struct store_event *event)
{
    const struct pending_read read = driver->reads[event->ticket];

    assert(read.done != NULL);
    driver->reads[event->ticket].done = NULL;
    read.done(read.data, event);
}

/* Those who still wait at the end are told so. */
void journal_drop_reads(struct driver *driver)
{
    for (size_t i = 0; i < STORE_READS_MAX; i++) {
        struct store_event event = {
            .kind = STORE_EVENT_READ, .ticket = i, .result = STORE_UNAVAILABLE};

        (void)snprintf(event.error, sizeof(event.error), "shutting down");
        if (driver->reads[i].done != NULL) {
            read_came(driver, &event);
        }
    }
}

static void became_durable(struct driver *driver, uint64_t sequence)
{
    assert(sequence >= driver->durable);
    driver->durable = sequence;
    driver->no_reserve = false;
    revert_clock_durable(driver);
    effects_became_durable(driver);
}

/* What goes forward waits meanwhile, and makes no records that would take the
 * room of what goes back.  It decides nothing, so nothing is carried out: the
 * kill switch comes first. */
static void tell_core(struct driver *driver)
{
    const struct input input = {.kind = INPUT_STORE,
                                .now = driver_now(driver),
                                .store_is_down = driver->is_down};

    core_step(driver->core, &input, &driver->decision);
    assert(driver->decision.records_count == 0);
    assert(driver->decision.effects_count == 0);
}

/* That not even a rollback can leave is told anew, though the rest was. */
static void went_down(struct driver *driver, const struct store_event *event)
{
    driver->is_down = true;
    if (event->no_reserve && !driver->no_reserve) {
        driver->alarmed_at = 0;
    }
    driver->no_reserve = event->no_reserve;
    (void)snprintf(driver->store_error, sizeof(driver->store_error), "%s",
                   event->error);
    log_event(driver->options.log, LOG_ERROR, "store.down", "error",
              event->error, "effect",
              event->no_reserve
                  ? "no rollback leaves, and requests are refused, until it "
                    "works again"
                  : "requests are refused until it works again; a rollback "
                    "uses the reserve",
              NULL);
    tell_core(driver);
}

static void came_up(struct driver *driver)
{
    driver->is_down = false;
    driver->no_reserve = false;
    driver->store_error[0] = '\0';
    log_event(driver->options.log, LOG_INFO, "store.up", NULL);
    tell_core(driver);
}

static void was_lost(struct driver *driver, const char *error)
{
    driver->is_lost = true;
    (void)snprintf(driver->store_error, sizeof(driver->store_error), "%s",
                   error);
    log_event(driver->options.log, LOG_ERROR, "store.lost", "error", error,
              NULL);
    if (driver->options.lost != NULL) {
        driver->options.lost(driver->options.data, driver->store_error);
    }
}

void journal_news(struct driver *driver)
{
    struct store_event event = {0};

    /* Whoever is told may stop the driver. */
    while (!driver->is_stopping && store_thread_next(driver->store, &event)) {
        switch (event.kind) {
        case STORE_EVENT_DURABLE:
            became_durable(driver, event.sequence);
            break;
        case STORE_EVENT_DOWN:
            went_down(driver, &event);
            break;
        case STORE_EVENT_UP:
            came_up(driver);
            break;
        case STORE_EVENT_LOST:
            was_lost(driver, event.error);
            break;
        case STORE_EVENT_READ:
            read_came(driver, &event);
            break;
        }
        store_event_release(&event);
    }
}
