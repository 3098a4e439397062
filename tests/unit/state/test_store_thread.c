/* The store's thread: order, groups, retries, reads, its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "state/store_thread.h"

#define GROUPS_MAX 4096

/* A store in front of one in memory, that can be held and can fail. */
struct probe {
    struct store store;
    struct store *inner;
    sem_t entered; /* posted at the begin of each append */
    sem_t gate;    /* taken by each append when held */
    bool is_held;
    _Atomic unsigned fail_first; /* this many appends */
    unsigned fail_every;         /* and each n-th */
    enum store_result failure;
    _Atomic bool reserve_fails;
    _Atomic uint64_t reserved; /* the newest sequence in it */
    _Atomic unsigned appends;
    _Atomic bool is_closed;
    _Atomic size_t groups;
    _Atomic size_t sizes[GROUPS_MAX]; /* of groups that succeeded */
};

struct world {
    struct probe *probe;
    struct store_thread *thread;
    sem_t woken;
    uint64_t next; /* sequence to append */
    bool goes_back;
};

static const struct store_ops probe_ops;

static enum store_result probe_append(struct store *store,
                                      const struct entry *entries, size_t count,
                                      char *ret_error, size_t size)
{
    struct probe *probe = (struct probe *)store;
    unsigned number = ++probe->appends;
    (void)sem_post(&probe->entered);
    if (probe->is_held) {
        (void)sem_wait(&probe->gate);
    }
    if (number <= probe->fail_first ||
        (probe->fail_every > 0 && number % probe->fail_every == 0)) {
        (void)snprintf(ret_error, size, "probe: append %u fails", number);
        return probe->failure;
    }
    if (probe->groups < GROUPS_MAX) {
        probe->sizes[probe->groups++] = count;
    }
    return probe->inner->ops->append(probe->inner, entries, count, ret_error,
                                     size);
}

static enum store_result probe_read(struct store *store,
                                    const struct store_query *query,
                                    store_visit *visit, void *data,
                                    char *ret_error, size_t size)
{
    struct probe *probe = (struct probe *)store;
    return probe->inner->ops->read(probe->inner, query, visit, data, ret_error,
                                   size);
}

static void probe_close(struct store *store)
{
    struct probe *probe = (struct probe *)store;
    probe->is_closed = true;
}

static enum store_result probe_reserve(struct store *store,
                                       const struct entry *entries,
                                       size_t count, char *ret_error,
                                       size_t size)
{
    struct probe *probe = (struct probe *)store;
    if (probe->reserve_fails) {
        (void)snprintf(ret_error, size, "probe: the reserve fails");
        return STORE_UNAVAILABLE;
    }
    for (size_t i = 1; i < count; i++) {
        assert_int_equal(entries[i].sequence, entries[0].sequence + i);
    }
    probe->reserved = entries[count - 1].sequence;
    return STORE_OK;
}

static const struct store_ops probe_ops = {
    .append = probe_append, .read = probe_read, .close = probe_close};
static const struct store_ops reserve_ops = {.append = probe_append,
                                             .read = probe_read,
                                             .close = probe_close,
                                             .reserve = probe_reserve};

static void wake(void *data)
{
    struct world *world = data;
    (void)sem_post(&world->woken);
}

static int enter(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    world->probe = calloc(1, sizeof *world->probe);
    world->probe->store.ops = &probe_ops;
    world->probe->inner = store_memory_open();
    world->probe->failure = STORE_UNAVAILABLE;
    world->next = 1;
    *state = world;
    return sem_init(&world->probe->entered, 0, 0) |
           sem_init(&world->probe->gate, 0, 0) | sem_init(&world->woken, 0, 0);
}

static int leave(void **state)
{
    struct world *world = *state;
    world->probe->inner->ops->close(world->probe->inner);
    (void)sem_destroy(&world->probe->entered);
    (void)sem_destroy(&world->probe->gate);
    (void)sem_destroy(&world->woken);
    free(world->probe);
    free(world);
    return 0;
}

static void start(struct world *world)
{
    world->thread = store_thread_start(&world->probe->store, wake, world);
}

/* So long that only a hang reaches it. */
static void wait_for(sem_t *semaphore)
{
    struct timespec deadline;
    (void)clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += 60;
    assert_int_equal(sem_timedwait(semaphore, &deadline), 0);
}

static bool append_sized(struct world *world, size_t count, size_t bytes)
{
    struct entry *entries = calloc(count, sizeof *entries);
    for (size_t i = 0; i < count; i++) {
        char *payload = malloc(bytes);
        memset(payload, '0' + (int)((world->next + i) % 10), bytes);
        entries[i] = (struct entry){.sequence = world->next + i,
                                    .kind = RECORD_NOTICE,
                                    .release = (world->next + i) % 7,
                                    .goes_back = i == 0 && world->goes_back,
                                    .payload = payload,
                                    .length = bytes};
    }
    bool taken = store_thread_append(world->thread, entries, count);
    for (size_t i = 0; i < count && !taken; i++) {
        free((void *)(uintptr_t)entries[i].payload);
    }
    world->next += taken ? count : 0;
    free(entries);
    return taken;
}

static void append(struct world *world, size_t count)
{
    assert_true(append_sized(world, count, 20));
}

static void next_event(struct world *world, struct store_event *event)
{
    while (!store_thread_next(world->thread, event)) {
        wait_for(&world->woken);
    }
}

static void expect_durable(struct world *world, uint64_t sequence)
{
    struct store_event event = {.sequence = 0};
    while (event.sequence < sequence) {
        uint64_t before = event.sequence;
        next_event(world, &event);
        assert_int_equal(event.kind, STORE_EVENT_DURABLE);
        assert_true(event.sequence > before);
        store_event_release(&event);
    }
    assert_int_equal(event.sequence, sequence);
}

static void expect(struct world *world, enum store_event_kind kind)
{
    struct store_event event;
    next_event(world, &event);
    assert_int_equal(event.kind, kind);
    store_event_release(&event);
}

static void what_waits_goes_in_one_group(void **state)
{
    struct world *world = *state;
    world->probe->is_held = true;
    start(world);
    append(world, 1);
    wait_for(&world->probe->entered);
    append(world, 10);
    append(world, 3);
    append(world, 7);
    assert_int_equal(store_thread_waiting(world->thread), 21);
    (void)sem_post(&world->probe->gate);
    expect_durable(world, 1);
    (void)sem_post(&world->probe->gate);
    expect_durable(world, 21);
    assert_int_equal(store_thread_waiting(world->thread), 0);
    assert_int_equal(world->probe->groups, 2);
    assert_int_equal(world->probe->sizes[1], 20);
    store_thread_stop(world->thread);
    assert_true(world->probe->is_closed);
}

/* A decision's records are durable together or not at all. */
static void a_call_is_not_split_between_groups(void **state)
{
    struct world *world = *state;
    world->probe->is_held = true;
    start(world);
    append(world, 1);
    wait_for(&world->probe->entered);
    append(world, 200);
    append(world, 57);
    append(world, 300);
    for (int i = 0; i < 5; i++) {
        (void)sem_post(&world->probe->gate);
    }
    expect_durable(world, 558);
    static const size_t sizes[] = {1, 200, 57, 256, 44};
    assert_int_equal(world->probe->groups, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(world->probe->sizes[i], sizes[i]);
    }
    store_thread_stop(world->thread);
}

static void a_full_queue_refuses_and_takes_nothing(void **state)
{
    struct world *world = *state;
    world->probe->is_held = true;
    start(world);
    append(world, 1);
    wait_for(&world->probe->entered); /* in flight counts as waiting */
    for (size_t left = STORE_QUEUE_MAX - 1; left > 0;) {
        size_t count = left < 100 ? left : 100;
        append(world, count);
        left -= count;
    }
    assert_false(append_sized(world, 1, 20));
    assert_int_equal(store_thread_waiting(world->thread), STORE_QUEUE_MAX);
    for (int i = 0; i < 50; i++) {
        (void)sem_post(&world->probe->gate);
    }
    expect_durable(world, STORE_QUEUE_MAX);
    append(world, 1);
    expect_durable(world, STORE_QUEUE_MAX + 1);
    store_thread_stop(world->thread);
}

static void a_failed_group_is_told_once_and_retried(void **state)
{
    struct world *world = *state;
    struct store_event event;
    world->probe->fail_first = 3;
    start(world);
    append(world, 5);
    next_event(world, &event);
    assert_int_equal(event.kind, STORE_EVENT_DOWN);
    assert_string_equal(event.error, "probe: append 1 fails");
    append(world, 5);
    expect(world, STORE_EVENT_UP);
    expect_durable(world, 10);
    assert_int_equal(world->probe->sizes[0], 5); /* the same group */
    assert_false(store_thread_next(world->thread, &event));
    store_thread_stop(world->thread);
}

static void reads_go_on_while_it_is_down(void **state)
{
    struct world *world = *state;
    struct store_event event;
    start(world);
    append(world, 5);
    expect_durable(world, 5);
    world->probe->fail_first = UINT32_MAX; /* idle: nobody looks at it */
    append(world, 1);
    expect(world, STORE_EVENT_DOWN);
    for (uint64_t ticket = 1; ticket <= 3; ticket++) {
        const struct store_query query = {.after = ticket};
        assert_true(store_thread_read(world->thread, &query, ticket));
        next_event(world, &event);
        assert_int_equal(event.kind, STORE_EVENT_READ);
        assert_int_equal(event.ticket, ticket);
        assert_int_equal(event.result, STORE_OK);
        assert_int_equal(event.count, 5 - ticket);
        assert_int_equal(event.entries[0].sequence, ticket + 1);
        assert_int_equal(strlen(event.entries[0].payload), 20);
        assert_false(event.cut);
        store_event_release(&event);
    }
    store_thread_stop(world->thread);
    assert_true(world->probe->is_closed);
}

/* Nothing else uses it; all that waits goes with it, its own call as a whole.
 * The first disk error is told, and nothing more. */
static void what_goes_back_is_durable_in_the_reserve(void **state)
{
    struct world *world = *state;
    struct store_event event;
    world->probe->store.ops = &reserve_ops;
    start(world);
    append(world, 5);
    expect_durable(world, 5);
    world->probe->fail_first = UINT32_MAX;
    append(world, 3);
    expect(world, STORE_EVENT_DOWN);
    append(world, 300);
    assert_int_equal(world->probe->reserved, 0);
    world->goes_back = true;
    append(world, 4);
    world->goes_back = false;
    append(world, 10);
    expect_durable(world, 312);
    assert_int_equal(world->probe->reserved, 312);
    world->goes_back = true;
    append(world, 1);
    world->goes_back = false;
    expect_durable(world, 323);
    assert_int_equal(store_thread_waiting(world->thread), 318);
    append(world, 1);
    world->probe->fail_first = 0;
    expect(world, STORE_EVENT_UP);
    do { /* what is in the journal now is not less than what was told */
        next_event(world, &event);
        assert_int_equal(event.kind, STORE_EVENT_DURABLE);
        assert_true(event.sequence >= 323);
    } while (event.sequence < 324);
    store_thread_stop(world->thread);
}

/* It is said once that nothing can go back, and tried again at each retry. */
static void a_reserve_that_fails_is_told_and_tried_again(void **state)
{
    struct world *world = *state;
    struct store_event event;
    world->probe->store.ops = &reserve_ops;
    world->probe->reserve_fails = true;
    world->probe->fail_first = UINT32_MAX;
    start(world);
    append(world, 1);
    next_event(world, &event);
    assert_int_equal(event.kind, STORE_EVENT_DOWN);
    assert_false(event.no_reserve);
    world->goes_back = true;
    append(world, 1);
    next_event(world, &event);
    assert_int_equal(event.kind, STORE_EVENT_DOWN);
    assert_true(event.no_reserve);
    assert_string_equal(event.error, "probe: append 1 fails; probe: the "
                                     "reserve fails");
    while (world->probe->appends < 3) {
        wait_for(&world->probe->entered);
    }
    assert_false(store_thread_next(world->thread, &event));
    world->probe->reserve_fails = false;
    expect_durable(world, 2);
    assert_int_equal(world->probe->reserved, 2);
    store_thread_stop(world->thread);
}

static void a_store_without_a_reserve_says_so(void **state)
{
    struct world *world = *state;
    struct store_event event;
    world->probe->fail_first = UINT32_MAX;
    world->goes_back = true;
    start(world);
    append(world, 1);
    do { /* both may be joined */
        next_event(world, &event);
        assert_int_equal(event.kind, STORE_EVENT_DOWN);
    } while (!event.no_reserve);
    assert_non_null(strstr(event.error, "there is no reserve"));
    store_thread_stop(world->thread);
}

static void check_lost(struct world *world, enum store_result failure)
{
    struct store_event event;
    const struct store_query query = {.after = 0};
    world->probe->fail_every = 2;
    world->probe->failure = failure;
    start(world);
    append(world, 1);
    expect_durable(world, 1);
    append(world, 1);
    next_event(world, &event);
    assert_int_equal(event.kind, STORE_EVENT_LOST);
    assert_string_equal(event.error, "probe: append 2 fails");
    assert_false(store_thread_read(world->thread, &query, 1));
    append(world, 1);
    store_thread_stop(world->thread);
    assert_int_equal(world->probe->appends, 2);
}

static void a_corrupt_store_ends_it(void **state)
{
    check_lost(*state, STORE_CORRUPT);
}

static void a_fenced_store_ends_it(void **state)
{
    check_lost(*state, STORE_FENCED);
}

static void stopping_commits_what_waits(void **state)
{
    struct world *world = *state;
    uint64_t sequence = 0;
    unsigned char chain[CHAIN_BYTES];
    start(world);
    for (int i = 0; i < 40; i++) {
        append(world, 100);
    }
    store_thread_stop(world->thread);
    (void)world->probe->inner->ops->head(world->probe->inner, &sequence, chain,
                                         NULL, 0);
    assert_int_equal(sequence, 4000);
}

static void stopping_while_down_gives_up_after_one_try(void **state)
{
    struct world *world = *state;
    world->probe->fail_first = UINT32_MAX;
    start(world);
    append(world, 300);
    expect(world, STORE_EVENT_DOWN);
    store_thread_stop(world->thread);
    assert_true(world->probe->appends >= 2);
    assert_int_equal(world->probe->groups, 0);
}

static void a_read_is_cut_at_its_limits(void **state)
{
    struct world *world = *state;
    struct store_event event;
    start(world);
    append(world, STORE_READ_ENTRIES_MAX);
    append(world, 1);
    expect_durable(world, STORE_READ_ENTRIES_MAX + 1);
    const struct store_query all = {.after = 0};
    const struct store_query exact = {.limit = STORE_READ_ENTRIES_MAX};
    assert_true(store_thread_read(world->thread, &all, 1));
    next_event(world, &event);
    assert_int_equal(event.count, STORE_READ_ENTRIES_MAX);
    assert_true(event.cut);
    store_event_release(&event);
    assert_true(store_thread_read(world->thread, &exact, 2));
    next_event(world, &event);
    assert_int_equal(event.count, STORE_READ_ENTRIES_MAX);
    assert_false(event.cut);
    store_event_release(&event);

    for (int i = 0; i < 17; i++) {
        assert_true(append_sized(world, 1, RECORD_BYTES_MAX));
    }
    expect_durable(world, STORE_READ_ENTRIES_MAX + 18);
    const struct store_query large = {.after = STORE_READ_ENTRIES_MAX + 1};
    assert_true(store_thread_read(world->thread, &large, 3));
    next_event(world, &event);
    assert_int_equal(event.count, 16);
    assert_true(event.cut);
    store_event_release(&event);
    store_thread_stop(world->thread);
}

static void reads_are_bounded_until_they_are_taken(void **state)
{
    struct world *world = *state;
    struct store_event event;
    const struct store_query query = {.after = 0};
    start(world);
    for (uint64_t ticket = 0; ticket < STORE_READS_MAX; ticket++) {
        assert_true(store_thread_read(world->thread, &query, ticket));
    }
    assert_false(store_thread_read(world->thread, &query, 99));
    for (uint64_t ticket = 0; ticket < STORE_READS_MAX; ticket++) {
        next_event(world, &event);
        assert_int_equal(event.ticket, ticket);
        assert_int_equal(event.count, 0);
        store_event_release(&event);
    }
    assert_true(store_thread_read(world->thread, &query, 7));
    store_thread_stop(world->thread);
}

/* A loop that is busy for long finds a bounded queue, and the truth in it. */
static void events_that_were_not_taken_are_joined(void **state)
{
    struct world *world = *state;
    struct store_event event;
    world->probe->is_held = true;
    world->probe->fail_every = 3; /* ok ok DOWN, UP ok DOWN, UP ok DOWN, .. */
    start(world);
    for (unsigned i = 0, tries = 0; i < 40; i++) {
        append(world, 1);
        do {
            wait_for(&world->probe->entered);
            (void)sem_post(&world->probe->gate);
        } while (++tries % 3 == 0); /* that one fails and is retried */
    }
    while (store_thread_waiting(world->thread) > 0) {
        wait_for(&world->woken);
    }
    expect(world, STORE_EVENT_DURABLE);
    expect(world, STORE_EVENT_DOWN);
    expect(world, STORE_EVENT_UP);
    while (store_thread_next(world->thread, &event)) {
        assert_int_equal(event.kind, STORE_EVENT_DURABLE);
    }
    store_thread_stop(world->thread);
}

struct watcher {
    struct store_thread *thread;
    _Atomic bool is_over;
    size_t most;
    time_ms alive_at;
};

static void *watch(void *data)
{
    struct watcher *watcher = data;
    while (!watcher->is_over) {
        size_t waiting = store_thread_waiting(watcher->thread);
        time_ms alive_at = store_thread_alive_at(watcher->thread);
        watcher->most = waiting > watcher->most ? waiting : watcher->most;
        watcher->alive_at = alive_at;
    }
    return NULL;
}

/* The loop's side works without a pause while the store fails now and then;
 * this is the one to run under ThreadSanitizer. */
static void a_busy_loop_and_a_flaky_store_lose_nothing(void **state)
{
    struct world *world = *state;
    struct store_event event;
    struct watcher watcher = {.is_over = false};
    pthread_t thread;
    uint64_t durable = 0, tickets = 0, answers = 0;
    bool is_down = false;
    world->probe->fail_every = 41;
    start(world);
    watcher.thread = world->thread;
    assert_int_equal(pthread_create(&thread, NULL, watch, &watcher), 0);
    while (durable < 20000) {
        size_t count = 1 + world->next % 13;
        bool is_full = world->next > 20000 || !append_sized(world, count, 30);
        const struct store_query query = {.after = durable, .limit = 5};
        tickets += store_thread_read(world->thread, &query, tickets) ? 1 : 0;
        while (store_thread_next(world->thread, &event)) {
            assert_true(event.kind != STORE_EVENT_LOST);
            if (event.kind == STORE_EVENT_DURABLE) {
                assert_true(event.sequence > durable);
                durable = event.sequence;
            } else if (event.kind == STORE_EVENT_READ) {
                assert_int_equal(event.ticket, answers++);
            } else {
                assert_int_equal(event.kind == STORE_EVENT_DOWN, !is_down);
                is_down = !is_down;
            }
            store_event_release(&event);
        }
        if (is_full && durable < 20000) {
            wait_for(&world->woken);
        }
    }
    watcher.is_over = true;
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(watcher.most > 0);
    assert_true(watcher.alive_at > 0);
    store_thread_stop(world->thread);
    uint64_t last = 0;
    unsigned char chain[CHAIN_BYTES];
    char error[256];
    assert_int_equal(
        store_verify(world->probe->inner, &last, chain, error, sizeof error),
        STORE_OK);
    assert_int_equal(last, world->next - 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_waits_goes_in_one_group),
        TEST(a_call_is_not_split_between_groups),
        TEST(a_full_queue_refuses_and_takes_nothing),
        TEST(a_failed_group_is_told_once_and_retried),
        TEST(reads_go_on_while_it_is_down),
        TEST(what_goes_back_is_durable_in_the_reserve),
        TEST(a_reserve_that_fails_is_told_and_tried_again),
        TEST(a_store_without_a_reserve_says_so),
        TEST(a_corrupt_store_ends_it),
        TEST(a_fenced_store_ends_it),
        TEST(stopping_commits_what_waits),
        TEST(stopping_while_down_gives_up_after_one_try),
        TEST(a_read_is_cut_at_its_limits),
        TEST(reads_are_bounded_until_they_are_taken),
        TEST(events_that_were_not_taken_are_joined),
        TEST(a_busy_loop_and_a_flaky_store_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
