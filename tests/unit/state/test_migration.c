/* Journals of every older schema: they open, come forward, and say the same.
 * tests/data/journal/ holds one of each, as SQL. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "state/store_sqlite.h"
#include "tests/unit/help_files.h"

#define ERROR_MAX 512

static const struct {
    int schema;
    const char *file;
    uint64_t records;
    const char *head; /* of the chain, as the lastgood of then said */
} journals[] = {
    {1, "schema-1.sql", 6,
     "15888e42bea1e7eb1b0919a0fabbf67e833e312403cf99128100f2a74af565f9"},
};

struct world {
    char folder[FILES_PATH_MAX], file[FILES_PATH_MAX + 16];
    char error[ERROR_MAX];
};

static int enter(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    files_begin(world->folder);
    (void)snprintf(world->file, sizeof world->file, "%s/l.db", world->folder);
    *state = world;
    return 0;
}

static int leave(void **state)
{
    struct world *world = *state;
    files_end(world->folder);
    free(world);
    return 0;
}

static void run_sql(const struct world *world, const char *sql)
{
    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open(world->file, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
}

static void make(struct world *world, const char *name)
{
    char path[512], *sql = calloc(1, 1 << 20);
    (void)snprintf(path, sizeof path, "%s/data/journal/%s", TESTS_DIR, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(sql, 1, (1 << 20) - 1, file) > 0);
    (void)fclose(file);
    (void)unlink(world->file); /* of the journal before */
    run_sql(world, sql);
    free(sql);
}

static struct store *open_it(struct world *world, enum store_access access)
{
    struct store *store =
        store_sqlite_open(world->file, access, world->error, ERROR_MAX);
    if (!store) {
        print_error("%s\n", world->error);
    }
    assert_non_null(store);
    return store;
}

static bool can_be_read(void *data, const struct entry *entry)
{
    struct record record;
    char error[256], *body = NULL;
    assert_true(record_from_json(entry->payload, entry->length, &record, &body,
                                 error, sizeof error));
    assert_int_equal(record.sequence, entry->sequence);
    free(body);
    ++*(uint64_t *)data;
    return true;
}

/* Every record, and the chain's head. */
static void check(struct world *world, struct store *store, size_t index)
{
    const struct store_query all = {0};
    unsigned char head[CHAIN_BYTES];
    char text[2 * CHAIN_BYTES + 1], *windows = NULL;
    uint64_t last = 0, count = 0;
    size_t length = 0;
    assert_int_equal(store_verify(store, &last, head, world->error, ERROR_MAX),
                     STORE_OK);
    assert_int_equal(last, journals[index].records);
    for (size_t i = 0; i < CHAIN_BYTES; i++) {
        (void)snprintf(text + 2 * i, 3, "%02x", head[i]);
    }
    assert_string_equal(text, journals[index].head);
    assert_int_equal(store->ops->read(store, &all, can_be_read, &count,
                                      world->error, ERROR_MAX),
                     STORE_OK);
    assert_int_equal(count, journals[index].records);
    assert_int_equal(store->ops->windows(store, 1, &windows, &length,
                                         world->error, ERROR_MAX),
                     STORE_OK);
    assert_null(windows);
}

/* Only a writer brings it forward, once; a reader reads it as it is. */
static void an_older_journal_is_read_and_comes_forward(void **state)
{
    struct world *world = *state;
    for (size_t i = 0; i < sizeof journals / sizeof journals[0]; i++) {
        const enum store_access accesses[] = {STORE_READ_ONLY, STORE_WRITE,
                                              STORE_WRITE, STORE_READ_ONLY};
        make(world, journals[i].file);
        for (size_t k = 0; k < 4; k++) {
            struct store *store = open_it(world, accesses[k]);
            const struct sqlite_store *sqlite = (struct sqlite_store *)store;
            assert_int_equal(sqlite->schema,
                             k == 0 ? journals[i].schema : schema_newest());
            check(world, store, i);
            store->ops->close(store);
        }
    }
}

static void it_goes_on_with_new_records(void **state)
{
    struct world *world = *state;
    const struct entry entry = {.sequence = journals[0].records + 1,
                                .at = 5,
                                .kind = RECORD_VERDICT,
                                .payload = "{}",
                                .length = 2,
                                .windows = "[1]",
                                .windows_length = 3};
    char *windows = NULL;
    size_t length = 0;
    make(world, journals[0].file);
    struct store *store = open_it(world, STORE_WRITE);
    assert_int_equal(
        store->ops->append(store, &entry, 1, world->error, ERROR_MAX),
        STORE_OK);
    assert_int_equal(store->ops->windows(store, entry.sequence, &windows,
                                         &length, world->error, ERROR_MAX),
                     STORE_OK);
    assert_int_equal(length, 3);
    assert_memory_equal(windows, "[1]", 3);
    free(windows);
    store->ops->close(store);
}

static void a_schema_of_tomorrow_is_refused(void **state)
{
    struct world *world = *state;
    make(world, journals[0].file);
    run_sql(world, "PRAGMA user_version = 999");
    assert_null(
        store_sqlite_open(world->file, STORE_WRITE, world->error, ERROR_MAX));
    assert_non_null(strstr(world->error, "a newer lastgood wrote it (schema "
                                         "999"));
    assert_non_null(strstr(world->error, "run the newer one"));
}

/* A new schema needs a journal of the one before in tests/data/journal. */
static void every_older_schema_has_its_journal(void **state)
{
    (void)state;
    assert_int_equal(sizeof journals / sizeof journals[0], schema_newest() - 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_older_journal_is_read_and_comes_forward),
        TEST(it_goes_on_with_new_records),
        TEST(a_schema_of_tomorrow_is_refused),
        cmocka_unit_test(every_older_schema_has_its_journal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
