/* What judging with a policy costs: no policy may hold up the loop. */
#include "policies/judge.h"
#include "policies/read/draft.h"

#include <assert.h>

/* Measured with tests/bench/bench_judge.c, rounded up; nanoseconds. */
#define NODE_NS     10
#define SAMPLE_NS   6  /* read, summed up */
#define ORDERED_NS  10 /* put in order */
#define SLOPE_NS    4  /* of one pair */
#define PAIR_NS     8  /* compared under a load */
#define BINOMIAL_NS 120000

/* A look, and learning the time before a deploy. */
#define LOOK_MAX_NS  2000000LL
#define LEARN_MAX_NS 500000000LL

static int64_t pairs_of(int64_t samples)
{
    int64_t thinned = samples < 128 ? samples : 128;

    return thinned * thinned / 2;
}

/* The most that @node can cost at one look, its operands not counted. */
static int64_t node_cost(const struct policy *policy, const struct node *node)
{
    time_ms every = policy->watch.every;
    int64_t samples = (node->span + every - 1) / every;

    switch ((int)node->op) {
    case OP_OF:
        return node->n * SAMPLE_NS;
    case OP_FOR:
    case OP_COUNT:
    case OP_AVG:
    case OP_MIN:
    case OP_MAX:
    case OP_SUM:
    case OP_STDDEV:
    case OP_FLAT:
    case OP_RATE:
        return samples * SAMPLE_NS;
    case OP_QUANTILE:
        return samples * ORDERED_NS;
    case OP_SLOPE:
    case OP_FORECAST:
        return samples * SAMPLE_NS + pairs_of(samples) * SLOPE_NS;
    case OP_RISING:
        return samples * ORDERED_NS + pairs_of(samples);
    case OP_BURN:
        return 4 * samples * SAMPLE_NS;
    case OP_TOO_MANY:
        return 2 * samples * SAMPLE_NS + BINOMIAL_NS;
    case OP_WORSENED:
        return 2 * samples * SAMPLE_NS + pairs_of(samples) + BINOMIAL_NS;
    case OP_OUTGROWS:
        return 2 * samples * SAMPLE_NS + 2 * pairs_of(samples) * PAIR_NS;
    default:
        return NODE_NS;
    }
}

struct cost {
    int64_t ns, most;
    const struct node *dearest;
};

/* Add what the @needed nodes cost at @looks looks. */
static void add_looks(struct cost *cost, const struct policy *policy,
                      const bool *needed, int64_t looks)
{
    for (uint16_t i = 0; i < policy->nodes; i++) {
        const struct node *node = policy_node(policy, i);
        int64_t own = node_cost(policy, node) * looks;

        if (needed != NULL && !needed[i]) {
            continue;
        }
        cost->ns += own;
        if (own > cost->most) {
            cost->most = own;
            cost->dearest = node;
        }
    }
}

static bool check(const struct cost *cost, int64_t most_ns,
                  const struct policy *policy, const char *what,
                  struct problems *problems)
{
    if (cost->ns <= most_ns) {
        return true;
    }
    (void)problems_error(
        problems, cost->dearest->line, cost->dearest->column,
        "%s would take up to %.1f ms, at most %lld; nothing costs more than "
        "'%.80s': give it a shorter window, or, where it is written twice, "
        "one name with 'is'",
        what, (double)cost->ns / 1e6, (long long)(most_ns / 1000000),
        policy_text(policy, cost->dearest->text));
    return false;
}

bool policy_check_cost(const struct policy *policy, struct problems *problems)
{
    bool baselines[POLICY_NODES_MAX], befores[POLICY_NODES_MAX];
    int64_t rows = policy->history / policy->watch.every + 1;
    struct cost look = {0}, learning = {0};

    judge_needs(policy, baselines, befores);
    add_looks(&look, policy, NULL, 1);
    add_looks(&learning, policy, baselines, rows);
    add_looks(&learning, policy, befores, rows);
    return check(&look, LOOK_MAX_NS, policy, "a look", problems) &&
           check(&learning, LEARN_MAX_NS, policy,
                 "learning the time before a deploy", problems);
}
