/* The journal and its reserve. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "state/store_sqlite.h"

/* What the reserve held when the writer before us ended. */
struct kept {
    struct entry *entries;
    size_t count;
    char *bytes;
    unsigned char chain[CHAIN_BYTES]; /* before the first */
};

static bool take_chain(void *data, const struct entry *entry)
{
    memcpy(data, entry->chain, CHAIN_BYTES);
    return false;
}

/* Zeroes when the journal has no such record. */
static enum store_result chain_at(struct sqlite_store *sqlite,
                                  uint64_t sequence,
                                  unsigned char ret_chain[CHAIN_BYTES],
                                  char *ret_error, size_t size)
{
    const struct store_query query = {
        .after = sequence - 1, .before = sequence + 1, .limit = 1};
    memset(ret_chain, 0, CHAIN_BYTES);
    return sequence == 0 ? STORE_OK
                         : sqlite_ops.read(&sqlite->store, &query, take_chain,
                                           ret_chain, ret_error, size);
}

/* Both were written by one controller, one after the other, up to where the
 * shorter one ends. */
static enum store_result check_follows(struct sqlite_store *sqlite,
                                       const struct kept *kept, char *ret_error,
                                       size_t size)
{
    unsigned char chain[CHAIN_BYTES], hash[CHAIN_BYTES], found[CHAIN_BYTES];
    uint64_t at = kept->entries[0].sequence - 1;
    memcpy(chain, kept->chain, CHAIN_BYTES);
    for (size_t i = 0;
         i < kept->count && kept->entries[i].sequence <= sqlite->sequence;
         i++) {
        hash_payload(&sqlite->hasher, kept->entries[i].payload,
                     kept->entries[i].length, hash);
        chain_extend(&sqlite->hasher, chain, hash);
        at = kept->entries[i].sequence;
    }
    enum store_result result = chain_at(sqlite, at, found, ret_error, size);
    if (result == STORE_OK && memcmp(chain, found, CHAIN_BYTES) != 0) {
        (void)snprintf(ret_error, size,
                       "cannot open the journal '%s': '%s.reserve' holds "
                       "records %" PRIu64 " to %" PRIu64
                       " of a rollback, which do not follow its record "
                       "%" PRIu64 ": put back the journal that they belong "
                       "to, or look at what is live and remove the reserve",
                       sqlite->shown, sqlite->shown, kept->entries[0].sequence,
                       kept->entries[kept->count - 1].sequence,
                       at < sqlite->sequence ? at : sqlite->sequence);
        return STORE_FENCED;
    }
    return result;
}

static enum store_result take(struct sqlite_store *sqlite,
                              const struct kept *kept, char *ret_error,
                              size_t size)
{
    size_t known = 0;
    enum store_result result = check_follows(sqlite, kept, ret_error, size);
    while (known < kept->count &&
           kept->entries[known].sequence <= sqlite->sequence) {
        known++;
    }
    if (result != STORE_OK || known == kept->count) {
        return result;
    }
    return sqlite_ops.append(&sqlite->store, kept->entries + known,
                             kept->count - known, ret_error, size);
}

enum store_result sqlite_take_reserve(struct sqlite_store *sqlite,
                                      char *ret_error, size_t size)
{
    struct kept kept = {0};
    uint64_t after = 0, last = 0;
    enum store_result result = STORE_OK;
    sqlite->reserve = reserve_open(sqlite->path, &result, ret_error, size);
    if (result != STORE_OK) {
        return result;
    }
    reserve_holds(sqlite->reserve, &after, &last);
    if (after == last) {
        return STORE_OK;
    }
    result = reserve_read(sqlite->reserve, &kept.entries, &kept.count,
                          &kept.bytes, kept.chain, ret_error, size);
    if (result == STORE_OK) {
        result = take(sqlite, &kept, ret_error, size);
        free(kept.entries);
        free(kept.bytes);
    }
    if (result == STORE_OK) {
        sqlite_empty_reserve(sqlite);
    }
    return result;
}

enum store_result sqlite_reserve(struct store *store,
                                 const struct entry *entries, size_t count,
                                 char *ret_error, size_t size)
{
    struct sqlite_store *sqlite = (struct sqlite_store *)store;
    assert(store->ops == &sqlite_ops);
    enum store_result result =
        chain_check_order(entries, count, sqlite->sequence, ret_error, size);
    return result == STORE_OK
               ? reserve_put(sqlite->reserve, sqlite->sequence, sqlite->chain,
                             entries, count, ret_error, size)
               : result;
}

/* What is left in it by then does no harm: it is compared with the journal
 * before it is used again, or at the next start. */
void sqlite_empty_reserve(struct sqlite_store *sqlite)
{
    char error[512];
    uint64_t after = 0, last = 0;
    reserve_holds(sqlite->reserve, &after, &last);
    if (last > after && last <= sqlite->sequence) {
        (void)reserve_clear(sqlite->reserve, error, sizeof error);
    }
}
