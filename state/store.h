/* The contract of a store: an append-only, hash-chained journal and nothing
 * else.  Calls block; only the store's thread (store_thread.h), recovery and
 * offline commands make them.  One writer a database: open takes an exclusive
 * lock, a second one is refused with a sentence.
 *
 * chain(n) = SHA256(chain(n-1) || SHA256(payload)); chain(0) is 32 zero bytes.
 */
#ifndef STATE_STORE_H
#define STATE_STORE_H

#include "state/record.h"

#define CHAIN_BYTES 32

struct entry {
    uint64_t sequence;
    time_ms at;
    enum record_kind kind;
    uint64_t release;    /* 0: about none; indexed */
    uint64_t incident;   /* 0: about none; indexed */
    const char *payload; /* JSON; in append: lent until it returns; in read:
                            NULL when it was erased */
    size_t length;
    unsigned char hash[CHAIN_BYTES];  /* of the payload, outlives it; and */
    unsigned char chain[CHAIN_BYTES]; /* this: set by the store */
    const char *windows; /* JSON that a verdict was judged from, kept beside the
                            record and outside the chain; NULL: none.  Lent
                            like the payload; in read: NULL, see windows() */
    size_t windows_length;
    bool goes_back; /* the reason of a rollback: may use the reserve */
};

/* What an entry says of @record beside its payload, which is left NULL. */
struct entry entry_of_record(const struct record *record);

enum store_result {
    STORE_OK,
    STORE_UNAVAILABLE, /* full, read-only, I/O error, moved: retry later */
    STORE_CORRUPT,     /* damaged or foreign: stop */
    STORE_FENCED       /* another controller or a gap in sequences: stop */
};

/* What to read.  Zero means "any". */
struct store_query {
    uint64_t after;  /* sequences above this */
    uint64_t before; /* and below this; 0: no end */
    uint64_t release, incident;
    enum record_kind kind;
    bool newest_first;
    size_t limit; /* 0: no limit */
};

/* Called for each entry; false ends the reading.  @entry lives for the call. */
typedef bool store_visit(void *data, const struct entry *entry);

struct store;

struct store_ops {
    /* All or nothing, durable on STORE_OK.  Sequences must follow the head
     * without a gap.  On anything else @ret_error says what, where, and what
     * to do, in one line. */
    enum store_result (*append)(struct store *store,
                                const struct entry *entries, size_t count,
                                char *ret_error, size_t size);
    enum store_result (*read)(struct store *store,
                              const struct store_query *query,
                              store_visit *visit, void *data, char *ret_error,
                              size_t size);
    /* Sequence and chain of the newest entry; 0 and zeroes when empty. */
    enum store_result (*head)(struct store *store, uint64_t *ret_sequence,
                              unsigned char ret_chain[CHAIN_BYTES],
                              char *ret_error, size_t size);
    void (*close)(struct store *store);
    /* While append answers STORE_UNAVAILABLE: make all of @entries durable
     * elsewhere; they follow the head, and are appended again later as if this
     * had never been called.  After a crash the next open puts them into the
     * journal before anything is read.  All or nothing.  NULL: there is no
     * reserve. */
    enum store_result (*reserve)(struct store *store,
                                 const struct entry *entries, size_t count,
                                 char *ret_error, size_t size);
    /* The windows of a record, malloc'd: *ret_windows is NULL when there are
     * none, or none any more. */
    enum store_result (*windows)(struct store *store, uint64_t sequence,
                                 char **ret_windows, size_t *ret_length,
                                 char *ret_error, size_t size);
};

/* How long windows are kept, at least: after that an append may take the oldest
 * away. */
#define STORE_WINDOWS_KEPT (30 * DAY_MS)

/* Implementations begin with this. */
struct store {
    const struct store_ops *ops;
};

enum store_access { STORE_WRITE, STORE_READ_ONLY };

/* SQLite in WAL with synchronous=FULL.  STORE_WRITE creates the file when
 * missing, takes the lock (PATH.lock), migrates the schema forward and takes in
 * what the reserve (PATH.reserve, see reserve.h) holds.  NULL
 * with one line in @ret_error otherwise.  After an append that failed it
 * closes and reopens by itself; the same entries appended again are never
 * written twice.  A file that was removed or replaced is never recreated. */
struct store *store_sqlite_open(const char *path, enum store_access access,
                                char *ret_error, size_t size);

/* Offline: take the payload of record @sequence away, or of a verdict what it
 * was judged from; @said is the record of that, appended first.  Only what a
 * start can do without: see record_may_be_erased().  STORE_FENCED with a
 * sentence for all else. */
enum store_result store_sqlite_erase(struct store *store, uint64_t sequence,
                                     const struct entry *said, char *ret_error,
                                     size_t size);

/* What people said, and what they were told: nothing that is applied depends
 * on it.  A start takes such a record without a payload as "something was said
 * here", and refuses any other. */
bool record_may_be_erased(enum record_kind kind);

/* In memory, for tests, replay and the simulator.  store_memory_fail() makes
 * the next @times appends answer STORE_UNAVAILABLE. */
struct store *store_memory_open(void);
void store_memory_fail(struct store *store, int times);

/* Walk the chain from the first entry.  STORE_OK, or STORE_CORRUPT with
 * *ret_last = the last sequence that is whole and a sentence; @ret_head is the
 * chain at *ret_last either way. */
enum store_result store_verify(struct store *store, uint64_t *ret_last,
                               unsigned char ret_head[CHAIN_BYTES],
                               char *ret_error, size_t size);

/* The same, and @visit is called for each entry once it is proven, in order;
 * false ends the walk: STORE_OK with *ret_last before that entry.  One reading
 * of the file instead of two. */
enum store_result store_verify_each(struct store *store, store_visit *visit,
                                    void *data, uint64_t *ret_last,
                                    unsigned char ret_head[CHAIN_BYTES],
                                    char *ret_error, size_t size);

#endif
