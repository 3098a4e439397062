/* How fast the journal is written, read back and verified.
 *
 *   bench_store [FOLDER [RECORDS]]     default: /tmp, 1000000
 *
 * Group commit through the store's thread with so many records in flight:
 * rows a second, and from the call to "it is durable" for one record. */
#include <inttypes.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "state/store_thread.h"

#define GROUP_SECONDS 2
#define LATENCIES_MAX (1 << 22)

static char file[256];

static double now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void die(const char *error)
{
    (void)fprintf(stderr, "bench_store: %s\n", error);
    exit(1);
}

static struct store *open_store(void)
{
    char error[512] = "";
    struct store *store =
        store_sqlite_open(file, STORE_WRITE, error, sizeof error);
    if (!store) {
        die(error);
    }
    return store;
}

static void remove_store(void)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", ".lock",
                                           ".reserve"};
    for (size_t i = 0; i < 5; i++) {
        char path[300];
        (void)snprintf(path, sizeof path, "%s%s", file, suffixes[i]);
        (void)unlink(path); /* most are not there */
    }
}

/* What most of a journal is: the watch's progress, every twentieth a move. */
static void fill(struct record *record, uint64_t sequence)
{
    record_init(record, sequence % 20 ? RECORD_PROGRESS : RECORD_RELEASE_MOVED);
    record->sequence = sequence;
    record->epoch = 3;
    record->at = 1726669200000 + (time_ms)sequence * 137;
    record->release = 1 + sequence % 1000;
    (void)snprintf(record->service, sizeof record->service, "service-%03u",
                   (unsigned)(sequence % 1000));
    (void)snprintf(record->environment, sizeof record->environment,
                   "production");
    (void)snprintf(record->version, sizeof record->version, "2.4.%u",
                   (unsigned)(sequence % 50));
    (void)snprintf(record->digest, sizeof record->digest, "%064x",
                   (unsigned)(sequence % 7));
    record->grid = record->at / 15000 * 15000;
    record->healthy = (time_ms)sequence % DAY_MS;
    record->looks = sequence % 5760;
    record->known_looks = sequence % 5760;
    record->requests = (double)sequence * 1.37;
    if (record->kind == RECORD_RELEASE_MOVED) {
        record->state = RELEASE_GOOD;
        (void)snprintf(record->text, sizeof record->text,
                       "watched for a whole day without a breach");
    }
}

/* The payload is owned by the caller. */
static struct entry entry_of(uint64_t sequence)
{
    static struct record record;
    size_t length = 0;
    fill(&record, sequence);
    char *payload = record_to_json(&record, &length);
    return (struct entry){.sequence = sequence,
                          .at = record.at,
                          .kind = record.kind,
                          .release = record.release,
                          .payload = payload,
                          .length = length};
}

static void wake(void *data)
{
    (void)sem_post(data);
}

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Keep @in_flight records waiting for GROUP_SECONDS. */
static void bench_group_commit(uint64_t in_flight)
{
    static double begun[4096], latencies[LATENCIES_MAX];
    struct store_event event;
    sem_t woken;
    uint64_t sent = 0, durable = 0;
    remove_store();
    if (sem_init(&woken, 0, 0) != 0) {
        die("no semaphore");
    }
    struct store_thread *thread =
        store_thread_start(open_store(), wake, &woken);
    double start = now(), end = start;
    while (end - start < GROUP_SECONDS && durable < LATENCIES_MAX) {
        for (; sent - durable < in_flight; sent++) {
            struct entry entry = entry_of(sent + 1);
            begun[sent % 4096] = now();
            if (!store_thread_append(thread, &entry, 1)) {
                die("the queue is full");
            }
        }
        while (!store_thread_next(thread, &event)) {
            (void)sem_wait(&woken);
        }
        if (event.kind != STORE_EVENT_DURABLE) {
            die(event.error);
        }
        end = now();
        for (; durable < event.sequence; durable++) {
            if (durable < LATENCIES_MAX) {
                latencies[durable] = end - begun[durable % 4096];
            }
        }
    }
    store_thread_stop(thread);
    (void)sem_destroy(&woken);
    size_t count = durable < LATENCIES_MAX ? durable : LATENCIES_MAX;
    qsort(latencies, count, sizeof latencies[0], by_value);
    (void)printf("  %9" PRIu64 "  %9.0f  %8.2f  %8.2f  %8.2f\n", in_flight,
                 (double)durable / (end - start), latencies[count / 2] * 1e3,
                 latencies[count * 99 / 100] * 1e3, latencies[count - 1] * 1e3);
}

/* Of the wall and of our own work: a machine may have other things to do. */
struct mark {
    double wall, work;
};

static struct mark mark_now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (struct mark){now(),
                         (double)time.tv_sec + (double)time.tv_nsec / 1e9};
}

static void row(const char *what, struct mark since, uint64_t records,
                uint64_t bytes)
{
    const struct mark end = mark_now();
    const double seconds = end.wall - since.wall;
    (void)printf("  %-28s  %9.0f  %9.0f  %9.0f  %8.1f\n", what,
                 (double)records / seconds, seconds * 1e9 / (double)records,
                 (end.work - since.work) * 1e9 / (double)records,
                 (double)bytes / seconds / 1e6);
}

struct replay {
    uint64_t records, bytes;
    bool parse;
};

static bool replay_entry(void *data, const struct entry *entry)
{
    static struct record record;
    struct replay *replay = data;
    char error[512], *body = NULL;
    if (replay->parse &&
        !record_from_json(entry->payload, entry->length, &record, &body, error,
                          sizeof error)) {
        die(error);
    }
    free(body);
    replay->records++;
    replay->bytes += entry->length;
    return true;
}

static void bench_read(struct store *store, bool parse, const char *what)
{
    struct replay replay = {.parse = parse};
    char error[512] = "";
    struct mark start = mark_now();
    if (store->ops->read(store, &(struct store_query){.after = 0}, replay_entry,
                         &replay, error, sizeof error) != STORE_OK) {
        die(error);
    }
    row(what, start, replay.records, replay.bytes);
}

static uint64_t write_journal(struct store *store, uint64_t records)
{
    struct entry entries[256];
    char error[512] = "";
    uint64_t bytes = 0;
    for (uint64_t done = 0; done < records;) {
        size_t count = records - done < 256 ? records - done : 256;
        for (size_t i = 0; i < count; i++) {
            entries[i] = entry_of(done + i + 1);
            bytes += entries[i].length;
        }
        if (store->ops->append(store, entries, count, error, sizeof error) !=
            STORE_OK) {
            die(error);
        }
        for (size_t i = 0; i < count; i++) {
            free((void *)(uintptr_t)entries[i].payload);
        }
        done += count;
    }
    return bytes;
}

static void bench_replay(uint64_t records)
{
    unsigned char head[CHAIN_BYTES];
    char error[512] = "";
    uint64_t last = 0;
    remove_store();
    struct store *store = open_store();
    struct mark start = mark_now();
    uint64_t bytes = write_journal(store, records);
    (void)printf("\n  %-28s  %9s  %9s  %9s  %8s\n", "a journal of many records",
                 "records/s", "ns/record", "of it CPU", "MB/s");
    row("make and write, 256 a group", start, records, bytes);
    bench_read(store, false, "read");
    bench_read(store, true, "read and parse");
    struct replay replay = {.parse = true};
    start = mark_now();
    if (store_verify_each(store, replay_entry, &replay, &last, head, error,
                          sizeof error) != STORE_OK ||
        replay.records != records) {
        die(error);
    }
    row("verify and parse (a start)", start, records, bytes);
    start = mark_now();
    if (store_verify(store, &last, head, error, sizeof error) != STORE_OK ||
        last != records) {
        die(error);
    }
    row("verify the chain", start, records, bytes);
    store->ops->close(store);
}

int main(int count, char **arguments)
{
    static const uint64_t in_flight[] = {1, 16, 100, 1000};
    (void)snprintf(file, sizeof file, "%s/bench-store-%ld.db",
                   count > 1 ? arguments[1] : "/tmp", (long)getpid());
    uint64_t records = count > 2 ? strtoull(arguments[2], NULL, 10) : 1000000;
    (void)printf("  %9s  %9s  %8s  %8s  %8s\n", "in flight", "rows/s", "p50 ms",
                 "p99 ms", "max ms");
    for (size_t i = 0; i < sizeof in_flight / sizeof in_flight[0]; i++) {
        bench_group_commit(in_flight[i]);
    }
    if (records > 0) {
        bench_replay(records);
    }
    remove_store();
    return 0;
}
