#include "state/store_sqlite.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct failure {
    int code; /* extended or primary */
    enum store_result result;
    const char *cause; /* NULL: SQLite's own words */
    const char *advice;
};

/* The first that fits; the last fits all. */
static const struct failure failures[] = {
    {SQLITE_FULL, STORE_UNAVAILABLE, "the disk is full",
     "free some space there"},
    {SQLITE_IOERR_FSYNC, STORE_UNAVAILABLE,
     "the disk did not confirm what was written",
     "look for disk errors in the kernel's log"},
    {SQLITE_IOERR, STORE_UNAVAILABLE, "the disk answers with errors",
     "look for disk errors in the kernel's log"},
    {SQLITE_READONLY, STORE_UNAVAILABLE,
     "this user may not write it, or its disk is read-only",
     "let this user write the file and its folder"},
    {SQLITE_CANTOPEN_SYMLINK, STORE_UNAVAILABLE, "it is a symbolic link",
     "name the file that it leads to"},
    {SQLITE_CANTOPEN, STORE_UNAVAILABLE, "it cannot be opened",
     "let this user read and write the file and its folder"},
    {SQLITE_PERM, STORE_UNAVAILABLE, "this user may not open it",
     "let this user read and write the file and its folder"},
    {SQLITE_BUSY, STORE_UNAVAILABLE, "another program is writing to it",
     "let that program end"},
    {SQLITE_LOCKED, STORE_UNAVAILABLE, "another program is writing to it",
     "let that program end"},
    {SQLITE_NOTADB, STORE_CORRUPT, "it is not an SQLite database",
     "name another file, or restore a copy"},
    {SQLITE_CORRUPT, STORE_CORRUPT, "the file is damaged",
     "'lastgood verify' says what is whole; restore a copy"},
    {SQLITE_ERROR, STORE_CORRUPT, NULL,
     "'lastgood verify' says what is whole; restore a copy"},
    {SQLITE_CONSTRAINT, STORE_CORRUPT, NULL,
     "'lastgood verify' says what is whole; restore a copy"},
    {0, STORE_UNAVAILABLE, NULL, "try again"},
};

static const struct failure *failure_of(int code)
{
    size_t last = sizeof failures / sizeof failures[0] - 1;
    for (size_t i = 0; i < last; i++) {
        if (failures[i].code == code || failures[i].code == (code & 0xff)) {
            return &failures[i];
        }
    }
    return &failures[last];
}

enum store_result sqlite_explain(const struct sqlite_store *sqlite, int code,
                                 const char *doing, char *ret_error,
                                 size_t size)
{
    int primary = code & 0xff;
    assert(code != SQLITE_OK && primary != SQLITE_MISUSE);
    if (primary == SQLITE_NOMEM || code == SQLITE_IOERR_NOMEM) {
        abort();
    }
    const struct failure *failure = failure_of(code);
    char words[200];
    const char *own = sqlite->database ? sqlite3_errmsg(sqlite->database)
                                       : sqlite3_errstr(code);
    text_escape(own, words, sizeof words);
    int number = sqlite->database ? sqlite3_system_errno(sqlite->database) : 0;
    bool has_number =
        number != 0 && (primary == SQLITE_IOERR || primary == SQLITE_CANTOPEN);
    (void)snprintf(ret_error, size,
                   "cannot %s the journal '%s': %s (SQLite %d%s%s); %s", doing,
                   sqlite->shown, failure->cause ? failure->cause : words, code,
                   has_number ? ", " : "", has_number ? strerror(number) : "",
                   failure->advice);
    return failure->result;
}
