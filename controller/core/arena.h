/* Small blocks of any size in one piece of memory: units in a row, the lowest
 * place that fits.  So a page holds many of them, and the same takes and gives
 * find the same places.  Blocks never move. */
#ifndef CORE_ARENA_H
#define CORE_ARENA_H

#include <stddef.h>
#include <stdint.h>

#define ARENA_UNIT 32 /* bytes; blocks are aligned to it */

struct arena {
    unsigned char *units;
    uint64_t *used; /* a bit for each unit */
    size_t max;     /* units */
    size_t top;     /* at and above it no unit was ever used */
    size_t low;     /* below it every unit is used */
};

/* Room for @blocks blocks of at most @most bytes, @bytes together: with so much
 * and a largest block's room for each gap between them, a block always finds
 * its place.  Untouched pages cost nothing.  Call only from core_new(). */
void arena_init(struct arena *arena, size_t bytes, size_t blocks, size_t most);
void arena_release(struct arena *arena);

/* A zeroed block of @bytes; NULL for 0.  Asserts that there is room. */
void *arena_take(struct arena *arena, size_t bytes);

/* Give it back; @bytes is what was asked for.  NULL is allowed. */
void arena_give(struct arena *arena, const void *block, size_t bytes);

/* *@place is a text of the arena, "" or, in zeroed memory, NULL: from now on it
 * is a copy of @text (NULL: ""), cut at @size bytes with its NUL. */
void arena_text(struct arena *arena, const char **place, const char *text,
                size_t size);

#endif
