/* A verdict in JSON and on the terminal, as people and machines get it. */
#include "policies/explain/explain.h"

#include "tests/unit/policies/help_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static struct world world;

static const char source[] =
    "policy: small\n"
    "applies_to: {service: shop}\n"
    "mode: suggest\n"
    "watch: {every: 10s, settle: 0s}\n"
    "baseline: 5m\n"
    "signals:\n"
    "  errors:\n"
    "    prometheus: |\n"
    "      rate(errors_total\n"
    "        [1m])\n"
    "    select: {team: release.labels.team, zone: \"eu\"}\n"
    "    unit: per_second\n"
    "  requests: {prometheus: requests, unit: per_second}\n"
    "  error_rate: {is: errors / requests}\n"
    "  hurt: {is: error_rate > 5% for 30s}\n"
    "tree:\n"
    "  question: Are users hurt?\n"
    "  if: hurt or release.stuck\n"
    "  else: healthy\n"
    "  then:\n"
    "    question: Is it new?\n"
    "    if: not before(hurt) and change(error_rate) > 200%\n"
    "    unknown: then\n"
    "    then: {page: \"{{service}} {{version}} hurts\"}\n"
    "    else: {page: old}\n";

/* Errors at 8.75 % from the fifth grid time on; nothing known before. */
static void hurt_users(int looks)
{
    static const struct label labels[] = {{"team", "checkout"}};

    world_policy(&world, source);
    world.facts.labels = labels;
    world.facts.labels_count = 1;
    for (int n = 1; n <= looks; n++) {
        world_say(&world, "requests", 40);
        world_say(&world, "errors", n < 5 ? 0.04 : 3.5);
        world_look(&world, n);
    }
}

static char *print(const json_t *explanation, bool colour, int columns)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    explain_print(explanation, colour, columns, out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void assert_printed(int columns, const char *wanted)
{
    json_t *explanation =
        explain_verdict(world.policy, &world.verdict, &world.facts);
    char *text = print(explanation, false, columns);

    assert_string_equal(text, wanted);
    free(text);
    json_decref(explanation);
}

static void assert_json(json_t *json, const char *wanted)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(6));

    assert_string_equal(text, wanted);
    free(text);
    json_decref(json);
}

/* --- On the terminal ------------------------------------------------------ */

static void the_page_of_a_verdict(void **state)
{
    (void)state;
    hurt_users(7);
    assert_printed(
        80,
        "page: shop 2.0.0 hurts\n"
        "  judged at 1970-01-12T13:48:10Z by policy small (66071a694760)\n"
        "  not sure: an answer on the way is unknown\n"
        "\n"
        "> Are users hurt? yes\n"
        "      hurt or release.stuck: yes\n"
        "        hurt: yes\n"
        "          error_rate = 8.75% > 5% for 30s: yes\n"
        "        release.stuck: no\n"
        "    no: healthy\n"
        "    unknown: wait\n"
        "  > yes: Is it new? unknown\n"
        "        not before(hurt) and change(error_rate) > 200%: unknown (no "
        "baseline)\n"
        "          before(hurt): unknown (no baseline)\n"
        "          change(error_rate) = unknown > 200%: unknown (no baseline)\n"
        "      no: page: old\n"
        "    > yes or unknown: page: shop 2.0.0 hurts\n"
        "\n"
        "signals\n"
        "  errors = 3.5/s\n"
        "      prometheus: rate(errors_total [1m])\n"
        "      where team = checkout, zone = eu\n"
        "  requests = 40/s\n"
        "      prometheus: requests\n"
        "  error_rate = 8.75%\n"
        "      is: errors / requests\n"
        "  hurt = yes\n"
        "      is: error_rate > 5% for 30s\n");
    world_end(&world);
}

static void what_a_for_holds_over_is_told_when_it_differs(void **state)
{
    (void)state;
    hurt_users(5);
    world_unknown(&world, "requests", UNKNOWN_SOURCE_ERROR);
    world_look(&world, 6);
    assert_printed(60, "healthy\n"
                       "  judged at 1970-01-12T13:48:00Z by policy small\n"
                       "    (66071a694760)\n"
                       "\n"
                       "> Are users hurt? no\n"
                       "      hurt or release.stuck: no\n"
                       "        hurt: no\n"
                       "          error_rate = unknown > 5% for 30s:\n"
                       "              no (now unknown)\n"
                       "        release.stuck: no\n"
                       "    yes: Is it new?\n"
                       "      yes or unknown: page: shop 2.0.0 hurts\n"
                       "      no: page: old\n"
                       "    unknown: wait\n"
                       "  > no: healthy\n"
                       "\n"
                       "signals\n"
                       "  errors = 3.5/s\n"
                       "      prometheus: rate(errors_total [1m])\n"
                       "      where team = checkout, zone = eu\n"
                       "  requests = unknown (source error)\n"
                       "      prometheus: requests\n"
                       "  error_rate = unknown (source error)\n"
                       "      is: errors / requests\n"
                       "  hurt = no\n"
                       "      is: error_rate > 5% for 30s\n");
    world_end(&world);
}

/* No line of the incident's own tree is wider than the terminal, but for
 * words that are. */
static void the_page_fits_the_terminal(void **state)
{
    const int columns[] = {60, 80, 120};

    (void)state;
    world_library(&world, "policies/library/user-service.yaml");
    world.facts.service = "user-service";
    world_say(&world, "errors", 40);
    world_say(&world, "requests", 142);
    world_say(&world, "pool_in_use", 498);
    world_say(&world, "pool_size", 500);
    world_looks(&world, 1, 60);
    assert_int_equal(world.verdict.steps, 4);
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        json_t *explanation =
            explain_verdict(world.policy, &world.verdict, &world.facts);
        char *text = print(explanation, false, columns[i]);

        for (char *line = text; line != NULL && *line != '\0';) {
            size_t length = strcspn(line, "\n");
            bool one_word = memchr(line + strspn(line, " "), ' ',
                                   length - strspn(line, " ")) == NULL;

            if (length > (size_t)columns[i] && !one_word) {
                fail_msg("%.*s", (int)length, line);
            }
            line += length + (line[length] == '\n');
        }
        free(text);
        json_decref(explanation);
    }
    world_end(&world);
}

static void colour_only_when_asked(void **state)
{
    json_t *explanation = NULL;
    char *plain = NULL, *coloured = NULL;

    (void)state;
    hurt_users(7);
    explanation = explain_verdict(world.policy, &world.verdict, &world.facts);
    plain = print(explanation, false, 80);
    coloured = print(explanation, true, 80);
    assert_null(strchr(plain, '\033'));
    assert_ptr_equal(
        strstr(coloured, "\033[1;33mpage: shop 2.0.0 hurts\033[0m"), coloured);
    free(plain);
    free(coloured);
    json_decref(explanation);
    world_end(&world);
}

static void texts_from_outside_cannot_write_to_the_terminal(void **state)
{
    struct label labels[] = {{"team", "\033[2J\xe2\x80\xae"}};
    json_t *explanation = NULL;
    char *text = NULL;

    (void)state;
    hurt_users(7);
    world.facts.labels = labels;
    explanation = explain_verdict(world.policy, &world.verdict, &world.facts);
    text = print(explanation, false, 80);
    assert_null(strchr(text, '\033'));
    assert_non_null(strstr(text, "team = \\x1b[2J\\xe2\\x80\\xae"));
    free(text);
    json_decref(explanation);
    world_end(&world);
}

/* What comes back from a journal may be of another version. */
static void odd_explanations_do_no_harm(void **state)
{
    const char *const odd[] = {
        "{}",
        "[]",
        "{\"verdict\":1,\"text\":[],\"tree\":[],\"signals\":{}}",
        "{\"tree\":{\"question\":2,\"then\":{\"leaf\":[]},\"lines\":[1,{}]}}",
        "{\"tree\":{\"lines\":[{\"depth\":-7},{\"depth\":1e9,\"text\":1}]}}",
        "{\"tree\":{\"lines\":[{\"depth\":99999999999,\"text\":\"x\"}]}}",
        "{\"signals\":[1,{\"select\":{\"a\":1}},{\"value\":1,\"unit\":7}]}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        json_t *explanation = json_loads(odd[i], 0, NULL);

        assert_non_null(explanation);
        free(print(explanation, true, 0));
        json_decref(explanation);
    }
}

static void a_tree_without_end_is_cut(void **state)
{
    json_t *tree = json_pack("{s:s,s:b}", "leaf", "page", "taken", 1);
    json_t *explanation = NULL;

    (void)state;
    for (int depth = 0; depth < 1000; depth++) {
        json_t *above = json_pack("{s:s,s:o}", "question", "?", "then", tree);

        tree = above;
    }
    explanation = json_pack("{s:o}", "tree", tree);
    free(print(explanation, false, 80));
    json_decref(explanation);
}

/* --- For machines --------------------------------------------------------- */

static void the_path_and_what_decided(void **state)
{
    (void)state;
    hurt_users(7);
    assert_json(explain_path(world.policy, &world.verdict),
                "[{\"question\":\"Are users hurt?\",\"answer\":\"yes\"},"
                "{\"question\":\"Is it new?\",\"answer\":\"unknown\"}]");
    assert_json(
        explain_because(world.policy, &world.verdict),
        "[{\"expr\":\"hurt or release.stuck\",\"value\":true},"
        "{\"expr\":\"hurt\",\"value\":true},"
        "{\"expr\":\"error_rate > 5% for 30s\",\"value\":true},"
        "{\"expr\":\"error_rate > 5%\",\"value\":true},"
        "{\"expr\":\"error_rate\",\"value\":0.0875,\"unit\":\"ratio\"},"
        "{\"expr\":\"errors\",\"value\":3.5,\"unit\":\"per_second\"},"
        "{\"expr\":\"requests\",\"value\":40.0,\"unit\":\"per_second\"},"
        "{\"expr\":\"release.stuck\",\"value\":false},"
        "{\"expr\":\"not before(hurt) and change(error_rate) > 200%\","
        "\"value\":null,\"unknown\":\"no baseline\"},"
        "{\"expr\":\"before(hurt)\",\"value\":null,"
        "\"unknown\":\"no baseline\"},"
        "{\"expr\":\"change(error_rate) > 200%\",\"value\":null,"
        "\"unknown\":\"no baseline\"},"
        "{\"expr\":\"change(error_rate)\",\"value\":null,\"unit\":\"ratio\","
        "\"unknown\":\"no baseline\"}]");
    world_end(&world);
}

static void the_tree_is_told_whole(void **state)
{
    json_t *explanation = NULL;

    (void)state;
    hurt_users(7);
    explanation = explain_verdict(world.policy, &world.verdict, &world.facts);
    assert_json(
        json_incref(json_object_get(explanation, "tree")),
        "{\"question\":\"Are users hurt?\",\"if\":\"hurt or release.stuck\","
        "\"answer\":\"yes\",\"taken\":true,\"lines\":["
        "{\"depth\":0,\"text\":\"hurt or release.stuck\",\"answer\":\"yes\"},"
        "{\"depth\":1,\"text\":\"hurt\",\"answer\":\"yes\"},"
        "{\"depth\":2,\"text\":\"error_rate = 8.75% > 5% for 30s\","
        "\"answer\":\"yes\"},"
        "{\"depth\":1,\"text\":\"release.stuck\",\"answer\":\"no\"}],"
        "\"then\":{\"question\":\"Is it new?\","
        "\"if\":\"not before(hurt) and change(error_rate) > 200%\","
        "\"answer\":\"unknown\",\"taken\":true,\"lines\":["
        "{\"depth\":0,"
        "\"text\":\"not before(hurt) and change(error_rate) > 200%\","
        "\"answer\":\"unknown\",\"unknown\":\"no baseline\"},"
        "{\"depth\":1,\"text\":\"before(hurt)\",\"answer\":\"unknown\","
        "\"unknown\":\"no baseline\"},"
        "{\"depth\":1,\"text\":\"change(error_rate) = unknown > 200%\","
        "\"answer\":\"unknown\",\"unknown\":\"no baseline\"}],"
        "\"then\":{\"leaf\":\"page\",\"text\":\"shop 2.0.0 hurts\","
        "\"taken\":true},"
        "\"else\":{\"leaf\":\"page\",\"text\":\"old\",\"taken\":false},"
        "\"unknown\":\"then\"},"
        "\"else\":{\"leaf\":\"healthy\",\"text\":\"healthy\","
        "\"taken\":false},"
        "\"unknown\":{\"leaf\":\"wait\",\"text\":\"wait\",\"taken\":false}}");
    assert_true(json_is_true(json_object_get(explanation, "unsure")));
    json_decref(explanation);
    world_end(&world);
}

static void the_names_of_leaves(void **state)
{
    (void)state;
    assert_string_equal(leaf_kind_name(LEAF_HEALTHY), "healthy");
    assert_string_equal(leaf_kind_name(LEAF_WAIT), "wait");
    assert_string_equal(leaf_kind_name(LEAF_ROLLBACK), "rollback");
    assert_string_equal(leaf_kind_name(LEAF_HOLD), "hold");
    assert_string_equal(leaf_kind_name(LEAF_PAGE), "page");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_of_a_verdict),
        cmocka_unit_test(what_a_for_holds_over_is_told_when_it_differs),
        cmocka_unit_test(the_page_fits_the_terminal),
        cmocka_unit_test(colour_only_when_asked),
        cmocka_unit_test(texts_from_outside_cannot_write_to_the_terminal),
        cmocka_unit_test(odd_explanations_do_no_harm),
        cmocka_unit_test(a_tree_without_end_is_cut),
        cmocka_unit_test(the_path_and_what_decided),
        cmocka_unit_test(the_tree_is_told_whole),
        cmocka_unit_test(the_names_of_leaves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
