/* Any bytes as a policy, as YAML and as JSON: a block that can be walked, or
 * an error with a place inside the file. */
#include "policies/read/policy_read.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int count_lines(const char *source, size_t length)
{
    int lines = 1;

    for (size_t i = 0; i < length; i++) {
        lines += source[i] == '\n' ? 1 : 0;
    }
    return lines;
}

static void check_problems(const struct problems *problems, const char *source,
                           size_t length)
{
    int lines = count_lines(source, length);

    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *problem = &problems->list[i];

        assert(problem->text[0] != '\0');
        assert(strchr(problem->text, '\n') == NULL);
        assert(problem->line >= 0);
        assert(problem->line <= lines + 1);
        assert(problem->line == 0 || problem->column >= 1);
        assert(problem->length >= 1);
    }
}

/* What the judge relies on. */
static void check_nodes(const struct policy *policy)
{
    for (uint16_t i = 0; i < policy->nodes; i++) {
        const struct node *node = policy_node(policy, i);

        assert(node->op < OP_LAST);
        assert(node->a == NONE_INDEX || node->a < i);
        assert(node->b == NONE_INDEX || node->b < i);
        assert(node->signal == NONE_INDEX || node->signal < policy->signals);
        assert(node->frozen == NONE_INDEX || node->frozen < policy->frozens);
        assert(node->fleet == NONE_INDEX || node->fleet < policy->fleets);
        (void)strlen(policy_text(policy, node->text));
        if (node->ring != NONE_INDEX) {
            assert(policy_ring(policy, node->ring)->node == node->a);
        }
        if (node->ring_b != NONE_INDEX) {
            assert(policy_ring(policy, node->ring_b)->node == node->b);
        }
    }
}

static void check_rings(const struct policy *policy)
{
    assert(policy->judge_bytes <= JUDGE_BYTES_MAX);
    for (uint16_t i = 0; i < policy->rings; i++) {
        const struct ring *ring = policy_ring(policy, i);
        size_t slot = ring->condition ? 1 : sizeof(double) + 1;

        assert(ring->slots >= 1);
        assert(ring->slots <= SAMPLES_MAX);
        assert(ring->offset % 8 == 0);
        assert(ring->offset + ring->slots * slot <= policy->judge_bytes);
    }
}

static void check_branch(const struct policy *policy, struct branch branch,
                         uint16_t from)
{
    if (branch.to == TO_QUESTION) {
        assert(branch.index > from);
        assert(branch.index < policy->questions);
    } else if (branch.to == TO_LEAF) {
        assert(branch.index < policy->leaves);
    }
}

static void check_tree(const struct policy *policy)
{
    char text[64];

    assert(policy->questions >= 1);
    for (uint16_t i = 0; i < policy->questions; i++) {
        const struct question *question = policy_question(policy, i);

        assert(policy_node(policy, question->node)->type == TYPE_CONDITION);
        check_branch(policy, question->yes, i);
        check_branch(policy, question->no, i);
        check_branch(policy, question->unknown, i);
    }
    for (uint16_t i = 0; i < policy->leaves; i++) {
        leaf_text(policy, i, "s", "e", "v", NULL, text, sizeof(text));
        assert(text[0] != '\0');
    }
}

static void check_policy(const struct policy *policy)
{
    check_nodes(policy);
    check_rings(policy);
    check_tree(policy);
}

/* The same with every name worked out as a column of a table. */
static void read_changed(const char *path, const char *source, size_t length,
                         const struct policy *policy)
{
    static struct problems problems;
    static const char *columns[POLICY_NODES_MAX];
    struct policy_changes changes = {.columns = columns};
    struct policy *changed = NULL;

    for (uint16_t i = 0; i < policy->nodes; i++) {
        const struct node *node = policy_node(policy, i);

        if (node->op == OP_NAMED) {
            columns[changes.count++] = policy_text(policy, node->text);
        }
    }
    problems_init(&problems, path);
    changed = policy_read_changed(path, source, length, &changes, &problems);
    assert((changed == NULL) == (problems.errors > 0));
    if (changed != NULL) {
        check_policy(changed);
        assert(strcmp(changed->digest, policy->digest) == 0);
    }
    policy_free(changed);
}

static void read_as(const char *path, const char *source, size_t length)
{
    static struct problems problems;
    struct policy *policy = NULL;

    problems_init(&problems, path);
    policy = policy_read(path, source, length, &problems);
    assert((policy == NULL) == (problems.errors > 0));
    check_problems(&problems, source, length);
    if (policy != NULL) {
        check_policy(policy);
        read_changed(path, source, length, policy);
    }
    policy_free(policy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_as("fuzz.yaml", (const char *)data, size);
    read_as("fuzz.json", (const char *)data, size);
    return 0;
}
