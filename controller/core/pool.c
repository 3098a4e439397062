#include "controller/core/pool.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "policies/memory.h"

void pool_init(struct pool *pool, size_t size, uint32_t max)
{
    assert(size > 0);
    assert(max > 0);
    *pool = (struct pool){.size = size, .max = max};
    pool->items = memory_zeroed(max, size);
    pool->ids = memory_zeroed(max, sizeof *pool->ids);
    pool->slots = memory_zeroed(max, sizeof *pool->slots);
    pool->unused = memory_zeroed(max, sizeof *pool->unused);
}

void pool_release(struct pool *pool)
{
    free(pool->unused);
    free(pool->slots);
    free(pool->ids);
    free(pool->items);
}

/* The first position whose id is not below @id. */
static uint32_t place_of(const struct pool *pool, uint64_t id)
{
    uint32_t low = 0, high = pool->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (pool->ids[middle] < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void *pool_item(const struct pool *pool, uint32_t slot)
{
    assert(slot < pool->max);
    return pool->items + (size_t)slot * pool->size;
}

void *pool_add(struct pool *pool, uint64_t id)
{
    assert(id > 0);
    assert(pool->count == 0 || id > pool->ids[pool->count - 1]);
    if (pool->count == pool->max) {
        return NULL;
    }
    /* unused[] holds slot + 1 of those given back; 0: never used yet, and
     * then the slot of this very number is free. */
    uint32_t slot = pool->unused[pool->count];
    slot = slot ? slot - 1 : pool->count;
    pool->ids[pool->count] = id;
    pool->slots[pool->count] = slot;
    pool->count++;
    return pool_item(pool, slot);
}

void *pool_find(const struct pool *pool, uint64_t id)
{
    uint32_t place = place_of(pool, id);
    if (place == pool->count || pool->ids[place] != id) {
        return NULL;
    }
    return pool_item(pool, pool->slots[place]);
}

void *pool_at(const struct pool *pool, uint32_t position)
{
    assert(position < pool->count);
    return pool_item(pool, pool->slots[position]);
}

void pool_remove(struct pool *pool, uint64_t id)
{
    uint32_t place = place_of(pool, id);
    assert(place < pool->count);
    assert(pool->ids[place] == id);
    uint32_t slot = pool->slots[place];
    memset(pool_item(pool, slot), 0, pool->size);
    size_t after = pool->count - place - 1;
    memmove(&pool->ids[place], &pool->ids[place + 1],
            after * sizeof *pool->ids);
    memmove(&pool->slots[place], &pool->slots[place + 1],
            after * sizeof *pool->slots);
    pool->count--;
    pool->unused[pool->count] = slot + 1;
}

uint32_t pool_slot(const struct pool *pool, const void *item)
{
    size_t distance = (size_t)((const unsigned char *)item - pool->items);
    assert(distance % pool->size == 0);
    return (uint32_t)(distance / pool->size);
}
