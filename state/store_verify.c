#include "state/store.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "state/chain.h"

/* Entries a read: a long reader would keep a writer's log from shrinking. */
#define SLICE 4096

struct walk {
    struct hasher hasher;
    uint64_t last;
    unsigned char chain[CHAIN_BYTES];
    size_t seen; /* in this slice */
    bool broken, ended;
    store_visit *visit; /* NULL: nobody */
    void *data;
    char *error;
    size_t size;
};

static bool walk_entry(void *data, const struct entry *entry)
{
    struct walk *walk = data;
    unsigned char chain[CHAIN_BYTES], hash[CHAIN_BYTES];
    memcpy(chain, walk->chain, CHAIN_BYTES);
    memcpy(hash, entry->hash, CHAIN_BYTES);
    if (entry->payload) {
        hash_payload(&walk->hasher, entry->payload, entry->length, hash);
    }
    chain_extend(&walk->hasher, chain, hash);
    if (entry->sequence != walk->last + 1) {
        (void)snprintf(walk->error, walk->size,
                       "the journal is damaged: record %" PRIu64
                       " is missing after record %" PRIu64
                       "; restore a copy that is whole",
                       walk->last + 1, walk->last);
        walk->broken = true;
        return false;
    }
    if (memcmp(chain, entry->chain, CHAIN_BYTES) != 0 ||
        memcmp(hash, entry->hash, CHAIN_BYTES) != 0) {
        (void)snprintf(walk->error, walk->size,
                       "the journal is damaged: record %" PRIu64
                       " is not what was written, the last whole one is "
                       "%" PRIu64 "; restore a copy that is whole",
                       entry->sequence, walk->last);
        walk->broken = true;
        return false;
    }
    walk->ended = walk->visit && !walk->visit(walk->data, entry);
    if (walk->ended) {
        return false;
    }
    walk->last = entry->sequence;
    memcpy(walk->chain, chain, CHAIN_BYTES);
    walk->seen++;
    return true;
}

enum store_result store_verify(struct store *store, uint64_t *ret_last,
                               unsigned char ret_head[CHAIN_BYTES],
                               char *ret_error, size_t size)
{
    return store_verify_each(store, NULL, NULL, ret_last, ret_head, ret_error,
                             size);
}

enum store_result store_verify_each(struct store *store, store_visit *visit,
                                    void *data, uint64_t *ret_last,
                                    unsigned char ret_head[CHAIN_BYTES],
                                    char *ret_error, size_t size)
{
    struct walk walk = {
        .error = ret_error, .size = size, .visit = visit, .data = data};
    enum store_result result = STORE_OK;
    hasher_init(&walk.hasher);
    do {
        struct store_query query = {.after = walk.last, .limit = SLICE};
        walk.seen = 0;
        result =
            store->ops->read(store, &query, walk_entry, &walk, ret_error, size);
    } while (result == STORE_OK && !walk.broken && !walk.ended &&
             walk.seen == SLICE);
    hasher_release(&walk.hasher);
    *ret_last = walk.last;
    memcpy(ret_head, walk.chain, CHAIN_BYTES);
    return walk.broken ? STORE_CORRUPT : result;
}
