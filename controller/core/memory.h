/* The only place where the core allocates; core_new() alone calls it. */
#ifndef CORE_MEMORY_H
#define CORE_MEMORY_H

#include <stddef.h>

/* @count zeroed things of @size bytes.  Aborts when memory is short: a crash
 * is cheap, and a half-made core is not.  Free it with free(). */
void *memory_zeroed(size_t count, size_t size);

#endif
