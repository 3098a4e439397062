/* `check` and `verify`: files, folders, configurations and journals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "help_program.h"
#include "state/store.h"

static struct ran ran;
static char folder[64];

static const char *in_folder(const char *name)
{
    static char paths[4][128];
    static size_t next;
    char *path = paths[next++ % 4];

    (void)snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(in_folder(name), "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/lastgood-check-XXXXXX");
    assert_non_null(mkdtemp(folder));
    return mkdir(in_folder("policies"), 0700);
}

static int remove_folder(void **state)
{
    static const char *const names[] = {
        "a.yaml",          "b.yaml",          "c.json",    "config.yaml",
        "policies/a.yaml", "policies/b.yaml", "l.db",      "l.db.lock",
        "l.db-wal",        "l.db-shm",        "notes.txt", "l.db.reserve",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)unlink(in_folder(names[i]));
    }
    assert_int_equal(rmdir(in_folder("policies")), 0);
    return rmdir(folder);
}

static void says(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("'%s' does not say '%s'", text, part);
    }
}

#define POLICY(name, service, signal)                                          \
    "policy: " name "\n"                                                       \
    "applies_to: {service: " service ", environment: production}\n"            \
    "signals:\n"                                                               \
    "  errors: {prometheus: errors, unit: ratio}\n"                            \
    "tree:\n"                                                                  \
    "  question: Are users hurt?\n"                                            \
    "  if: " signal " > 5%\n"                                                  \
    "  then: {page: \"look\"}\n"                                               \
    "  else: healthy\n"

#define CONFIG(sources)                                                        \
    "listen: {http: 127.0.0.1:7333}\n"                                         \
    "state: {sqlite: l.db}\n"                                                  \
    "policies: policies\n"                                                     \
    "sources:\n  " sources "\n"                                                \
    "targets:\n"                                                               \
    "  deployer:\n"                                                            \
    "    http:\n"                                                              \
    "      live: {get: \"http://d/version\", version: /version}\n"             \
    "      revert: {post: \"http://d/deploy\"}\n"                              \
    "services:\n"                                                              \
    "  - {service: a, environment: production, target: deployer, source: "     \
    "prom}\n"

/* --- Policies ------------------------------------------------------------- */

static void a_good_file_is_one_line(void **state)
{
    char expected[256];

    (void)state;
    write_file("a.yaml", POLICY("a", "a", "errors"));
    run_program(&ran, "check", in_folder("a.yaml"), NULL);
    (void)snprintf(expected, sizeof(expected), "%s: ok\n", in_folder("a.yaml"));
    assert_string_equal(ran.out, expected);
    assert_int_equal(ran.code, 0);
}

static void a_bad_file_points_at_its_place(void **state)
{
    char expected[256];

    (void)state;
    write_file("a.yaml", POLICY("a", "a", "erors"));
    run_program(&ran, "check", in_folder("a.yaml"), NULL);
    assert_int_equal(ran.code, 1);
    assert_string_equal(ran.out, "");
    (void)snprintf(expected, sizeof(expected),
                   "%s:7:7: error: ", in_folder("a.yaml"));
    says(ran.err, expected);
    says(ran.err, "did you mean 'errors'?");
    says(ran.err, "    ^");
    assert_null(strstr(ran.err, "\033"));
}

static void all_files_are_checked_in_one_go(void **state)
{
    (void)state;
    write_file("a.yaml", POLICY("a", "a", "erors"));
    write_file("b.yaml", POLICY("b", "b", "errors"));
    write_file("notes.txt", "not a policy");
    run_program(&ran, "check", folder, NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "a.yaml:7:7");
    says(ran.out, "b.yaml: ok");
    assert_null(strstr(ran.err, "notes.txt"));
}

static void two_policies_that_match_equally_are_refused(void **state)
{
    (void)state;
    write_file("a.yaml", POLICY("a", "a", "errors"));
    write_file("b.yaml", POLICY("b", "a", "errors"));
    run_program(&ran, "check", folder, NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "b.yaml:2:1: error: another policy applies to the same");
    says(ran.err, "  note: the other is ");
    write_file("b.yaml", POLICY("a", "b", "errors"));
    run_program(&ran, "check", folder, NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "b.yaml:1:1: error: the policy 'a' is also in another file");
}

static void what_cannot_be_read_says_so(void **state)
{
    (void)state;
    run_program(&ran, "check", in_folder("missing.yaml"), NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "missing.yaml: error: cannot be read: No such file");
    run_program(&ran, "check", in_folder("policies"), NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "there is no policy in it");
    run_program(&ran, "check", NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "usage: lastgood check");
}

static void a_file_that_is_too_long_is_refused(void **state)
{
    static char text[70000];

    (void)state;
    memset(text, '#', sizeof(text) - 1);
    write_file("a.yaml", text);
    run_program(&ran, "check", in_folder("a.yaml"), NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "more than 64 KiB");
}

/* --- Configurations ------------------------------------------------------- */

static void a_configuration_is_checked_and_printed(void **state)
{
    (void)state;
    write_file("config.yaml", CONFIG("prom: {prometheus: \"http://p:9090\"}"));
    write_file("policies/a.yaml", POLICY("a", "a", "errors"));
    assert_int_equal(chdir(folder), 0); /* `policies: policies` */
    run_program(&ran, "check", "--config", "config.yaml", NULL);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(ran.code, 0);
    says(ran.err, "config.yaml: warning: no 'page:'"); /* still ok */
    says(ran.out, "ceiling: auto");
    says(ran.out, "a.yaml: ok");
}

static void a_configuration_gives_policies_their_names(void **state)
{
    (void)state;
    write_file("config.yaml", CONFIG("page: {scrape: \"http://p/metrics\"}"));
    write_file("a.yaml", POLICY("a", "a", "errors"));
    run_program(&ran, "check", in_folder("a.yaml"), "--config",
                in_folder("config.yaml"), NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "config.yaml:");
    write_file("config.yaml", CONFIG("prom: {scrape: \"http://p/metrics\"}"));
    run_program(&ran, "check", in_folder("a.yaml"), "--config",
                in_folder("config.yaml"), NULL);
    assert_int_equal(ran.code, 1);
    says(ran.out, "config.yaml: ok");
    says(ran.err, "a.yaml:");
}

/* --- Journals ------------------------------------------------------------- */

static void write_journal(size_t records)
{
    char error[256] = "";
    struct store *store =
        store_sqlite_open(in_folder("l.db"), STORE_WRITE, error, sizeof(error));
    static struct record record;

    assert_non_null(store);
    for (size_t i = 1; i <= records; i++) {
        struct entry entry = {.sequence = i, .at = 1726669200000};
        char *json = NULL;

        record_init(&record, RECORD_STARTED);
        record.sequence = i;
        record.epoch = 1;
        record.at = entry.at;
        json = record_to_json(&record, &entry.length);
        entry.kind = RECORD_STARTED;
        entry.payload = json;
        assert_int_equal(
            store->ops->append(store, &entry, 1, error, sizeof(error)),
            STORE_OK);
        free(json);
    }
    store->ops->close(store);
}

static void a_whole_journal_prints_its_head(void **state)
{
    (void)state;
    write_journal(3);
    run_program(&ran, "verify", in_folder("l.db"), NULL);
    assert_string_equal(ran.err, "");
    assert_int_equal(ran.code, 0);
    says(ran.out, ": whole\n");
    says(ran.out, "records  3, 2024-09-18T14:20:00Z to 2024-09-18T14:20:00Z");
    says(ran.out, "head     ");
    run_program(&ran, "verify", in_folder("l.db"), "--format", "json", NULL);
    says(ran.out, "\"whole\": true");
    says(ran.out, "\"records\": 3");
}

/* Change one byte of a payload in the database's file. */
static void damage(void)
{
    FILE *file = fopen(in_folder("l.db"), "r+");
    static char bytes[1 << 20];
    size_t length = 0;
    char *found = NULL;

    assert_non_null(file);
    length = fread(bytes, 1, sizeof(bytes), file);
    found = memmem(bytes, length, "\"sequence\":2", 12);
    assert_non_null(found);
    assert_int_equal(fseek(file, found - bytes + 11, SEEK_SET), 0);
    assert_int_equal(fputc('9', file), '9');
    assert_int_equal(fclose(file), 0);
}

static void a_damaged_journal_says_how_far_it_is_whole(void **state)
{
    (void)state;
    write_journal(3);
    damage();
    run_program(&ran, "verify", in_folder("l.db"), NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "l.db: the journal is damaged: record 2 is not what was "
                  "written, the last whole one is 1; restore a copy that is "
                  "whole\n");
    run_program(&ran, "verify", in_folder("l.db"), "--format", "json", NULL);
    assert_int_equal(ran.code, 1);
    says(ran.out, "\"whole\": false");
    says(ran.out, "\"last_whole\": 1");
}

/* The chain holds the payloads only: what finds them is checked too. */
static void a_column_that_was_changed_is_found(void **state)
{
    static const struct {
        const char *change, *column;
    } changes[] = {{"kind = 2", "kind"},
                   {"release = 7", "release"},
                   {"incident = 7", "incident"},
                   {"at = 1", "at"}};

    (void)state;
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        char sql[128], said[128];
        sqlite3 *database = NULL;

        (void)unlink(in_folder("l.db"));
        write_journal(3);
        (void)snprintf(sql, sizeof(sql),
                       "UPDATE journal SET %s WHERE sequence = 2",
                       changes[i].change);
        assert_int_equal(sqlite3_open(in_folder("l.db"), &database), SQLITE_OK);
        assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL),
                         SQLITE_OK);
        assert_int_equal(sqlite3_close(database), SQLITE_OK);
        run_program(&ran, "verify", in_folder("l.db"), NULL);
        assert_int_equal(ran.code, 1);
        (void)snprintf(said, sizeof(said),
                       "the column '%s' of record 2 is not what the record "
                       "says, the last whole one is 1",
                       changes[i].column);
        says(ran.err, said);
    }
}

static void what_is_no_journal_says_so(void **state)
{
    (void)state;
    run_program(&ran, "verify", in_folder("l.db"), NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "there is no such file");
    write_file("l.db", "hello, I am a text file and no database at all\n");
    run_program(&ran, "verify", in_folder("l.db"), NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "not an SQLite database");
}

#define STORY(name)                                                            \
    cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(a_good_file_is_one_line),
        STORY(a_bad_file_points_at_its_place),
        STORY(all_files_are_checked_in_one_go),
        STORY(two_policies_that_match_equally_are_refused),
        STORY(what_cannot_be_read_says_so),
        STORY(a_file_that_is_too_long_is_refused),
        STORY(a_configuration_is_checked_and_printed),
        STORY(a_configuration_gives_policies_their_names),
        STORY(a_whole_journal_prints_its_head),
        STORY(a_damaged_journal_says_how_far_it_is_whole),
        STORY(a_column_that_was_changed_is_found),
        STORY(what_is_no_journal_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
