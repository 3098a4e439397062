#include "policies/evaluate.h"

#include "policies/compare.h"
#include "policies/evaluate_parts.h"
#include "policies/evidence.h"
#include "policies/facts.h"

#include <assert.h>
#include <string.h>

static struct value left_of(const struct look *look, const struct node *node)
{
    return look->values[node->a];
}

static struct value right_of(const struct look *look, const struct node *node)
{
    return look->values[node->b];
}

struct value value_of_truth(bool truth)
{
    return (struct value){truth, KNOWN};
}

/* --- What is given -------------------------------------------------------- */

/* A text's number is 0 and never used. */
static struct value evaluate_literal(const struct look *look,
                                     const struct node *node)
{
    (void)look;
    return value_of_number(node->number);
}

static struct value evaluate_signal(const struct look *look,
                                    const struct node *node)
{
    const struct signal *signal = policy_signal(look->policy, node->signal);
    const struct sample *sample = &look->row[node->signal];

    if (sample->unknown == UNKNOWN_NO_DATA && signal->zero_when_empty) {
        return (struct value){0, KNOWN};
    }
    if (sample->unknown != KNOWN) {
        return value_unknown(sample->unknown);
    }
    return value_of_number(sample->number * signal->scale);
}

static struct value evaluate_named(const struct look *look,
                                   const struct node *node)
{
    return left_of(look, node);
}

static struct value evaluate_fact(const struct look *look,
                                  const struct node *node)
{
    const struct facts *facts = look->facts;

    if (node->type == TYPE_TEXT) {
        return node_text(look->policy, node, facts) != NULL
                   ? (struct value){0, KNOWN}
                   : value_unknown(UNKNOWN_FACT);
    }
    if (node->fact == FACT_ROLLBACK_SAFE) {
        return value_of_answer(facts->rollback_safe, UNKNOWN_FACT);
    }
    if (node->fact == FACT_STUCK) {
        return value_of_truth(facts->stuck);
    }
    assert(node->fact == FACT_AGE);
    return value_of_number((double)(look->moment.g - facts->deployed_at) /
                           1000);
}

static struct value evaluate_fleet(const struct look *look,
                                   const struct node *node)
{
    assert(node->fleet < look->policy->fleets);
    return value_of_number(look->facts->fleet[node->fleet]);
}

/* --- Arithmetic and comparison: operands are known ------------------------ */

static struct value evaluate_negate(const struct look *look,
                                    const struct node *node)
{
    return value_of_number(-left_of(look, node).number);
}

static struct value evaluate_add(const struct look *look,
                                 const struct node *node)
{
    return value_of_number(left_of(look, node).number +
                           right_of(look, node).number);
}

static struct value evaluate_subtract(const struct look *look,
                                      const struct node *node)
{
    return value_of_number(left_of(look, node).number -
                           right_of(look, node).number);
}

/* A known 0 decides a product as a known false decides an `and`: the errors of
 * no requests are none, whatever their share is said to be. */
static struct value evaluate_multiply(const struct look *look,
                                      const struct node *node)
{
    struct value a = left_of(look, node), b = right_of(look, node);

    if ((a.unknown == KNOWN && a.number == 0) ||
        (b.unknown == KNOWN && b.number == 0)) {
        return (struct value){0, KNOWN};
    }
    if (a.unknown != KNOWN || b.unknown != KNOWN) {
        return a.unknown != KNOWN ? a : b;
    }
    return value_of_number(left_of(look, node).number *
                           right_of(look, node).number);
}

struct value value_quotient(struct value a, struct value b)
{
    if (b.number == 0) {
        return value_unknown(UNKNOWN_DIVIDE_BY_ZERO);
    }
    return value_of_number(a.number / b.number);
}

static struct value evaluate_divide(const struct look *look,
                                    const struct node *node)
{
    return value_quotient(left_of(look, node), right_of(look, node));
}

static struct value evaluate_less(const struct look *look,
                                  const struct node *node)
{
    return value_of_truth(left_of(look, node).number <
                          right_of(look, node).number);
}

static struct value evaluate_less_equal(const struct look *look,
                                        const struct node *node)
{
    return value_of_truth(left_of(look, node).number <=
                          right_of(look, node).number);
}

static struct value evaluate_greater(const struct look *look,
                                     const struct node *node)
{
    return value_of_truth(left_of(look, node).number >
                          right_of(look, node).number);
}

static struct value evaluate_greater_equal(const struct look *look,
                                           const struct node *node)
{
    return value_of_truth(left_of(look, node).number >=
                          right_of(look, node).number);
}

/* Of texts; the reader refuses `==` on measurements and conditions. */
static struct value evaluate_equal(const struct look *look,
                                   const struct node *node)
{
    const struct node *left = policy_node(look->policy, node->a);
    const struct node *right = policy_node(look->policy, node->b);
    const char *text = node_text(look->policy, left, look->facts);
    const char *other = node_text(look->policy, right, look->facts);

    return value_of_truth(strcmp(text, other) == 0);
}

static struct value evaluate_not(const struct look *look,
                                 const struct node *node)
{
    return value_of_truth(left_of(look, node).number == 0);
}

static struct value evaluate_not_equal(const struct look *look,
                                       const struct node *node)
{
    return value_of_truth(evaluate_equal(look, node).number == 0);
}

/* --- Kleene's logic ------------------------------------------------------- */

/* One operand that is known to be @decisive decides; else an unknown one
 * leaves it unknown. */
struct value value_combine(struct value a, struct value b, bool decisive)
{
    bool decided = (a.unknown == KNOWN && (a.number != 0) == decisive) ||
                   (b.unknown == KNOWN && (b.number != 0) == decisive);

    if (decided) {
        return value_of_truth(decisive);
    }
    if (a.unknown != KNOWN) {
        return a;
    }
    return b.unknown != KNOWN ? b : value_of_truth(!decisive);
}

static struct value evaluate_and(const struct look *look,
                                 const struct node *node)
{
    return value_combine(left_of(look, node), right_of(look, node), false);
}

static struct value evaluate_or(const struct look *look,
                                const struct node *node)
{
    return value_combine(left_of(look, node), right_of(look, node), true);
}

static struct value evaluate_surely(const struct look *look,
                                    const struct node *node)
{
    return value_of_truth(answer_of_value(left_of(look, node)) == ANSWER_YES);
}

/* What the source said, before on_no_data gives it a meaning.  Something that
 * is no number is not nothing; an answer that was never had is no answer. */
static struct value evaluate_absent(const struct look *look,
                                    const struct node *node)
{
    const struct node *signal = policy_node(look->policy, node->a);
    enum unknown said = look->row[signal->signal].unknown;

    assert(signal->op == OP_SIGNAL);
    switch (said) {
    case UNKNOWN_NO_DATA:
        return value_of_truth(true);
    case KNOWN:
    case UNKNOWN_NAN:
    case UNKNOWN_INFINITE:
    case UNKNOWN_SEVERAL:
        return value_of_truth(false);
    case UNKNOWN_STALE:
    case UNKNOWN_WINDOW:
    case UNKNOWN_NO_BASELINE:
    case UNKNOWN_DIVIDE_BY_ZERO:
    case UNKNOWN_SOURCE_ERROR:
    case UNKNOWN_NO_COLUMN:
    case UNKNOWN_NOT_ASKED:
    case UNKNOWN_SETTLING:
    case UNKNOWN_FACT:
    case UNKNOWN_LAST:
        break;
    }
    return value_unknown(said);
}

/* --- for ------------------------------------------------------------------ */

/* A reader of a ring stores this look's value before it reads; two readers of
 * one ring store the same. */
const struct ring *look_remember(const struct look *look, uint16_t index)
{
    const struct ring *ring = policy_ring(look->policy, index);

    ring_put(ring, look->block, &look->moment, look->values[ring->node]);
    return ring;
}

static struct tally tally_of(const struct look *look, const struct node *node,
                             size_t grid_times)
{
    const struct ring *ring = look_remember(look, node->ring);

    return tally_read(ring, look->block, &look->moment, grid_times);
}

/* Why `for` does not know: the settling at g, else what is unknown at g
 * itself, else the settling before, else a hole. */
static struct value unknown_held(const struct look *look,
                                 const struct node *node,
                                 const struct tally *tally)
{
    struct value now = left_of(look, node);

    if (tally->cut == tally->grid_times) {
        return value_unknown(UNKNOWN_SETTLING);
    }
    if (now.unknown != KNOWN) {
        return now;
    }
    return value_unknown(tally->cut > 0 ? UNKNOWN_SETTLING : UNKNOWN_WINDOW);
}

#define HELD_LEAST 3

static struct value evaluate_for(const struct look *look,
                                 const struct node *node)
{
    size_t wanted = span_grid_times(node->span, look->moment.every);
    const struct ring *ring = look_remember(look, node->ring);
    struct tally tally;

    /* Mostly it does not even hold now. */
    if (answer_of_value(left_of(look, node)) == ANSWER_NO &&
        look->moment.open > 0) {
        return value_of_truth(false);
    }
    tally = tally_read(ring, look->block, &look->moment, wanted);
    if (tally.no > 0) {
        return value_of_truth(false);
    }
    if (tally.yes == wanted && wanted >= HELD_LEAST) {
        return value_of_truth(true);
    }
    return unknown_held(look, node, &tally);
}

static struct value evaluate_of(const struct look *look,
                                const struct node *node)
{
    struct tally tally = tally_of(look, node, node->n);

    assert(node->k <= node->n);
    if (tally.yes >= node->k) {
        return value_of_truth(true);
    }
    if (tally.no > (size_t)(node->n - node->k)) {
        return value_of_truth(false);
    }
    return unknown_held(look, node, &tally);
}

/* Exempt from the 80 %, but of nothing known nothing is counted. */
static struct value evaluate_count(const struct look *look,
                                   const struct node *node)
{
    size_t grid_times = span_grid_times(node->span, look->moment.every);
    struct tally tally = tally_of(look, node, grid_times);

    if (tally.yes + tally.no == 0) {
        return value_unknown(UNKNOWN_WINDOW);
    }
    return value_of_number((double)tally.yes);
}

/* --- Windows: look->window is covered ------------------------------------- */

static struct value evaluate_avg(const struct look *look,
                                 const struct node *node)
{
    (void)node;
    return value_of_number(window_mean(look->window));
}

static struct value evaluate_min(const struct look *look,
                                 const struct node *node)
{
    (void)node;
    return value_of_number(window_least(look->window));
}

static struct value evaluate_max(const struct look *look,
                                 const struct node *node)
{
    (void)node;
    return value_of_number(window_greatest(look->window));
}

static struct value evaluate_sum(const struct look *look,
                                 const struct node *node)
{
    (void)node;
    return value_of_number(window_sum(look->window));
}

static struct value evaluate_stddev(const struct look *look,
                                    const struct node *node)
{
    (void)node;
    return value_of_number(window_deviation(look->window));
}

static struct value evaluate_quantile(const struct look *look,
                                      const struct node *node)
{
    return value_of_number(window_quantile(look->window, node->number));
}

static struct value evaluate_slope(const struct look *look,
                                   const struct node *node)
{
    (void)node;
    return value_of_number(line_through(look->window).slope);
}

static struct value evaluate_forecast(const struct look *look,
                                      const struct node *node)
{
    return value_of_number(line_at(line_through(look->window), node->horizon));
}

static struct value evaluate_rising(const struct look *look,
                                    const struct node *node)
{
    (void)node;
    return value_of_truth(window_is_rising(look->window));
}

static struct value evaluate_flat(const struct look *look,
                                  const struct node *node)
{
    (void)node;
    return value_of_truth(window_is_flat(look->window));
}

static struct value evaluate_rate(const struct look *look,
                                  const struct node *node)
{
    (void)node;
    return value_of_number(window_rate(look->window));
}

/* --- Before the deploy ---------------------------------------------------- */

static struct value evaluate_frozen(const struct look *look,
                                    const struct node *node)
{
    assert(node->frozen < look->policy->frozens);
    return look->frozen[node->frozen];
}

static struct value evaluate_change(const struct look *look,
                                    const struct node *node)
{
    struct value now = left_of(look, node);
    struct value before = evaluate_frozen(look, node);

    if (now.unknown != KNOWN) {
        return now;
    }
    return before.unknown != KNOWN ? before : value_quotient(now, before);
}

/* --- All of it ------------------------------------------------------------ */

enum manner {
    PLAIN,
    STRICT, /* an unknown operand makes it unknown */
    OVER,   /* look->window is read first, and must be covered */
};

/* `least`: known values that a window function needs (product.md). */
struct operation {
    struct value (*evaluate)(const struct look *look, const struct node *node);
    uint8_t operands;
    enum manner manner;
    uint8_t least;
};

static const struct operation ops[OP_LAST] = {
    [OP_LITERAL] = {evaluate_literal, 0, PLAIN, 0},
    [OP_TEXT] = {evaluate_literal, 0, PLAIN, 0},
    [OP_SIGNAL] = {evaluate_signal, 0, PLAIN, 0},
    [OP_NAMED] = {evaluate_named, 1, PLAIN, 0},
    [OP_FACT] = {evaluate_fact, 0, PLAIN, 0},
    [OP_FLEET] = {evaluate_fleet, 0, PLAIN, 0},
    [OP_NEGATE] = {evaluate_negate, 1, STRICT, 0},
    [OP_ADD] = {evaluate_add, 2, STRICT, 0},
    [OP_SUBTRACT] = {evaluate_subtract, 2, STRICT, 0},
    [OP_MULTIPLY] = {evaluate_multiply, 2, PLAIN, 0},
    [OP_DIVIDE] = {evaluate_divide, 2, STRICT, 0},
    [OP_LESS] = {evaluate_less, 2, STRICT, 0},
    [OP_LESS_EQUAL] = {evaluate_less_equal, 2, STRICT, 0},
    [OP_GREATER] = {evaluate_greater, 2, STRICT, 0},
    [OP_GREATER_EQUAL] = {evaluate_greater_equal, 2, STRICT, 0},
    [OP_EQUAL] = {evaluate_equal, 2, STRICT, 0},
    [OP_NOT_EQUAL] = {evaluate_not_equal, 2, STRICT, 0},
    [OP_NOT] = {evaluate_not, 1, STRICT, 0},
    [OP_AND] = {evaluate_and, 2, PLAIN, 0},
    [OP_OR] = {evaluate_or, 2, PLAIN, 0},
    [OP_FOR] = {evaluate_for, 1, PLAIN, 0},
    [OP_OF] = {evaluate_of, 1, PLAIN, 0},
    [OP_SURELY] = {evaluate_surely, 1, PLAIN, 0},
    [OP_ABSENT] = {evaluate_absent, 1, PLAIN, 0},
    [OP_AVG] = {evaluate_avg, 1, OVER, 3},
    [OP_MIN] = {evaluate_min, 1, OVER, 3},
    [OP_MAX] = {evaluate_max, 1, OVER, 3},
    [OP_SUM] = {evaluate_sum, 1, OVER, 3},
    [OP_STDDEV] = {evaluate_stddev, 1, OVER, 3},
    [OP_QUANTILE] = {evaluate_quantile, 1, OVER, 3},
    [OP_COUNT] = {evaluate_count, 1, PLAIN, 0},
    [OP_SLOPE] = {evaluate_slope, 1, OVER, 8},
    [OP_FORECAST] = {evaluate_forecast, 1, OVER, 8},
    [OP_RISING] = {evaluate_rising, 1, OVER, 8},
    [OP_FLAT] = {evaluate_flat, 1, OVER, 8},
    [OP_RATE] = {evaluate_rate, 1, OVER, 2},
    [OP_TOO_MANY] = {evaluate_too_many, 2, PLAIN, 0},
    [OP_BURN] = {evaluate_burn, 2, PLAIN, 0},
    [OP_WORSENED] = {evaluate_worsened, 2, PLAIN, 0},
    [OP_OUTGROWS] = {evaluate_outgrows, 2, PLAIN, 0},
    [OP_AT_DEPLOY] = {evaluate_frozen, 1, PLAIN, 0},
    [OP_BASELINE] = {evaluate_frozen, 1, PLAIN, 0},
    [OP_CHANGE] = {evaluate_change, 1, PLAIN, 0},
    [OP_BEFORE] = {evaluate_frozen, 1, PLAIN, 0},
    [OP_CANARY] = {evaluate_named, 1, PLAIN, 0},
    [OP_CONTROL] = {evaluate_named, 1, PLAIN, 0},
    [OP_SIDES] = {evaluate_named, 2, STRICT, 0},
    [OP_WORSE] = {evaluate_worse, 1, PLAIN, 0},
    [OP_WORSE_SHARE] = {evaluate_worse_share, 2, PLAIN, 0},
};

int op_operands(enum op op)
{
    assert(op < OP_LAST);
    return ops[op].operands;
}

static struct value evaluate_node(const struct look *look,
                                  const struct node *node)
{
    const struct operation *operation = &ops[node->op];

    switch (operation->manner) {
    case PLAIN:
        return operation->evaluate(look, node);
    case STRICT:
        if (left_of(look, node).unknown != KNOWN) {
            return left_of(look, node);
        }
        if (operation->operands > 1 && right_of(look, node).unknown != KNOWN) {
            return right_of(look, node);
        }
        break;
    case OVER:
        window_read(look_remember(look, node->ring), look->block, &look->moment,
                    node->span, look->window);
        if (!window_is_covered(look->window, operation->least)) {
            return value_unknown(UNKNOWN_WINDOW);
        }
        break;
    }
    return operation->evaluate(look, node);
}

/* Operands stand before what uses them: the compiler saw to it. */
void evaluate(const struct look *look)
{
    const struct node *nodes = policy_node(look->policy, 0);
    const uint16_t count = look->policy->nodes;

    if (look->needed == NULL) {
        for (uint16_t i = 0; i < count; i++) {
            look->values[i] = evaluate_node(look, &nodes[i]);
        }
        return;
    }
    for (uint16_t i = 0; i < count; i++) {
        if (look->needed[i]) {
            look->values[i] = evaluate_node(look, &nodes[i]);
        }
    }
}
