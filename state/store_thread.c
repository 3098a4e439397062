#include "state/store_thread.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policies/memory.h"

/* A disk that was full for a moment is back soon; one that is gone is not. */
#define PAUSE_FIRST_MS 100
#define PAUSE_MOST_MS  5000
/* A sign of life at least this often, though there is nothing to do. */
#define BREATH_MS 1000

/* Answers to reads, and one DURABLE, DOWN, UP and LOST. */
#define EVENTS_MAX (STORE_READS_MAX + 4)

struct slot {
    struct entry entry;
    bool is_last; /* of what one call brought */
};

struct request {
    struct store_query query;
    uint64_t ticket;
};

struct store_thread {
    struct store *store;
    void (*wake)(void *);
    void *data;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    _Atomic size_t waiting; /* entries queued or in the group */
    _Atomic time_ms alive_at;

    /* Shared, under the mutex. */
    struct slot queue[STORE_QUEUE_MAX];
    size_t queue_first, queued;
    struct request requests[STORE_READS_MAX];
    size_t requests_first, requested;
    size_t reads; /* whose answers were not taken yet */
    struct store_event events[EVENTS_MAX];
    size_t events_count;
    uint64_t goes_back; /* the newest call that does: its last sequence */
    bool stopping;
    bool ended; /* nothing more is committed */

    /* The store's thread alone. */
    struct entry group[STORE_GROUP_MAX];
    size_t group_count;
    bool is_down;
    char error[512];      /* why */
    bool was_read;        /* the last work: reads and groups take turns */
    time_ms pause;        /* of the next retry */
    time_ms retry_at;     /* CLOCK_MONOTONIC */
    uint64_t durable;     /* in the journal or in the reserve */
    bool reserve_failed;  /* since the last retry */
    bool no_reserve_told; /* and the loop knows */
};

enum work { WORK_NONE, WORK_GROUP, WORK_RESERVE, WORK_READ, WORK_END };

static void *run(void *data);

static time_ms clock_ms(clockid_t clock)
{
    struct timespec now;
    int code = clock_gettime(clock, &now);
    assert(code == 0);
    return now.tv_sec * SECOND_MS + now.tv_nsec / 1000000;
}

static void lock(struct store_thread *thread)
{
    int code = pthread_mutex_lock(&thread->mutex);
    assert(code == 0);
}

static void unlock(struct store_thread *thread)
{
    int code = pthread_mutex_unlock(&thread->mutex);
    assert(code == 0);
}

static void signal_change(struct store_thread *thread)
{
    int code = pthread_cond_signal(&thread->changed);
    assert(code == 0);
}

/* Signals are the loop's. */
static int create_deaf(struct store_thread *thread)
{
    sigset_t all, before;
    (void)sigfillset(&all); /* cannot fail */
    int code = pthread_sigmask(SIG_SETMASK, &all, &before);
    assert(code == 0);
    int created = pthread_create(&thread->thread, NULL, run, thread);
    code = pthread_sigmask(SIG_SETMASK, &before, NULL);
    assert(code == 0);
    return created;
}

struct store_thread *store_thread_start(struct store *store,
                                        void (*wake)(void *), void *data)
{
    struct store_thread *thread = memory_zeroed(1, sizeof *thread);
    pthread_condattr_t attributes;
    thread->store = store;
    thread->wake = wake;
    thread->data = data;
    thread->alive_at = clock_ms(CLOCK_BOOTTIME);
    if (pthread_mutex_init(&thread->mutex, NULL) != 0 ||
        pthread_condattr_init(&attributes) != 0 ||
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) != 0 ||
        pthread_cond_init(&thread->changed, &attributes) != 0 ||
        create_deaf(thread) != 0) {
        abort();
    }
    (void)pthread_condattr_destroy(&attributes);       /* cannot fail */
    (void)pthread_setname_np(thread->thread, "store"); /* for people only */
    return thread;
}

bool store_thread_append(struct store_thread *thread, struct entry *entries,
                         size_t count)
{
    assert(count > 0);
    lock(thread);
    bool fits = thread->waiting + count <= STORE_QUEUE_MAX;
    for (size_t i = 0; i < count && fits; i++) {
        size_t at = (thread->queue_first + thread->queued) % STORE_QUEUE_MAX;
        assert(entries[i].payload);
        thread->queue[at].entry = entries[i];
        thread->queue[at].is_last = i + 1 == count;
        thread->queued++;
        if (entries[i].goes_back) {
            thread->goes_back = entries[count - 1].sequence;
        }
    }
    if (fits) {
        thread->waiting += count;
        signal_change(thread);
    }
    unlock(thread);
    return fits;
}

size_t store_thread_waiting(const struct store_thread *thread)
{
    return thread->waiting;
}

bool store_thread_read(struct store_thread *thread,
                       const struct store_query *query, uint64_t ticket)
{
    lock(thread);
    bool fits = thread->reads < STORE_READS_MAX && !thread->ended;
    if (fits) {
        size_t at =
            (thread->requests_first + thread->requested) % STORE_READS_MAX;
        thread->requests[at] = (struct request){*query, ticket};
        thread->requested++;
        thread->reads++;
        signal_change(thread);
    }
    unlock(thread);
    return fits;
}

/* The event at @index leaves the queue. */
static void remove_event(struct store_thread *thread, size_t index)
{
    assert(index < thread->events_count);
    thread->events_count--;
    memmove(&thread->events[index], &thread->events[index + 1],
            (thread->events_count - index) * sizeof thread->events[0]);
}

bool store_thread_next(struct store_thread *thread, struct store_event *event)
{
    lock(thread);
    bool found = thread->events_count > 0;
    if (found) {
        *event = thread->events[0];
        remove_event(thread, 0);
        thread->reads -= event->kind == STORE_EVENT_READ ? 1 : 0;
    }
    unlock(thread);
    return found;
}

static void release_payloads(struct entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free((void *)(uintptr_t)entries[i].payload);
        free((void *)(uintptr_t)entries[i].windows);
    }
}

void store_event_release(struct store_event *event)
{
    release_payloads(event->entries, event->count);
    free(event->entries);
    event->entries = NULL;
    event->count = 0;
}

time_ms store_thread_alive_at(const struct store_thread *thread)
{
    return thread->alive_at;
}

void store_thread_stop(struct store_thread *thread)
{
    lock(thread);
    thread->stopping = true;
    signal_change(thread);
    unlock(thread);
    int code = pthread_join(thread->thread, NULL);
    assert(code == 0);
    for (size_t i = 0; i < thread->queued; i++) {
        size_t at = (thread->queue_first + i) % STORE_QUEUE_MAX;
        release_payloads(&thread->queue[at].entry, 1);
    }
    release_payloads(thread->group, thread->group_count);
    for (size_t i = 0; i < thread->events_count; i++) {
        store_event_release(&thread->events[i]);
    }
    thread->store->ops->close(thread->store);
    code = pthread_cond_destroy(&thread->changed);
    assert(code == 0);
    code = pthread_mutex_destroy(&thread->mutex);
    assert(code == 0);
    free(thread);
}

/* Where the first event of @kind is, events_count when there is none. */
static size_t find_event(const struct store_thread *thread,
                         enum store_event_kind kind)
{
    size_t at = 0;
    while (at < thread->events_count && thread->events[at].kind != kind) {
        at++;
    }
    return at;
}

/* Queue @event, joined with what was not taken, so that the queue is bounded
 * however long the loop is busy. */
static void tell(struct store_thread *thread, const struct store_event *event)
{
    lock(thread);
    size_t up = find_event(thread, STORE_EVENT_UP);
    /* Still down, as far as the loop knows. */
    bool overtakes =
        event->kind == STORE_EVENT_DOWN && up < thread->events_count;
    if (overtakes) {
        remove_event(thread, up);
    }
    size_t same = find_event(thread, event->kind);
    if (event->kind != STORE_EVENT_READ && same < thread->events_count) {
        thread->events[same] = *event;
    } else if (!overtakes || event->no_reserve) {
        assert(thread->events_count < EVENTS_MAX);
        thread->events[thread->events_count++] = *event;
    }
    unlock(thread);
    thread->wake(thread->data);
}

static void tell_durable(struct store_thread *thread, uint64_t sequence)
{
    if (sequence > thread->durable) {
        thread->durable = sequence;
    }
    tell(thread, &(struct store_event){.kind = STORE_EVENT_DURABLE,
                                       .sequence = thread->durable});
}

static void group_committed(struct store_thread *thread)
{
    uint64_t last = thread->group[thread->group_count - 1].sequence;
    if (thread->is_down) {
        tell(thread, &(struct store_event){.kind = STORE_EVENT_UP});
    }
    release_payloads(thread->group, thread->group_count);
    thread->waiting -= thread->group_count;
    thread->group_count = 0;
    thread->is_down = false;
    thread->no_reserve_told = false;
    thread->pause = 0;
    tell_durable(thread, last);
}

static void group_failed(struct store_thread *thread, struct store_event *event)
{
    bool lost = event->result != STORE_UNAVAILABLE;
    lock(thread);
    thread->ended = lost || thread->stopping;
    unlock(thread);
    event->kind = lost ? STORE_EVENT_LOST : STORE_EVENT_DOWN;
    if (lost || !thread->is_down) {
        tell(thread, event);
    }
    memcpy(thread->error, event->error, sizeof thread->error);
    thread->is_down = true;
    thread->reserve_failed = false;
    thread->pause = thread->pause == 0 ? PAUSE_FIRST_MS : thread->pause * 2;
    if (thread->pause > PAUSE_MOST_MS) {
        thread->pause = PAUSE_MOST_MS;
    }
    thread->retry_at = clock_ms(CLOCK_MONOTONIC) + thread->pause;
}

static void commit_group(struct store_thread *thread)
{
    struct store_event event = {0};
    assert(thread->group_count > 0);
    event.result = thread->store->ops->append(thread->store, thread->group,
                                              thread->group_count, event.error,
                                              sizeof event.error);
    if (event.result == STORE_OK) {
        group_committed(thread);
    } else {
        group_failed(thread, &event);
    }
}

/* All that waits, from the group that failed to the end of the newest call that
 * goes back; NULL: there is none.  Free the list only. */
static struct entry *list_waiting(struct store_thread *thread,
                                  size_t *ret_count)
{
    struct entry *list =
        memory_zeroed(thread->group_count + STORE_QUEUE_MAX, sizeof *list);
    memcpy(list, thread->group, thread->group_count * sizeof *list);
    *ret_count = thread->group_count;
    lock(thread);
    for (size_t i = 0; i < thread->queued; i++) {
        size_t at = (thread->queue_first + i) % STORE_QUEUE_MAX;
        if (thread->queue[at].entry.sequence <= thread->goes_back) {
            list[(*ret_count)++] = thread->queue[at].entry;
        }
    }
    unlock(thread);
    return list;
}

static void say_no_reserve(struct store_thread *thread, const char *why)
{
    struct store_event event = {.kind = STORE_EVENT_DOWN, .no_reserve = true};
    if (thread->no_reserve_told) {
        return;
    }
    (void)snprintf(event.error, sizeof event.error, "%.300s; %.200s",
                   thread->error, why);
    thread->no_reserve_told = true;
    tell(thread, &event);
}

static void reserve_waiting(struct store_thread *thread)
{
    const struct store_ops *ops = thread->store->ops;
    char why[300] = "there is no reserve";
    size_t count = 0;
    struct entry *list = list_waiting(thread, &count);
    enum store_result result =
        ops->reserve ? ops->reserve(thread->store, list, count, why, sizeof why)
                     : STORE_UNAVAILABLE;
    assert(count > 0);
    if (result == STORE_OK) {
        thread->no_reserve_told = false;
        tell_durable(thread, list[count - 1].sequence);
    } else {
        thread->reserve_failed = true;
        say_no_reserve(thread, why);
    }
    free(list);
}

struct collection {
    struct store_event *event;
    size_t room, bytes;
};

static bool collect(void *data, const struct entry *entry)
{
    struct collection *collection = data;
    struct store_event *event = collection->event;
    if (event->count == STORE_READ_ENTRIES_MAX ||
        collection->bytes + entry->length > STORE_READ_BYTES_MAX) {
        event->cut = true;
        return false;
    }
    if (event->count == collection->room) {
        collection->room = collection->room * 2 + 16;
        event->entries = memory_resized(
            event->entries, collection->room * sizeof *event->entries);
    }
    struct entry *copy = &event->entries[event->count++];
    *copy = *entry;
    collection->bytes += entry->length;
    if (entry->payload) {
        char *payload = memory_resized(NULL, entry->length + 1);
        memcpy(payload, entry->payload, entry->length);
        payload[entry->length] = '\0';
        copy->payload = payload;
    }
    return true;
}

static void answer(struct store_thread *thread, const struct request *request)
{
    struct store_event event = {.kind = STORE_EVENT_READ,
                                .ticket = request->ticket};
    struct collection collection = {.event = &event};
    event.result =
        thread->store->ops->read(thread->store, &request->query, collect,
                                 &collection, event.error, sizeof event.error);
    if (event.result == STORE_OK) {
        event.error[0] = '\0';
    }
    tell(thread, &event);
}

/* How many entries the next group has: all that waits, but not a part of what
 * one call brought. */
static size_t group_length(const struct store_thread *thread)
{
    size_t most =
        thread->queued < STORE_GROUP_MAX ? thread->queued : STORE_GROUP_MAX;
    for (size_t count = most; count > 0; count--) {
        size_t at = (thread->queue_first + count - 1) % STORE_QUEUE_MAX;
        if (thread->queue[at].is_last) {
            return count;
        }
    }
    return most;
}

static void take_group(struct store_thread *thread)
{
    if (thread->group_count > 0) {
        return; /* the one that failed */
    }
    size_t count = group_length(thread);
    for (size_t i = 0; i < count; i++) {
        size_t at = (thread->queue_first + i) % STORE_QUEUE_MAX;
        thread->group[i] = thread->queue[at].entry;
    }
    thread->queue_first = (thread->queue_first + count) % STORE_QUEUE_MAX;
    thread->queued -= count;
    thread->group_count = count;
}

/* What can be done now. */
static enum work work_of(const struct store_thread *thread)
{
    bool some = thread->queued > 0 || thread->group_count > 0;
    bool due = !thread->is_down || thread->stopping ||
               clock_ms(CLOCK_MONOTONIC) >= thread->retry_at;
    if (thread->ended || (thread->stopping && !some)) {
        return WORK_END;
    }
    if (thread->is_down && !thread->stopping && !thread->reserve_failed &&
        thread->goes_back > thread->durable) {
        return WORK_RESERVE;
    }
    if (thread->requested > 0 && !thread->stopping &&
        !(some && due && thread->was_read)) {
        return WORK_READ;
    }
    return some && due ? WORK_GROUP : WORK_NONE;
}

/* Sleep until something changes, a retry is due, or it is time to breathe. */
static void sleep_some(struct store_thread *thread)
{
    time_ms until = clock_ms(CLOCK_MONOTONIC) + BREATH_MS;
    if (thread->is_down && thread->retry_at < until) {
        until = thread->retry_at;
    }
    struct timespec deadline = {.tv_sec = until / SECOND_MS,
                                .tv_nsec = until % SECOND_MS * 1000000};
    /* Why it woke does not matter: the caller looks again. */
    (void)pthread_cond_timedwait(&thread->changed, &thread->mutex, &deadline);
}

static enum work await_work(struct store_thread *thread,
                            struct request *ret_request)
{
    lock(thread);
    enum work work = work_of(thread);
    while (work == WORK_NONE) {
        thread->alive_at = clock_ms(CLOCK_BOOTTIME);
        sleep_some(thread);
        work = work_of(thread);
    }
    thread->alive_at = clock_ms(CLOCK_BOOTTIME);
    if (work == WORK_GROUP) {
        take_group(thread);
    } else if (work == WORK_READ) {
        *ret_request = thread->requests[thread->requests_first];
        thread->requests_first = (thread->requests_first + 1) % STORE_READS_MAX;
        thread->requested--;
    }
    thread->was_read = work == WORK_READ;
    unlock(thread);
    return work;
}

static void *run(void *data)
{
    struct store_thread *thread = data;
    struct request request;
    enum work work = await_work(thread, &request);
    while (work != WORK_END) {
        if (work == WORK_GROUP) {
            commit_group(thread);
        } else if (work == WORK_RESERVE) {
            reserve_waiting(thread);
        } else {
            answer(thread, &request);
        }
        work = await_work(thread, &request);
    }
    return NULL;
}
