/* Things by their id: a fixed number of equal slots, found by an id that only
 * grows, walked in the order of ids.  Slots never move while they are used. */
#ifndef CORE_POOL_H
#define CORE_POOL_H

#include <stddef.h>
#include <stdint.h>

struct pool {
    unsigned char *items;
    size_t size; /* bytes of one */
    uint32_t max, count;
    uint64_t *ids;    /* ascending, [0, count) */
    uint32_t *slots;  /* of the same things */
    uint32_t *unused; /* a stack of [count, max) */
};

/* Allocates (zeroed, so that untouched pages cost nothing); aborts when
 * memory is short.  Call only from core_new(). */
void pool_init(struct pool *pool, size_t size, uint32_t max);
void pool_release(struct pool *pool);

/* A zeroed slot for @id, which must be above all others; NULL when full. */
void *pool_add(struct pool *pool, uint64_t id);

/* The thing, or NULL when there is none of that id. */
void *pool_find(const struct pool *pool, uint64_t id);

/* The @position-th oldest. */
void *pool_at(const struct pool *pool, uint32_t position);

void pool_remove(struct pool *pool, uint64_t id);

/* Which slot @item lies in, and what lies in a slot that is used. */
uint32_t pool_slot(const struct pool *pool, const void *item);
void *pool_item(const struct pool *pool, uint32_t slot);

#endif
