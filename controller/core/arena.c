#include "controller/core/arena.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "policies/memory.h"

static size_t units_of(size_t bytes)
{
    return (bytes + ARENA_UNIT - 1) / ARENA_UNIT;
}

void arena_init(struct arena *arena, size_t bytes, size_t blocks, size_t most)
{
    size_t room = units_of(bytes) + blocks; /* each is rounded up */
    /* A gap beside each, and one more while a text is replaced. */
    *arena = (struct arena){.max = room + (blocks + 2) * units_of(most)};
    arena->units = memory_zeroed(arena->max, ARENA_UNIT);
    arena->used = memory_zeroed(arena->max / 64 + 1, sizeof *arena->used);
}

void arena_release(struct arena *arena)
{
    free(arena->used);
    free(arena->units);
}

static bool is_used(const struct arena *arena, size_t unit)
{
    return arena->used[unit / 64] >> (unit % 64) & 1u;
}

static void mark(struct arena *arena, size_t first, size_t count, bool used)
{
    for (size_t i = first; i < first + count; i++) {
        uint64_t bit = UINT64_C(1) << (i % 64);
        if (used) {
            arena->used[i / 64] |= bit;
        } else {
            arena->used[i / 64] &= ~bit;
        }
    }
}

/* The lowest @count free units in a row. */
static size_t find(const struct arena *arena, size_t count)
{
    size_t first = arena->low;
    for (size_t i = arena->low; i < arena->top && i - first < count; i++) {
        if (i % 64 == 0 && arena->used[i / 64] == UINT64_MAX) {
            i += 63;
            first = i + 1;
        } else if (is_used(arena, i)) {
            first = i + 1;
        }
    }
    return first;
}

void *arena_take(struct arena *arena, size_t bytes)
{
    if (bytes == 0) {
        return NULL;
    }
    size_t count = units_of(bytes);
    size_t first = find(arena, count);
    assert(first + count <= arena->max);
    mark(arena, first, count, true);
    arena->top = first + count > arena->top ? first + count : arena->top;
    arena->low = first == arena->low ? first + count : arena->low;
    void *block = arena->units + first * ARENA_UNIT;
    memset(block, 0, count * ARENA_UNIT);
    return block;
}

void arena_give(struct arena *arena, const void *block, size_t bytes)
{
    if (!block) {
        return;
    }
    size_t offset = (size_t)((const unsigned char *)block - arena->units);
    size_t first = offset / ARENA_UNIT, count = units_of(bytes);
    assert(offset % ARENA_UNIT == 0);
    assert(first + count <= arena->top);
    assert(is_used(arena, first) && is_used(arena, first + count - 1));
    mark(arena, first, count, false);
    arena->low = first < arena->low ? first : arena->low;
}

void arena_text(struct arena *arena, const char **place, const char *text,
                size_t size)
{
    assert(size > 0);
    const char *old = *place;
    size_t length = text ? strnlen(text, size - 1) : 0;
    *place = "";
    if (length > 0) {
        char *copy = arena_take(arena, length + 1);
        memcpy(copy, text, length);
        *place = copy;
    }
    if (old && old[0]) { /* last: @text may be the old one */
        arena_give(arena, old, strlen(old) + 1);
    }
}
