/* This room's allocations.  Out of memory aborts: the journal makes a crash
 * cheap.  Never ask for a size that an outsider chooses without a limit. */
#ifndef SOURCES_MEMORY_H
#define SOURCES_MEMORY_H

#include <stddef.h>

/* @size zeroed bytes; free(). */
void *memory_new(size_t size);

/* A copy of @length bytes with a NUL behind it; free(). */
char *memory_copy(const char *bytes, size_t length);

/* Room for at least @need items of @item bytes in @array, which has room for
 * *@capacity; it grows by doubling, new items are not cleared. */
void *memory_grow(void *array, size_t *capacity, size_t need, size_t item);

#endif
