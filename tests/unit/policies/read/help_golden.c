#include "help_golden.h"

#include <stdlib.h>
#include <string.h>

static void compare(const char *source, const char *printed,
                    const char *expected)
{
    if (strcmp(printed, expected) != 0) {
        print_error("--- source\n%s\n--- printed\n%s--- expected\n%s---\n",
                    source, printed, expected);
    }
    assert_string_equal(printed, expected);
}

static struct problems *new_problems(const char *path)
{
    struct problems *problems = malloc(sizeof(*problems));

    assert_non_null(problems);
    problems_init(problems, path);
    return problems;
}

static char *print_all(const struct problems *problems, const char *source)
{
    char *printed = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&printed, &size);

    assert_non_null(out);
    problems_print(problems, source, strlen(source), false, out);
    assert_int_equal(fclose(out), 0);
    return printed;
}

void check_policies(const struct golden *golden, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct problems *problems = new_problems("policy.yaml");
        struct policy *policy = policy_read("policy.yaml", golden[i].source,
                                            strlen(golden[i].source), problems);
        char *printed = print_all(problems, golden[i].source);

        compare(golden[i].source, printed, golden[i].printed);
        assert_true((policy == NULL) == (problems->errors > 0));
        free(printed);
        free(problems);
        policy_free(policy);
    }
}

void check_trees(const char *path, const struct golden *golden, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct problems *problems = new_problems(path);
        struct yaml_tree *tree = yaml_tree_read(
            path, golden[i].source, strlen(golden[i].source), problems);
        char *printed = print_all(problems, golden[i].source);

        compare(golden[i].source, printed, golden[i].printed);
        free(printed);
        free(problems);
        yaml_tree_free(tree);
    }
}

#define BEFORE_CONDITION                                                       \
    "policy: p\n"                                                              \
    "mode: auto\n"                                                             \
    "signals:\n"                                                               \
    "  errors: {prometheus: e, unit: per_second}\n"                            \
    "  requests: {prometheus: r, unit: per_second}\n"                          \
    "  size: {prometheus: n, unit: count}\n"                                   \
    "  share: {prometheus: s, unit: ratio}\n"                                  \
    "  wait: {prometheus: w, unit: milliseconds}\n"                            \
    "  memory: {prometheus: m, unit: bytes}\n"                                 \
    "  hits_total: {scrape: hits_total, unit: count}\n"                        \
    "  rate_of: {is: errors / requests}\n"                                     \
    "  hurt: {is: rate_of > 5%}\n"                                             \
    "tree:\n"                                                                  \
    "  question: q\n"                                                          \
    "  then: wait\n"                                                           \
    "  else: healthy\n"                                                        \
    "  if: |-\n    "

static char *source_of_condition(const char *condition)
{
    char *source = NULL;

    assert_true(asprintf(&source, "%s%s\n", BEFORE_CONDITION, condition) > 0);
    return source;
}

void check_conditions(const struct golden *golden, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *source = source_of_condition(golden[i].source);
        struct problems *problems = new_problems("p.yaml");
        struct policy *policy =
            policy_read("p.yaml", source, strlen(source), problems);
        char printed[4096] = "";

        for (size_t j = 0; j < problems->count; j++) {
            const struct problem *problem = &problems->list[j];
            char quoted[PROBLEM_TEXT_MAX + 3];
            bool is_said = false;

            (void)snprintf(quoted, sizeof(quoted), "'%s'", problem->fix);
            is_said = problem->fix[0] == '\0' ||
                      strstr(problem->text, quoted) != NULL;

            assert_int_equal(problem->line, 18);
            (void)snprintf(
                printed + strlen(printed), sizeof(printed) - strlen(printed),
                "%d: %s%s%s\n", problem->column - 4, problem->text,
                is_said ? "" : ", fix: ", is_said ? "" : problem->fix);
        }
        compare(golden[i].source, printed, golden[i].printed);
        assert_true((policy == NULL) == (problems->errors > 0));
        policy_free(policy);
        free(problems);
        free(source);
    }
}

struct policy *policy_of_source(const char *source)
{
    struct problems *problems = new_problems("p.yaml");
    struct policy *policy =
        policy_read("p.yaml", source, strlen(source), problems);

    if (policy == NULL) {
        problems_print(problems, source, strlen(source), false, stderr);
    }
    free(problems);
    assert_non_null(policy);
    return policy;
}

struct policy *policy_of_condition(const char *condition)
{
    char *source = source_of_condition(condition);
    struct policy *policy = policy_of_source(source);

    free(source);
    return policy;
}
