/* state/store_thread.h without a thread: appends are committed in order, in
 * groups, after as long as the disk takes; what is committed outlives the
 * controller. */
#include "state/store_thread.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "policies/memory.h"
#include "tests/simulator/world.h"

#define PAUSE_FIRST_MS 100
#define PAUSE_MOST_MS  5000
#define NEWS_MAX       4

struct store_thread {
    struct world *world;
    void (*wake)(void *);
    void *data;
    struct entry *queue;
    bool *is_last; /* of what one call brought */
    size_t count, room, lasts_room;
    struct store_event news[NEWS_MAX];
    size_t news_count;
    bool is_down, has_ended, is_committing;
    bool no_reserve_told, is_reserving;
    time_ms pause, alive_at;
};

static void free_entries(struct entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free((void *)(uintptr_t)entries[i].payload);
        free((void *)(uintptr_t)entries[i].windows);
    }
}

/* ---- what is on it ------------------------------------------------------ */

static struct world *world_of_store(struct store *store)
{
    struct world_disk *disk = (struct world_disk *)store;
    return (struct world *)((char *)disk - offsetof(struct world, disk));
}

static enum store_result disk_append(struct store *store,
                                     const struct entry *entries, size_t count,
                                     char *ret_error, size_t size)
{
    struct store *memory = world_of_store(store)->disk.memory;
    return memory->ops->append(memory, entries, count, ret_error, size);
}

static enum store_result disk_read(struct store *store,
                                   const struct store_query *query,
                                   store_visit *visit, void *data,
                                   char *ret_error, size_t size)
{
    struct store *memory = world_of_store(store)->disk.memory;
    return memory->ops->read(memory, query, visit, data, ret_error, size);
}

static enum store_result disk_head(struct store *store, uint64_t *ret_sequence,
                                   unsigned char ret_chain[CHAIN_BYTES],
                                   char *ret_error, size_t size)
{
    struct store *memory = world_of_store(store)->disk.memory;
    return memory->ops->head(memory, ret_sequence, ret_chain, ret_error, size);
}

static void disk_close(struct store *store)
{
    (void)store; /* it outlives the controller */
}

/* The thread below has a reserve of its own: see reserve(). */
static const struct store_ops disk_ops = {.append = disk_append,
                                          .read = disk_read,
                                          .head = disk_head,
                                          .close = disk_close};

void fake_disk_begin(struct world *world)
{
    world->disk = (struct world_disk){.store.ops = &disk_ops,
                                      .memory = store_memory_open()};
}

void fake_disk_end(struct world *world)
{
    world->disk.memory->ops->close(world->disk.memory);
}

void fake_disk_heal(struct world *world)
{
    world->disk.mood = DISK_WORKS;
    world->disk.mood_until = 0;
}

static enum disk_mood mood_now(const struct world *world)
{
    return clock_boot() < world->disk.mood_until ? world->disk.mood
                                                 : DISK_WORKS;
}

/* ---- committing --------------------------------------------------------- */

static void tell_checkers(struct world *world, const struct entry *entry)
{
    static struct record record;
    char *body = NULL;
    char error[256] = "";
    if (!record_from_json(entry->payload, entry->length, &record, &body, error,
                          sizeof error)) {
        check_fail("journal", "record %llu cannot be read: %s",
                   (unsigned long long)entry->sequence, error);
    }
    check_record(world->check, &record);
    free(body);
    if (record.kind == RECORD_ROLLBACK_MOVED &&
        record.rollback_state == ROLLBACK_INTENDED) {
        world_moment(world, MOMENT_DURABLE);
    }
}

/* The group is on the disk from now on, whoever knows; what is there already
 * is of a commit that was said to have failed. */
static void make_durable(struct world *world, const struct entry *group,
                         size_t count)
{
    char error[256] = "";
    while (count > 0 && group->sequence <= world->disk.durable) {
        group++;
        count--;
    }
    if (count == 0) {
        return;
    }
    if (disk_append(&world->disk.store, group, count, error, sizeof error) !=
        STORE_OK) {
        check_fail("journal", "the store refused: %s", error);
    }
    world->disk.durable = group[count - 1].sequence;
    for (size_t i = 0; i < count; i++) {
        tell_checkers(world, &group[i]);
    }
}

static void drop(struct store_thread *thread, size_t count)
{
    free_entries(thread->queue, count);
    thread->count -= count;
    memmove(thread->queue, thread->queue + count,
            thread->count * sizeof *thread->queue);
    memmove(thread->is_last, thread->is_last + count,
            thread->count * sizeof *thread->is_last);
}

static void tell(struct store_thread *thread, const struct store_event *event)
{
    size_t i = 0;
    while (i < thread->news_count && thread->news[i].kind != event->kind) {
        i++;
    }
    if (i == thread->news_count) {
        assert(thread->news_count < NEWS_MAX);
        thread->news_count++;
    }
    thread->news[i] = *event;
    thread->wake(thread->data);
}

/* All that waits, but not a part of what one call brought. */
static size_t group_length(const struct store_thread *thread)
{
    size_t most =
        thread->count < STORE_GROUP_MAX ? thread->count : STORE_GROUP_MAX;
    size_t count = most;
    while (count > 0 && !thread->is_last[count - 1]) {
        count--;
    }
    return count > 0 ? count : most;
}

static void commit_later(struct store_thread *thread, time_ms delay);

/* So many entries up to the end of the newest call that goes back and is not
 * durable. */
static size_t goes_back_length(const struct store_thread *thread)
{
    size_t count = thread->count;
    while (count > 0 && !thread->queue[count - 1].goes_back) {
        count--;
    }
    if (count == 0 ||
        thread->queue[count - 1].sequence <= thread->world->disk.durable) {
        return 0;
    }
    while (!thread->is_last[count - 1]) {
        count++;
    }
    return count;
}

/* While the disk is full: what goes back, and all before it, is durable in
 * room that is there already; unless that is damaged, too. */
static void reserve(struct store_thread *thread)
{
    struct world *world = thread->world;
    const size_t count = goes_back_length(thread);
    struct store_event event = {.kind = STORE_EVENT_DURABLE};
    if (count == 0 || !thread->is_down || thread->has_ended) {
        return;
    }
    if (mood_now(world) == DISK_IS_DEAD) {
        event.kind = STORE_EVENT_DOWN;
        event.no_reserve = true;
        (void)snprintf(event.error, sizeof event.error,
                       "the disk is full, and so is the reserve");
        if (!thread->no_reserve_told) {
            thread->no_reserve_told = true;
            tell(thread, &event);
        }
        return;
    }
    story("disk", "keeps %zu records in the reserve", count);
    event.sequence = thread->queue[count - 1].sequence;
    make_durable(world, thread->queue, count);
    thread->no_reserve_told = false;
    world_moment(world, MOMENT_COMMITTED);
    if (!world->is_dead) {
        tell(thread, &event);
    }
}

static void succeed(struct store_thread *thread, size_t count)
{
    struct world *world = thread->world;
    struct store_event event = {.kind = STORE_EVENT_DURABLE};
    make_durable(world, thread->queue, count);
    event.sequence = world->disk.durable; /* the reserve may have had more */
    drop(thread, count);
    thread->pause = 0;
    world_moment(world, MOMENT_COMMITTED);
    if (world->is_dead) {
        return;
    }
    if (thread->is_down) {
        thread->is_down = false;
        thread->no_reserve_told = false;
        story("disk", "works again");
        tell(thread, &(struct store_event){.kind = STORE_EVENT_UP});
    }
    tell(thread, &event);
}

static void fail(struct store_thread *thread, enum disk_mood mood, size_t count)
{
    struct store_event event = {.kind = STORE_EVENT_DOWN};
    (void)snprintf(event.error, sizeof event.error,
                   "cannot write the journal: disk full; make room");
    if (mood == DISK_IS_UNCLEAR) {
        make_durable(thread->world, thread->queue, count);
    }
    if (mood == DISK_IS_LOST) {
        event.kind = STORE_EVENT_LOST;
        thread->has_ended = true;
        fake_disk_heal(thread->world);
    }
    thread->pause = thread->pause == 0 ? PAUSE_FIRST_MS : thread->pause * 2;
    thread->pause =
        thread->pause < PAUSE_MOST_MS ? thread->pause : PAUSE_MOST_MS;
    if (mood == DISK_IS_LOST || !thread->is_down) {
        thread->is_down = true;
        story("disk", "%s",
              mood == DISK_IS_LOST      ? "is damaged, as it seems"
              : mood == DISK_IS_UNCLEAR ? "says that a commit failed"
                                        : "is full");
        tell(thread, &event);
    }
    if (!thread->has_ended) {
        reserve(thread);
        commit_later(thread, thread->pause);
    }
}

static void commit(struct world *world, struct event *event)
{
    struct store_thread *thread = world->disk.thread;
    (void)event;
    if (!world_is_mine(world, event)) {
        return;
    }
    const enum disk_mood mood = mood_now(world);
    if (mood == DISK_HANGS) {
        commit_later(thread, world->disk.mood_until - clock_boot());
        return;
    }
    thread->alive_at = clock_boot();
    thread->is_committing = false;
    const size_t count = group_length(thread);
    assert(count > 0);
    if (mood == DISK_WORKS || mood == DISK_IS_SLOW) {
        succeed(thread, count);
    } else {
        fail(thread, mood, count);
    }
    if (thread->count > 0 && !thread->is_committing && !thread->has_ended) {
        commit_later(thread, 1);
    }
}

static void commit_later(struct store_thread *thread, time_ms delay)
{
    thread->is_committing = true;
    struct event *event = world_event(thread->world, delay, commit);
    event->life = thread->world->life;
}

void fake_disk_killed(struct world *world)
{
    struct store_thread *thread = world->disk.thread;
    const size_t count = thread == NULL ? 0 : group_length(thread);
    if (count > 0 && mood_now(world) != DISK_IS_LOST &&
        mood_now(world) != DISK_IS_FULL && mood_now(world) != DISK_IS_DEAD &&
        dice_one_in(&world->dice, 2)) {
        story("disk", "had %zu more records when it happened", count);
        make_durable(world, thread->queue, count);
    }
}

/* ---- store_thread.h ----------------------------------------------------- */

struct store_thread *store_thread_start(struct store *store,
                                        void (*wake)(void *), void *data)
{
    struct store_thread *thread = memory_zeroed(1, sizeof *thread);
    thread->world = world_of_store(store);
    thread->wake = wake;
    thread->data = data;
    thread->alive_at = clock_boot();
    thread->world->disk.thread = thread;
    return thread;
}

static void reserve_soon(struct world *world, struct event *event)
{
    if (world_is_mine(world, event)) {
        world->disk.thread->is_reserving = false;
        reserve(world->disk.thread);
    }
}

static time_ms latency(struct world *world)
{
    return mood_now(world) == DISK_IS_SLOW
               ? dice_between(&world->dice, 500, 6000)
               : (time_ms)dice_roll(&world->dice, 4);
}

bool store_thread_append(struct store_thread *thread, struct entry *entries,
                         size_t count)
{
    struct world *world = thread->world;
    assert(count > 0);
    assert(thread->count + count <= STORE_QUEUE_MAX);
    if (world->is_dead) {
        free_entries(entries, count);
        return true;
    }
    thread->queue = memory_grow(thread->queue, &thread->room,
                                thread->count + count, sizeof *thread->queue);
    thread->is_last =
        memory_grow(thread->is_last, &thread->lasts_room, thread->count + count,
                    sizeof *thread->is_last);
    for (size_t i = 0; i < count; i++) {
        thread->queue[thread->count] = entries[i];
        thread->is_last[thread->count++] = i + 1 == count;
    }
    if (!thread->is_committing && !thread->has_ended) {
        commit_later(thread, latency(world));
    }
    if (thread->is_down && !thread->is_reserving && !thread->has_ended) {
        thread->is_reserving = true;
        struct event *event = world_event(world, 1, reserve_soon);
        event->life = world->life;
    }
    return true;
}

size_t store_thread_waiting(const struct store_thread *thread)
{
    return thread->count;
}

/* Only doors read, and there are none. */
bool store_thread_read(struct store_thread *thread,
                       const struct store_query *query, uint64_t ticket)
{
    (void)thread;
    (void)query;
    (void)ticket;
    return false;
}

bool store_thread_next(struct store_thread *thread, struct store_event *event)
{
    if (thread->news_count == 0 || thread->world->is_dead) {
        return false;
    }
    *event = thread->news[0];
    thread->news_count--;
    memmove(&thread->news[0], &thread->news[1],
            thread->news_count * sizeof thread->news[0]);
    return true;
}

void store_event_release(struct store_event *event)
{
    (void)event; /* no answer to a read was ever given */
}

time_ms store_thread_alive_at(const struct store_thread *thread)
{
    return mood_now(thread->world) == DISK_HANGS ? thread->alive_at
                                                 : clock_boot();
}

/* An orderly end commits what waits. */
void store_thread_stop(struct store_thread *thread)
{
    struct world *world = thread->world;
    const bool works = mood_now(world) == DISK_WORKS && !thread->is_down;
    if (!world->is_dead && works && !thread->has_ended && thread->count > 0) {
        make_durable(world, thread->queue, thread->count);
    }
    free_entries(thread->queue, thread->count);
    free(thread->queue);
    free(thread->is_last);
    world->disk.thread = NULL;
    free(thread);
}
