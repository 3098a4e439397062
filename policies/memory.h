/* Allocation for every room.  Out of memory aborts: the journal makes a crash
 * cheap, a half-made thing is not.  Never ask for a size that an outsider
 * chooses without a limit.  All of it is given back with free(). */
#ifndef POLICIES_MEMORY_H
#define POLICIES_MEMORY_H

#include <stddef.h>

/* @count zeroed things of @size bytes; a valid pointer also for none. */
void *memory_zeroed(size_t count, size_t size);

/* @memory with room for @size bytes, as realloc(); NULL makes a new one, whose
 * bytes are not cleared. */
void *memory_resized(void *memory, size_t size);

/* A copy of @length bytes, or of a whole text, with a NUL behind it. */
char *memory_copy(const char *bytes, size_t length);
char *memory_text(const char *text);

/* Room for at least @need items of @item bytes in @array, which has room for
 * *@capacity; it grows by doubling, new items are not cleared. */
void *memory_grow(void *array, size_t *capacity, size_t need, size_t item);

#endif
