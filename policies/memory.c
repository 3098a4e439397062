#include "policies/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *memory_zeroed(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);
    if (!memory) {
        abort();
    }
    return memory;
}

void *memory_resized(void *memory, size_t size)
{
    memory = realloc(memory, size ? size : 1);
    if (!memory) {
        abort();
    }
    return memory;
}

char *memory_copy(const char *bytes, size_t length)
{
    char *copy = memory_zeroed(length + 1, 1);
    if (length > 0) {
        memcpy(copy, bytes, length);
    }
    return copy;
}

char *memory_text(const char *text)
{
    return memory_copy(text, strlen(text));
}

void *memory_grow(void *array, size_t *capacity, size_t need, size_t item)
{
    if (need <= *capacity) {
        return array;
    }
    size_t grown = *capacity < 8 ? 8 : *capacity * 2;
    if (grown < need) {
        grown = need;
    }
    if (grown > SIZE_MAX / item) {
        abort();
    }
    *capacity = grown;
    return memory_resized(array, grown * item);
}
