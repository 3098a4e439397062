/* A disk that fails at every place it can, and power cuts: what was confirmed
 * is there, what was not is written once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "help_vfs.h"
#include "state/store_sqlite.h"

#define GROUPS    6
#define GROUP_MAX 3
#define TRIES_MAX 20
#define ERROR_MAX 512

static char folder[64], file[96], copy[64], copy_file[96];

/* An empty reserve fits every journal, and takes longer to make than the rest.
 */
static void remove_files(const char *name)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};
    for (size_t i = 0; i < 4; i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s%s", name, suffixes[i]);
        (void)unlink(path); /* most are not there */
    }
}

static int enter(void **state)
{
    static char base[32];
    (void)snprintf(base, sizeof base, "/tmp/lastgood-faults-XXXXXX");
    *state = base;
    if (!mkdtemp(base)) {
        return -1;
    }
    (void)snprintf(folder, sizeof folder, "%s/disk", base);
    (void)snprintf(copy, sizeof copy, "%s/copy", base);
    (void)snprintf(file, sizeof file, "%s/journal.db", folder);
    (void)snprintf(copy_file, sizeof copy_file, "%s/journal.db", copy);
    disk_install();
    return mkdir(folder, 0700) | mkdir(copy, 0700);
}

static void remove_reserve(const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s.reserve", name);
    (void)unlink(path); /* it may not be there */
}

static int leave(void **state)
{
    disk_fail(FAULT_NONE, 1, 1);
    disk_forget();
    remove_files(file);
    remove_files(copy_file);
    remove_reserve(file);
    remove_reserve(copy_file);
    return rmdir(folder) | rmdir(copy) | rmdir(*state);
}

static void entries_of(uint64_t group, struct entry entries[GROUP_MAX],
                       char payloads[GROUP_MAX][6000])
{
    for (uint64_t i = 0; i < GROUP_MAX; i++) {
        uint64_t sequence = group * GROUP_MAX + i + 1;
        size_t length = sequence % 4 == 0 ? 5900 : 40 + sequence;
        memset(payloads[i], 'a' + (int)(sequence % 26), length);
        entries[i] = (struct entry){.sequence = sequence,
                                    .kind = RECORD_NOTICE,
                                    .payload = payloads[i],
                                    .length = length};
    }
}

/* What a journal is that never met a fault. */
static void wanted_chain(uint64_t last, unsigned char ret_chain[CHAIN_BYTES])
{
    struct store *memory = store_memory_open();
    char payloads[GROUP_MAX][6000], error[ERROR_MAX];
    struct entry entries[GROUP_MAX];
    uint64_t sequence = 0;
    for (uint64_t group = 0; group < last / GROUP_MAX; group++) {
        entries_of(group, entries, payloads);
        assert_int_equal(memory->ops->append(memory, entries, GROUP_MAX, error,
                                             sizeof error),
                         STORE_OK);
    }
    (void)memory->ops->head(memory, &sequence, ret_chain, error, sizeof error);
    assert_int_equal(sequence, last);
    memory->ops->close(memory);
}

/* The journal at @path is whole; its last sequence. */
static uint64_t check_whole(const char *path)
{
    char error[ERROR_MAX] = "";
    unsigned char chain[CHAIN_BYTES], wanted[CHAIN_BYTES];
    uint64_t last = 0;
    disk_pause(true);
    struct store *store =
        store_sqlite_open(path, STORE_WRITE, error, sizeof error);
    if (!store) {
        print_error("%s\n", error);
    }
    assert_non_null(store);
    assert_int_equal(store_verify(store, &last, chain, error, sizeof error),
                     STORE_OK);
    store->ops->close(store);
    disk_pause(false);
    wanted_chain(last, wanted);
    assert_memory_equal(chain, wanted, CHAIN_BYTES);
    return last;
}

/* The power goes now; several times, as chance may have it. */
static void check_cut(uint64_t least, uint64_t most)
{
    for (uint32_t seed = 0; seed < 2; seed++) {
        remove_files(copy_file);
        assert_true(disk_cut(folder, copy, seed));
        uint64_t last = check_whole(copy_file);
        assert_true(last >= least);
        assert_true(last <= most);
    }
}

/* A short log, so that checkpoints meet the faults too. */
static void shorten_log(struct store *store)
{
    sqlite3 *database = ((struct sqlite_store *)store)->database;
    if (database) {
        (void)sqlite3_exec(database, "PRAGMA wal_autocheckpoint = 6", NULL,
                           NULL, NULL);
    }
}

static struct store *open_at_last(void)
{
    char error[ERROR_MAX] = "";
    struct store *store = NULL;
    for (int tries = 0; !store && tries < TRIES_MAX; tries++) {
        store = store_sqlite_open(file, STORE_WRITE, error, sizeof error);
        assert_true(store || strstr(error, "cannot open the journal '"));
    }
    assert_non_null(store);
    return store;
}

static void append_at_last(struct store *store, uint64_t group)
{
    char payloads[GROUP_MAX][6000], error[ERROR_MAX];
    struct entry entries[GROUP_MAX];
    enum store_result result = STORE_UNAVAILABLE;
    uint64_t before = group * GROUP_MAX;
    unsigned failed = disk_failed();
    entries_of(group, entries, payloads);
    for (int tries = 0; result != STORE_OK && tries < TRIES_MAX; tries++) {
        error[0] = '\0';
        shorten_log(store);
        result =
            store->ops->append(store, entries, GROUP_MAX, error, sizeof error);
        if (result != STORE_OK) {
            assert_int_equal(result, STORE_UNAVAILABLE);
            assert_non_null(strstr(error, "the journal '"));
            check_cut(before, before + GROUP_MAX);
        }
    }
    assert_int_equal(result, STORE_OK);
    if (disk_failed() > failed) {
        check_cut(before + GROUP_MAX, before + GROUP_MAX);
    }
}

/* A life of a journal in which one fault happens; false when none did. */
static bool live(enum fault fault, unsigned nth, unsigned times)
{
    disk_forget();
    remove_files(file);
    disk_fail(fault, nth, times);
    struct store *store = open_at_last();
    for (uint64_t group = 0; group < GROUPS; group++) {
        append_at_last(store, group);
    }
    store->ops->close(store);
    bool met = disk_failed() > 0;
    disk_fail(FAULT_NONE, 1, 1);
    check_cut(GROUPS * GROUP_MAX, GROUPS * GROUP_MAX);
    assert_int_equal(check_whole(file), GROUPS * GROUP_MAX);
    return met;
}

static void live_through(enum fault fault)
{
    static const unsigned times[] = {1, 4};
    for (size_t i = 0; i < 2; i++) {
        unsigned nth = 1;
        while (live(fault, nth, times[i])) {
            nth++;
            assert_true(nth < 1000);
        }
        assert_true(nth > GROUPS); /* else no fault was met at all */
    }
}

static void no_fault_and_the_power_goes_at_the_end(void **state)
{
    (void)state;
    assert_false(live(FAULT_NONE, 1, 1));
}

static void each_write_fails_once(void **state)
{
    (void)state;
    live_through(FAULT_WRITE);
}

static void each_write_is_torn_once(void **state)
{
    (void)state;
    live_through(FAULT_HALF);
}

static void the_disk_is_full_at_each_write(void **state)
{
    (void)state;
    live_through(FAULT_FULL);
}

static void each_sync_fails_once(void **state)
{
    (void)state;
    live_through(FAULT_SYNC);
}

/* The test of the test: without syncs a power cut must be seen to lose. */
static void a_journal_that_does_not_sync_is_found_out(void **state)
{
    char payloads[GROUP_MAX][6000], error[ERROR_MAX];
    struct entry entries[GROUP_MAX];
    (void)state;
    disk_forget();
    remove_files(file);
    struct store *store = open_at_last();
    sqlite3 *database = ((struct sqlite_store *)store)->database;
    assert_int_equal(
        sqlite3_exec(database, "PRAGMA synchronous = OFF", NULL, NULL, NULL),
        SQLITE_OK);
    entries_of(0, entries, payloads);
    assert_int_equal(
        store->ops->append(store, entries, GROUP_MAX, error, sizeof error),
        STORE_OK);
    uint64_t least = GROUP_MAX;
    for (uint32_t seed = 0; seed < 8; seed++) {
        remove_files(copy_file);
        assert_true(disk_cut(folder, copy, seed));
        uint64_t last = check_whole(copy_file);
        least = last < least ? last : least;
    }
    assert_int_equal(least, 0);
    store->ops->close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_fault_and_the_power_goes_at_the_end),
        cmocka_unit_test(each_write_fails_once),
        cmocka_unit_test(each_write_is_torn_once),
        cmocka_unit_test(the_disk_is_full_at_each_write),
        cmocka_unit_test(each_sync_fails_once),
        cmocka_unit_test(a_journal_that_does_not_sync_is_found_out),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
