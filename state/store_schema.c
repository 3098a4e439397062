/* The database's shape, step by step; PRAGMA user_version counts the steps
 * taken.  Steps are forever: add, never change. */
#include "state/store_sqlite.h"

/* `payload` may be erased (NULL): the chain goes over `payload_hash`. */
static const char step_1[] =
    "CREATE TABLE journal ("
    " sequence INTEGER PRIMARY KEY,"
    " at INTEGER NOT NULL,"
    " kind INTEGER NOT NULL,"
    " release INTEGER NOT NULL,"
    " incident INTEGER NOT NULL,"
    " payload TEXT,"
    " payload_hash BLOB NOT NULL,"
    " chain BLOB NOT NULL"
    ") STRICT;"
    "CREATE INDEX journal_release ON journal (release) WHERE release <> 0;"
    "CREATE INDEX journal_incident ON journal (incident) WHERE incident <> 0;"
    "CREATE INDEX journal_kind ON journal (kind);";

/* What verdicts were judged from: outside the chain, which holds its hash. */
static const char step_2[] = "CREATE TABLE windows ("
                             " sequence INTEGER PRIMARY KEY,"
                             " at INTEGER NOT NULL,"
                             " payload TEXT NOT NULL"
                             ") STRICT;";

static const char *const steps[] = {step_1, step_2};

#define STEPS ((int)(sizeof steps / sizeof steps[0]))

int schema_newest(void)
{
    return STEPS;
}

static int take_step(sqlite3 *database, int step)
{
    char mark[96];
    int code = sqlite3_exec(database, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (code != SQLITE_OK) {
        return code;
    }
    (void)snprintf(mark, sizeof mark,
                   "PRAGMA application_id = %d; PRAGMA user_version = %d;",
                   SQLITE_APPLICATION, step + 1);
    code = sqlite3_exec(database, steps[step], NULL, NULL, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_exec(database, mark, NULL, NULL, NULL);
    }
    if (code == SQLITE_OK) {
        code = sqlite3_exec(database, "COMMIT", NULL, NULL, NULL);
    }
    if (code != SQLITE_OK && !sqlite3_get_autocommit(database)) {
        /* The first error is the one to tell. */
        (void)sqlite3_exec(database, "ROLLBACK", NULL, NULL, NULL);
    }
    return code;
}

int schema_migrate(sqlite3 *database, int version)
{
    for (int step = version; step < STEPS; step++) {
        int code = take_step(database, step);
        if (code != SQLITE_OK) {
            return code;
        }
    }
    return SQLITE_OK;
}
