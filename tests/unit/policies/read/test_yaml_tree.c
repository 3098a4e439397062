/* YAML and JSON as a tree: what is read, where it stood, what is refused. */
#include "help_golden.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct problems problems;

static struct yaml_tree *read_tree(const char *path, const char *source)
{
    struct yaml_tree *tree = NULL;

    problems_init(&problems, path);
    tree = yaml_tree_read(path, source, strlen(source), &problems);
    if (problems.count > 0) {
        problems_print(&problems, source, strlen(source), false, stderr);
    }
    assert_non_null(tree);
    assert_int_equal(problems.count, 0);
    return tree;
}

/* --- What is read --------------------------------------------------------- */

static void scalars_stay_as_they_are_written(void **state)
{
    struct yaml_tree *tree = read_tree(
        "a.yaml", "plain: 1.10\nno: no\nsingle: 'it''s'\ndouble: \"a\\x41\"\n"
                  "empty:\nquoted: ''\npercent: 5%\ntilde: ~\n");
    const struct yaml_item *root = yaml_root(tree);

    (void)state;
    assert_int_equal(root->kind, YAML_MAP);
    assert_int_equal(root->count, 8);
    assert_string_equal(yaml_get(root, "plain")->text, "1.10");
    assert_string_equal(yaml_get(root, "no")->text, "no");
    assert_string_equal(yaml_get(root, "single")->text, "it's");
    assert_int_equal(yaml_get(root, "single")->style, YAML_SINGLE);
    assert_string_equal(yaml_get(root, "double")->text, "aA");
    assert_true(yaml_is_empty(yaml_get(root, "empty")));
    assert_false(yaml_is_empty(yaml_get(root, "quoted")));
    assert_string_equal(yaml_get(root, "percent")->text, "5%");
    assert_string_equal(yaml_get(root, "tilde")->text, "~");
    assert_null(yaml_get(root, "missing"));
    assert_null(yaml_get(yaml_get(root, "plain"), "x"));
    yaml_tree_free(tree);
}

static void lists_and_maps_keep_their_order(void **state)
{
    struct yaml_tree *tree = read_tree(
        "a.yaml", "list:\n  - one\n  - {b: 2, a: 1}\n  - [x, y]\nlast: z\n");
    const struct yaml_item *list = yaml_get(yaml_root(tree), "list");
    const struct yaml_item *map = list->first->next;

    (void)state;
    assert_int_equal(list->count, 3);
    assert_false(list->flow);
    assert_true(map->flow);
    assert_string_equal(map->first->key, "b");
    assert_string_equal(map->first->next->key, "a");
    assert_null(map->first->next->next);
    assert_true(map->first->in_flow);
    assert_false(map->in_flow);
    assert_int_equal(map->next->kind, YAML_LIST);
    assert_null(map->next->next);
    yaml_tree_free(tree);
}

static void places_count_code_points(void **state)
{
    struct yaml_tree *tree =
        read_tree("a.yaml", "\xef\xbb\xbf\xc3\xa9: {\xe2\x82\xac: value}\n"
                            "key: \"\xc3\xa9\xc3\xa9\"\n");
    const struct yaml_item *inner = yaml_root(tree)->first->first;
    const struct yaml_item *quoted = yaml_root(tree)->first->next;

    (void)state;
    assert_int_equal(inner->key_line, 1);
    assert_int_equal(inner->key_column, 5);
    assert_int_equal(inner->column, 8);
    assert_int_equal(inner->length, 5);
    assert_int_equal(quoted->line, 2);
    assert_int_equal(quoted->length, 4);
    assert_int_equal(quoted->key_length, 3);
    yaml_tree_free(tree);
}

static void json_is_read_with_its_places(void **state)
{
    struct yaml_tree *tree =
        read_tree("a.json", "{\"a\": \"x\\ud83d\\ude00\\/\\n\",\r\n"
                            "\t\"n\": [1.10, -2e3, true, null, {}, []]}\n");
    const struct yaml_item *root = yaml_root(tree);
    const struct yaml_item *list = yaml_get(root, "n");
    const struct yaml_item *item = list->first;

    (void)state;
    assert_string_equal(yaml_get(root, "a")->text, "x\xf0\x9f\x98\x80/\n");
    assert_int_equal(list->line, 2);
    assert_int_equal(list->column, 7);
    assert_int_equal(list->count, 6);
    assert_string_equal(item->text, "1.10");
    item = item->next;
    assert_string_equal(item->text, "-2e3");
    item = item->next;
    assert_string_equal(item->text, "true");
    item = item->next;
    assert_true(yaml_is_empty(item));
    item = item->next;
    assert_int_equal(item->kind, YAML_MAP);
    assert_int_equal(item->count, 0);
    yaml_tree_free(tree);
}

/* --- The source map ------------------------------------------------------- */

/* The place of the first byte of @word in the text of `key`. */
static void check_place(const char *path, const char *source, const char *word,
                        int line, int column)
{
    struct yaml_tree *tree = read_tree(path, source);
    const struct yaml_item *item = yaml_get(yaml_root(tree), "key");
    const char *found = strstr(item->text, word);
    int found_line = 0, found_column = 0;

    assert_non_null(found);
    yaml_place(tree, item, (size_t)(found - item->text), &found_line,
               &found_column);
    if (found_line != line || found_column != column) {
        print_error("%s: '%s' at %d:%d, not %d:%d\n", source, word, found_line,
                    found_column, line, column);
    }
    assert_int_equal(found_line, line);
    assert_int_equal(found_column, column);
    yaml_tree_free(tree);
}

static void places_inside_of_texts(void **state)
{
    static const struct {
        const char *source, *word;
        int line, column;
    } cases[] = {
        {"key: one two\n", "two", 1, 10},
        {"key: one\n  two\n   three\n", "three", 3, 4},
        {"key: one\n\n  two\n", "two", 3, 3},
        {"key: 'it''s x'\n", "x", 1, 13},
        {"key: 'one\n  two'\n", "two", 2, 3},
        {"key: \"\\x41\\u00e9\\U0001f600 x\"\n", "x", 1, 28},
        {"key: \"\\N\\_\\L\\P\\t\\\"x\"\n", "x", 1, 19},
        {"key: \"one \\\n   two\"\n", "two", 2, 4},
        {"key: \"one \\\n\n   two\"\n", "two", 3, 4},
        {"key: \"one\n\n\n   two\"\n", "two", 4, 4},
        {"key: |\n  one\n  two\n", "two", 3, 3},
        {"key: |\n  one\n\n    two\n  three\n", "three", 5, 3},
        {"key: |\n\n\n  one\n", "one", 4, 3},
        {"key: |2\n    one\n   two\n", "two", 3, 4},
        {"key: |+  # why\n  one\n  two\n\n\n", "two", 3, 3},
        {"key: |-\r\n  one\r\n  two\r\n", "two", 3, 3},
        {"key: >\n  one\n  two\n\n\n  three\n", "two", 3, 3},
        {"key: >\n  one\n  two\n\n\n  three\n", "three", 6, 3},
        {"key: >\n  one\n    two\n    three\n  four\n", "four", 5, 3},
        {"key: >\n  one\n    two\n\n    three\n", "three", 5, 5},
        {"key: |\n  \xc3\xa9\xc3\xa9 x\n", "x", 2, 6},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        check_place("a.yaml", cases[i].source, cases[i].word, cases[i].line,
                    cases[i].column);
    }
    check_place("a.json", "{\"key\": \"\\ud83d\\ude00\\n\\u0041 x\"}", "x", 1,
                31);
}

static void the_end_of_a_text_has_a_place(void **state)
{
    struct yaml_tree *tree = read_tree("a.yaml", "key: |-\n  one\n  two\n");
    const struct yaml_item *item = yaml_get(yaml_root(tree), "key");
    int line = 0, column = 0;

    (void)state;
    yaml_place(tree, item, item->text_length, &line, &column);
    assert_int_equal(line, 3);
    assert_int_equal(column, 6);
    yaml_place(tree, item, item->text_length + 1, &line, &column);
    assert_int_equal(line, 1);
    assert_int_equal(column, 6);
    yaml_tree_free(tree);
}

/* --- What is refused ------------------------------------------------------ */

static void treacherous_yaml_is_refused(void **state)
{
    static const struct golden golden[] = {
        {"a: 1\na: 2\n",
         "x.yaml:2:1: error: key 'a' stands here a second time; keep one\n"
         "a: 2\n"
         "^\n"
         "x.yaml:1:1: note: the first is here\n"
         "a: 1\n"
         "^\n"},
        {"a: &x 1\nb: *x\n",
         "x.yaml:1:4: error: anchors ('&') are not read here; write the value "
         "out\n"
         "a: &x 1\n"
         "   ^\n"
         "x.yaml:2:4: error: aliases ('*') are not read here; write the value "
         "out, or quote it\n"
         "b: *x\n"
         "   ^\n"},
        {"a: *nobody\n",
         "x.yaml:1:4: error: aliases ('*') are not read here; write the value "
         "out, or quote it\n"
         "a: *nobody\n"
         "   ^\n"},
        {"<<: {a: 1}\n",
         "x.yaml:1:1: error: merges ('<<') are not read here; write the keys "
         "out\n"
         "<<: {a: 1}\n"
         "^~\n"},
        {"a: !!int 5\nb: ! x\n",
         "x.yaml:1:4: error: tags ('!') are not read here; a value is text as "
         "it stands\n"
         "a: !!int 5\n"
         "   ^\n"
         "x.yaml:2:4: error: tags ('!') are not read here; a value is text as "
         "it stands\n"
         "b: ! x\n"
         "   ^\n"},
        {"%YAML 1.1\n---\na: 1\n",
         "x.yaml:1:1: error: directives ('%') are not read here; remove it\n"
         "%YAML 1.1\n"
         "^\n"},
        {"a: 1\n---\nb: 2\n",
         "x.yaml:2:1: error: a second document begins here; one file holds "
         "one\n"
         "---\n"
         "^\n"},
        {"? [a]\n: 1\n", "x.yaml:1:3: error: a key must be a word, not a list\n"
                         "? [a]\n"
                         "  ^\n"},
        {"a: \"x\\0y\"\n", "x.yaml:1:4: error: a text may not contain a NUL\n"
                           "a: \"x\\0y\"\n"
                           "   ^\n"},
        {"{b: 1\nc: 2}\n",
         "x.yaml:1:5: error: this value runs on into the next line; a comma or "
         "a closing bracket is missing, or quote it\n"
         "{b: 1\n"
         "    ^\n"},
        {"", "x.yaml: error: the file is empty\n"},
        {"# nothing\n", "x.yaml: error: the file is empty\n"},
    };

    (void)state;
    check_trees("x.yaml", golden, COUNT(golden));
}

static void characters_are_looked_at_first(void **state)
{
    static const struct golden golden[] = {
        {"a: \x01\n", "x.yaml:1:4: error: U+0001 is a control character; "
                      "remove it or write it as an escape in double quotes\n"
                      "a: ?\n"
                      "   ^\n"},
        {"a: \xc3\xa9\x7f\n",
         "x.yaml:1:5: error: U+007F is a control character; remove it or "
         "write it as an escape in double quotes\n"
         "a: \xc3\xa9?\n"
         "    ^\n"},
        {"a: b\rc: d\n",
         "x.yaml:1:5: error: U+000D is a carriage return without a line feed; "
         "end lines with a line feed\n"
         "a: b?c: d\n"
         "    ^\n"},
        {"a: \xc2\x85\n",
         "x.yaml:1:4: error: U+0085 is a control character; remove it or "
         "write it as an escape in double quotes\n"
         "a: ?\n"
         "   ^\n"},
        {"a: \xe2\x80\xae\n",
         "x.yaml:1:4: error: U+202E is a control character; remove it or "
         "write it as an escape in double quotes\n"
         "a: ?\n"
         "   ^\n"},
        {"a:\nb: \xc0\xaf\n",
         "x.yaml:2:4: error: byte 0xc0 is not valid UTF-8; save the file as "
         "UTF-8\n"
         "b: ??\n"
         "   ^\n"},
        {"\xff\xfe"
         "a",
         "x.yaml:1:1: error: this is UTF-16; save it as UTF-8\n"
         "??a\n"
         "^\n"},
    };

    (void)state;
    check_trees("x.yaml", golden, COUNT(golden));
}

static void a_nul_is_refused_at_its_place(void **state)
{
    (void)state;
    problems_init(&problems, "x.yaml");
    assert_null(yaml_tree_read("x.yaml", "a: b\0c", 6, &problems));
    assert_int_equal(problems.list[0].column, 5);
    assert_string_equal(problems.list[0].text,
                        "U+0000 is a NUL byte; is this a text file, in "
                        "UTF-8?");
}

static void complaints_say_what_to_do(void **state)
{
    static const struct golden golden[] = {
        {"a: b: c\n",
         "x.yaml:1:5: error: a second ': ' on one line; quote this value if "
         "it contains ': ', else check the indentation\n"
         "a: b: c\n"
         "    ^\n"},
        {"a:\n\tb: 1\n", "x.yaml:2:1: error: a tab cannot indent; use spaces\n"
                         " b: 1\n"
                         "^\n"},
        {"a: %x\nb: 1\n",
         "x.yaml:1:4: error: a value cannot start with '%'; quote it\n"
         "a: %x\n"
         "   ^\n"},
        {"a: @x\n", "x.yaml:1:4: error: a value cannot start with '@'; quote "
                    "it\n"
                    "a: @x\n"
                    "   ^\n"},
        {"a: *\n", "x.yaml:1:5: error: a value cannot start with '*'; quote "
                   "it\n"
                   "a: *\n"
                   "    ^\n"},
        {"a: \"x\nb: 1\n", "x.yaml:1:4: error: this quote is never closed\n"
                           "a: \"x\n"
                           "   ^\n"},
        {"a: \"\\q\"\n",
         "x.yaml:1:5: error: unknown escape in double quotes; write \\\\ for "
         "a backslash or use single quotes\n"
         "a: \"\\q\"\n"
         "    ^\n"},
        {"a:\n  - 1\n b\n",
         "x.yaml:3:2: error: this line does not fit the map above; check its "
         "indentation and the quotes before it\n"
         " b\n"
         " ^\n"
         "x.yaml:1:1: note: what it belongs to begins here\n"
         "a:\n"
         "^\n"},
        {"a: [1, {b: 2]\n", "x.yaml:1:13: error: a ',' or '}' is missing here\n"
                            "a: [1, {b: 2]\n"
                            "            ^\n"
                            "x.yaml:1:8: note: what it belongs to begins here\n"
                            "a: [1, {b: 2]\n"
                            "       ^\n"},
        {"a: |x\n  b\n",
         "x.yaml:1:5: error: text cannot follow '|' or '>' on the same line; "
         "begin it on the next\n"
         "a: |x\n"
         "    ^\n"},
        {"a: - b\n",
         "x.yaml:1:4: error: a list cannot begin here; put '- ' on its own "
         "line below the key\n"
         "a: - b\n"
         "   ^\n"},
    };

    (void)state;
    check_trees("x.yaml", golden, COUNT(golden));
}

static void bad_json_is_refused(void **state)
{
    static const struct golden golden[] = {
        {"{\"a\": 1,}",
         "x.json:1:9: error: this is not JSON: string or '}' expected near "
         "'}'\n"
         "{\"a\": 1,}\n"
         "        ^\n"},
        {"{\"a\": 1, \"a\": 2}",
         "x.json:1:12: error: this is not JSON: duplicate object key near "
         "'\"a\"'\n"
         "{\"a\": 1, \"a\": 2}\n"
         "           ^\n"},
        {"a: 1", "x.json:1:1: error: this is not JSON: '[' or '{' expected "
                 "near 'a'\n"
                 "a: 1\n"
                 "^\n"},
    };

    (void)state;
    check_trees("x.json", golden, COUNT(golden));
}

/* --- Bounds --------------------------------------------------------------- */

static const char *refusal_of(const char *source, size_t length)
{
    struct yaml_tree *tree = NULL;

    problems_init(&problems, "x.yaml");
    tree = yaml_tree_read("x.yaml", source, length, &problems);
    yaml_tree_free(tree);
    return tree == NULL ? problems.list[0].text : NULL;
}

static void size_depth_and_number_are_bounded(void **state)
{
    static char source[YAML_BYTES_MAX + 1];

    (void)state;
    memset(source, '#', sizeof(source));
    assert_string_equal(refusal_of(source, YAML_BYTES_MAX + 1),
                        "the file has 65537 bytes; at most 65536 are read");
    assert_string_equal(refusal_of(source, YAML_BYTES_MAX),
                        "the file is empty");
    memset(source, '[', sizeof(source));
    assert_string_equal(refusal_of(source, YAML_BYTES_MAX),
                        "nested too deeply; at most 32 levels are read");
    for (size_t i = 0; i < 32; i++) {
        source[32 + i] = ']';
    }
    assert_null(refusal_of(source, 64));
    for (size_t i = 0; i < YAML_ITEMS_MAX; i++) {
        memcpy(source + 4 * i, "- a\n", 4);
    }
    assert_string_equal(refusal_of(source, 4 * YAML_ITEMS_MAX),
                        "the file has more than 4096 values; split it");
    assert_null(refusal_of(source, 4 * (YAML_ITEMS_MAX - 1)));
}

static void growing_escapes_have_room(void **state)
{
    static char source[YAML_BYTES_MAX];
    size_t length = 0;

    (void)state;
    /* "\L" is two bytes here and three in the text. */
    source[length++] = '"';
    while (length + 3 < sizeof(source)) {
        source[length++] = '\\';
        source[length++] = 'L';
    }
    source[length++] = '"';
    assert_null(refusal_of(source, length));
}

/* --- What is expected ----------------------------------------------------- */

static void what_is_expected_is_read(void **state)
{
    struct yaml_tree *tree = read_tree(
        "a.yaml", "d: 90s\nn: 1.5\nw: 500\np: 99.9%\nname: a-b\nx: two\n");
    const struct yaml_item *root = yaml_root(tree);
    static const char *const words[] = {"one", "two"};
    time_ms span = 0;
    double number = 0, share = 0;
    int64_t whole = 0;
    size_t index = 0;

    (void)state;
    assert_true(yaml_expect_duration(yaml_get(root, "d"), 0, HOUR_MS, &span,
                                     &problems));
    assert_int_equal(span, 90000);
    assert_true(
        yaml_expect_number(yaml_get(root, "n"), 0, 2, &number, &problems));
    assert_true(number == 1.5);
    assert_true(
        yaml_expect_whole(yaml_get(root, "w"), 0, 500, &whole, &problems));
    assert_int_equal(whole, 500);
    assert_true(yaml_expect_percent(yaml_get(root, "p"), &share, &problems));
    assert_true(share == 0.999);
    assert_string_equal(yaml_expect_name(yaml_get(root, "name"), &problems),
                        "a-b");
    assert_true(
        yaml_expect_word(yaml_get(root, "x"), words, 2, &index, &problems));
    assert_int_equal(index, 1);
    assert_int_equal(problems.count, 0);
    yaml_tree_free(tree);
}

static void what_is_not_expected_is_explained(void **state)
{
    struct yaml_tree *tree = read_tree(
        "a.yaml", "d: 90\nn: 1e5\nw: 1.5\np: 120%\nname: a b\nx: tow\nl: z\n");
    const struct yaml_item *root = yaml_root(tree);
    static const char *const words[] = {"one", "two"};
    static const char *const expected[] = {
        "'90' is not a duration; write a whole number and ms, s, m, h or d, "
        "like 90s",
        "'1e5' is not a number; write digits, like 500",
        "'1.5' is not a whole number; write digits, like 500",
        "'120%' is not a percentage; write one from 0% to 100%, like 90%",
        "'a b' is not a name; a name begins with a letter or digit, has at "
        "most 128 of A-Z a-z 0-9 . _ + : @ / - and no '..'",
        "unknown word 'tow'; did you mean 'two'?",
        "'l' must be a list, not a text",
    };
    time_ms span = 77;
    double number = 77;
    int64_t whole = 77;
    size_t index = 77;

    (void)state;
    assert_false(yaml_expect_duration(yaml_get(root, "d"), 0, HOUR_MS, &span,
                                      &problems));
    assert_false(
        yaml_expect_number(yaml_get(root, "n"), 0, 2, &number, &problems));
    assert_false(
        yaml_expect_whole(yaml_get(root, "w"), 0, 500, &whole, &problems));
    assert_false(yaml_expect_percent(yaml_get(root, "p"), &number, &problems));
    assert_null(yaml_expect_name(yaml_get(root, "name"), &problems));
    assert_false(
        yaml_expect_word(yaml_get(root, "x"), words, 2, &index, &problems));
    assert_false(yaml_expect_list(yaml_get(root, "l"), &problems));
    assert_int_equal(problems.count, COUNT(expected));
    for (size_t i = 0; i < COUNT(expected); i++) {
        assert_string_equal(problems.list[i].text, expected[i]);
        assert_int_equal(problems.list[i].line, i + 1);
    }
    assert_int_equal(span, 77);
    assert_int_equal(whole, 77);
    yaml_tree_free(tree);
}

static void unknown_keys_are_explained(void **state)
{
    struct yaml_tree *tree =
        read_tree("a.yaml", "listne: 1\nzzz: 2\nlisten: {is: a(b, 5m), z)}\n");
    const struct yaml_item *root = yaml_root(tree);
    static const char *const keys[] = {"listen", "state"};
    static const char *const inner[] = {"is"};

    (void)state;
    assert_true(yaml_expect_map(root, keys, 2, &problems));
    assert_true(yaml_expect_map(yaml_get(root, "listen"), inner, 1, &problems));
    assert_int_equal(problems.count, 3);
    assert_string_equal(problems.list[0].text,
                        "unknown key 'listne'; did you mean 'listen'?");
    assert_string_equal(problems.list[1].text, "unknown key 'zzz'");
    assert_string_equal(problems.list[1].note, "known here: listen, state");
    assert_string_equal(problems.list[2].text,
                        "unknown key '5m)'; a comma ends a value inside { }: "
                        "quote this expression");
    yaml_tree_free(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_stay_as_they_are_written),
        cmocka_unit_test(lists_and_maps_keep_their_order),
        cmocka_unit_test(places_count_code_points),
        cmocka_unit_test(json_is_read_with_its_places),
        cmocka_unit_test(places_inside_of_texts),
        cmocka_unit_test(the_end_of_a_text_has_a_place),
        cmocka_unit_test(treacherous_yaml_is_refused),
        cmocka_unit_test(characters_are_looked_at_first),
        cmocka_unit_test(a_nul_is_refused_at_its_place),
        cmocka_unit_test(complaints_say_what_to_do),
        cmocka_unit_test(bad_json_is_refused),
        cmocka_unit_test(size_depth_and_number_are_bounded),
        cmocka_unit_test(growing_escapes_have_room),
        cmocka_unit_test(what_is_expected_is_read),
        cmocka_unit_test(what_is_not_expected_is_explained),
        cmocka_unit_test(unknown_keys_are_explained),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
