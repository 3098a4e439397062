/* Any condition over any samples.  The first line is the condition, the bytes
 * after it are the samples: what compiles is judged without an assertion
 * failing, no value is ever NaN or infinite, every unknown has a reason, and
 * judging again gives the same. */
#include "policies/explain/explain.h"
#include "policies/read/policy_read.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char before[] = "policy: p\n"
                             "mode: auto\n"
                             "watch: {every: 10s, settle: 20s}\n"
                             "baseline: 3m\n"
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

#define EVERY    (10 * SECOND_MS)
#define DEPLOYED (1000000 * SECOND_MS + 3000)
#define LOOKS    60

static struct policy *read_condition(const char *text, size_t length)
{
    static struct problems problems;
    char source[8192];

    (void)snprintf(source, sizeof(source), "%s  if: '%.*s'\n", before,
                   (int)length, text);
    problems_init(&problems, "fuzz.yaml");
    return policy_read("fuzz.yaml", source, strlen(source), &problems);
}

/* Mostly numbers near each other; sometimes extreme ones and unknowns. */
static struct sample sample_of(uint8_t byte)
{
    static const double odd[] = {0, -0.0, 1e308, -1e308, 5e-324, 1e9};

    if (byte < 200) {
        return (struct sample){byte / 7.0, KNOWN};
    }
    if (byte < 200 + UNKNOWN_LAST) {
        return (struct sample){0, (enum unknown)(byte - 200)};
    }
    return (struct sample){odd[byte % 6], KNOWN};
}

static void fill_row(const struct policy *policy, const uint8_t *bytes,
                     size_t count, size_t from, struct sample *row)
{
    for (uint16_t i = 0; i < policy->signals; i++) {
        row[i] = sample_of(count == 0 ? 0 : bytes[(from + i) % count]);
    }
}

static void check(const struct policy *policy, const struct verdict *verdict)
{
    for (uint16_t i = 0; i < policy->nodes; i++) {
        struct value value = verdict->values[i];

        assert(value.number - value.number == 0);
        assert(value.unknown < UNKNOWN_LAST);
        assert(value.unknown == KNOWN || value.number == 0);
        if (policy_node(policy, i)->type == TYPE_CONDITION) {
            assert(value.number == 0 || value.number == 1);
        }
    }
}

static struct facts facts = {
    .service = "s",
    .environment = "e",
    .version = "v",
    .deployed_at = DEPLOYED,
    .rollback_safe = ANSWER_UNKNOWN,
};

static void judge_all(const struct policy *policy, const uint8_t *bytes,
                      size_t count, struct verdict *ret_verdict)
{
    static uint64_t block[JUDGE_BYTES_MAX / 8];
    static struct sample past[40 * POLICY_SIGNALS_MAX];
    static struct judge_scratch scratch;
    struct judge *judge = (struct judge *)(void *)block;
    struct sample row[POLICY_SIGNALS_MAX];
    const struct history history = {
        .from = grid_at_or_before(DEPLOYED, EVERY) - 39 * EVERY,
        .rows = 40,
        .samples = past,
    };

    judge_start(policy, judge, DEPLOYED);
    for (size_t i = 0; i < history.rows; i++) {
        fill_row(policy, bytes, count, i * 3, past + i * policy->signals);
    }
    judge_learn(policy, judge, &history, &facts, &scratch);
    for (time_ms n = 1; n <= LOOKS; n++) {
        if (n > 3 && count > 0 && bytes[(size_t)n % count] == 255) {
            continue; /* never asked */
        }
        fill_row(policy, bytes, count, (size_t)n * 5, row);
        judge_look(policy, judge,
                   grid_at_or_before(DEPLOYED, EVERY) + n * EVERY, row, &facts,
                   ret_verdict);
        check(policy, ret_verdict);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct verdict first, second;
    const uint8_t *end = size == 0 ? NULL : memchr(data, '\n', size);
    size_t length = end == NULL ? size : (size_t)(end - data);
    const uint8_t *bytes = end == NULL ? data : end + 1;
    size_t count = end == NULL ? 0 : size - length - 1;
    struct policy *policy = NULL;

    if (length == 0 || length > 1024 || memchr(data, '\'', length) != NULL) {
        return 0;
    }
    policy = read_condition((const char *)data, length);
    if (policy == NULL) {
        return 0;
    }
    judge_all(policy, bytes, count, &first);
    judge_all(policy, bytes, count, &second);
    for (uint16_t i = 0; i < policy->nodes; i++) {
        assert(first.values[i].number == second.values[i].number);
        assert(first.values[i].unknown == second.values[i].unknown);
    }
    json_decref(explain_verdict(policy, &first, &facts));
    policy_free(policy);
    return 0;
}
