#include "state/store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "policies/memory.h"
#include "state/chain.h"

struct memory_store {
    struct store store;
    struct hasher hasher;
    struct entry *entries; /* entries[i] has sequence i + 1 */
    size_t count, room;
    int failures; /* appends still to fail */
};

static const struct store_ops memory_ops;

struct store *store_memory_open(void)
{
    struct memory_store *memory = memory_zeroed(1, sizeof *memory);
    memory->store.ops = &memory_ops;
    hasher_init(&memory->hasher);
    return &memory->store;
}

static struct memory_store *memory_of(struct store *store)
{
    assert(store->ops == &memory_ops);
    return (struct memory_store *)store;
}

void store_memory_fail(struct store *store, int times)
{
    memory_of(store)->failures = times;
}

static void remember(struct memory_store *memory, const struct entry *entry)
{
    struct entry *slot = &memory->entries[memory->count];
    char *payload = memory_resized(NULL, entry->length + 1);
    memcpy(payload, entry->payload, entry->length);
    payload[entry->length] = '\0';
    *slot = *entry;
    slot->payload = payload;
    if (entry->windows) {
        slot->windows = memory_copy(entry->windows, entry->windows_length);
    }
    hash_payload(&memory->hasher, payload, entry->length, slot->hash);
    if (memory->count > 0) {
        memcpy(slot->chain, slot[-1].chain, CHAIN_BYTES);
    } else {
        memset(slot->chain, 0, CHAIN_BYTES);
    }
    chain_extend(&memory->hasher, slot->chain, slot->hash);
    memory->count++;
}

static void make_room(struct memory_store *memory, size_t count)
{
    if (memory->room - memory->count >= count) {
        return;
    }
    size_t room = (memory->room + count) * 2;
    struct entry *grown = memory_resized(memory->entries, room * sizeof *grown);
    memory->entries = grown;
    memory->room = room;
}

static enum store_result memory_append(struct store *store,
                                       const struct entry *entries,
                                       size_t count, char *ret_error,
                                       size_t size)
{
    struct memory_store *memory = memory_of(store);
    if (memory->failures > 0) {
        memory->failures--;
        (void)snprintf(ret_error, size,
                       "cannot write the journal in memory: it was told to "
                       "fail; try again");
        return STORE_UNAVAILABLE;
    }
    enum store_result result =
        chain_check_order(entries, count, memory->count, ret_error, size);
    if (result != STORE_OK) {
        return result;
    }
    make_room(memory, count);
    for (size_t i = 0; i < count; i++) {
        remember(memory, &entries[i]);
    }
    return STORE_OK;
}

static bool is_wanted(const struct store_query *query,
                      const struct entry *entry)
{
    return (query->release == 0 || entry->release == query->release) &&
           (query->incident == 0 || entry->incident == query->incident) &&
           (query->kind == RECORD_NONE || entry->kind == query->kind);
}

static enum store_result memory_read(struct store *store,
                                     const struct store_query *query,
                                     store_visit *visit, void *data,
                                     char *ret_error, size_t size)
{
    struct memory_store *memory = memory_of(store);
    uint64_t end = memory->count + 1; /* the first sequence not to read */
    if (query->before > 0 && query->before < end) {
        end = query->before;
    }
    (void)ret_error;
    (void)size;
    size_t given = 0;
    for (uint64_t i = query->after + 1; i > query->after && i < end; i++) {
        uint64_t sequence = query->newest_first ? end - (i - query->after) : i;
        struct entry entry = memory->entries[sequence - 1];
        entry.windows = NULL;
        entry.windows_length = 0;
        if (!is_wanted(query, &entry)) {
            continue;
        }
        if (!visit(data, &entry) || ++given == query->limit) {
            break;
        }
    }
    return STORE_OK;
}

static enum store_result memory_head(struct store *store,
                                     uint64_t *ret_sequence,
                                     unsigned char ret_chain[CHAIN_BYTES],
                                     char *ret_error, size_t size)
{
    const struct memory_store *memory = memory_of(store);
    (void)ret_error;
    (void)size;
    *ret_sequence = memory->count;
    memset(ret_chain, 0, CHAIN_BYTES);
    if (memory->count > 0) {
        memcpy(ret_chain, memory->entries[memory->count - 1].chain,
               CHAIN_BYTES);
    }
    return STORE_OK;
}

static enum store_result memory_windows(struct store *store, uint64_t sequence,
                                        char **ret_windows, size_t *ret_length,
                                        char *ret_error, size_t size)
{
    const struct memory_store *memory = memory_of(store);
    const struct entry *entry = sequence > 0 && sequence <= memory->count
                                    ? &memory->entries[sequence - 1]
                                    : NULL;
    bool found = entry && entry->windows;
    (void)ret_error;
    (void)size;
    *ret_windows =
        found ? memory_copy(entry->windows, entry->windows_length) : NULL;
    *ret_length = found ? entry->windows_length : 0;
    return STORE_OK;
}

static void memory_close(struct store *store)
{
    struct memory_store *memory = memory_of(store);
    for (size_t i = 0; i < memory->count; i++) {
        free((void *)(uintptr_t)memory->entries[i].payload);
        free((void *)(uintptr_t)memory->entries[i].windows);
    }
    free(memory->entries);
    hasher_release(&memory->hasher);
    free(memory);
}

static const struct store_ops memory_ops = {
    .append = memory_append,
    .read = memory_read,
    .head = memory_head,
    .close = memory_close,
    .windows = memory_windows,
};
