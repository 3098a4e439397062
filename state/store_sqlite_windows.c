/* What verdicts were judged from, beside the journal. */
#include <assert.h>
#include <string.h>

#include "policies/memory.h"
#include "state/store_sqlite.h"

/* The schema's step that brought them. */
#define WINDOWS_SINCE 2

/* Each one that comes may take two old ones away: what is kept stays bounded,
 * and no append takes long. */
int sqlite_keep_windows(struct sqlite_store *sqlite, const struct entry *entry)
{
    int code =
        sqlite3_bind_int64(sqlite->forget, 1, entry->at - STORE_WINDOWS_KEPT);
    if (code == SQLITE_OK) {
        code = sqlite_run(sqlite->forget);
    }
    if (code == SQLITE_OK) {
        code =
            sqlite3_bind_int64(sqlite->keep, 1, (sqlite3_int64)entry->sequence);
    }
    if (code == SQLITE_OK) {
        code = sqlite3_bind_int64(sqlite->keep, 2, entry->at);
    }
    if (code == SQLITE_OK) {
        code = sqlite3_bind_text64(sqlite->keep, 3, entry->windows,
                                   entry->windows_length, SQLITE_STATIC,
                                   SQLITE_UTF8);
    }
    return code == SQLITE_OK ? sqlite_run(sqlite->keep) : code;
}

/* SQLITE_DONE: there are none. */
static int fetch(struct sqlite_store *sqlite, uint64_t sequence,
                 sqlite3_stmt **ret_statement)
{
    int code = sqlite3_prepare_v2(
        sqlite->database, "SELECT payload FROM windows WHERE sequence = ?1", -1,
        ret_statement, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_bind_int64(*ret_statement, 1, (sqlite3_int64)sequence);
    }
    return code == SQLITE_OK ? sqlite3_step(*ret_statement) : code;
}

enum store_result sqlite_windows(struct store *store, uint64_t sequence,
                                 char **ret_windows, size_t *ret_length,
                                 char *ret_error, size_t size)
{
    struct sqlite_store *sqlite = (struct sqlite_store *)store;
    sqlite3_stmt *statement = NULL;
    assert(store->ops == &sqlite_ops);
    enum store_result result = sqlite_ensure(sqlite, ret_error, size);
    if (result != STORE_OK) {
        return result;
    }
    *ret_windows = NULL;
    *ret_length = 0;
    if (sqlite->schema < WINDOWS_SINCE) {
        return STORE_OK; /* an older lastgood's, which this one only reads */
    }
    int code = fetch(sqlite, sequence, &statement);
    if (code == SQLITE_ROW) {
        *ret_length = (size_t)sqlite3_column_bytes(statement, 0);
        *ret_windows = memory_copy(
            (const char *)sqlite3_column_text(statement, 0), *ret_length);
        code = SQLITE_DONE;
    }
    (void)sqlite3_finalize(statement); /* repeats the code we have */
    return code == SQLITE_DONE
               ? STORE_OK
               : sqlite_fail(sqlite, code, "read", ret_error, size);
}
