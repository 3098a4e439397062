/* The SQLite store's inside: what its files share.  Private to state/.
 *
 * A connection lives until a failure that SQLite says nothing good about (an
 * I/O error, most of all a failed fsync: libraries' lore is never to retry the
 * commit on it).  Then it is dropped, and the next call connects anew. */
#ifndef STATE_STORE_SQLITE_H
#define STATE_STORE_SQLITE_H

#include <sqlite3.h>
#include <sys/stat.h>

#include "state/chain.h"
#include "state/reserve.h"

#define SQLITE_PATH_MAX 480 /* SQLite itself ends at 512, with "-journal" */

/* "LGOD", in the file's header: which program it belongs to. */
#define SQLITE_APPLICATION 0x4c474f44

struct sqlite_store {
    struct store store;
    struct hasher hasher;
    enum store_access access;
    char path[SQLITE_PATH_MAX]; /* its folder resolved */
    char shown[200];            /* as given, escaped: for sentences */
    int lock;                   /* fd of PATH.lock, -1: none */
    struct reserve *reserve;    /* a writer's */
    bool opened;                /* once; later it is only reconnected */
    int schema;                 /* steps of it that the file has */
    dev_t device;               /* of the file */
    ino_t inode;
    ino_t log_inode;                  /* of PATH-wal, 0: not there yet */
    uint64_t sequence;                /* the newest acknowledged entry, */
    unsigned char chain[CHAIN_BYTES]; /* and its chain */
    sqlite3 *database;                /* NULL: dropped */
    sqlite3_stmt *begin, *commit, *insert, *newest;
    sqlite3_stmt *keep, *forget; /* windows */
};

/* store_sqlite_open.c: open, configure, check whose it is, migrate, prepare.
 * On failure there is no connection. */
enum store_result sqlite_connect(struct sqlite_store *sqlite, char *ret_error,
                                 size_t size);
void sqlite_disconnect(struct sqlite_store *sqlite);

/* store_sqlite_lock.c: the lock file, held as long as the fd is open.  -1 with
 * a sentence. */
int sqlite_lock(const char *path, const char *shown, char *ret_error,
                size_t size);

/* store_sqlite_reserve.c: what the reserve holds and the journal has not goes
 * into the journal; it is refused when it does not follow. */
enum store_result sqlite_take_reserve(struct sqlite_store *sqlite,
                                      char *ret_error, size_t size);
/* The op; and after an append: the reserve may have been needed no longer. */
enum store_result sqlite_reserve(struct store *store,
                                 const struct entry *entries, size_t count,
                                 char *ret_error, size_t size);
void sqlite_empty_reserve(struct sqlite_store *sqlite);

/* store_sqlite_windows.c: keep those of @entry, and let the oldest go.  An
 * SQLite code.  And the op. */
int sqlite_keep_windows(struct sqlite_store *sqlite, const struct entry *entry);
enum store_result sqlite_windows(struct store *store, uint64_t sequence,
                                 char **ret_windows, size_t *ret_length,
                                 char *ret_error, size_t size);

/* store_sqlite.c: tell @code and get rid of what it left: the transaction, and
 * unless the connection is known to be sound, that too.  And: a connection,
 * again if need be. */
enum store_result sqlite_fail(struct sqlite_store *sqlite, int code,
                              const char *doing, char *ret_error, size_t size);
enum store_result sqlite_ensure(struct sqlite_store *sqlite, char *ret_error,
                                size_t size);

/* store_schema.c: bring an empty or older journal forward.  An SQLite code. */
int schema_migrate(sqlite3 *database, int version);
int schema_newest(void);

/* store_sqlite_error.c: one sentence for an SQLite code; @doing completes
 * "cannot ... 'path'". */
enum store_result sqlite_explain(const struct sqlite_store *sqlite, int code,
                                 const char *doing, char *ret_error,
                                 size_t size);

/* The newest entry in the file, 0 and zeroes when there is none. */
int sqlite_newest(struct sqlite_store *sqlite, uint64_t *ret_sequence,
                  unsigned char ret_chain[CHAIN_BYTES]);

/* Run a statement without parameters; its SQLite code, SQLITE_OK when done. */
int sqlite_run(sqlite3_stmt *statement);

extern const struct store_ops sqlite_ops;

#endif
