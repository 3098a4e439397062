/* The reserve of a journal: what it promises when it is cut anywhere, when the
 * disk does not confirm, and when it belongs to another journal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/reserve.h"
#include "tests/unit/help_files.h"

#define ERROR_MAX 512
#define SLOT_B    4096
#define ENTRIES   4

/* The disk of this program confirms nothing while the first is set, or not the
 * so-manyth from now on; and it is photographed before each. */
static bool sync_fails;
static int sync_fails_at; /* 0: none */
#define PHOTOS_MAX 8
static unsigned char *photos[PHOTOS_MAX];
static int photographed = PHOTOS_MAX; /* full: not asked to */

int fdatasync(int file)
{
    if (photographed < PHOTOS_MAX) {
        unsigned char *photo = malloc(RESERVE_BYTES);
        assert_int_equal(pread(file, photo, RESERVE_BYTES, 0), RESERVE_BYTES);
        photos[photographed++] = photo;
    }
    if (sync_fails || (sync_fails_at > 0 && --sync_fails_at == 0)) {
        errno = EIO;
        return -1;
    }
    return fsync(file);
}

struct world {
    char folder[FILES_PATH_MAX];
    char journal[FILES_PATH_MAX + 16], file[FILES_PATH_MAX + 32];
    char error[ERROR_MAX];
    struct entry entries[ENTRIES];
    char payloads[ENTRIES][64];
};

static int enter(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    files_begin(world->folder);
    (void)snprintf(world->journal, sizeof world->journal, "%s/journal.db",
                   world->folder);
    (void)snprintf(world->file, sizeof world->file, "%s.reserve",
                   world->journal);
    for (uint64_t i = 0; i < ENTRIES; i++) {
        int length = snprintf(world->payloads[i], sizeof world->payloads[i],
                              "{\"sequence\":%d}", (int)i + 11);
        world->entries[i] = (struct entry){.sequence = i + 11,
                                           .at = -5,
                                           .kind = RECORD_ROLLBACK_MOVED,
                                           .release = i,
                                           .incident = 7,
                                           .payload = world->payloads[i],
                                           .length = (size_t)length};
    }
    sync_fails = false;
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

static const unsigned char chain[CHAIN_BYTES] = "the chain of record 10";

static struct reserve *open_reserve(struct world *world)
{
    enum store_result result = STORE_CORRUPT;
    struct reserve *reserve =
        reserve_open(world->journal, &result, world->error, ERROR_MAX);
    if (!reserve) {
        print_error("%s\n", world->error);
    }
    assert_non_null(reserve);
    assert_int_equal(result, STORE_OK);
    return reserve;
}

static enum store_result put(struct world *world, struct reserve *reserve,
                             size_t count)
{
    return reserve_put(reserve, 10, chain, world->entries, count, world->error,
                       ERROR_MAX);
}

static size_t held(const struct reserve *reserve)
{
    uint64_t after = 0, last = 0;
    reserve_holds(reserve, &after, &last);
    return (size_t)(last - after);
}

static void check_holds(struct world *world, struct reserve *reserve,
                        size_t wanted)
{
    struct entry *entries = NULL;
    size_t count = 0;
    char *bytes = NULL;
    unsigned char before[CHAIN_BYTES];
    assert_int_equal(reserve_read(reserve, &entries, &count, &bytes, before,
                                  world->error, ERROR_MAX),
                     STORE_OK);
    assert_int_equal(count, wanted);
    if (count > 0) {
        assert_memory_equal(before, chain, CHAIN_BYTES);
    }
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(entries[i].sequence, world->entries[i].sequence);
        assert_int_equal(entries[i].at, -5);
        assert_int_equal(entries[i].kind, RECORD_ROLLBACK_MOVED);
        assert_int_equal(entries[i].release, i);
        assert_int_equal(entries[i].incident, 7);
        assert_int_equal(entries[i].length, world->entries[i].length);
        assert_memory_equal(entries[i].payload, world->payloads[i],
                            entries[i].length);
    }
    free(entries);
    free(bytes);
}

static unsigned char *read_file(const struct world *world)
{
    unsigned char *bytes = malloc(RESERVE_BYTES);
    int file = open(world->file, O_RDONLY);
    assert_true(file >= 0);
    assert_int_equal(read(file, bytes, RESERVE_BYTES), RESERVE_BYTES);
    (void)close(file);
    return bytes;
}

static void write_part(const struct world *world, const unsigned char *bytes,
                       size_t at, size_t length)
{
    int file = open(world->file, O_WRONLY);
    assert_true(file >= 0);
    assert_int_equal(pwrite(file, bytes + at, length, (off_t)at), length);
    (void)close(file);
}

static void what_was_put_is_there_after_a_start(void **state)
{
    struct world *world = *state;
    struct stat file;
    uint64_t after = 0, last = 0;
    assert_false(reserve_peek(world->journal, &after, &last));
    assert_int_not_equal(stat(world->file, &file), 0); /* it makes none */
    struct reserve *reserve = open_reserve(world);
    check_holds(world, reserve, 0);
    assert_int_equal(put(world, reserve, 2), STORE_OK);
    assert_int_equal(put(world, reserve, 2), STORE_OK); /* known already */
    assert_int_equal(put(world, reserve, ENTRIES), STORE_OK);
    check_holds(world, reserve, ENTRIES);
    reserve_close(reserve);
    assert_true(reserve_peek(world->journal, &after, &last));
    assert_int_equal(after, 10);
    assert_int_equal(last, 10 + ENTRIES);
    reserve = open_reserve(world);
    check_holds(world, reserve, ENTRIES);
    assert_int_equal(reserve_clear(reserve, world->error, ERROR_MAX), STORE_OK);
    check_holds(world, reserve, 0);
    reserve_close(reserve);
    reserve = open_reserve(world);
    check_holds(world, reserve, 0);
    reserve_close(reserve);
    assert_int_equal(stat(world->file, &file), 0);
    assert_int_equal(file.st_size, RESERVE_BYTES);
    assert_true(file.st_blocks * 512 >= RESERVE_BYTES); /* no holes */
    assert_int_equal(file.st_mode & 0777, 0600);
}

/* A start after a crash in the middle of a put: all of it or nothing. */
static void check_cut(struct world *world, size_t before, size_t after,
                      size_t length)
{
    struct reserve *reserve = open_reserve(world);
    size_t count = held(reserve);
    assert_true(count == before || (length > 0 && count == after));
    check_holds(world, reserve, count);
    reserve_close(reserve);
}

/* The frames are cut at every byte; then they are whole, and the slot is. */
static void cut_anywhere_it_holds_all_or_what_it_held(void **state)
{
    struct world *world = *state;
    for (size_t known = 0; known <= 2; known += 2) {
        struct reserve *reserve = open_reserve(world);
        if (known > 0) {
            assert_int_equal(put(world, reserve, known), STORE_OK);
        }
        unsigned char *before = read_file(world);
        assert_int_equal(put(world, reserve, ENTRIES), STORE_OK);
        unsigned char *after = read_file(world);
        reserve_close(reserve);
        write_part(world, before, 0, RESERVE_BYTES);
        for (size_t length = 0; length <= 300; length++) {
            write_part(world, after, RESERVE_FRAMES_AT, length);
            check_cut(world, known, known, length);
        }
        const size_t slot = memcmp(before, after, 512) != 0 ? 0 : SLOT_B;
        assert_int_equal(memcmp(before + SLOT_B, after + SLOT_B, 512) != 0,
                         slot == SLOT_B);
        for (size_t length = 0; length <= 200; length++) {
            write_part(world, after, slot, length);
            check_cut(world, known, ENTRIES, length);
        }
        reserve = open_reserve(world);
        check_holds(world, reserve, ENTRIES);
        reserve_close(reserve);
        free(before);
        free(after);
        assert_int_equal(unlink(world->file), 0);
    }
}

/* Never a guess: what was promised and is otherwise now is refused. */
static void a_flipped_bit_in_what_was_promised_is_refused(void **state)
{
    struct world *world = *state;
    struct reserve *reserve = open_reserve(world);
    assert_int_equal(put(world, reserve, 1), STORE_OK);
    reserve_close(reserve);
    unsigned char *bytes = read_file(world);
    size_t length = 48 + world->entries[0].length;
    for (size_t i = RESERVE_FRAMES_AT; i < RESERVE_FRAMES_AT + length; i++) {
        struct entry *entries = NULL;
        size_t count = 0;
        char *text = NULL;
        unsigned char before[CHAIN_BYTES];
        bytes[i] ^= 0x10;
        write_part(world, bytes, i, 1);
        bytes[i] ^= 0x10;
        reserve = open_reserve(world);
        assert_int_equal(reserve_read(reserve, &entries, &count, &text, before,
                                      world->error, ERROR_MAX),
                         STORE_CORRUPT);
        assert_non_null(strstr(world->error, "look at what is live"));
        reserve_close(reserve);
        write_part(world, bytes, i, 1);
    }
    free(bytes);
}

static void check_not_opened(struct world *world, const char *wanted)
{
    enum store_result result = STORE_OK;
    assert_null(reserve_open(world->journal, &result, world->error, ERROR_MAX));
    assert_int_equal(result, STORE_CORRUPT);
    assert_non_null(strstr(world->error, wanted));
    assert_null(strchr(world->error, '\n'));
}

static void without_a_slot_or_cut_it_is_refused(void **state)
{
    struct world *world = *state;
    unsigned char *zeroes = calloc(1, RESERVE_BYTES);
    reserve_close(open_reserve(world));
    write_part(world, zeroes, 0, RESERVE_FRAMES_AT);
    check_not_opened(world, "it is damaged");
    assert_int_equal(truncate(world->file, RESERVE_BYTES - 1), 0);
    check_not_opened(world, "it was cut");
    free(zeroes);
}

static void what_does_not_fit_is_refused_as_a_whole(void **state)
{
    struct world *world = *state;
    const size_t big = RESERVE_BYTES / 2;
    char *payload = malloc(big);
    struct reserve *reserve = open_reserve(world);
    memset(payload, 'x', big);
    assert_int_equal(put(world, reserve, 1), STORE_OK);
    for (size_t i = 1; i < 3; i++) {
        world->entries[i].payload = payload;
        world->entries[i].length = big;
    }
    assert_int_equal(put(world, reserve, 3), STORE_UNAVAILABLE);
    assert_non_null(strstr(world->error, "it is full"));
    check_holds(world, reserve, 1);
    assert_int_equal(put(world, reserve, 2), STORE_OK);
    assert_int_equal(held(reserve), 2);
    reserve_close(reserve);
    free(payload);
}

/* What a disk did not confirm counts for nothing, and does no harm later, also
 * when the journal came back meanwhile and the next outage begins elsewhere. */
static void what_is_not_confirmed_does_not_count(void **state)
{
    struct world *world = *state;
    struct reserve *reserve = open_reserve(world);
    sync_fails_at = 1; /* the frames alone */
    assert_int_equal(put(world, reserve, 2), STORE_UNAVAILABLE);
    assert_int_equal(held(reserve), 0);
    sync_fails = true;
    assert_int_equal(put(world, reserve, 2), STORE_UNAVAILABLE);
    assert_non_null(strstr(world->error, "Input/output error"));
    assert_int_equal(held(reserve), 0);
    sync_fails = false;
    assert_int_equal(put(world, reserve, ENTRIES), STORE_OK);
    check_holds(world, reserve, ENTRIES);
    sync_fails = true;
    assert_int_equal(reserve_clear(reserve, world->error, ERROR_MAX),
                     STORE_UNAVAILABLE);
    check_holds(world, reserve, ENTRIES);
    sync_fails = false;
    assert_int_equal(reserve_clear(reserve, world->error, ERROR_MAX), STORE_OK);
    sync_fails = true;
    assert_int_equal(put(world, reserve, 2), STORE_UNAVAILABLE);
    sync_fails = false;
    assert_int_equal(reserve_put(reserve, 12, chain, world->entries + 2, 1,
                                 world->error, ERROR_MAX),
                     STORE_OK);
    reserve_close(reserve);
    reserve = open_reserve(world);
    assert_int_equal(held(reserve), 1);
    reserve_close(reserve);
}

/* The slot's write may have happened although it was not confirmed: the next
 * outage begins elsewhere, and must not write under a slot that still counts.
 */
static void a_slot_that_may_be_there_is_taken_back_first(void **state)
{
    struct world *world = *state;
    struct reserve *reserve = open_reserve(world);
    sync_fails_at = 2; /* frames, then the slot */
    assert_int_equal(put(world, reserve, 2), STORE_UNAVAILABLE);
    photographed = 0;
    assert_int_equal(reserve_put(reserve, 12, chain, world->entries + 2, 1,
                                 world->error, ERROR_MAX),
                     STORE_OK);
    const int count = photographed;
    photographed = PHOTOS_MAX;
    reserve_close(reserve);
    assert_int_equal(count, 3);
    for (int i = 0; i < count; i++) {
        struct entry *entries = NULL;
        size_t found = 0;
        char *bytes = NULL;
        unsigned char before[CHAIN_BYTES];
        write_part(world, photos[i], 0, RESERVE_BYTES);
        reserve = open_reserve(world); /* the power went here */
        assert_int_equal(reserve_read(reserve, &entries, &found, &bytes, before,
                                      world->error, ERROR_MAX),
                         STORE_OK);
        assert_int_equal(found, i == 2 ? 1 : 0);
        reserve_close(reserve);
        free(entries);
        free(bytes);
        free(photos[i]);
    }
}

static void what_nobody_would_find_is_not_durable(void **state)
{
    struct world *world = *state;
    struct reserve *reserve = open_reserve(world);
    assert_int_equal(unlink(world->file), 0);
    assert_int_equal(put(world, reserve, 1), STORE_UNAVAILABLE);
    assert_non_null(strstr(world->error, "removed or replaced"));
    reserve_close(reserve);
}

/* --- With a journal ------------------------------------------------------- */

static struct store *open_journal(struct world *world, const char *path)
{
    struct store *store =
        store_sqlite_open(path, STORE_WRITE, world->error, ERROR_MAX);
    if (!store) {
        print_error("%s\n", world->error);
    }
    assert_non_null(store);
    return store;
}

/* Records @first to @last, of a controller whose name is a letter. */
static enum store_result write_records(struct world *world, struct store *store,
                                       uint64_t first, uint64_t last,
                                       char letter)
{
    struct entry entries[ENTRIES] = {0};
    char payloads[ENTRIES][16];
    size_t count = (size_t)(last - first + 1);
    for (size_t i = 0; i < count; i++) {
        int length = snprintf(payloads[i], sizeof payloads[i], "%c%d", letter,
                              (int)(first + i));
        entries[i] = (struct entry){.sequence = first + i,
                                    .kind = RECORD_NOTICE,
                                    .payload = payloads[i],
                                    .length = (size_t)length};
    }
    return letter == 'r' ? store->ops->reserve(store, entries, count,
                                               world->error, ERROR_MAX)
                         : store->ops->append(store, entries, count,
                                              world->error, ERROR_MAX);
}

static bool note_payload(void *data, const struct entry *entry)
{
    char *text = data;
    size_t used = strlen(text);
    (void)snprintf(text + used, 64 - used, "%.*s ", (int)entry->length,
                   entry->payload);
    return true;
}

static void check_journal(struct world *world, const char *wanted)
{
    const struct store_query all = {0};
    unsigned char head[CHAIN_BYTES];
    char text[64] = "";
    uint64_t last = 0;
    struct store *store = open_journal(world, world->journal);
    assert_int_equal(store->ops->read(store, &all, note_payload, text,
                                      world->error, ERROR_MAX),
                     STORE_OK);
    assert_string_equal(text, wanted);
    assert_int_equal(store_verify(store, &last, head, world->error, ERROR_MAX),
                     STORE_OK);
    store->ops->close(store);
}

static void a_start_takes_in_what_the_journal_has_not(void **state)
{
    struct world *world = *state;
    struct store *store = open_journal(world, world->journal);
    assert_int_equal(write_records(world, store, 1, 2, 'a'), STORE_OK);
    assert_int_equal(write_records(world, store, 3, 5, 'r'), STORE_OK);
    store->ops->close(store);
    check_journal(world, "a1 a2 r3 r4 r5 ");
    check_journal(world, "a1 a2 r3 r4 r5 ");
}

/* A commit that failed may have happened; one that came later empties it. */
static void what_the_journal_has_is_not_taken_twice(void **state)
{
    struct world *world = *state;
    struct store *store = open_journal(world, world->journal);
    assert_int_equal(write_records(world, store, 1, 3, 'r'), STORE_OK);
    unsigned char *bytes = read_file(world);
    store->ops->close(store);
    check_journal(world, "r1 r2 r3 ");
    write_part(world, bytes, 0, RESERVE_BYTES);
    store = open_journal(world, world->journal);
    assert_int_equal(write_records(world, store, 4, 4, 'a'), STORE_OK);
    store->ops->close(store);
    write_part(world, bytes, 0, RESERVE_BYTES);
    check_journal(world, "r1 r2 r3 a4 ");
    free(bytes);
}

static void an_append_of_it_all_empties_it(void **state)
{
    struct world *world = *state;
    struct store *store = open_journal(world, world->journal);
    assert_int_equal(write_records(world, store, 1, 2, 'r'), STORE_OK);
    assert_int_equal(write_records(world, store, 1, 1, 'a'), STORE_OK);
    assert_int_equal(write_records(world, store, 2, 4, 'r'), STORE_OK);
    assert_int_equal(write_records(world, store, 2, 4, 'a'), STORE_OK);
    store->ops->close(store);
    check_journal(world, "a1 a2 a3 a4 ");
}

static void check_foreign(struct world *world)
{
    struct store *store =
        store_sqlite_open(world->journal, STORE_WRITE, world->error, ERROR_MAX);
    assert_null(store);
    assert_non_null(strstr(world->error, "which do not follow its record"));
    assert_non_null(strstr(world->error, "remove the reserve"));
    assert_null(strchr(world->error, '\n'));
}

/* Another controller went on with the journal, or it is an older copy, or
 * another one: whose rollback this was nobody can say. */
static void a_reserve_that_does_not_follow_is_refused(void **state)
{
    struct world *world = *state;
    struct store *store = open_journal(world, world->journal);
    assert_int_equal(write_records(world, store, 1, 2, 'a'), STORE_OK);
    assert_int_equal(write_records(world, store, 3, 4, 'r'), STORE_OK);
    unsigned char *bytes = read_file(world);
    assert_int_equal(write_records(world, store, 3, 3, 'b'), STORE_OK);
    store->ops->close(store);
    write_part(world, bytes, 0, RESERVE_BYTES);
    check_foreign(world);
    assert_int_equal(unlink(world->journal), 0);
    check_foreign(world); /* an empty one is too short */
    (void)unlink(world->file);
    store = open_journal(world, world->journal);
    assert_int_equal(write_records(world, store, 1, 2, 'c'), STORE_OK);
    store->ops->close(store);
    write_part(world, bytes, 0, RESERVE_BYTES);
    check_foreign(world);
    assert_int_equal(unlink(world->file), 0);
    check_journal(world, "c1 c2 ");
    free(bytes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_put_is_there_after_a_start),
        TEST(cut_anywhere_it_holds_all_or_what_it_held),
        TEST(a_flipped_bit_in_what_was_promised_is_refused),
        TEST(without_a_slot_or_cut_it_is_refused),
        TEST(what_does_not_fit_is_refused_as_a_whole),
        TEST(what_is_not_confirmed_does_not_count),
        TEST(a_slot_that_may_be_there_is_taken_back_first),
        TEST(what_nobody_would_find_is_not_durable),
        TEST(a_start_takes_in_what_the_journal_has_not),
        TEST(what_the_journal_has_is_not_taken_twice),
        TEST(an_append_of_it_all_empties_it),
        TEST(a_reserve_that_does_not_follow_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
