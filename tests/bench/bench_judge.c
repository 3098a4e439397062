/* What one look of one release costs with the printed policy, and what its
 * parts cost.  Prints medians of several rounds; nothing is asserted. */
#include "policies/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policies/read/policy_read.h"

#define ROUNDS 31
#define LOOKS  2000
#define EVERY  (15 * SECOND_MS)
#define START  (1726665300 * SECOND_MS)

static double now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

static double median_of_rounds(double rounds[ROUNDS])
{
    qsort(rounds, ROUNDS, sizeof(double), compare);
    return rounds[ROUNDS / 2];
}

static struct policy *read_policy(const char *path, const char *source)
{
    static struct problems problems;
    struct policy *policy = NULL;

    problems_init(&problems, path);
    policy = policy_read(path, source, strlen(source), &problems);
    if (policy == NULL) {
        problems_print(&problems, source, strlen(source), false, stderr);
        exit(1);
    }
    return policy;
}

/* A gauge that wanders, so that sorting has something to do. */
static double noise(unsigned *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed / 4294967296.0;
}

static struct facts facts = {
    .service = "user-service",
    .environment = "production",
    .version = "2.4.0",
    .deployed_at = START,
    .rollback_safe = ANSWER_YES,
};

static void fill_row(const struct policy *policy, int n, unsigned *seed,
                     struct sample *row)
{
    for (uint16_t i = 0; i < policy->signals; i++) {
        row[i] = (struct sample){100 + 0.02 * n + 10 * noise(seed), KNOWN};
    }
}

static double look_ns(const struct policy *policy)
{
    static uint64_t block[JUDGE_BYTES_MAX / 8];
    static struct sample rows[LOOKS][POLICY_SIGNALS_MAX];
    static struct verdict verdict;
    struct judge *judge = (struct judge *)(void *)block;
    double rounds[ROUNDS];
    unsigned seed = 1;

    for (int n = 0; n < LOOKS; n++) {
        fill_row(policy, n, &seed, rows[n]);
    }
    for (int round = 0; round < ROUNDS; round++) {
        double begin = 0;

        judge_start(policy, judge, START);
        begin = now_ns();
        for (int n = 0; n < LOOKS; n++) {
            judge_look(policy, judge, START + (n + 1) * EVERY, rows[n], &facts,
                       &verdict);
        }
        rounds[round] = (now_ns() - begin) / LOOKS;
    }
    return median_of_rounds(rounds);
}

static double learn_ns(const struct policy *policy)
{
    static struct sample samples[HISTORY_ROWS_MAX * POLICY_SIGNALS_MAX];
    static struct judge_scratch scratch;
    static uint64_t block[JUDGE_BYTES_MAX / 8];
    struct judge *judge = (struct judge *)(void *)block;
    struct history history = {
        .rows = (size_t)(policy->history / EVERY) + 1,
        .samples = samples,
    };
    double rounds[ROUNDS];
    unsigned seed = 1;

    history.from = START - (time_ms)(history.rows - 1) * EVERY;
    for (size_t i = 0; i < history.rows; i++) {
        fill_row(policy, (int)i, &seed, samples + i * policy->signals);
    }
    for (int round = 0; round < ROUNDS; round++) {
        double begin = 0;

        judge_start(policy, judge, START);
        begin = now_ns();
        judge_learn(policy, judge, &history, &facts, &scratch);
        rounds[round] = now_ns() - begin;
    }
    return median_of_rounds(rounds);
}

static void print_condition(const char *condition)
{
    char source[1024];
    struct policy *policy = NULL;

    (void)snprintf(source, sizeof(source),
                   "policy: bench\nmode: observe\n"
                   "signals:\n  x: {prometheus: x, unit: count}\n"
                   "  e: {prometheus: e, unit: per_second}\n"
                   "  r: {prometheus: r, unit: per_second}\n"
                   "tree: {question: q, if: '%s', then: {page: p}, "
                   "else: healthy}\n",
                   condition);
    policy = read_policy("bench.yaml", source);
    (void)printf("%-48s %9.0f ns %7u B\n", condition, look_ns(policy),
                 policy->judge_bytes);
    policy_free(policy);
}

static void print_library(void)
{
    static char source[POLICY_FILE_MAX + 1];
    const char *path = SOURCE_DIR "/policies/library/user-service.yaml";
    FILE *file = fopen(path, "r");
    struct policy *policy = NULL;

    if (file == NULL) {
        perror(path);
        exit(1);
    }
    source[fread(source, 1, POLICY_FILE_MAX, file)] = '\0';
    (void)fclose(file);
    policy = read_policy(path, source);
    (void)printf("%-48s %9.0f ns %7u B\n", "user-service.yaml, one look",
                 look_ns(policy), policy->judge_bytes);
    (void)printf("%-48s %9.0f ns\n",
                 "user-service.yaml, learning the hour "
                 "before",
                 learn_ns(policy));
    policy_free(policy);
}

int main(void)
{
    (void)printf("%-48s %12s %9s\n", "one look of one release", "median",
                 "memory");
    print_library();
    print_condition("x > 5");
    print_condition("x > 5 for 2m");
    print_condition("avg(x, 5m) > 5");
    print_condition("quantile(x, 99%, 1h) > 5");
    print_condition("forecast(x, 10m) > 5");
    print_condition("rising(x)");
    print_condition("slope(x, 1h) > 5/s");
    print_condition("slope(x, 2h) > 5/s");
    print_condition("rising(x, 2h)");
    print_condition("too_many(e, r, 5%, 5m)");
    print_condition("too_many(e, r, 95%, 5m)");
    print_condition("burn(e, r, 99.9%, 1h, 5m)");
    return 0;
}
