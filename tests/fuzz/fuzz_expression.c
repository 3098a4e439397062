/* Any text as the condition of a policy that is good otherwise.  What
 * compiles, compiles to the same nodes when written as a quoted scalar. */
#include "policies/read/policy_read.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char before[] = "policy: p\n"
                             "mode: auto\n"
                             "signals:\n"
                             "  e: {prometheus: e, unit: per_second}\n"
                             "  r: {prometheus: r, unit: per_second}\n"
                             "  n: {prometheus: n, unit: count}\n"
                             "  p: {prometheus: p, unit: ratio}\n"
                             "  c: {scrape: c, unit: count}\n"
                             "  h: {is: p > 5%}\n"
                             "tree:\n"
                             "  question: q\n"
                             "  then: wait\n"
                             "  else: healthy\n";

static struct policy *read_condition(const char *form, const char *text)
{
    static struct problems problems;
    char source[8192];
    struct policy *policy = NULL;

    (void)snprintf(source, sizeof(source), "%s  if: %s%s%s\n", before, form,
                   text, form[0] == '\'' ? "'" : "");
    problems_init(&problems, "fuzz.yaml");
    policy = policy_read("fuzz.yaml", source, strlen(source), &problems);
    assert((policy == NULL) == (problems.errors > 0));
    for (size_t i = 0; i < problems.count; i++) {
        assert(problems.list[i].line == 0 || problems.list[i].line >= 1);
        assert(problems.list[i].text[0] != '\0');
    }
    return policy;
}

static void check_same(const struct policy *a, const struct policy *b)
{
    assert(a->nodes == b->nodes);
    assert(a->rings == b->rings);
    assert(a->lookback == b->lookback);
    for (uint16_t i = 0; i < a->nodes; i++) {
        const struct node *first = policy_node(a, i);
        const struct node *second = policy_node(b, i);

        assert(first->op == second->op);
        assert(first->a == second->a);
        assert(first->b == second->b);
        assert(first->number == second->number ||
               first->number != first->number);
        assert(strcmp(policy_text(a, first->text),
                      policy_text(b, second->text)) == 0);
    }
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[2048];
    size_t length = 0;
    struct policy *block = NULL, *quoted = NULL;

    /* One line without quotes and outer blanks, so that both forms hold the
     * same text. */
    for (size_t i = 0; i < size && length + 1 < sizeof(text); i++) {
        if (data[i] != '\n' && data[i] != '\r' && data[i] != '\'' &&
            data[i] != '\0' && !(length == 0 && is_blank((char)data[i]))) {
            text[length++] = (char)data[i];
        }
    }
    while (length > 0 && is_blank(text[length - 1])) {
        length--;
    }
    text[length] = '\0';
    block = read_condition("|-\n    ", text);
    quoted = read_condition("'", text);
    assert((block == NULL) == (quoted == NULL));
    if (block != NULL) {
        check_same(block, quoted);
    }
    policy_free(block);
    policy_free(quoted);
    return 0;
}
