/* What every store promises, run on each of them: store_contract NAME. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "state/store.h"

#define ERROR_MAX 512

struct world {
    struct store *store;
    char folder[64];
    char file[96];
    char error[ERROR_MAX];
};

struct implementation {
    const char *name;
    struct store *(*open)(struct world *world);
    bool lasts; /* what was appended is there after close and open */
};

static struct store *open_memory(struct world *world)
{
    (void)world;
    return store_memory_open();
}

static struct store *open_sqlite(struct world *world)
{
    return store_sqlite_open(world->file, STORE_WRITE, world->error, ERROR_MAX);
}

static const struct implementation implementations[] = {
    {"memory", open_memory, false},
    {"sqlite", open_sqlite, true},
};
static const struct implementation *implementation;

static int enter(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    (void)snprintf(world->folder, sizeof world->folder,
                   "/tmp/lastgood-store-XXXXXX");
    if (!mkdtemp(world->folder)) {
        return -1;
    }
    (void)snprintf(world->file, sizeof world->file, "%s/journal.db",
                   world->folder);
    world->store = implementation->open(world);
    *state = world;
    return world->store ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *file, int kind,
                      struct FTW *ftw)
{
    (void)file;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static int leave(void **state)
{
    struct world *world = *state;
    world->store->ops->close(world->store);
    int code = nftw(world->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(world);
    return code;
}

/* Entry @sequence of a journal with some of everything. */
static struct entry entry_of(uint64_t sequence, char payload[96])
{
    int length = snprintf(payload, 96,
                          "{\"sequence\":%llu,\"text\":\"caf\xc3\xa9 %llu\"}",
                          (unsigned long long)sequence,
                          (unsigned long long)(sequence * sequence));
    return (struct entry){
        .sequence = sequence,
        .at = 1700000000000 + (time_ms)sequence,
        .kind = (enum record_kind)(1 + sequence % 3),
        .release = sequence % 4,
        .incident = sequence % 5 == 0 ? sequence % 10 : 0,
        .payload = payload,
        .length = (size_t)length,
    };
}

static enum store_result append_some(struct world *world, uint64_t first,
                                     size_t count)
{
    static char payloads[256][96];
    static struct entry entries[256];
    assert_true(count <= 256);
    for (size_t i = 0; i < count; i++) {
        entries[i] = entry_of(first + i, payloads[i]);
    }
    return world->store->ops->append(world->store, entries, count, world->error,
                                     ERROR_MAX);
}

static uint64_t head_of(struct world *world, unsigned char chain[CHAIN_BYTES])
{
    uint64_t sequence = UINT64_MAX;
    assert_int_equal(world->store->ops->head(world->store, &sequence, chain,
                                             world->error, ERROR_MAX),
                     STORE_OK);
    return sequence;
}

struct reading {
    uint64_t sequences[1024];
    size_t count, stop_at;
};

static bool note(void *data, const struct entry *entry)
{
    struct reading *reading = data;
    char payload[96];
    struct entry wanted = entry_of(entry->sequence, payload);
    assert_int_equal(entry->at, wanted.at);
    assert_int_equal(entry->kind, wanted.kind);
    assert_int_equal(entry->release, wanted.release);
    assert_int_equal(entry->incident, wanted.incident);
    assert_int_equal(entry->length, wanted.length);
    assert_memory_equal(entry->payload, payload, wanted.length);
    reading->sequences[reading->count++] = entry->sequence;
    return reading->count != reading->stop_at;
}

static void read_all(struct world *world, const struct store_query *query,
                     struct reading *reading)
{
    reading->count = 0;
    assert_int_equal(world->store->ops->read(world->store, query, note, reading,
                                             world->error, ERROR_MAX),
                     STORE_OK);
}

static void an_empty_journal_has_no_head_and_is_whole(void **state)
{
    struct world *world = *state;
    struct reading reading = {.count = 0};
    const unsigned char zeroes[CHAIN_BYTES] = {0};
    unsigned char chain[CHAIN_BYTES];
    uint64_t last = 7;
    assert_int_equal(head_of(world, chain), 0);
    assert_memory_equal(chain, zeroes, CHAIN_BYTES);
    read_all(world, &(struct store_query){.limit = 0}, &reading);
    assert_int_equal(reading.count, 0);
    assert_int_equal(
        store_verify(world->store, &last, chain, world->error, ERROR_MAX),
        STORE_OK);
    assert_int_equal(last, 0);
    assert_memory_equal(chain, zeroes, CHAIN_BYTES);
}

static void what_was_appended_is_read_in_order(void **state)
{
    struct world *world = *state;
    struct reading reading = {.count = 0};
    assert_int_equal(append_some(world, 1, 1), STORE_OK);
    assert_int_equal(append_some(world, 2, 99), STORE_OK);
    read_all(world, &(struct store_query){.limit = 0}, &reading);
    assert_int_equal(reading.count, 100);
    for (size_t i = 0; i < 100; i++) {
        assert_int_equal(reading.sequences[i], i + 1);
    }
}

/* The definition in store.h, worked out here without the store's code. */
static void the_chain_is_what_the_contract_says(void **state)
{
    struct world *world = *state;
    unsigned char both[2 * CHAIN_BYTES] = {0}, head[CHAIN_BYTES];
    char payload[96];
    assert_int_equal(append_some(world, 1, 3), STORE_OK);
    assert_int_equal(append_some(world, 4, 4), STORE_OK);
    for (uint64_t i = 1; i <= 7; i++) {
        struct entry entry = entry_of(i, payload);
        assert_int_equal(EVP_Digest(payload, entry.length, both + CHAIN_BYTES,
                                    NULL, EVP_sha256(), NULL),
                         1);
        assert_int_equal(
            EVP_Digest(both, sizeof both, both, NULL, EVP_sha256(), NULL), 1);
    }
    assert_int_equal(head_of(world, head), 7);
    assert_memory_equal(head, both, CHAIN_BYTES);
}

static bool matches(const struct store_query *query, uint64_t sequence)
{
    char payload[96];
    struct entry entry = entry_of(sequence, payload);
    return sequence > query->after &&
           (query->before == 0 || sequence < query->before) &&
           (query->release == 0 || entry.release == query->release) &&
           (query->incident == 0 || entry.incident == query->incident) &&
           (query->kind == RECORD_NONE || entry.kind == query->kind);
}

/* The long way round: try each entry, in the order that was asked for. */
static void check_query(struct world *world, const struct store_query *query,
                        uint64_t entries)
{
    struct reading reading = {.count = 0};
    size_t wanted = 0;
    read_all(world, query, &reading);
    for (uint64_t i = 1; i <= entries; i++) {
        uint64_t sequence = query->newest_first ? entries + 1 - i : i;
        if (!matches(query, sequence) ||
            (query->limit > 0 && wanted == query->limit)) {
            continue;
        }
        assert_true(wanted < reading.count);
        assert_int_equal(reading.sequences[wanted], sequence);
        wanted++;
    }
    assert_int_equal(reading.count, wanted);
}

static void queries_select_as_trying_each_entry_does(void **state)
{
    struct world *world = *state;
    static const uint64_t ends[] = {0, 1, 17, 59, 60, 61, UINT64_MAX};
    const size_t count = sizeof ends / sizeof ends[0];
    assert_int_equal(append_some(world, 1, 60), STORE_OK);
    for (size_t i = 0; i < count * count * 128; i++) {
        const struct store_query query = {
            .after = ends[i / 128 % count],
            .before = ends[i / 128 / count],
            .release = i & 1 ? 2 : 0,
            .incident = i & 2 ? 5 : 0,
            .kind = i & 4 ? (enum record_kind)(1 + i / 8 % 2 * 2) : RECORD_NONE,
            .newest_first = i & 16,
            .limit = i & 32 ? (i & 64 ? 1 : 3) : 0,
        };
        check_query(world, &query, 60);
    }
}

static void a_visitor_may_end_the_reading(void **state)
{
    struct world *world = *state;
    struct reading reading = {.stop_at = 4};
    assert_int_equal(append_some(world, 1, 20), STORE_OK);
    read_all(world, &(struct store_query){.newest_first = true}, &reading);
    assert_int_equal(reading.count, 4);
    assert_int_equal(reading.sequences[3], 17);
}

static void a_gap_or_a_repeat_is_fenced_and_writes_nothing(void **state)
{
    struct world *world = *state;
    char payloads[3][96];
    unsigned char chain[CHAIN_BYTES], after[CHAIN_BYTES];
    assert_int_equal(append_some(world, 2, 1), STORE_FENCED);
    assert_int_equal(append_some(world, 1, 5), STORE_OK);
    assert_int_equal(head_of(world, chain), 5);
    assert_int_equal(append_some(world, 5, 1), STORE_FENCED);
    assert_int_equal(append_some(world, 7, 1), STORE_FENCED);
    assert_non_null(strstr(world->error, "record 7 does not follow record 5"));
    const struct entry entries[] = {entry_of(6, payloads[0]),
                                    entry_of(7, payloads[1]),
                                    entry_of(9, payloads[2])};
    assert_int_equal(world->store->ops->append(world->store, entries, 3,
                                               world->error, ERROR_MAX),
                     STORE_FENCED);
    assert_int_equal(head_of(world, after), 5);
    assert_memory_equal(chain, after, CHAIN_BYTES);
    assert_int_equal(append_some(world, 6, 1), STORE_OK);
}

static bool is_large(void *data, const struct entry *entry)
{
    const struct entry *wanted = data;
    assert_int_equal(entry->length, wanted->length);
    assert_memory_equal(entry->payload, wanted->payload, wanted->length);
    return true;
}

static void the_largest_record_fits(void **state)
{
    struct world *world = *state;
    char *payload = malloc(RECORD_BYTES_MAX);
    assert_non_null(payload);
    memset(payload, 'x', RECORD_BYTES_MAX);
    struct entry entry = {.sequence = 1,
                          .kind = RECORD_POLICY_SET,
                          .payload = payload,
                          .length = RECORD_BYTES_MAX};
    assert_int_equal(world->store->ops->append(world->store, &entry, 1,
                                               world->error, ERROR_MAX),
                     STORE_OK);
    assert_int_equal(
        world->store->ops->read(world->store, &(struct store_query){.limit = 1},
                                is_large, &entry, world->error, ERROR_MAX),
        STORE_OK);
    free(payload);
}

/* More than store_verify() reads at once. */
/* Beside the record, outside the chain, never in what is read. */
static void windows_are_kept_beside_their_record(void **state)
{
    struct world *world = *state;
    unsigned char with[CHAIN_BYTES];
    char payload[96], *windows = NULL;
    size_t length = 7;
    struct reading reading = {.stop_at = 0};
    const struct store_query all = {0};
    struct entry entry = entry_of(1, payload);
    entry.windows = "[0.25]";
    entry.windows_length = 6;
    const struct store_ops *ops = world->store->ops;
    assert_int_equal(
        ops->append(world->store, &entry, 1, world->error, ERROR_MAX),
        STORE_OK);
    assert_int_equal(append_some(world, 2, 1), STORE_OK);
    assert_int_equal(ops->windows(world->store, 1, &windows, &length,
                                  world->error, ERROR_MAX),
                     STORE_OK);
    assert_int_equal(length, 6);
    assert_memory_equal(windows, "[0.25]", 6);
    free(windows);
    for (uint64_t sequence = 0; sequence <= 3; sequence += sequence + 2) {
        assert_int_equal(ops->windows(world->store, sequence, &windows, &length,
                                      world->error, ERROR_MAX),
                         STORE_OK);
        assert_null(windows);
        assert_int_equal(length, 0);
    }
    read_all(world, &all, &reading);
    assert_int_equal(reading.count, 2);
    assert_int_equal(head_of(world, with), 2);
}

/* Each once and in order, after it was proven; whoever has seen enough says
 * so. */
static void the_walk_shows_each_record_it_has_proven(void **state)
{
    struct world *world = *state;
    unsigned char head[CHAIN_BYTES], wanted[CHAIN_BYTES];
    struct reading reading = {.stop_at = 0};
    uint64_t last = 0;
    assert_int_equal(append_some(world, 1, 20), STORE_OK);
    (void)head_of(world, wanted);
    assert_int_equal(store_verify_each(world->store, note, &reading, &last,
                                       head, world->error, ERROR_MAX),
                     STORE_OK);
    assert_int_equal(last, 20);
    assert_memory_equal(head, wanted, CHAIN_BYTES);
    assert_int_equal(reading.count, 20);
    assert_int_equal(reading.sequences[19], 20);
    reading = (struct reading){.stop_at = 7};
    assert_int_equal(store_verify_each(world->store, note, &reading, &last,
                                       head, world->error, ERROR_MAX),
                     STORE_OK);
    assert_int_equal(reading.count, 7);
    assert_int_equal(last, 6);
}

static void a_long_journal_is_whole(void **state)
{
    struct world *world = *state;
    unsigned char head[CHAIN_BYTES], chain[CHAIN_BYTES];
    uint64_t last = 0;
    for (uint64_t i = 0; i < 36; i++) {
        assert_int_equal(append_some(world, 1 + i * 256, 256), STORE_OK);
    }
    assert_int_equal(head_of(world, head), 9216);
    assert_int_equal(
        store_verify(world->store, &last, chain, world->error, ERROR_MAX),
        STORE_OK);
    assert_int_equal(last, 9216);
    assert_memory_equal(head, chain, CHAIN_BYTES);
}

static void a_journal_goes_on_after_it_was_closed(void **state)
{
    struct world *world = *state;
    unsigned char before[CHAIN_BYTES], after[CHAIN_BYTES];
    uint64_t last = 0;
    assert_int_equal(append_some(world, 1, 10), STORE_OK);
    assert_int_equal(head_of(world, before), 10);
    world->store->ops->close(world->store);
    world->store = implementation->open(world);
    assert_non_null(world->store);
    assert_int_equal(head_of(world, after), 10);
    assert_memory_equal(before, after, CHAIN_BYTES);
    assert_int_equal(append_some(world, 11, 10), STORE_OK);
    assert_int_equal(
        store_verify(world->store, &last, after, world->error, ERROR_MAX),
        STORE_OK);
    assert_int_equal(last, 20);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        TEST(an_empty_journal_has_no_head_and_is_whole),
        TEST(what_was_appended_is_read_in_order),
        TEST(the_chain_is_what_the_contract_says),
        TEST(queries_select_as_trying_each_entry_does),
        TEST(a_visitor_may_end_the_reading),
        TEST(a_gap_or_a_repeat_is_fenced_and_writes_nothing),
        TEST(the_largest_record_fits),
        TEST(windows_are_kept_beside_their_record),
        TEST(the_walk_shows_each_record_it_has_proven),
        TEST(a_long_journal_is_whole),
        TEST(a_journal_goes_on_after_it_was_closed), /* the last one */
    };
    const size_t known = sizeof implementations / sizeof implementations[0];
    for (size_t i = 0; i < known && count == 2; i++) {
        if (!strcmp(implementations[i].name, arguments[1])) {
            implementation = &implementations[i];
        }
    }
    if (!implementation) {
        (void)fprintf(stderr, "usage: store_contract memory|sqlite\n");
        return 2;
    }
    size_t promised = sizeof tests / sizeof tests[0];
    promised -= implementation->lasts ? 0 : 1;
    return _cmocka_run_group_tests(implementation->name, tests, promised, NULL,
                                   NULL);
}
