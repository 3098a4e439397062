/* The bounds of a policy: one more than fits is refused in a sentence. */
#include "help_golden.h"

#include <stdlib.h>
#include <string.h>

#define HEAD "policy: p\nmode: auto\n"
#define TREE                                                                   \
    "tree: {question: q, if: release.stuck, then: wait, else: healthy}\n"
#define X "  x: {prometheus: q, unit: count}\n"

/* A policy that is written piece by piece. */
struct text {
    char *bytes;
    size_t length;
    FILE *out;
};

static void begin(struct text *text, const char *beginning)
{
    text->out = open_memstream(&text->bytes, &text->length);
    assert_non_null(text->out);
    assert_true(fputs(beginning, text->out) >= 0);
}

static void repeat(const struct text *text, const char *piece, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_true(fputs(piece, text->out) >= 0);
    }
}

/* Read it with these columns; its first error is @expected, or there is none
 * when that is NULL. */
static void check_changed(struct text *text, const char *expected,
                          const struct policy_changes *changes)
{
    struct problems *problems = malloc(sizeof(*problems));
    struct policy *policy = NULL;

    assert_non_null(problems);
    assert_int_equal(fclose(text->out), 0);
    problems_init(problems, "p.yaml");
    policy = policy_read_changed("p.yaml", text->bytes, text->length, changes,
                                 problems);
    if (expected == NULL) {
        assert_int_equal(problems->errors, 0);
        assert_non_null(policy);
    } else {
        assert_null(policy);
        assert_true(problems->errors > 0);
        assert_string_equal(problems->list[0].text, expected);
    }
    policy_free(policy);
    free(problems);
    free(text->bytes);
}

static void check(struct text *text, const char *expected)
{
    const struct policy_changes nothing = {0};

    check_changed(text, expected, &nothing);
}

/* Signals s0, s1, ... of a form with one %zu or two. */
static void add_signals(const struct text *text, size_t count,
                        const char *before, const char *after)
{
    for (size_t i = 0; i < count; i++) {
        assert_true(fprintf(text->out, "  s%zu: {%s%zu%s}\n", i, before, i + 5,
                            after) > 0);
    }
}

static void a_file_has_512_nodes(void **state)
{
    struct text text;

    (void)state;
    begin(&text, HEAD TREE "signals:\n" X);
    /* each x + N + N ... is 2 * 31 new nodes and a name's */
    for (size_t i = 0; i < 9; i++) {
        (void)fprintf(text.out, "  n%zu: {is: x", i);
        repeat(&text, " + 1", 31);
        (void)fputs("}\n", text.out);
    }
    check(&text, "the file's expressions have more than 512 parts");
}

static void names_are_nodes_too(void **state)
{
    struct text text;

    (void)state;
    begin(&text, HEAD TREE "signals:\n" X);
    for (size_t i = 0; i < 8; i++) {
        (void)fprintf(text.out, "  n%zu: {is: x", i);
        repeat(&text, " + 1", 31);
        (void)fputs("}\n", text.out);
    }
    add_signals(&text, 20, "is: x + ", "");
    check(&text, "the file's expressions have more than 512 parts");
}

static void a_policy_looks_back_on_32_things(void **state)
{
    struct text text;

    (void)state;
    begin(&text, HEAD TREE "watch: {every: 1m}\nsignals:\n" X);
    add_signals(&text, 33, "is: \"avg(x * ", ", 5m)\"");
    check(&text, "the policy looks back on more than 32 different things");
    begin(&text, HEAD TREE "watch: {every: 1m}\nsignals:\n" X);
    add_signals(&text, 32, "is: \"avg(x * ", ", 5m)\"");
    check(&text, NULL);
}

static void a_policy_freezes_16_things(void **state)
{
    struct text text;

    (void)state;
    begin(&text, HEAD TREE "signals:\n" X);
    add_signals(&text, 17, "is: baseline(x * ", ")");
    check(&text, "more than 16 of baseline(), change(), at_deploy() and "
                 "before() (worsened() counts twice)");
}

#define SPLIT "prometheus: q, select: {version: release.version}, unit: count"

static void the_controls_side_is_signals_too(void **state)
{
    struct text text;

    (void)state;
    for (size_t count = 16; count <= 17; count++) {
        begin(&text, HEAD TREE "signals:\n");
        for (size_t i = 0; i < count; i++) {
            (void)fprintf(text.out,
                          "  x%zu: {" SPLIT "}\n"
                          "  c%zu: {is: control(x%zu)}\n",
                          i, i, i);
        }
        check(&text, count == 16 ? NULL
                                 : "with the control's side the policy has "
                                   "more than 32 fetched signals");
    }
}

static void the_controls_side_is_nodes_too(void **state)
{
    struct text text;

    (void)state;
    begin(&text, HEAD TREE "signals:\n  x: {" SPLIT "}\n");
    for (size_t i = 0; i < 5; i++) {
        (void)fprintf(text.out, "  n%zu: {is: control(x", i);
        repeat(&text, " + 1", 31);
        (void)fputs(")}\n", text.out);
    }
    (void)fputs("  m: {is: control(x", text.out);
    repeat(&text, " + 1", 12);
    (void)fputs(")}\n", text.out);
    check(&text, "with the control's side the policy has more than 512 parts "
                 "of expressions");
}

static void a_policy_gathers_8_kinds_of_evidence(void **state)
{
    struct text text;

    (void)state;
    for (size_t count = 8; count <= 9; count++) {
        begin(&text, HEAD TREE "signals:\n  x: {" SPLIT "}\n");
        add_signals(&text, count, "is: worse(x * ", ")");
        check(&text,
              count == 8 ? NULL : "more than 8 of worse() in one policy");
    }
}

static void a_policy_asks_8_facts_of_the_fleet(void **state)
{
    struct text text;

    (void)state;
    begin(&text, HEAD TREE "signals:\n");
    add_signals(&text, 9, "is: fleet.rollbacks(", "h) > 2");
    check(&text, "more than 8 different facts of the fleet");
}

static void a_query_has_2048_bytes(void **state)
{
    struct text text;

    (void)state;
    begin(&text, HEAD TREE "signals:\n  s: {prometheus: ");
    repeat(&text, "q", 2049);
    (void)fputs(", unit: count}\n", text.out);
    check(&text, "a query has at most 2048 bytes, this one 2049");
}

static void four_labels_are_selected_by(void **state)
{
    struct text text;

    (void)state;
    begin(&text, HEAD TREE
          "signals:\n  s: {prometheus: q, unit: count, select: {a: 1, "
          "b: 2, c: 3, d: 4, e: 5}}\n");
    check(&text, "at most 4 labels can be selected by");
}

static void a_policy_has_32_fetched_and_96_signals(void **state)
{
    struct text text;

    (void)state;
    begin(&text, HEAD TREE "signals:\n");
    add_signals(&text, 33, "unit: count, prometheus: q", "");
    check(&text, "more than 32 fetched signals in one policy");
    begin(&text, HEAD TREE "signals:\n");
    add_signals(&text, 97, "is: ", " > 2");
    check(&text, "more than 96 signals in one policy");
}

static void columns_are_fetched_signals_too(void **state)
{
    static const char *const columns[] = {"named"};
    const struct policy_changes changes = {.columns = columns, .count = 1};
    struct text text;

    (void)state;
    begin(&text, HEAD TREE "signals:\n  named: {is: s0 + s1}\n");
    add_signals(&text, 32, "unit: count, prometheus: q", "");
    check_changed(&text,
                  "with the table's columns there are more than 32 fetched "
                  "signals",
                  &changes);
}

static void texts_have_512_bytes(void **state)
{
    struct text text;

    (void)state;
    begin(&text, HEAD "tree: {question: ");
    repeat(&text, "q", 513);
    (void)fputs(", if: release.stuck, then: wait, else: healthy}\n", text.out);
    check(&text, "a question has at most 512 bytes, this one 513");
    begin(&text, HEAD "tree: {question: q, if: release.stuck, then: {page: ");
    repeat(&text, "p", 513);
    (void)fputs("}, else: healthy}\n", text.out);
    check(&text, "a text has at most 512 bytes, this one 513");
}

/* A full tree of @depth questions; the last ones lead to leaves of their own.
 */
static void add_tree(const struct text *text, size_t depth)
{
    size_t questions = ((size_t)1 << depth) - 1;

    /* questions 2i + 1 and 2i + 2 belong to i; what is still to be written */
    size_t stack[64] = {0}, count = 1;

    (void)fputs("tree: ", text->out);
    while (count > 0) {
        size_t index = stack[--count];

        if (index == SIZE_MAX) {
            (void)fputs("}", text->out);
        } else if (index == SIZE_MAX - 1) {
            (void)fputs(", else: ", text->out);
        } else if (index >= questions) {
            (void)fputs("{page: p}", text->out);
        } else {
            (void)fputs("{question: q, if: release.stuck, then: ", text->out);
            stack[count++] = SIZE_MAX;
            stack[count++] = 2 * index + 2;
            stack[count++] = SIZE_MAX - 1;
            stack[count++] = 2 * index + 1;
        }
    }
    (void)fputs("\n", text->out);
}

/* @count questions, one in the other. */
static void add_chain(const struct text *text, size_t count)
{
    repeat(text, "{question: q, if: release.stuck, then: wait, else: ", count);
    (void)fputs("healthy", text->out);
    repeat(text, "}", count);
}

static void a_tree_has_32_questions_and_33_leaves(void **state)
{
    struct text text;

    (void)state;
    begin(&text, HEAD);
    add_tree(&text, 5);
    check(&text, "the tree has more than 33 leaves");
    begin(&text, HEAD "tree: {question: q, if: release.stuck, then: ");
    add_chain(&text, 15);
    (void)fputs(", else: ", text.out);
    add_chain(&text, 15);
    (void)fputs(", unknown: ", text.out);
    add_chain(&text, 1);
    (void)fputs("}\n", text.out);
    check(&text, NULL);
    begin(&text, HEAD "tree: {question: q, if: release.stuck, then: ");
    add_chain(&text, 15);
    (void)fputs(", else: ", text.out);
    add_chain(&text, 15);
    (void)fputs(", unknown: ", text.out);
    add_chain(&text, 2);
    (void)fputs("}\n", text.out);
    check(&text, "the tree has more than 32 questions");
}

/* @count sums of @terms long names. */
static void add_sums(struct text *text, size_t count, size_t terms)
{
    char name[65];

    memset(name, 'x', 64);
    name[64] = '\0';
    begin(text, HEAD TREE "signals:\n  ");
    (void)fprintf(text->out, "%s: {prometheus: q, unit: count}\n", name);
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(text->out, "  n%zu: {is: %s", i, name);
        for (size_t j = 1; j < terms; j++) {
            (void)fprintf(text->out, " + %s", name);
        }
        (void)fputs("}\n", text->out);
    }
}

static void a_compiled_policy_is_bounded(void **state)
{
    struct text text;

    (void)state;
    add_sums(&text, 36, 14);
    check(&text, "the policy is too large once compiled; at most 262144 bytes");
    add_sums(&text, 30, 14); /* its texts fit, and its nodes beside them not */
    check(&text, "the policy is too large once compiled; at most 262144 bytes");
    add_sums(&text, 27, 14);
    check(&text, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_has_512_nodes),
        cmocka_unit_test(names_are_nodes_too),
        cmocka_unit_test(a_policy_looks_back_on_32_things),
        cmocka_unit_test(a_policy_freezes_16_things),
        cmocka_unit_test(the_controls_side_is_signals_too),
        cmocka_unit_test(the_controls_side_is_nodes_too),
        cmocka_unit_test(a_policy_gathers_8_kinds_of_evidence),
        cmocka_unit_test(a_policy_asks_8_facts_of_the_fleet),
        cmocka_unit_test(a_query_has_2048_bytes),
        cmocka_unit_test(four_labels_are_selected_by),
        cmocka_unit_test(a_policy_has_32_fetched_and_96_signals),
        cmocka_unit_test(columns_are_fetched_signals_too),
        cmocka_unit_test(texts_have_512_bytes),
        cmocka_unit_test(a_tree_has_32_questions_and_33_leaves),
        cmocka_unit_test(a_compiled_policy_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
