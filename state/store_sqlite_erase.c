/* Taking a payload away: its hash stays, so the chain still holds. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "state/store_sqlite.h"

bool record_may_be_erased(enum record_kind kind)
{
    return kind == RECORD_COMMANDED || kind == RECORD_NOTICE;
}

struct found {
    enum record_kind kind;
    bool has_payload, is_over;
    uint64_t notice; /* looked for */
};

static bool note_kind(void *data, const struct entry *entry)
{
    struct found *found = data;
    found->kind = entry->kind;
    found->has_payload = entry->payload != NULL;
    return false;
}

static bool note_end(void *data, const struct entry *entry)
{
    struct found *found = data;
    struct record *record = malloc(sizeof *record);
    char error[256], *body = NULL;
    if (!record) {
        abort();
    }
    found->is_over = entry->payload &&
                     record_from_json(entry->payload, entry->length, record,
                                      &body, error, sizeof error) &&
                     record->notice == found->notice;
    free(body);
    free(record);
    return !found->is_over;
}

static enum store_result refuse(const struct sqlite_store *sqlite,
                                uint64_t sequence, const char *why,
                                char *ret_error, size_t size)
{
    (void)snprintf(ret_error, size,
                   "cannot erase record %llu of the journal '%s': %s",
                   (unsigned long long)sequence, sqlite->shown, why);
    return STORE_FENCED;
}

/* Only what the next start can do without. */
static enum store_result check(struct sqlite_store *sqlite, uint64_t sequence,
                               struct found *ret_found, char *ret_error,
                               size_t size)
{
    struct store *store = &sqlite->store;
    const struct store_query one = {
        .after = sequence - 1, .before = sequence + 1, .limit = 1};
    const struct store_query ends = {.after = sequence,
                                     .kind = RECORD_NOTICE_DONE};
    *ret_found = (struct found){.notice = sequence};
    enum store_result result =
        sqlite_ops.read(store, &one, note_kind, ret_found, ret_error, size);
    if (result == STORE_OK && ret_found->kind == RECORD_NOTICE) {
        result =
            sqlite_ops.read(store, &ends, note_end, ret_found, ret_error, size);
    }
    if (result != STORE_OK) {
        return result;
    }
    if (ret_found->kind == RECORD_NONE) {
        return refuse(sqlite, sequence, "there is none", ret_error, size);
    }
    if (ret_found->kind != RECORD_VERDICT &&
        !record_may_be_erased(ret_found->kind)) {
        return refuse(sqlite, sequence,
                      "only what people said (commanded), what they were told "
                      "(notice), and what a verdict was judged from may go; "
                      "the next start needs all else",
                      ret_error, size);
    }
    if (ret_found->kind == RECORD_NOTICE && !ret_found->is_over) {
        return refuse(sqlite, sequence,
                      "the notice is still being delivered; try again when it "
                      "is over",
                      ret_error, size);
    }
    return STORE_OK;
}

static int take_away(struct sqlite_store *sqlite, uint64_t sequence,
                     enum record_kind kind)
{
    char sql[160];
    (void)snprintf(sql, sizeof sql,
                   kind == RECORD_VERDICT
                       ? "DELETE FROM windows WHERE sequence = %llu"
                       : "UPDATE journal SET payload = NULL"
                         " WHERE sequence = %llu",
                   (unsigned long long)sequence);
    return sqlite3_exec(sqlite->database, sql, NULL, NULL, NULL);
}

/* The bytes go from the file, too, and from its log. */
enum store_result store_sqlite_erase(struct store *store, uint64_t sequence,
                                     const struct entry *said, char *ret_error,
                                     size_t size)
{
    struct sqlite_store *sqlite = (struct sqlite_store *)store;
    struct found found;
    assert(store->ops == &sqlite_ops);
    enum store_result result = check(sqlite, sequence, &found, ret_error, size);
    if (result == STORE_OK) { /* recorded first: never one without it */
        result = sqlite_ops.append(store, said, 1, ret_error, size);
    }
    if (result != STORE_OK) {
        return result;
    }
    int code = sqlite3_exec(sqlite->database, "PRAGMA secure_delete = ON", NULL,
                            NULL, NULL);
    if (code == SQLITE_OK) {
        code = take_away(sqlite, sequence, found.kind);
    }
    if (code == SQLITE_OK) {
        code = sqlite3_wal_checkpoint_v2(
            sqlite->database, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    }
    return code == SQLITE_OK
               ? STORE_OK
               : sqlite_fail(sqlite, code, "write", ret_error, size);
}
