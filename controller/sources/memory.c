#include "controller/sources/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *memory_new(size_t size)
{
    void *memory = calloc(1, size);
    if (!memory) {
        abort();
    }
    return memory;
}

char *memory_copy(const char *bytes, size_t length)
{
    char *copy = memory_new(length + 1);
    if (length > 0) {
        memcpy(copy, bytes, length);
    }
    return copy;
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
    array = realloc(array, grown * item);
    if (!array) {
        abort();
    }
    *capacity = grown;
    return array;
}
