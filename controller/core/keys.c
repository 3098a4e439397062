#include "controller/core/keys.h"

#include <assert.h>

#include "controller/core/inside.h"

/* One bucket for each release that may be. */
static uint32_t *bucket_of(const struct core *core, const char *key)
{
    assert(core->releases.max > 0);
    return &core->key_buckets[text_hash(0, key) % core->releases.max];
}

static struct release *release_in(const struct core *core, uint32_t next)
{
    assert(next > 0);
    return pool_item(&core->releases, next - 1);
}

const struct release *key_find(const struct core *core, const char *key)
{
    assert(key[0]);
    uint32_t next = *bucket_of(core, key);
    for (uint32_t i = 0; next != 0 && i < core->releases.max; i++) {
        const struct release *release = release_in(core, next);
        if (text_equal(release->key, key)) {
            return release;
        }
        next = release->key_next;
    }
    return NULL;
}

void key_keep(struct core *core, struct release *release)
{
    assert(release->key_next == 0);
    if (!release->key[0]) {
        return;
    }
    uint32_t *bucket = bucket_of(core, release->key);
    release->key_next = *bucket;
    *bucket = pool_slot(&core->releases, release) + 1;
}

void key_drop(struct core *core, struct release *release)
{
    if (!release->key[0]) {
        return;
    }
    uint32_t *next = bucket_of(core, release->key);
    for (uint32_t i = 0; release_in(core, *next) != release; i++) {
        assert(i < core->releases.max);
        next = &release_in(core, *next)->key_next;
    }
    *next = release->key_next;
    release->key_next = 0;
}
