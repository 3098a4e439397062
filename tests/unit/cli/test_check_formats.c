/* `check`: folders in folders, JSON, SARIF, and queries that are asked. */
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
#include <jansson.h>

#include "help_program.h"

#include "policies/problem.h"

static struct ran ran;
static char folder[64];

static void write_file(const char *name, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void write_file(const char *name, const char *format, ...)
{
    FILE *file = fopen(name, "w");
    va_list arguments;

    assert_non_null(file);
    va_start(arguments, format);
    assert_true(vfprintf(file, format, arguments) > 0);
    va_end(arguments);
    assert_int_equal(fclose(file), 0);
}

static const char *const names[] = {
    "a.yaml",     "b.yaml",  "config.yaml",    "a.test.yaml",  "x/a.yaml",
    "x/y/b.yaml", "x/c.yml", "x/.hidden.yaml", ".git/no.yaml", "s.schema.json"};

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/lastgood-formats-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(mkdir("x", 0700), 0);
    assert_int_equal(mkdir("x/y", 0700), 0);
    return mkdir(".git", 0700);
}

static int remove_folder(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)unlink(names[i]);
    }
    assert_int_equal(rmdir("x/y"), 0);
    assert_int_equal(rmdir("x"), 0);
    assert_int_equal(rmdir(".git"), 0);
    assert_int_equal(chdir("/"), 0);
    return rmdir(folder);
}

static void says(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("'%s' does not say '%s'", text, part);
    }
}

#define POLICY(name, condition)                                                \
    "policy: " name "\n"                                                       \
    "mode: auto\n"                                                             \
    "applies_to: {service: " name ", environment: production}\n"               \
    "signals:\n"                                                               \
    "  errors: {prometheus: e, select: {service: release.service}, unit: "     \
    "ratio}\n"                                                                 \
    "tree:\n"                                                                  \
    "  question: Are users hurt?\n"                                            \
    "  if: " condition "\n"                                                    \
    "  then: {page: \"look\"}\n"                                               \
    "  else: healthy\n"

/* --- Folders -------------------------------------------------------------- */

static void folders_are_walked_in_order(void **state)
{
    (void)state;
    write_file("b.yaml", "%s", POLICY("b", "errors > 5%"));
    write_file("a.yaml", "%s", POLICY("a", "errors > 5%"));
    write_file("a.test.yaml", "%s", "not a policy\n");
    write_file("s.schema.json", "%s", "not a policy\n");
    write_file("x/y/b.yaml", "%s", POLICY("b", "errors > 5%"));
    write_file("x/c.yml", "%s", POLICY("c", "errors > 5%"));
    write_file("x/a.yaml", "%s", POLICY("a", "errors > 5%"));
    write_file("x/.hidden.yaml", "%s", "not a policy\n");
    write_file(".git/no.yaml", "%s", "not a policy\n");
    run_program(&ran, "check", ".", NULL);
    assert_string_equal(ran.err, "");
    assert_string_equal(ran.out, "./a.yaml: ok\n./b.yaml: ok\n"
                                 "./x/a.yaml: ok\n./x/c.yml: ok\n"
                                 "./x/y/b.yaml: ok\n");
    assert_int_equal(ran.code, 0);
}

static void other_files_are_sent_to_their_command(void **state)
{
    (void)state;
    write_file("a.test.yaml", "%s", "policy: a.yaml\ncases: []\n");
    run_program(&ran, "check", "a.test.yaml", NULL);
    assert_int_equal(ran.code, 1);
    assert_string_equal(ran.err,
                        "a.test.yaml:2:1: error: this file holds tests; run "
                        "them with 'lastgood test FILE'\n"
                        "cases: []\n"
                        "^~~~~\n");
    write_file("config.yaml", "%s", "state: {sqlite: l.db}\n");
    run_program(&ran, "check", "config.yaml", NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "config.yaml:1:1: error: this is the daemon's configuration; "
                  "check it with 'lastgood check --config FILE'\n");
}

/* --- JSON ----------------------------------------------------------------- */

static void json_has_every_problem_with_its_places(void **state)
{
    (void)state;
    write_file("a.yaml", "%s", POLICY("a", "erors > 5%"));
    write_file("b.yaml", "%s", POLICY("b", "errors > 5"));
    run_program(&ran, "check", "a.yaml", "b.yaml", "c.yaml", "--format", "json",
                NULL);
    assert_string_equal(ran.err, "");
    assert_int_equal(ran.code, 1);
    assert_string_equal(
        ran.out,
        "{\n"
        "  \"files\": [\n"
        "    {\n"
        "      \"path\": \"a.yaml\",\n"
        "      \"ok\": false,\n"
        "      \"problems\": [\n"
        "        {\n"
        "          \"kind\": \"error\",\n"
        "          \"line\": 8,\n"
        "          \"column\": 7,\n"
        "          \"length\": 5,\n"
        "          \"text\": \"unknown signal 'erors'; did you mean "
        "'errors'?\",\n"
        "          \"fix\": \"errors\",\n"
        "          \"fix_line\": 8,\n"
        "          \"fix_column\": 7,\n"
        "          \"fix_length\": 5\n"
        "        }\n"
        "      ]\n"
        "    },\n"
        "    {\n"
        "      \"path\": \"b.yaml\",\n"
        "      \"ok\": false,\n"
        "      \"problems\": [\n"
        "        {\n"
        "          \"kind\": \"error\",\n"
        "          \"line\": 8,\n"
        "          \"column\": 14,\n"
        "          \"length\": 1,\n"
        "          \"text\": \"'errors' is ratio, '5' is count; '>' wants "
        "equal units\",\n"
        "          \"fix\": \"5%\",\n"
        "          \"fix_line\": 8,\n"
        "          \"fix_column\": 16,\n"
        "          \"fix_length\": 1\n"
        "        }\n"
        "      ]\n"
        "    },\n"
        "    {\n"
        "      \"path\": \"c.yaml\",\n"
        "      \"ok\": false,\n"
        "      \"problems\": [\n"
        "        {\n"
        "          \"kind\": \"error\",\n"
        "          \"text\": \"cannot be read: No such file or directory\"\n"
        "        }\n"
        "      ]\n"
        "    }\n"
        "  ],\n"
        "  \"errors\": 3,\n"
        "  \"warnings\": 0\n"
        "}\n");
}

static void a_fix_repairs_the_file(void **state)
{
    (void)state;
    write_file("a.yaml", "%s", POLICY("a", "errors > 5"));
    run_program(&ran, "check", "a.yaml", NULL);
    assert_string_equal(
        ran.err,
        "a.yaml:8:14: error: 'errors' is ratio, '5' is count; '>' wants equal "
        "units\n"
        "  if: errors > 5\n"
        "             ^\n"
        "  fix: 5 -> 5%\n");
}

static void a_bad_word_for_a_format_is_refused(void **state)
{
    (void)state;
    run_program(&ran, "check", "a.yaml", "--format", "xml", NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "--format is text, json or sarif");
}

/* --- SARIF ---------------------------------------------------------------- */

static json_t *at(json_t *json, const char *path)
{
    char step[32];

    while (*path != '\0') {
        size_t length = strcspn(path, "/");

        (void)snprintf(step, sizeof(step), "%.*s", (int)length, path);
        json = step[0] >= '0' && step[0] <= '9'
                   ? json_array_get(json, (size_t)(step[0] - '0'))
                   : json_object_get(json, step);
        path += length + (path[length] == '/');
    }
    return json;
}

static void is_text(json_t *json, const char *path, const char *expected)
{
    const char *text = json_string_value(at(json, path));

    if (text == NULL) {
        fail_msg("%s is missing", path);
    }
    assert_string_equal(text, expected);
}

static void is_number(json_t *json, const char *path, json_int_t expected)
{
    assert_true(json_is_integer(at(json, path)));
    assert_int_equal(json_integer_value(at(json, path)), expected);
}

static void sarif_is_for_annotations(void **state)
{
    json_t *json = NULL, *run = NULL;

    (void)state;
    write_file("x/a.yaml",
               "policy: a\n"
               "policy: b\n"
               "signals:\n"
               "  x: {prometheus: q, unit: ratio}\n"
               "tree: {question: q, if: x > 5, then: wait, else: healthy}\n");
    run_program(&ran, "check", "x", "--format", "sarif", NULL);
    assert_int_equal(ran.code, 1);
    assert_string_equal(ran.err, "");
    json = json_loads(ran.out, 0, NULL);
    is_text(json, "version", "2.1.0");
    run = at(json, "runs/0");
    is_text(run, "tool/driver/name", "lastgood");
    is_text(run, "tool/driver/rules/0/id", "file");
    is_text(run, "columnKind", "unicodeCodePoints");
    assert_int_equal(json_array_size(at(run, "results")), 3);
    is_text(run, "results/0/level", "warning"); /* no mode */
    is_text(run, "results/0/ruleId", "only-observes");
    is_number(run, "results/0/ruleIndex", RULE_ONLY_OBSERVES);
    is_text(run, "results/1/message/text",
            "key 'policy' stands here a second time; keep one");
    is_number(run,
              "results/1/relatedLocations/0/physicalLocation/region/"
              "startLine",
              1);
    run = at(run, "results/2");
    is_text(run, "level", "error");
    is_text(run, "ruleId", "unit");
    is_text(run, "locations/0/physicalLocation/artifactLocation/uri",
            "x/a.yaml");
    is_number(run, "locations/0/physicalLocation/region/startLine", 5);
    is_number(run, "locations/0/physicalLocation/region/startColumn", 27);
    is_number(run, "locations/0/physicalLocation/region/endColumn", 28);
    run = at(run, "fixes/0/artifactChanges/0/replacements/0");
    is_text(run, "insertedContent/text", "5%");
    is_number(run, "deletedRegion/startColumn", 29);
    is_number(run, "deletedRegion/endColumn", 30);
    json_decref(json);
}

static void a_sarif_of_good_files_has_no_results(void **state)
{
    json_t *json = NULL;

    (void)state;
    write_file("a.yaml", "%s", POLICY("a", "errors > 5%"));
    run_program(&ran, "check", "a.yaml", "--format", "sarif", NULL);
    assert_int_equal(ran.code, 0);
    json = json_loads(ran.out, 0, NULL);
    assert_int_equal(json_array_size(at(json, "runs/0/results")), 0);
    assert_true(json_is_array(at(json, "runs/0/results")));
    json_decref(json);
}

/* --- Queries -------------------------------------------------------------- */

#define SERIES(service, value)                                                 \
    "{\"metric\":{\"service\":\"" service "\"},\"value\":[1726669200,\"" value \
    "\"]}"
#define ANSWER(series)                                                         \
    "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":"  \
    "[" series "]}}"

static void ask_online(const struct scripted *script, size_t count,
                       const char *services)
{
    server_start(script, count);
    write_file("config.yaml",
               "state: {sqlite: l.db}\n"
               "policies: x\n"
               "page: [oncall]\n"
               "sources: {prom: {prometheus: \"%s/\"}}\n"
               "notices: {oncall: {webhook: {url: \"http://h/\"}}}\n"
               "targets:\n"
               "  deployer:\n"
               "    http:\n"
               "      live: {get: \"http://d/version\", version: /version}\n"
               "      revert: {post: \"http://d/deploy\"}\n"
               "services:\n%s",
               getenv("LASTGOOD_SERVER"), services);
    write_file("a.yaml", "%s", POLICY("a", "errors > 5%"));
    run_program(&ran, "check", "a.yaml", "--config", "config.yaml", "--online",
                NULL);
}

#define SERVICE(service)                                                       \
    "  - {service: " service ", environment: production, target: deployer, "   \
    "source: prom}\n"

static void each_query_is_asked_once(void **state)
{
    static const struct scripted script[] = {
        {200, ANSWER(SERIES("a", "0.25") "," SERIES("b", "0.5"))}};

    (void)state;
    ask_online(script, 1, SERVICE("a") SERVICE("\"*\""));
    says(server_finish(), "POST /api/v1/query query=e");
    assert_string_equal(ran.err, "");
    assert_string_equal(ran.out,
                        "config.yaml: ok\n"
                        "a.yaml: ok\n"
                        "  errors               prom for a in production: ok, "
                        "2 series, 1 selected: 0.25\n");
    assert_int_equal(ran.code, 0);
}

static void a_query_that_fails_is_an_error_at_its_place(void **state)
{
    static const struct scripted script[] = {
        {400, "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":"
              "\"parse error: unexpected end\"}"}};

    (void)state;
    ask_online(script, 1, SERVICE("a"));
    (void)server_finish();
    assert_int_equal(ran.code, 1);
    says(ran.err, "a.yaml:5:24: error: source 'prom' does not answer this "
                  "query: bad_data: parse error: unexpected end\n"
                  "  errors: {prometheus: e, ");
    says(ran.out, "in production: error\n");
}

static void several_series_are_an_error(void **state)
{
    static const struct scripted script[] = {
        {200, ANSWER(SERIES("a", "0.25") "," SERIES("a", "0.5"))}};

    (void)state;
    ask_online(script, 1, SERVICE("a"));
    (void)server_finish();
    assert_int_equal(ran.code, 1);
    says(ran.err, "'errors' finds 2 series for a where one is expected; sum "
                  "them in the query, or name more labels in 'select'");
}

static void no_series_is_a_warning(void **state)
{
    static const struct scripted script[] = {{200, ANSWER(SERIES("b", "0.5"))}};
    static const struct scripted nothing[] = {{200, ANSWER("")}};

    (void)state;
    ask_online(script, 1, SERVICE("a"));
    (void)server_finish();
    assert_int_equal(ran.code, 0);
    says(ran.err, "warning: 'errors' finds series, but none for a; look at "
                  "the labels in 'select'");
    ask_online(nothing, 1, SERVICE("a"));
    (void)server_finish();
    says(ran.err, "warning: 'errors' finds no series for a");
}

static void what_is_no_prometheus_says_so(void **state)
{
    static const struct scripted script[] = {{404, "<html>no</html>"}};
    static const struct scripted closes[] = {{0, NULL}};

    (void)state;
    ask_online(script, 1, SERVICE("a"));
    (void)server_finish();
    assert_int_equal(ran.code, 1);
    says(ran.err, "answered 404, not in Prometheus' words");
    ask_online(closes, 1, SERVICE("a"));
    (void)server_finish();
    assert_int_equal(ran.code, 1);
    says(ran.err, "source 'prom' does not answer this query: ");
}

static void online_needs_a_configuration(void **state)
{
    (void)state;
    run_program(&ran, "check", "a.yaml", "--online", NULL);
    assert_int_equal(ran.code, 1);
    says(ran.err, "--online needs --config");
}

#define STORY(name)                                                            \
    cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(folders_are_walked_in_order),
        STORY(other_files_are_sent_to_their_command),
        STORY(json_has_every_problem_with_its_places),
        STORY(a_fix_repairs_the_file),
        STORY(a_bad_word_for_a_format_is_refused),
        STORY(sarif_is_for_annotations),
        STORY(a_sarif_of_good_files_has_no_results),
        STORY(each_query_is_asked_once),
        STORY(a_query_that_fails_is_an_error_at_its_place),
        STORY(several_series_are_an_error),
        STORY(no_series_is_a_warning),
        STORY(what_is_no_prometheus_says_so),
        STORY(online_needs_a_configuration),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
