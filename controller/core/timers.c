#include "controller/core/timers.h"

#include <assert.h>
#include <stdlib.h>

#include "policies/memory.h"

void timers_init(struct timers *timers, uint32_t max)
{
    timers->heap = memory_zeroed((size_t)max + 1, sizeof *timers->heap);
    timers->count = 0;
    timers->max = max;
}

void timers_release(struct timers *timers)
{
    free(timers->heap);
}

void timer_name(struct timer *timer, enum timer_kind kind, uint64_t id)
{
    assert(timer->place == 0);
    timer->kind = kind;
    timer->id = id;
}

static bool is_before(const struct timer *a, const struct timer *b)
{
    if (a->at != b->at) {
        return a->at < b->at;
    }
    if (a->kind != b->kind) {
        return a->kind < b->kind;
    }
    return a->id < b->id;
}

static void put(struct timers *timers, struct timer *timer, uint32_t place)
{
    timers->heap[place] = timer;
    timer->place = place;
}

static void rise(struct timers *timers, struct timer *timer)
{
    uint32_t place = timer->place;
    while (place > 1 && is_before(timer, timers->heap[place / 2])) {
        put(timers, timers->heap[place / 2], place);
        place /= 2;
    }
    put(timers, timer, place);
}

static void sink(struct timers *timers, struct timer *timer)
{
    uint32_t place = timer->place;
    while (2 * place <= timers->count) {
        uint32_t child = 2 * place;
        if (child < timers->count &&
            is_before(timers->heap[child + 1], timers->heap[child])) {
            child++;
        }
        if (!is_before(timers->heap[child], timer)) {
            break;
        }
        put(timers, timers->heap[child], place);
        place = child;
    }
    put(timers, timer, place);
}

void timer_arm(struct timers *timers, struct timer *timer, time_ms at)
{
    timer->at = at;
    if (timer->place == 0) {
        assert(timers->count < timers->max);
        timers->count++;
        put(timers, timer, timers->count);
    }
    rise(timers, timer);
    sink(timers, timer);
}

void timer_pull(struct timers *timers, struct timer *timer, time_ms at)
{
    if (timer->place == 0 || timer->at > at) {
        timer_arm(timers, timer, at);
    }
}

void timer_stop(struct timers *timers, struct timer *timer)
{
    if (timer->place == 0) {
        return;
    }
    uint32_t place = timer->place;
    struct timer *last = timers->heap[timers->count];
    timers->heap[timers->count] = NULL;
    timers->count--;
    timer->place = 0;
    if (last != timer) {
        put(timers, last, place);
        rise(timers, last);
        sink(timers, last);
    }
}

struct timer *timers_first(const struct timers *timers)
{
    return timers->count > 0 ? timers->heap[1] : NULL;
}

void timers_shift(struct timers *timers, time_ms difference)
{
    for (uint32_t i = 1; i <= timers->count; i++) {
        if (timers->heap[i]->kind != TIMER_FREEZE) {
            timers->heap[i]->at += difference;
        }
    }
    for (uint32_t i = timers->count / 2; i >= 1; i--) {
        sink(timers, timers->heap[i]);
    }
}

void timers_check(const struct timers *timers)
{
    assert(timers->count <= timers->max);
    for (uint32_t i = 1; i <= timers->count; i++) {
        assert(timers->heap[i]->place == i);
        assert(i == 1 || !is_before(timers->heap[i], timers->heap[i / 2]));
    }
}
