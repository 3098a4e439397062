/* One thread owns the store.  The loop hands it batches and queries through
 * one bounded queue and takes results from another; nothing else is shared.
 *
 * Appends are strictly ordered and committed in groups: the thread takes all
 * that waits (at most 256 entries) into one transaction.  When a group fails
 * with STORE_UNAVAILABLE the thread says so once, then retries the same group
 * with backoff (0.1 s doubling to 5 s) until it succeeds; appends queue
 * meanwhile and queries go on.  STORE_CORRUPT and STORE_FENCED end it.
 *
 * While it is down, an entry that goes back, and all before it that is not
 * durable, is handed to the store's reserve: then it is durable, too.  What
 * the reserve does not take waits like the rest, which is said, too. */
#ifndef STATE_STORE_THREAD_H
#define STATE_STORE_THREAD_H

#include "state/store.h"

/* Entries that may wait; the loop stops feeding the core above it. */
#define STORE_QUEUE_MAX 4096
/* Entries of one transaction. */
#define STORE_GROUP_MAX 256
/* Reads that may wait, until their answers were taken. */
#define STORE_READS_MAX 32
/* Entries and bytes one read may answer with. */
#define STORE_READ_ENTRIES_MAX 1000
#define STORE_READ_BYTES_MAX   (8 * 1024 * 1024)

enum store_event_kind {
    STORE_EVENT_DURABLE, /* everything up to `sequence` is, in the journal or
                            in the reserve */
    STORE_EVENT_DOWN,    /* a group failed and is being retried: `error`; and
                            again when the reserve failed: `no_reserve` */
    STORE_EVENT_UP,      /* it works again */
    STORE_EVENT_LOST,    /* corrupt or fenced: exit with `error` */
    STORE_EVENT_READ     /* answer to store_thread_read() */
};

struct store_event {
    enum store_event_kind kind;
    uint64_t sequence;
    uint64_t ticket;          /* READ: which one */
    enum store_result result; /* READ */
    struct entry *entries; /* READ: owned by the event, with their payloads */
    size_t count;
    bool cut;        /* READ: a limit ended it */
    bool no_reserve; /* DOWN: what must go back cannot be made durable */
    char error[512];
};

struct store_thread;

/* Takes @store.  @wake is called from the store's thread after events were
 * queued; it must only signal (uv_async_send). */
struct store_thread *store_thread_start(struct store *store,
                                        void (*wake)(void *), void *data);

/* Queue entries; payloads and windows are taken (free'd by the thread).  False
 * when the queue is full (nothing taken).  What one call brings is in one
 * transaction, unless it is more than STORE_GROUP_MAX, and goes to the reserve
 * as a whole.
 */
bool store_thread_append(struct store_thread *thread, struct entry *entries,
                         size_t count);
size_t store_thread_waiting(const struct store_thread *thread);

/* Queue a read.  False when too many wait, or when the thread has ended. */
bool store_thread_read(struct store_thread *thread,
                       const struct store_query *query, uint64_t ticket);

/* Take the next event; false when there is none.  Release it after use.  What
 * was not taken in time is joined: of several DURABLE the last remains, and an
 * UP that a new DOWN overtakes is not told. */
bool store_thread_next(struct store_thread *thread, struct store_event *event);
void store_event_release(struct store_event *event);

/* The thread's last sign of life, CLOCK_BOOTTIME ms; for the watchdog. */
time_ms store_thread_alive_at(const struct store_thread *thread);

/* Commit what waits (giving up after one failed try when down), close the
 * store, join.  Events and reads that were not taken are dropped. */
void store_thread_stop(struct store_thread *thread);

#endif
