#include "state/store_sqlite.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum store_result write_group(struct sqlite_store *sqlite,
                                     const struct entry *entries, size_t count,
                                     char *ret_error, size_t size);

static struct sqlite_store *sqlite_of(struct store *store)
{
    assert(store->ops == &sqlite_ops);
    return (struct sqlite_store *)store;
}

static void sqlite_close(struct store *store)
{
    struct sqlite_store *sqlite = sqlite_of(store);
    sqlite_disconnect(sqlite);
    if (sqlite->reserve) {
        reserve_close(sqlite->reserve);
    }
    if (sqlite->lock >= 0) {
        (void)close(sqlite->lock); /* and unlocks; the file stays */
    }
    hasher_release(&sqlite->hasher);
    free(sqlite);
}

int sqlite_run(sqlite3_stmt *statement)
{
    int code = sqlite3_step(statement);
    (void)sqlite3_reset(statement); /* repeats the code we have */
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

int sqlite_newest(struct sqlite_store *sqlite, uint64_t *ret_sequence,
                  unsigned char ret_chain[CHAIN_BYTES])
{
    int code = sqlite3_step(sqlite->newest);
    if (code == SQLITE_DONE) {
        *ret_sequence = 0;
        memset(ret_chain, 0, CHAIN_BYTES);
        code = SQLITE_OK;
    } else if (code == SQLITE_ROW) {
        const void *chain = sqlite3_column_blob(sqlite->newest, 1);
        code = sqlite3_column_bytes(sqlite->newest, 1) == CHAIN_BYTES
                   ? SQLITE_OK
                   : SQLITE_CORRUPT;
        if (code == SQLITE_OK) {
            *ret_sequence = (uint64_t)sqlite3_column_int64(sqlite->newest, 0);
            memcpy(ret_chain, chain, CHAIN_BYTES);
        }
    }
    (void)sqlite3_reset(sqlite->newest); /* repeats the code we have */
    return code;
}

enum store_result sqlite_fail(struct sqlite_store *sqlite, int code,
                              const char *doing, char *ret_error, size_t size)
{
    enum store_result result =
        sqlite_explain(sqlite, code, doing, ret_error, size);
    bool sound = (code & 0xff) == SQLITE_FULL || (code & 0xff) == SQLITE_BUSY;
    if (sound && !sqlite3_get_autocommit(sqlite->database)) {
        sound = sqlite3_exec(sqlite->database, "ROLLBACK", NULL, NULL, NULL) ==
                SQLITE_OK;
    }
    if (!sound) {
        sqlite_disconnect(sqlite);
    }
    return result;
}

static enum store_result say_moved(const struct sqlite_store *sqlite,
                                   char *ret_error, size_t size)
{
    (void)snprintf(ret_error, size,
                   "cannot write the journal '%s': the file was removed or "
                   "replaced while it was open; put it back, or restart "
                   "lastgood to begin with what is there",
                   sqlite->shown);
    return STORE_UNAVAILABLE;
}

/* The inode that @path with @suffix has now, 0: none. */
static ino_t inode_of(const struct sqlite_store *sqlite, const char *suffix,
                      dev_t *ret_device)
{
    char name[SQLITE_PATH_MAX + 8];
    struct stat file;
    (void)snprintf(name, sizeof name, "%s%s", sqlite->path, suffix);
    if (stat(name, &file) != 0) {
        return 0;
    }
    *ret_device = file.st_dev;
    return file.st_ino;
}

static enum store_result reconnect(struct sqlite_store *sqlite, char *ret_error,
                                   size_t size)
{
    dev_t device = 0;
    if (inode_of(sqlite, "", &device) != sqlite->inode ||
        device != sqlite->device) {
        return say_moved(sqlite, ret_error, size);
    }
    enum store_result result = sqlite_connect(sqlite, ret_error, size);
    if (result != STORE_OK) {
        return result;
    }
    uint64_t sequence;
    unsigned char chain[CHAIN_BYTES];
    int code = sqlite_newest(sqlite, &sequence, chain);
    if (code != SQLITE_OK) {
        return sqlite_fail(sqlite, code, "read", ret_error, size);
    }
    if (sequence < sqlite->sequence) {
        (void)snprintf(ret_error, size,
                       "the journal '%s' ends at record %llu, but %llu was "
                       "confirmed: the disk forgot; restore a copy",
                       sqlite->shown, (unsigned long long)sequence,
                       (unsigned long long)sqlite->sequence);
        sqlite_disconnect(sqlite);
        return STORE_CORRUPT;
    }
    return STORE_OK;
}

enum store_result sqlite_ensure(struct sqlite_store *sqlite, char *ret_error,
                                size_t size)
{
    return sqlite->database ? STORE_OK : reconnect(sqlite, ret_error, size);
}

/* SQLite commits happily into a file that nobody will ever find: ask where it
 * is before each group.  The log is the same; without its name it still is
 * whole, and closing brings what it holds into the file. */
static enum store_result make_ready(struct sqlite_store *sqlite,
                                    char *ret_error, size_t size)
{
    dev_t device = 0;
    if (sqlite->database && sqlite->log_inode != 0 &&
        inode_of(sqlite, "-wal", &device) != sqlite->log_inode) {
        sqlite_disconnect(sqlite);
    }
    enum store_result result = sqlite_ensure(sqlite, ret_error, size);
    if (result != STORE_OK) {
        return result;
    }
    int moved = 0;
    int code = sqlite3_file_control(sqlite->database, "main",
                                    SQLITE_FCNTL_HAS_MOVED, &moved);
    if (code != SQLITE_OK) {
        return sqlite_fail(sqlite, code, "write", ret_error, size);
    }
    return moved ? say_moved(sqlite, ret_error, size) : STORE_OK;
}

static enum store_result sqlite_append(struct store *store,
                                       const struct entry *entries,
                                       size_t count, char *ret_error,
                                       size_t size)
{
    struct sqlite_store *sqlite = sqlite_of(store);
    assert(sqlite->access == STORE_WRITE);
    enum store_result result =
        chain_check_order(entries, count, sqlite->sequence, ret_error, size);
    if (result == STORE_OK) {
        result = make_ready(sqlite, ret_error, size);
    }
    if (result == STORE_OK) {
        result = write_group(sqlite, entries, count, ret_error, size);
    }
    if (result == STORE_OK) {
        sqlite_empty_reserve(sqlite);
    }
    return result;
}

static int insert_entry(struct sqlite_store *sqlite, const struct entry *entry,
                        unsigned char chain[CHAIN_BYTES])
{
    unsigned char hash[CHAIN_BYTES];
    sqlite3_stmt *insert = sqlite->insert;
    hash_payload(&sqlite->hasher, entry->payload, entry->length, hash);
    chain_extend(&sqlite->hasher, chain, hash);
    const sqlite3_int64 numbers[] = {
        (sqlite3_int64)entry->sequence, entry->at, (sqlite3_int64)entry->kind,
        (sqlite3_int64)entry->release, (sqlite3_int64)entry->incident};
    int code = SQLITE_OK;
    for (int i = 0; i < 5 && code == SQLITE_OK; i++) {
        code = sqlite3_bind_int64(insert, i + 1, numbers[i]);
    }
    if (code == SQLITE_OK) {
        code = sqlite3_bind_text64(insert, 6, entry->payload, entry->length,
                                   SQLITE_STATIC, SQLITE_UTF8);
    }
    if (code == SQLITE_OK) {
        code = sqlite3_bind_blob(insert, 7, hash, CHAIN_BYTES, SQLITE_STATIC);
    }
    if (code == SQLITE_OK) {
        code = sqlite3_bind_blob(insert, 8, chain, CHAIN_BYTES, SQLITE_STATIC);
    }
    if (code == SQLITE_OK) {
        code = sqlite_run(insert);
    }
    return code == SQLITE_OK && entry->windows
               ? sqlite_keep_windows(sqlite, entry)
               : code;
}

/* Make what the file and its log hold durable, whatever became of the first
 * try: a page whose sync failed counts as clean and is never written again by
 * itself.  The checkpoint writes everything into the file; the commit after it
 * begins a new log, because what is left of the old one would hide the file's
 * newer pages after a power cut. */
static int write_again(struct sqlite_store *sqlite)
{
    char mark[48];
    int code = sqlite3_wal_checkpoint_v2(
        sqlite->database, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    if (code != SQLITE_OK) {
        return code;
    }
    (void)snprintf(mark, sizeof mark, "PRAGMA user_version = %d",
                   schema_newest());
    return sqlite3_exec(sqlite->database, mark, NULL, NULL, NULL);
}

/* A commit that failed may have happened: then the file ends with exactly this
 * group.  Any other end is someone else's. */
static enum store_result adopt_group(struct sqlite_store *sqlite,
                                     const struct entry *entries, size_t count,
                                     char *ret_error, size_t size)
{
    uint64_t sequence;
    unsigned char chain[CHAIN_BYTES], hash[CHAIN_BYTES], found[CHAIN_BYTES];
    memcpy(chain, sqlite->chain, CHAIN_BYTES);
    for (size_t i = 0; i < count; i++) {
        hash_payload(&sqlite->hasher, entries[i].payload, entries[i].length,
                     hash);
        chain_extend(&sqlite->hasher, chain, hash);
    }
    int code = sqlite_newest(sqlite, &sequence, found);
    if (code != SQLITE_OK) {
        return sqlite_fail(sqlite, code, "read", ret_error, size);
    }
    if (sequence != entries[count - 1].sequence ||
        memcmp(chain, found, CHAIN_BYTES) != 0) {
        (void)snprintf(ret_error, size,
                       "someone else wrote record %llu into the journal '%s': "
                       "another controller is at work; stop one of the two",
                       (unsigned long long)sequence, sqlite->shown);
        return STORE_FENCED;
    }
    code = write_again(sqlite);
    if (code != SQLITE_OK) {
        return sqlite_fail(sqlite, code, "write", ret_error, size);
    }
    sqlite->sequence = sequence;
    memcpy(sqlite->chain, chain, CHAIN_BYTES);
    return STORE_OK;
}

static enum store_result write_group(struct sqlite_store *sqlite,
                                     const struct entry *entries, size_t count,
                                     char *ret_error, size_t size)
{
    dev_t device;
    uint64_t sequence = 0;
    unsigned char chain[CHAIN_BYTES];
    int code = sqlite_run(sqlite->begin);
    if (code == SQLITE_OK) {
        code = sqlite_newest(sqlite, &sequence, chain);
    }
    if (code == SQLITE_OK && (sequence != sqlite->sequence ||
                              memcmp(chain, sqlite->chain, CHAIN_BYTES) != 0)) {
        code = sqlite3_exec(sqlite->database, "ROLLBACK", NULL, NULL, NULL);
        return code == SQLITE_OK
                   ? adopt_group(sqlite, entries, count, ret_error, size)
                   : sqlite_fail(sqlite, code, "write", ret_error, size);
    }
    for (size_t i = 0; i < count && code == SQLITE_OK; i++) {
        code = insert_entry(sqlite, &entries[i], chain);
    }
    if (code == SQLITE_OK) {
        code = sqlite_run(sqlite->commit);
    }
    if (code != SQLITE_OK) {
        return sqlite_fail(sqlite, code, "write", ret_error, size);
    }
    sqlite->sequence = entries[count - 1].sequence;
    memcpy(sqlite->chain, chain, CHAIN_BYTES);
    if (sqlite->log_inode == 0) {
        sqlite->log_inode = inode_of(sqlite, "-wal", &device);
    }
    return STORE_OK;
}

/* A row as an entry that lives until the next step; false: it is no entry. */
static bool entry_of_row(sqlite3_stmt *row, struct entry *ret_entry)
{
    const void *hash = sqlite3_column_blob(row, 6);
    const void *chain = sqlite3_column_blob(row, 7);
    if (sqlite3_column_bytes(row, 6) != CHAIN_BYTES ||
        sqlite3_column_bytes(row, 7) != CHAIN_BYTES) {
        return false;
    }
    ret_entry->sequence = (uint64_t)sqlite3_column_int64(row, 0);
    ret_entry->at = sqlite3_column_int64(row, 1);
    ret_entry->kind = (enum record_kind)sqlite3_column_int64(row, 2);
    ret_entry->release = (uint64_t)sqlite3_column_int64(row, 3);
    ret_entry->incident = (uint64_t)sqlite3_column_int64(row, 4);
    ret_entry->payload = (const char *)sqlite3_column_text(row, 5);
    ret_entry->length = (size_t)sqlite3_column_bytes(row, 5);
    memcpy(ret_entry->hash, hash, CHAIN_BYTES);
    memcpy(ret_entry->chain, chain, CHAIN_BYTES);
    return true;
}

/* The conditions repeat the indexes' own, or SQLite would not use them. */
static int prepare_read(struct sqlite_store *sqlite,
                        const struct store_query *query,
                        sqlite3_stmt **ret_statement)
{
    char sql[512];
    (void)snprintf(
        sql, sizeof sql,
        "SELECT sequence, at, kind, release, incident, payload, payload_hash,"
        " chain FROM journal WHERE sequence > ?1 AND sequence < ?2%s%s%s"
        " ORDER BY sequence%s LIMIT ?6",
        query->release ? " AND release <> 0 AND release = ?3" : "",
        query->incident ? " AND incident <> 0 AND incident = ?4" : "",
        query->kind ? " AND kind = ?5" : "",
        query->newest_first ? " DESC" : "");
    const sqlite3_int64 numbers[] = {
        query->after < INT64_MAX ? (sqlite3_int64)query->after : INT64_MAX,
        query->before > 0 && query->before < INT64_MAX
            ? (sqlite3_int64)query->before
            : INT64_MAX,
        (sqlite3_int64)query->release,
        (sqlite3_int64)query->incident,
        (sqlite3_int64)query->kind,
        query->limit > 0 && query->limit < INT64_MAX
            ? (sqlite3_int64)query->limit
            : -1,
    };
    int code =
        sqlite3_prepare_v2(sqlite->database, sql, -1, ret_statement, NULL);
    int last = sqlite3_bind_parameter_count(*ret_statement);
    for (int i = 0; i < 6 && i < last && code == SQLITE_OK; i++) {
        code = sqlite3_bind_int64(*ret_statement, i + 1, numbers[i]);
    }
    return code;
}

static enum store_result sqlite_read(struct store *store,
                                     const struct store_query *query,
                                     store_visit *visit, void *data,
                                     char *ret_error, size_t size)
{
    struct sqlite_store *sqlite = sqlite_of(store);
    sqlite3_stmt *statement = NULL;
    struct entry entry = {0};
    bool more = true;
    enum store_result result = sqlite_ensure(sqlite, ret_error, size);
    if (result != STORE_OK) {
        return result;
    }
    int code = prepare_read(sqlite, query, &statement);
    while (code == SQLITE_OK && more) {
        code = sqlite3_step(statement);
        if (code == SQLITE_ROW) {
            code = entry_of_row(statement, &entry) ? SQLITE_OK : SQLITE_CORRUPT;
            more = code == SQLITE_OK && visit(data, &entry);
        }
    }
    (void)sqlite3_finalize(statement); /* repeats the code we have */
    return code == SQLITE_OK || code == SQLITE_DONE
               ? STORE_OK
               : sqlite_fail(sqlite, code, "read", ret_error, size);
}

static enum store_result sqlite_head(struct store *store,
                                     uint64_t *ret_sequence,
                                     unsigned char ret_chain[CHAIN_BYTES],
                                     char *ret_error, size_t size)
{
    struct sqlite_store *sqlite = sqlite_of(store);
    enum store_result result = sqlite_ensure(sqlite, ret_error, size);
    if (result != STORE_OK) {
        return result;
    }
    int code = sqlite_newest(sqlite, ret_sequence, ret_chain);
    return code == SQLITE_OK
               ? STORE_OK
               : sqlite_fail(sqlite, code, "read", ret_error, size);
}

const struct store_ops sqlite_ops = {
    .append = sqlite_append,
    .read = sqlite_read,
    .head = sqlite_head,
    .close = sqlite_close,
    .reserve = sqlite_reserve,
    .windows = sqlite_windows,
};
