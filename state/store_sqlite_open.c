#include "state/store_sqlite.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policies/memory.h"

/* A read-only visitor waits this long for a writer that is just starting. */
#define VISITOR_WAIT_MS 2000

static bool open_file(struct sqlite_store *sqlite, const char *path,
                      char *ret_error, size_t size);

struct store *store_sqlite_open(const char *path, enum store_access access,
                                char *ret_error, size_t size)
{
    struct sqlite_store *sqlite = memory_zeroed(1, sizeof *sqlite);
    sqlite->store.ops = &sqlite_ops;
    sqlite->access = access;
    sqlite->lock = -1;
    hasher_init(&sqlite->hasher);
    if (!open_file(sqlite, path, ret_error, size)) {
        sqlite_ops.close(&sqlite->store);
        return NULL;
    }
    return &sqlite->store;
}

static bool refuse(const struct sqlite_store *sqlite, const char *why,
                   char *ret_error, size_t size)
{
    (void)snprintf(ret_error, size, "cannot open the journal '%s': %s",
                   sqlite->shown, why);
    return false;
}

/* A link to the folder is the operator's business; SQLite refuses any. */
static bool resolve(struct sqlite_store *sqlite, const char *path,
                    char *ret_error, size_t size)
{
    char why[256], folder[SQLITE_PATH_MAX], base[SQLITE_PATH_MAX];
    text_escape(path, sqlite->shown, sizeof sqlite->shown);
    if (path[0] == '\0' || strlen(path) >= SQLITE_PATH_MAX) {
        return refuse(sqlite, "its path is empty or too long; name another",
                      ret_error, size);
    }
    (void)snprintf(folder, sizeof folder, "%s", path);
    (void)snprintf(base, sizeof base, "%s", path);
    char *real = realpath(dirname(folder), NULL);
    if (!real) {
        (void)snprintf(why, sizeof why,
                       "its folder: %s; create it, or name another file",
                       strerror(errno));
        return refuse(sqlite, why, ret_error, size);
    }
    int length = snprintf(sqlite->path, sizeof sqlite->path, "%s/%s", real,
                          basename(base));
    free(real);
    if (length < 0 || (size_t)length >= sizeof sqlite->path) {
        return refuse(sqlite, "its path is too long; name another", ret_error,
                      size);
    }
    return true;
}

/* SQLite would make it readable for all; this also keeps the new name. */
static bool make_file(struct sqlite_store *sqlite, char *ret_error, size_t size)
{
    char why[256], folder[SQLITE_PATH_MAX];
    int file = open(sqlite->path,
                    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0 && errno == EEXIST) {
        return true;
    }
    (void)snprintf(folder, sizeof folder, "%s", sqlite->path);
    int directory = file < 0 ? -1 : open(dirname(folder), O_RDONLY | O_CLOEXEC);
    bool kept = directory >= 0 && fsync(directory) == 0;
    int number = errno;
    if (directory >= 0) {
        (void)close(directory);
    }
    if (file >= 0) {
        (void)close(file);
    }
    if (!kept) {
        (void)snprintf(why, sizeof why,
                       "it cannot be created: %s; let this user write in its "
                       "folder",
                       strerror(number));
        return refuse(sqlite, why, ret_error, size);
    }
    return true;
}

static bool note_file(struct sqlite_store *sqlite, char *ret_error, size_t size)
{
    struct stat file;
    if (lstat(sqlite->path, &file) != 0) {
        return refuse(sqlite,
                      errno == ENOENT
                          ? "there is no such file; name the one that "
                            "`state: sqlite:` of the configuration names"
                          : strerror(errno),
                      ret_error, size);
    }
    if (S_ISLNK(file.st_mode)) {
        return refuse(sqlite,
                      "it is a symbolic link; name the file that it leads to",
                      ret_error, size);
    }
    if (!S_ISREG(file.st_mode)) {
        return refuse(sqlite, "it is not a file; name another", ret_error,
                      size);
    }
    sqlite->device = file.st_dev;
    sqlite->inode = file.st_ino;
    return true;
}

static bool open_file(struct sqlite_store *sqlite, const char *path,
                      char *ret_error, size_t size)
{
    if (!resolve(sqlite, path, ret_error, size)) {
        return false;
    }
    if (sqlite->access == STORE_WRITE) {
        sqlite->lock =
            sqlite_lock(sqlite->path, sqlite->shown, ret_error, size);
        if (sqlite->lock < 0 || !make_file(sqlite, ret_error, size)) {
            return false;
        }
    }
    if (!note_file(sqlite, ret_error, size) ||
        sqlite_connect(sqlite, ret_error, size) != STORE_OK) {
        return false;
    }
    int code = sqlite_newest(sqlite, &sqlite->sequence, sqlite->chain);
    if (code != SQLITE_OK) {
        (void)sqlite_explain(sqlite, code, "read", ret_error, size);
        return false;
    }
    sqlite->opened = true;
    return sqlite->access == STORE_READ_ONLY ||
           sqlite_take_reserve(sqlite, ret_error, size) == STORE_OK;
}

/* The first column of the first row, as text cut at @size. */
static int ask(sqlite3 *database, const char *sql, char *ret_text, size_t size)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(database, sql, -1, &statement, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_step(statement);
    }
    if (code == SQLITE_ROW) {
        (void)snprintf(ret_text, size, "%s",
                       (const char *)sqlite3_column_text(statement, 0));
        code = SQLITE_OK;
    }
    (void)sqlite3_finalize(statement); /* repeats the code we have */
    return code == SQLITE_DONE ? SQLITE_CORRUPT : code;
}

static int configure(struct sqlite_store *sqlite)
{
    sqlite3 *database = sqlite->database;
    static const struct {
        int option, value;
    } options[] = {
        {SQLITE_DBCONFIG_DEFENSIVE, 1},
        {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
        {SQLITE_DBCONFIG_DQS_DML, 0},
        {SQLITE_DBCONFIG_DQS_DDL, 0},
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        int code = sqlite3_db_config(database, options[i].option,
                                     options[i].value, NULL);
        if (code != SQLITE_OK) {
            return code;
        }
    }
    int wait = sqlite->access == STORE_WRITE ? 0 : VISITOR_WAIT_MS;
    int code = sqlite3_busy_timeout(database, wait);
    if (code != SQLITE_OK) {
        return code;
    }
    return sqlite3_exec(database,
                        "PRAGMA foreign_keys = ON;"
                        "PRAGMA mmap_size = 0;"
                        "PRAGMA synchronous = FULL;"
                        "PRAGMA journal_size_limit = 16777216;",
                        NULL, NULL, NULL);
}

static enum store_result deny(struct sqlite_store *sqlite,
                              enum store_result result, const char *why,
                              char *ret_error, size_t size)
{
    (void)refuse(sqlite, why, ret_error, size);
    sqlite_disconnect(sqlite);
    return result;
}

static enum store_result deny_code(struct sqlite_store *sqlite, int code,
                                   char *ret_error, size_t size)
{
    enum store_result result =
        sqlite_explain(sqlite, code, "open", ret_error, size);
    sqlite_disconnect(sqlite);
    return result;
}

/* Ours, or empty and ours to take; *ret_version counts the schema's steps. */
static enum store_result check_owner(struct sqlite_store *sqlite,
                                     int *ret_version, char *ret_error,
                                     size_t size)
{
    char owner[24], version[24], tables[24], why[160];
    int code =
        ask(sqlite->database, "PRAGMA application_id", owner, sizeof owner);
    if (code == SQLITE_OK) {
        code = ask(sqlite->database, "PRAGMA user_version", version,
                   sizeof version);
    }
    if (code == SQLITE_OK) {
        code = ask(sqlite->database, "SELECT count(*) FROM sqlite_schema",
                   tables, sizeof tables);
    }
    if (code != SQLITE_OK) {
        return deny_code(sqlite, code, ret_error, size);
    }
    bool fresh = !strcmp(owner, "0") && !strcmp(tables, "0");
    if (fresh && sqlite->access == STORE_WRITE) {
        *ret_version = 0;
        return STORE_OK;
    }
    if (strtol(owner, NULL, 10) != SQLITE_APPLICATION) {
        return deny(sqlite, STORE_CORRUPT,
                    "it is another program's database; name another file",
                    ret_error, size);
    }
    *ret_version = (int)strtol(version, NULL, 10);
    if (*ret_version < 1) {
        return deny(sqlite, STORE_CORRUPT,
                    "its schema has no number: the file is damaged; restore "
                    "a copy",
                    ret_error, size);
    }
    if (*ret_version > schema_newest()) {
        (void)snprintf(why, sizeof why,
                       "a newer lastgood wrote it (schema %d, this version "
                       "knows %d); run the newer one",
                       *ret_version, schema_newest());
        return deny(sqlite, STORE_CORRUPT, why, ret_error, size);
    }
    return STORE_OK;
}

/* Only an unclean end leaves a log behind. */
static bool ended_unclean(const struct sqlite_store *sqlite)
{
    char name[SQLITE_PATH_MAX + sizeof "-wal"];
    struct stat log;
    (void)snprintf(name, sizeof name, "%s-wal", sqlite->path);
    return stat(name, &log) == 0 && log.st_size > 0;
}

static enum store_result prepare_writer(struct sqlite_store *sqlite,
                                        int version, bool unclean,
                                        char *ret_error, size_t size)
{
    char answer[128];
    if (sqlite3_db_readonly(sqlite->database, "main") != 0) {
        return deny_code(sqlite, SQLITE_READONLY, ret_error, size);
    }
    int code = ask(sqlite->database, "PRAGMA journal_mode = WAL", answer,
                   sizeof answer);
    if (code == SQLITE_OK && strcmp(answer, "wal") != 0) {
        return deny(sqlite, STORE_UNAVAILABLE,
                    "its disk does not allow a write-ahead log (shared memory "
                    "is missing); use a local disk",
                    ret_error, size);
    }
    if (code == SQLITE_OK && unclean && !sqlite->opened) {
        code = ask(sqlite->database, "PRAGMA quick_check(1)", answer,
                   sizeof answer);
        if (code == SQLITE_OK && strcmp(answer, "ok") != 0) {
            code = SQLITE_CORRUPT;
        }
    }
    if (code == SQLITE_OK) {
        code = schema_migrate(sqlite->database, version);
    }
    return code == SQLITE_OK ? STORE_OK
                             : deny_code(sqlite, code, ret_error, size);
}

static int prepare(struct sqlite_store *sqlite)
{
    const struct {
        sqlite3_stmt **statement;
        const char *sql;
        bool writes;
    } statements[] = {
        {&sqlite->newest,
         "SELECT sequence, chain FROM journal ORDER BY sequence DESC LIMIT 1",
         false},
        {&sqlite->begin, "BEGIN IMMEDIATE", true},
        {&sqlite->commit, "COMMIT", true},
        {&sqlite->insert,
         "INSERT INTO journal (sequence, at, kind, release, incident, payload,"
         " payload_hash, chain) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
         true},
        {&sqlite->keep,
         "INSERT INTO windows (sequence, at, payload) VALUES (?1, ?2, ?3)",
         true},
        {&sqlite->forget,
         "DELETE FROM windows WHERE at < ?1 AND sequence IN"
         " (SELECT sequence FROM windows ORDER BY sequence LIMIT 2)",
         true},
    };
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        if (statements[i].writes && sqlite->access == STORE_READ_ONLY) {
            continue;
        }
        int code = sqlite3_prepare_v3(sqlite->database, statements[i].sql, -1,
                                      SQLITE_PREPARE_PERSISTENT,
                                      statements[i].statement, NULL);
        if (code != SQLITE_OK) {
            return code;
        }
    }
    return SQLITE_OK;
}

enum store_result sqlite_connect(struct sqlite_store *sqlite, char *ret_error,
                                 size_t size)
{
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                SQLITE_OPEN_NOFOLLOW |
                (sqlite->access == STORE_WRITE ? SQLITE_OPEN_READWRITE
                                               : SQLITE_OPEN_READONLY);
    int version = 0;
    bool unclean = ended_unclean(sqlite);
    assert(!sqlite->database);
    int code = sqlite3_open_v2(sqlite->path, &sqlite->database, flags, NULL);
    if (code == SQLITE_OK) {
        code = configure(sqlite);
    }
    if (code != SQLITE_OK) {
        return deny_code(sqlite, code, ret_error, size);
    }
    enum store_result result = check_owner(sqlite, &version, ret_error, size);
    if (result == STORE_OK && sqlite->access == STORE_WRITE) {
        result = prepare_writer(sqlite, version, unclean, ret_error, size);
        version = schema_newest();
    }
    sqlite->schema = version;
    if (result != STORE_OK) {
        return result;
    }
    code = prepare(sqlite);
    return code == SQLITE_OK ? STORE_OK
                             : deny_code(sqlite, code, ret_error, size);
}

void sqlite_disconnect(struct sqlite_store *sqlite)
{
    sqlite3_stmt **statements[] = {&sqlite->begin,  &sqlite->commit,
                                   &sqlite->insert, &sqlite->newest,
                                   &sqlite->keep,   &sqlite->forget};
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        (void)sqlite3_finalize(*statements[i]); /* repeats an old code */
        *statements[i] = NULL;
    }
    int code = sqlite3_close(sqlite->database);
    assert(code == SQLITE_OK);
    sqlite->database = NULL;
    sqlite->log_inode = 0;
}
