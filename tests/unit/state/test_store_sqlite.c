/* What can befall a file, and the one sentence it ends in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "state/store_sqlite.h"

#define ERROR_MAX 512
#define NOBODY    65534

struct world {
    struct store *store;
    char folder[64];
    char file[96];
    char error[ERROR_MAX];
};

static int enter(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    (void)snprintf(world->folder, sizeof world->folder,
                   "/tmp/lastgood-sqlite-XXXXXX");
    if (!mkdtemp(world->folder) || chmod(world->folder, 0777) != 0) {
        return -1;
    }
    (void)snprintf(world->file, sizeof world->file, "%s/journal.db",
                   world->folder);
    *state = world;
    return 0;
}

static int remove_one(const char *path, const struct stat *file, int kind,
                      struct FTW *ftw)
{
    (void)file;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static void close_store(struct world *world)
{
    if (world->store) {
        world->store->ops->close(world->store);
        world->store = NULL;
    }
}

static int leave(void **state)
{
    struct world *world = *state;
    close_store(world);
    int code = nftw(world->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(world);
    return code;
}

static void open_store(struct world *world)
{
    world->store =
        store_sqlite_open(world->file, STORE_WRITE, world->error, ERROR_MAX);
    if (!world->store) {
        print_error("%s\n", world->error);
    }
    assert_non_null(world->store);
}

static void check_error(struct world *world, const char *wanted)
{
    if (!strstr(world->error, wanted)) {
        print_error("wanted '%s', got '%s'\n", wanted, world->error);
    }
    assert_non_null(strstr(world->error, wanted));
    assert_null(strchr(world->error, '\n'));
}

static void check_refused(struct world *world, const char *path,
                          enum store_access access, const char *wanted)
{
    world->error[0] = '\0';
    struct store *store =
        store_sqlite_open(path, access, world->error, ERROR_MAX);
    assert_null(store);
    check_error(world, wanted);
}

static enum store_result append(struct world *world, uint64_t first,
                                size_t count)
{
    char payloads[100][200];
    struct entry entries[100];
    assert_true(count <= 100);
    for (size_t i = 0; i < count; i++) {
        int length =
            snprintf(payloads[i], 200, "{\"sequence\":%llu,\"x\":\"%0*d\"}",
                     (unsigned long long)(first + i), 150, 0);
        entries[i] = (struct entry){.sequence = first + i,
                                    .kind = RECORD_NOTICE,
                                    .release = first,
                                    .payload = payloads[i],
                                    .length = (size_t)length};
    }
    return world->store->ops->append(world->store, entries, count, world->error,
                                     ERROR_MAX);
}

static enum store_result verify(struct world *world, uint64_t *ret_last)
{
    unsigned char chain[CHAIN_BYTES];
    return store_verify(world->store, ret_last, chain, world->error, ERROR_MAX);
}

static void expect_whole(struct world *world, uint64_t last)
{
    uint64_t found = 0;
    assert_int_equal(verify(world, &found), STORE_OK);
    assert_int_equal(found, last);
}

/* As an operator would, beside the daemon. */
static void execute(const char *path, const char *sql)
{
    sqlite3 *database = NULL;
    assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
}

static void path_of(struct world *world, const char *suffix, char path[128])
{
    (void)snprintf(path, 128, "%s%s", world->file, suffix);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void a_second_writer_is_refused_and_told_who_holds_it(void **state)
{
    struct world *world = *state;
    char wanted[128];
    open_store(world);
    (void)snprintf(wanted, sizeof wanted,
                   "another lastgood (process %ld) has it open",
                   (long)getpid());
    check_refused(world, world->file, STORE_WRITE, wanted);
    close_store(world);
    open_store(world);
}

static void a_visitor_reads_while_the_writer_writes(void **state)
{
    struct world *world = *state;
    open_store(world);
    assert_int_equal(append(world, 1, 10), STORE_OK);
    struct world visitor = *world;
    visitor.store = store_sqlite_open(world->file, STORE_READ_ONLY,
                                      world->error, ERROR_MAX);
    assert_non_null(visitor.store);
    expect_whole(&visitor, 10);
    assert_int_equal(append(world, 11, 10), STORE_OK);
    expect_whole(&visitor, 20);
    close_store(&visitor);
    assert_int_equal(append(world, 21, 10), STORE_OK);
    expect_whole(world, 30);
}

static void a_file_is_readable_for_its_owner_only(void **state)
{
    struct world *world = *state;
    struct stat file;
    open_store(world);
    assert_int_equal(append(world, 1, 1), STORE_OK);
    assert_int_equal(stat(world->file, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0600);
}

static void a_missing_place_is_named(void **state)
{
    struct world *world = *state;
    char path[128], wide[600];
    (void)snprintf(path, sizeof path, "%s/nowhere/journal.db", world->folder);
    check_refused(world, path, STORE_WRITE,
                  "its folder: No such file or directory; create it");
    check_refused(world, world->file, STORE_READ_ONLY, "there is no such file");
    check_refused(world, world->folder, STORE_WRITE, "it is not a file");
    check_refused(world, "", STORE_WRITE, "its path is empty or too long");
    memset(wide, 'a', sizeof wide);
    wide[sizeof wide - 1] = '\0';
    check_refused(world, wide, STORE_WRITE, "its path is empty or too long");
    assert_int_equal(access(path, F_OK), -1);
}

static void a_link_to_the_file_is_refused_one_to_the_folder_is_not(void **state)
{
    struct world *world = *state;
    char link_to_file[128], link_to_folder[128], path[256];
    open_store(world);
    close_store(world);
    (void)snprintf(link_to_file, sizeof link_to_file, "%s/link", world->folder);
    (void)snprintf(link_to_folder, sizeof link_to_folder, "%s/here",
                   world->folder);
    (void)snprintf(path, sizeof path, "%s/journal.db", link_to_folder);
    assert_int_equal(symlink(world->file, link_to_file), 0);
    assert_int_equal(symlink(world->folder, link_to_folder), 0);
    check_refused(world, link_to_file, STORE_WRITE, "it is a symbolic link");
    struct store *store =
        store_sqlite_open(path, STORE_WRITE, world->error, ERROR_MAX);
    assert_non_null(store);
    check_refused(world, world->file, STORE_WRITE, "another lastgood");
    store->ops->close(store);
}

static void what_is_not_ours_is_refused_and_untouched(void **state)
{
    struct world *world = *state;
    char text[8] = "";
    write_text(world->file, "# a letter to a friend, longer than a header of "
                            "SQLite has to be, which are 100 bytes; so it goes "
                            "on for another line.\n");
    check_refused(world, world->file, STORE_WRITE,
                  "it is not an SQLite database");
    FILE *file = fopen(world->file, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    assert_string_equal(text, "# a let");
    assert_int_equal(fclose(file), 0);
    assert_int_equal(unlink(world->file), 0);

    execute(world->file, "CREATE TABLE pictures (name TEXT)");
    check_refused(world, world->file, STORE_WRITE,
                  "it is another program's database");
    check_refused(world, world->file, STORE_READ_ONLY,
                  "it is another program's database");
    execute(world->file, "INSERT INTO pictures VALUES ('a tree')");
}

static void a_newer_schema_is_refused(void **state)
{
    struct world *world = *state;
    open_store(world);
    assert_int_equal(append(world, 1, 1), STORE_OK);
    close_store(world);
    execute(world->file, "PRAGMA user_version = 99");
    check_refused(
        world, world->file, STORE_WRITE,
        "a newer lastgood wrote it (schema 99, this version knows 2)");
    check_refused(world, world->file, STORE_READ_ONLY, "run the newer one");
}

/* The journal's own name was written together with its schema's number. */
static void a_schema_without_a_number_is_refused(void **state)
{
    struct world *world = *state;
    open_store(world);
    assert_int_equal(append(world, 1, 1), STORE_OK);
    close_store(world);
    execute(world->file, "PRAGMA user_version = -1");
    check_refused(world, world->file, STORE_WRITE, "its schema has no number");
    execute(world->file, "PRAGMA user_version = 0");
    check_refused(world, world->file, STORE_READ_ONLY,
                  "its schema has no number");
}

/* A page that holds nothing but payloads: opening cannot see it. */
static void damage(struct world *world)
{
    struct stat status;
    int file = open(world->file, O_RDWR);
    assert_true(file >= 0);
    assert_int_equal(fstat(file, &status), 0);
    for (off_t at = 0; at + 4 < status.st_size; at++) {
        char bytes[16] = "";
        assert_true(pread(file, bytes, 15, at) > 0);
        if (!strncmp(bytes, "\"sequence\":57,", 14)) {
            assert_int_equal(pwrite(file, "\"sequence\":75,", 14, at), 14);
        }
    }
    assert_int_equal(close(file), 0);
}

static void a_changed_payload_is_found_by_the_chain(void **state)
{
    struct world *world = *state;
    uint64_t last = 0;
    open_store(world);
    assert_int_equal(append(world, 1, 100), STORE_OK);
    close_store(world);
    damage(world);
    open_store(world);
    assert_int_equal(verify(world, &last), STORE_CORRUPT);
    assert_int_equal(last, 56);
    check_error(world, "record 57 is not what was written");
}

static void a_damaged_page_ends_the_reading_with_what_is_whole(void **state)
{
    struct world *world = *state;
    uint64_t last = 0;
    open_store(world);
    assert_int_equal(append(world, 1, 100), STORE_OK);
    close_store(world);
    int file = open(world->file, O_RDWR);
    assert_true(file >= 0);
    char page[4096];
    memset(page, 0x5a, sizeof page);
    assert_int_equal(pwrite(file, page, sizeof page, 8 * 4096), 4096);
    assert_int_equal(close(file), 0);
    open_store(world);
    assert_int_equal(verify(world, &last), STORE_CORRUPT);
    assert_true(last > 0);
    assert_true(last < 100);
    check_error(world, "the file is damaged");
}

/* After an unclean end the file is looked at before it is used. */
static void damage_after_an_unclean_end_is_found_at_the_start(void **state)
{
    struct world *world = *state;
    char path[128], page[4096];
    open_store(world);
    assert_int_equal(append(world, 1, 100), STORE_OK);
    close_store(world);
    int file = open(world->file, O_RDWR);
    assert_true(file >= 0);
    memset(page, 0x5a, sizeof page);
    assert_int_equal(pwrite(file, page, sizeof page, 8 * 4096), 4096);
    assert_int_equal(close(file), 0);
    path_of(world, "-wal", path);
    write_text(path, "cut short");
    check_refused(world, world->file, STORE_WRITE, "the file is damaged");
}

static void a_missing_record_is_found(void **state)
{
    struct world *world = *state;
    uint64_t last = 0;
    open_store(world);
    assert_int_equal(append(world, 1, 20), STORE_OK);
    close_store(world);
    execute(world->file, "DELETE FROM journal WHERE sequence = 7");
    open_store(world);
    assert_int_equal(verify(world, &last), STORE_CORRUPT);
    assert_int_equal(last, 6);
    check_error(world, "record 7 is missing after record 6");
}

static bool is_erased(void *data, const struct entry *entry)
{
    *(bool *)data = !entry->payload && entry->length == 0;
    return false;
}

static void an_erased_payload_leaves_the_chain_whole(void **state)
{
    struct world *world = *state;
    bool erased = false;
    open_store(world);
    assert_int_equal(append(world, 1, 20), STORE_OK);
    close_store(world);
    execute(world->file,
            "UPDATE journal SET payload = NULL WHERE sequence = 7");
    open_store(world);
    expect_whole(world, 20);
    assert_int_equal(
        world->store->ops->read(world->store, &(struct store_query){.after = 6},
                                is_erased, &erased, world->error, ERROR_MAX),
        STORE_OK);
    assert_true(erased);
}

static void a_removed_file_is_not_written_and_may_come_back(void **state)
{
    struct world *world = *state;
    char away[128], log[128], log_away[128];
    path_of(world, ".away", away);
    path_of(world, "-wal", log);
    path_of(world, "-wal.away", log_away);
    open_store(world);
    assert_int_equal(append(world, 1, 5), STORE_OK);
    assert_int_equal(rename(world->file, away), 0);
    assert_int_equal(append(world, 6, 5), STORE_UNAVAILABLE);
    check_error(world, "the file was removed or replaced while it was open");
    write_text(world->file, "");
    assert_int_equal(append(world, 6, 5), STORE_UNAVAILABLE);
    check_error(world, "put it back, or restart");
    assert_int_equal(rename(away, world->file), 0);
    assert_int_equal(append(world, 6, 5), STORE_OK);
    close_store(world);
    open_store(world);
    expect_whole(world, 10);
}

/* The log has no name any more, but what it holds is not lost. */
static void a_removed_log_loses_nothing(void **state)
{
    struct world *world = *state;
    char log[128];
    path_of(world, "-wal", log);
    open_store(world);
    assert_int_equal(append(world, 1, 5), STORE_OK);
    assert_int_equal(unlink(log), 0);
    assert_int_equal(append(world, 6, 5), STORE_OK);
    assert_int_equal(access(log, F_OK), 0);
    close_store(world);
    open_store(world);
    expect_whole(world, 10);
}

static void another_writer_is_noticed(void **state)
{
    struct world *world = *state;
    open_store(world);
    assert_int_equal(append(world, 1, 5), STORE_OK);
    execute(world->file,
            "INSERT INTO journal SELECT 6, at, kind, release, incident,"
            " payload, payload_hash, chain FROM journal WHERE sequence = 5");
    assert_int_equal(append(world, 6, 1), STORE_FENCED);
    check_error(world, "someone else wrote record 6");
}

static void a_writing_visitor_makes_it_wait(void **state)
{
    struct world *world = *state;
    sqlite3 *visitor = NULL;
    open_store(world);
    assert_int_equal(append(world, 1, 5), STORE_OK);
    assert_int_equal(sqlite3_open(world->file, &visitor), SQLITE_OK);
    assert_int_equal(sqlite3_exec(visitor, "BEGIN IMMEDIATE", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(append(world, 6, 5), STORE_UNAVAILABLE);
    check_error(world, "another program is writing to it");
    assert_int_equal(sqlite3_exec(visitor, "ROLLBACK", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(append(world, 6, 5), STORE_OK);
    assert_int_equal(sqlite3_close(visitor), SQLITE_OK);
    expect_whole(world, 10);
}

/* As after a failure: the next call connects anew. */
static void drop_connection(struct world *world)
{
    sqlite_disconnect((struct sqlite_store *)world->store);
}

static void a_dropped_connection_is_made_again(void **state)
{
    struct world *world = *state;
    unsigned char chain[CHAIN_BYTES];
    uint64_t sequence = 0;
    open_store(world);
    assert_int_equal(append(world, 1, 5), STORE_OK);
    drop_connection(world);
    expect_whole(world, 5);
    drop_connection(world);
    assert_int_equal(world->store->ops->head(world->store, &sequence, chain,
                                             world->error, ERROR_MAX),
                     STORE_OK);
    assert_int_equal(sequence, 5);
    drop_connection(world);
    assert_int_equal(append(world, 6, 5), STORE_OK);
    expect_whole(world, 10);
}

static void a_file_that_went_while_dropped_is_not_made_anew(void **state)
{
    struct world *world = *state;
    unsigned char chain[CHAIN_BYTES];
    uint64_t last = 0;
    open_store(world);
    assert_int_equal(append(world, 1, 5), STORE_OK);
    drop_connection(world);
    assert_int_equal(unlink(world->file), 0);
    assert_int_equal(append(world, 6, 5), STORE_UNAVAILABLE);
    check_error(world, "the file was removed or replaced");
    assert_int_equal(verify(world, &last), STORE_UNAVAILABLE);
    assert_int_equal(world->store->ops->head(world->store, &last, chain,
                                             world->error, ERROR_MAX),
                     STORE_UNAVAILABLE);
    assert_int_equal(access(world->file, F_OK), -1);
}

static void a_disk_that_forgot_is_found_out(void **state)
{
    struct world *world = *state;
    open_store(world);
    assert_int_equal(append(world, 1, 5), STORE_OK);
    drop_connection(world);
    execute(world->file, "DELETE FROM journal WHERE sequence > 3");
    assert_int_equal(append(world, 6, 5), STORE_CORRUPT);
    check_error(world, "ends at record 3, but 5 was confirmed");
}

static void a_row_that_is_no_entry_is_damage(void **state)
{
    struct world *world = *state;
    uint64_t last = 0;
    open_store(world);
    assert_int_equal(append(world, 1, 5), STORE_OK);
    execute(world->file, "UPDATE journal SET chain = x'00' WHERE sequence = 4");
    assert_int_equal(verify(world, &last), STORE_CORRUPT);
    assert_int_equal(last, 3);
    check_error(world, "the file is damaged");
}

static void set_room(struct world *world, int pages)
{
    char sql[64];
    (void)snprintf(sql, sizeof sql, "PRAGMA max_page_count = %d", pages);
    assert_int_equal(
        sqlite3_exec(((struct sqlite_store *)world->store)->database, sql, NULL,
                     NULL, NULL),
        SQLITE_OK);
}

static void a_full_disk_waits_for_room_and_reads_go_on(void **state)
{
    struct world *world = *state;
    uint64_t next = 1;
    enum store_result result = STORE_OK;
    open_store(world);
    set_room(world, 30);
    while (result == STORE_OK && next < 10000) {
        result = append(world, next, 10);
        next += result == STORE_OK ? 10 : 0;
    }
    assert_int_equal(result, STORE_UNAVAILABLE);
    check_error(world, "the disk is full (SQLite 13); free some space there");
    expect_whole(world, next - 1);
    assert_int_equal(append(world, next, 10), STORE_UNAVAILABLE);
    set_room(world, 1000);
    assert_int_equal(append(world, next, 10), STORE_OK);
    close_store(world);
    open_store(world);
    expect_whole(world, next + 9);
}

/* Root may write everything: be someone else, in a process of its own.
 * Returns whether opening ended in @wanted, NULL: in a journal to read. */
static bool as_nobody(const char *path, enum store_access access,
                      const char *wanted)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        struct world own = {.error = ""};
        uint64_t last = 0;
        if (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 ||
            setuid(NOBODY) != 0) {
            _exit(2);
        }
        own.store = store_sqlite_open(path, access, own.error, ERROR_MAX);
        bool right =
            wanted ? !own.store && strstr(own.error, wanted)
                   : own.store && verify(&own, &last) == STORE_OK && last == 5;
        if (!right) {
            (void)fprintf(stderr, "got '%s'\n", own.error);
        }
        _exit(right ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status == 0;
}

static void a_read_only_file_or_folder_is_told_at_the_start(void **state)
{
    struct world *world = *state;
    char lock[128];
    path_of(world, ".lock", lock);
    open_store(world);
    assert_int_equal(append(world, 1, 5), STORE_OK);
    close_store(world);
    assert_int_equal(chmod(world->file, 0444), 0);
    assert_int_equal(chmod(lock, 0666), 0);
    assert_true(
        as_nobody(world->file, STORE_WRITE, "this user may not write it"));
    assert_int_equal(chmod(world->file, 0), 0);
    assert_true(
        as_nobody(world->file, STORE_WRITE,
                  "it cannot be opened (SQLite 14, Permission denied)"));
    assert_int_equal(chmod(world->file, 0666), 0);
    assert_int_equal(chmod(world->folder, 0555), 0);
    assert_int_equal(unlink(lock), 0);
    assert_true(as_nobody(world->file, STORE_WRITE,
                          "Permission denied; let this user write"));
    assert_true(as_nobody(world->file, STORE_READ_ONLY, NULL));
    assert_int_equal(chmod(world->folder, 0777), 0);
}

/* The process dies in the middle of its work; what it was told is there. */
static void a_killed_process_loses_nothing_confirmed(void **state)
{
    struct world *world = *state;
    int ends[2], status;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        struct world own = *world;
        own.store =
            store_sqlite_open(own.file, STORE_WRITE, own.error, ERROR_MAX);
        for (uint64_t next = 1; own.store; next += 3) {
            if (append(&own, next, 3) != STORE_OK ||
                write(ends[1], "x", 1) != 1) {
                break;
            }
        }
        _exit(1);
    }
    assert_int_equal(close(ends[1]), 0);
    char confirmed;
    uint64_t least = 0, last = 0;
    while (least < 300 && read(ends[0], &confirmed, 1) == 1) {
        least += 3;
    }
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    while (read(ends[0], &confirmed, 1) == 1) {
        least += 3;
    }
    assert_int_equal(close(ends[0]), 0);
    open_store(world);
    assert_int_equal(verify(world, &last), STORE_OK);
    assert_true(least >= 300);
    assert_true(last == least || last == least + 3);
    assert_int_equal(append(world, last + 1, 1), STORE_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_second_writer_is_refused_and_told_who_holds_it),
        TEST(a_visitor_reads_while_the_writer_writes),
        TEST(a_file_is_readable_for_its_owner_only),
        TEST(a_missing_place_is_named),
        TEST(a_link_to_the_file_is_refused_one_to_the_folder_is_not),
        TEST(what_is_not_ours_is_refused_and_untouched),
        TEST(a_newer_schema_is_refused),
        TEST(a_schema_without_a_number_is_refused),
        TEST(a_changed_payload_is_found_by_the_chain),
        TEST(a_damaged_page_ends_the_reading_with_what_is_whole),
        TEST(damage_after_an_unclean_end_is_found_at_the_start),
        TEST(a_missing_record_is_found),
        TEST(an_erased_payload_leaves_the_chain_whole),
        TEST(a_removed_file_is_not_written_and_may_come_back),
        TEST(a_removed_log_loses_nothing),
        TEST(another_writer_is_noticed),
        TEST(a_writing_visitor_makes_it_wait),
        TEST(a_dropped_connection_is_made_again),
        TEST(a_file_that_went_while_dropped_is_not_made_anew),
        TEST(a_disk_that_forgot_is_found_out),
        TEST(a_row_that_is_no_entry_is_damage),
        TEST(a_full_disk_waits_for_room_and_reads_go_on),
        TEST(a_read_only_file_or_folder_is_told_at_the_start),
        TEST(a_killed_process_loses_nothing_confirmed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
