/* What a journal may hold when a driver starts on it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <curl/curl.h>
#include <sqlite3.h>

#include "help_driver.h"

#define UNREADABLE "policy: svc\\nwritten: by an older version\\n"

static int begin(void **state)
{
    struct scene *scene = scene_begin();

    /* Something to recover. */
    scene_start(scene);
    assert_true(scene_register(scene, "2.0", "k1"));
    scene_until(scene, scene_is_answered);
    scene_stop(scene);
    scene_hush(scene);
    *state = scene;
    return 0;
}

static int end(void **state)
{
    scene_end(*state);
    return 0;
}

static uint64_t head_of(struct scene *scene)
{
    unsigned char chain[CHAIN_BYTES];
    char error[512] = "";
    uint64_t sequence = 0;
    struct store *store = store_sqlite_open(
        scene->config->sqlite, STORE_READ_ONLY, error, sizeof(error));

    assert_non_null(store);
    assert_int_equal(
        store->ops->head(store, &sequence, chain, error, sizeof(error)),
        STORE_OK);
    store->ops->close(store);
    return sequence;
}

/* Append what another program wrote: @rest follows the head that each record
 * has. */
static void write_record(struct scene *scene, enum record_kind kind,
                         const char *rest)
{
    char payload[2048], error[512] = "";
    struct entry entry = {.sequence = head_of(scene) + 1,
                          .at = clock_wall(),
                          .kind = kind,
                          .payload = payload};
    struct store *store = store_sqlite_open(scene->config->sqlite, STORE_WRITE,
                                            error, sizeof(error));

    assert_non_null(store);
    entry.length = (size_t)snprintf(
        payload, sizeof(payload),
        "{\"sequence\":%llu,\"epoch\":1,\"at\":\"2030-01-01T00:00:00Z\",%s}",
        (unsigned long long)entry.sequence, rest);
    assert_int_equal(store->ops->append(store, &entry, 1, error, sizeof(error)),
                     STORE_OK);
    store->ops->close(store);
}

static void run_sql(struct scene *scene, const char *sql)
{
    sqlite3 *database = NULL;

    assert_int_equal(sqlite3_open(scene->config->sqlite, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(database), SQLITE_OK);
}

static void write_unreadable(struct scene *scene)
{
    write_record(scene, RECORD_POLICY_SET,
                 "\"kind\":\"policy_set\",\"name\":\"svc\",\"digest\":\"00\","
                 "\"body\":\"" UNREADABLE "\"");
}

static void check_refused(struct scene *scene, const char *expected)
{
    char error[1024] = "";

    assert_false(scene_try_start(scene, error, sizeof(error)));
    if (strstr(error, expected) == NULL) {
        fail_msg("'%s' is not in '%s'", expected, error);
    }
}

/* --- Policies that no longer compile -------------------------------------- */

static void the_file_takes_the_place_of_a_text_that_cannot_be_read(void **state)
{
    struct scene *scene = *state;

    write_unreadable(scene);
    scene_start(scene);
    assert_non_null(view_policy(driver_core(scene->driver), "svc"));
    assert_int_equal(driver_policy_problems(scene->driver)->errors, 0);
    core_check(driver_core(scene->driver));
    assert_non_null(strstr(scene_said(scene),
                           "level=error event=policy.unreadable name=svc"));
}

static void a_text_that_cannot_be_read_judges_nobody(void **state)
{
    struct scene *scene = *state;

    write_unreadable(scene);
    scene_write(scene, "policies/svc.yaml",
                "policy: svc\nwritten: by an older version\n");
    scene_start(scene);
    assert_null(view_policy(driver_core(scene->driver), "svc"));
    assert_true(driver_policy_problems(scene->driver)->errors > 0);
    core_check(driver_core(scene->driver));
    /* It is not forgotten: the corrected file is in force. */
    scene_write(scene, "policies/svc.yaml", SCENE_POLICY);
    driver_reload(scene->driver);
    assert_non_null(view_policy(driver_core(scene->driver), "svc"));
}

/* What newer texts replaced long ago is nobody's trouble. */
static void a_replaced_text_that_cannot_be_read_is_not_mentioned(void **state)
{
    struct scene *scene = *state;

    write_unreadable(scene);
    scene_start(scene);
    scene_stop(scene);
    scene_hush(scene);
    scene_start(scene);
    assert_non_null(strstr(scene_said(scene), "event=recovered records="));
    assert_null(strstr(scene_said(scene), "policy.unreadable"));
}

/* --- Journals that cannot be used ----------------------------------------- */

static void a_record_of_a_newer_version_is_refused_with_advice(void **state)
{
    struct scene *scene = *state;

    write_record(scene, (enum record_kind)99, "\"kind\":\"beamed\"");
    check_refused(scene, "unknown kind 'beamed'");
    check_refused(scene, "newer lastgood");
}

static void a_field_of_a_newer_version_is_refused_with_advice(void **state)
{
    struct scene *scene = *state;

    write_record(scene, RECORD_STOP_FILE,
                 "\"kind\":\"stop_file\",\"on\":true,\"colour\":\"red\"");
    check_refused(scene, "'colour'");
    check_refused(scene, "newer lastgood");
}

static void a_changed_record_is_refused(void **state)
{
    struct scene *scene = *state;

    run_sql(scene, "UPDATE journal SET payload = replace(payload, '2.0', "
                   "'2.1')");
    check_refused(scene, "is not what was written");
}

static void a_missing_record_is_refused(void **state)
{
    struct scene *scene = *state;

    run_sql(scene, "DELETE FROM journal WHERE sequence = 2");
    check_refused(scene, "record 2 is missing");
}

static void an_erased_record_is_refused(void **state)
{
    struct scene *scene = *state;

    run_sql(scene, "UPDATE journal SET payload = NULL WHERE sequence = 2");
    check_refused(scene, "the journal cannot be used: record 2: its text was "
                         "erased");
}

/* What the last crash cut off was never answered: the rest is a journal. */
static void a_journal_that_ends_earlier_is_used_as_it_is(void **state)
{
    struct scene *scene = *state;

    run_sql(scene, "DELETE FROM journal WHERE sequence > 2");
    scene_start(scene);
    core_check(driver_core(scene->driver));
    assert_true(core_sequence(driver_core(scene->driver)) > 2);
}

/* --- A configuration that changed meanwhile ------------------------------- */

static bool was_looked_at(struct scene *scene)
{
    struct core_counts counts = {0};

    view_counts(driver_core(scene->driver), &counts);
    return counts.looks > 0;
}

static void names_that_are_gone_from_the_configuration_do_no_harm(void **state)
{
    struct scene *scene = *state;
    const int before = scene->queries;

    scene_configure(scene,
                    "listen: {http: 127.0.0.1:0}\n"
                    "state: {sqlite: state.db}\n"
                    "policies: policies\n"
                    "sources: {renamed: {prometheus: http://127.0.0.1:1}}\n"
                    "targets:\n"
                    "  renamed:\n"
                    "    http:\n"
                    "      live: {get: \"http://d\", version: /v}\n"
                    "      revert: {post: \"http://d/{target}\"}\n"
                    "services: [{service: zoo, environment: test,\n"
                    "            target: renamed}]\n");
    scene_start(scene);
    core_check(driver_core(scene->driver));
    /* Its policy stays in force, though nobody can ask for its signals. */
    assert_non_null(view_policy(driver_core(scene->driver), "svc"));
    scene_turns(scene, 10);
    assert_int_equal(scene->queries, before);
    core_check(driver_core(scene->driver));
}

static void sources_in_another_order_are_found_by_name(void **state)
{
    struct scene *scene = *state;

    scene_configure(
        scene,
        "listen: {http: 127.0.0.1:0}\n"
        "state: {sqlite: state.db}\n"
        "policies: policies\n"
        "sources:\n"
        "  other: {prometheus: http://127.0.0.1:2, lag: 10ms}\n"
        "  prom: {prometheus: http://127.0.0.1:1, lag: 10ms}\n"
        "targets:\n"
        "  deployer:\n"
        "    http:\n"
        "      live: {get: \"{url}/live\", version: /version}\n"
        "      revert: {post: \"{url}/deploy\", json: {to: \"{target}\"}}\n"
        "services:\n"
        "  - {service: zoo, environment: production, target: deployer,\n"
        "     source: prom, vars: {url: \"http://d\"}}\n"
        "  - {service: svc, environment: production, target: deployer,\n"
        "     source: prom, vars: {url: \"http://d\"}}\n");
    scene_start(scene);
    scene_until(scene, was_looked_at);
    core_check(driver_core(scene->driver));
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(the_file_takes_the_place_of_a_text_that_cannot_be_read),
        STORY(a_text_that_cannot_be_read_judges_nobody),
        STORY(a_replaced_text_that_cannot_be_read_is_not_mentioned),
        STORY(a_record_of_a_newer_version_is_refused_with_advice),
        STORY(a_field_of_a_newer_version_is_refused_with_advice),
        STORY(a_changed_record_is_refused),
        STORY(a_missing_record_is_refused),
        STORY(an_erased_record_is_refused),
        STORY(a_journal_that_ends_earlier_is_used_as_it_is),
        STORY(names_that_are_gone_from_the_configuration_do_no_harm),
        STORY(sources_in_another_order_are_found_by_name),
    };
    int failed = 0;

    assert_int_equal(curl_global_init(CURL_GLOBAL_DEFAULT), CURLE_OK);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
