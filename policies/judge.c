#include "policies/judge.h"

#include "policies/compare.h"
#include "policies/evaluate.h"
#include "policies/sequential.h"

#include <assert.h>
#include <string.h>

/* The header of a release's memory. */
struct judge {
    time_ms deployed_at;
    time_ms seen; /* the last grid time looked at */
};

_Static_assert(sizeof(struct judge) <= JUDGE_HEADER_BYTES,
               "the header outgrew its place");

static unsigned char *block_of(struct judge *judge)
{
    return (unsigned char *)judge;
}

static struct value *frozen_of(struct judge *judge)
{
    return (struct value *)(void *)(block_of(judge) + JUDGE_HEADER_BYTES);
}

time_ms judge_seen(const struct judge *judge)
{
    return judge->seen;
}

/* --- Beginning ------------------------------------------------------------ */

/* Field by field, so that padding stays zero and equal memories compare. */
static void freeze(struct judge *judge, uint16_t index, struct value value)
{
    frozen_of(judge)[index].number = value.number;
    frozen_of(judge)[index].unknown = value.unknown;
}

static void judge_clear(const struct policy *policy, struct judge *judge,
                        time_ms deployed_at, time_ms seen)
{
    assert(policy->judge_bytes >= JUDGE_HEADER_BYTES);
    assert(policy->judge_bytes <= JUDGE_BYTES_MAX);
    memset(judge, 0, policy->judge_bytes);
    judge->deployed_at = deployed_at;
    judge->seen = seen;
    for (uint16_t i = 0; i < policy->rings; i++) {
        ring_clear(policy_ring(policy, i), block_of(judge));
    }
}

void judge_start(const struct policy *policy, struct judge *judge,
                 time_ms deployed_at)
{
    judge_clear(policy, judge, deployed_at,
                grid_at_or_before(deployed_at, policy->watch.every));
    for (uint16_t i = 0; i < policy->frozens; i++) {
        freeze(judge, i, value_unknown(UNKNOWN_NO_BASELINE));
    }
}

time_ms judge_deployed_at(const struct judge *judge)
{
    return judge->deployed_at;
}

struct value judge_slot(const struct policy *policy, const struct judge *judge,
                        uint16_t ring, uint16_t slot)
{
    return ring_get(policy_ring(policy, ring), (const unsigned char *)judge,
                    slot);
}

void judge_resume(const struct policy *policy, struct judge *judge,
                  time_ms deployed_at, time_ms seen)
{
    judge_clear(policy, judge, deployed_at, seen);
}

void judge_set_slot(const struct policy *policy, struct judge *judge,
                    uint16_t ring, uint16_t slot, struct value value)
{
    ring_set(policy_ring(policy, ring), block_of(judge), slot, value);
}

const double *judge_trial(const struct policy *policy,
                          const struct judge *judge, uint16_t trial)
{
    return (const double *)(const void *)((const unsigned char *)judge +
                                          trial_offset(policy, trial));
}

void judge_set_trial(const struct policy *policy, struct judge *judge,
                     uint16_t trial, const double numbers[TRIAL_NUMBERS])
{
    memcpy(block_of(judge) + trial_offset(policy, trial), numbers,
           sizeof(struct trial));
}

const struct value *judge_frozen(const struct policy *policy,
                                 const struct judge *judge)
{
    (void)policy; /* how many there are */
    return (const struct value *)(const void *)((const unsigned char *)judge +
                                                JUDGE_HEADER_BYTES);
}

void judge_freeze(const struct policy *policy, struct judge *judge,
                  const struct value *values)
{
    for (uint16_t i = 0; i < policy->frozens; i++) {
        freeze(judge, i, values[i]);
    }
}

/* --- One look ------------------------------------------------------------- */

/* The @missing grid times before this one were never looked at. */
static void skip(const struct look *look, size_t missing)
{
    for (uint16_t i = 0; i < look->policy->rings; i++) {
        ring_skip(policy_ring(look->policy, i), look->block, &look->moment,
                  missing);
    }
}

/* Let @judge see a row; look->values gets every node's value. */
static void see(struct judge *judge, const struct look *look)
{
    time_ms apart = look->moment.g - judge->seen;

    assert(apart > 0);
    if (apart != look->moment.every) {
        skip(look, (size_t)(apart / look->moment.every) - 1);
    }
    evaluate(look);
    judge->seen = look->moment.g;
}

const struct branch *question_branch(const struct question *question,
                                     enum answer answer)
{
    switch (answer) {
    case ANSWER_NO:
        return &question->no;
    case ANSWER_YES:
        return &question->yes;
    case ANSWER_UNKNOWN:
        break;
    }
    return &question->unknown;
}

/* From the root to a leaf by the answers in verdict->values.  The reader
 * refuses trees deeper than POLICY_DEPTH_MAX. */
static void walk(const struct policy *policy, struct verdict *verdict)
{
    struct branch at = policy->root;

    verdict->steps = 0;
    verdict->unsure = false;
    while (at.to == TO_QUESTION) {
        const struct question *question = policy_question(policy, at.index);
        enum answer answer = answer_of_value(verdict->values[question->node]);

        assert(verdict->steps < POLICY_DEPTH_MAX);
        verdict->path[verdict->steps].question = at.index;
        verdict->path[verdict->steps].answer = answer;
        verdict->steps++;
        verdict->unsure = verdict->unsure || answer == ANSWER_UNKNOWN;
        at = *question_branch(question, answer);
    }
    verdict->leaf = at.to == TO_WAIT ? LEAF_INDEX_WAIT : at.index;
    assert(verdict->steps > 0); /* a tree begins with a question */
    verdict->root = verdict->path[0].answer;
}

void judge_look(const struct policy *policy, struct judge *judge, time_ms g,
                const struct sample *row, const struct facts *facts,
                struct verdict *ret_verdict)
{
    struct window window;
    struct look look = {
        .policy = policy,
        .moment = moment_at(g, policy->watch.every,
                            judge->deployed_at + policy->watch.settle),
        .block = block_of(judge),
        .frozen = frozen_of(judge),
        .row = row,
        .facts = facts,
        .values = ret_verdict->values,
        .compared = ret_verdict->compared,
        .window = &window,
    };

    assert(g > judge->deployed_at);
    see(judge, &look);
    ret_verdict->at = g;
    walk(policy, ret_verdict);
}

/* --- The time before the deploy ------------------------------------------- */

/* What baseline(), change() and before() look back on from the deploy. */
static time_ms span_before(const struct policy *policy, const struct node *node)
{
    return node->op == OP_BEFORE || node->op == OP_AT_DEPLOY ? node->span
                                                             : policy->baseline;
}

/* Grid times in (deployed_at - span, deployed_at], at most SAMPLES_MAX. */
static size_t grid_times_before(const struct policy *policy,
                                time_ms deployed_at, time_ms span)
{
    time_ms every = policy->watch.every;
    time_ms times = (grid_at_or_before(deployed_at, every) -
                     grid_at_or_before(deployed_at - span, every)) /
                    every;

    assert(times <= SAMPLES_MAX);
    return (size_t)times;
}

static bool is_left_out(const struct history *history, time_ms g)
{
    for (size_t i = 0; i < history->withouts; i++) {
        if (history->without[i].from <= g && g < history->without[i].to) {
            return true;
        }
    }
    return false;
}

/* Known time before the deploy from which worsened() learns. */
#define COUNTED_LEAST (5 * MINUTE_MS)

/* Whether @pass learns the frozen value of @node. */
enum pass { PASS_BASELINES, PASS_BEFORES };

static bool is_learned(const struct node *node, enum pass pass)
{
    return (node->op == OP_BEFORE) == (pass == PASS_BEFORES);
}

/* worsened() learns both its operands. */
static uint16_t learned_operand(const struct node *node, uint16_t frozen)
{
    return frozen == node->frozen ? node->a : node->b;
}

/* Its operand has no part in what it is worth at another time. */
static bool is_of_the_past(enum op op)
{
    return op == OP_BASELINE || op == OP_BEFORE || op == OP_AT_DEPLOY;
}

/* Operands stand before what uses them: one pass from the end finds all. */
static bool find_needed(const struct policy *policy, enum pass pass,
                        bool *ret_needed)
{
    bool some = false;

    memset(ret_needed, 0, policy->nodes * sizeof(bool));
    for (uint16_t i = 0; i < policy->frozens; i++) {
        const struct node *node = policy_node(policy, policy_frozen(policy, i));

        if (is_learned(node, pass)) {
            ret_needed[learned_operand(node, i)] = true;
            some = true;
        }
    }
    for (uint16_t i = policy->nodes; i > 0; i--) {
        const struct node *node = policy_node(policy, i - 1);

        if (!ret_needed[i - 1] || is_of_the_past(node->op)) {
            continue;
        }
        if (op_operands(node->op) > 0) {
            ret_needed[node->a] = true;
        }
        if (op_operands(node->op) > 1) {
            ret_needed[node->b] = true;
        }
    }
    return some;
}

void judge_needs(const struct policy *policy,
                 bool ret_baselines[POLICY_NODES_MAX],
                 bool ret_befores[POLICY_NODES_MAX])
{
    (void)find_needed(policy, PASS_BASELINES, ret_baselines);
    (void)find_needed(policy, PASS_BEFORES, ret_befores);
}

struct lesson {
    const struct policy *policy;
    struct judge *judge;
    const struct history *history;
    const struct facts *facts;
    struct judge_scratch *scratch;
    size_t counts[POLICY_FROZEN_MAX]; /* known values so far */
};

/* Errors and requests are counted over the same times, or their share would be
 * none. */
static bool is_known(const struct node *node, const struct value *values)
{
    return values[node->a].unknown == KNOWN &&
           (node->op != OP_WORSENED || values[node->b].unknown == KNOWN);
}

/* Gather the values at @g of what @pass learns. */
static void gather(struct lesson *lesson, enum pass pass, time_ms g)
{
    const struct policy *policy = lesson->policy;
    const struct value *values = lesson->scratch->verdict.values;
    time_ms age = lesson->judge->deployed_at - g;

    for (uint16_t i = 0; i < policy->frozens; i++) {
        const struct node *node = policy_node(policy, policy_frozen(policy, i));

        if (is_learned(node, pass) && is_known(node, values) &&
            age < span_before(policy, node)) {
            lesson->scratch->numbers[i * SAMPLES_MAX + lesson->counts[i]++] =
                values[learned_operand(node, i)].number;
        }
    }
}

/* Judge the rows of the past with a memory of their own.  Rows that are left
 * out are never seen, so that no window of a later row reaches into them. */
static void replay(struct lesson *lesson, enum pass pass)
{
    const struct history *history = lesson->history;
    bool needed[POLICY_NODES_MAX];
    struct judge *past = (struct judge *)(void *)lesson->scratch->block;
    time_ms every = lesson->policy->watch.every;
    struct window window;
    struct look look = {
        .policy = lesson->policy,
        .block = block_of(past),
        .frozen = frozen_of(lesson->judge),
        .facts = lesson->facts,
        .needed = needed,
        .values = lesson->scratch->verdict.values,
        .compared = lesson->scratch->verdict.compared,
        .window = &window,
    };

    memset(lesson->counts, 0, sizeof(lesson->counts));
    if (!find_needed(lesson->policy, pass, needed)) {
        return;
    }
    judge_clear(lesson->policy, past, lesson->judge->deployed_at,
                history->from - every);
    for (size_t i = 0; i < history->rows; i++) {
        look.moment =
            moment_at(history->from + (time_ms)i * every, every, NO_CUT);
        look.row = history->samples + i * lesson->policy->signals;
        if (!is_left_out(history, look.moment.g)) {
            see(past, &look);
            gather(lesson, pass, look.moment.g);
        }
    }
}

static double sum_of(const double *numbers, size_t count)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++) {
        sum += numbers[i];
    }
    return sum;
}

/* True at more than half, the mean, the events of all the time that is known,
 * or the median. */
static struct value conclude(const struct policy *policy,
                             const struct node *node, double *numbers,
                             size_t count)
{
    if (node->op == OP_BEFORE) {
        double held = sum_of(numbers, count); /* of 0 and 1 */

        return (struct value){held * 2 > (double)count, KNOWN};
    }
    if (node->op == OP_AT_DEPLOY) {
        return value_of_number(sum_of(numbers, count) / (double)count);
    }
    if (node->op == OP_WORSENED) {
        return value_of_number(sum_of(numbers, count) *
                               (double)policy->watch.every / 1000);
    }
    return value_of_number(median_of(numbers, count));
}

/* Half of the grid times; but counted events say by their number how much
 * they prove, so for those a little time is enough. */
static bool is_enough(const struct lesson *lesson, const struct node *node,
                      size_t count)
{
    const struct policy *policy = lesson->policy;
    size_t wanted = grid_times_before(policy, lesson->judge->deployed_at,
                                      span_before(policy, node));

    if (node->op == OP_WORSENED) {
        return (time_ms)count * policy->watch.every >= COUNTED_LEAST;
    }
    return count > 0 && count * 2 >= wanted;
}

static void learn(struct lesson *lesson, enum pass pass)
{
    const struct policy *policy = lesson->policy;

    replay(lesson, pass);
    for (uint16_t i = 0; i < policy->frozens; i++) {
        const struct node *node = policy_node(policy, policy_frozen(policy, i));
        size_t count = lesson->counts[i];

        if (is_learned(node, pass) && is_enough(lesson, node, count) &&
            frozen_of(lesson->judge)[i].unknown != KNOWN) {
            double *numbers = lesson->scratch->numbers + i * SAMPLES_MAX;

            freeze(lesson->judge, i, conclude(policy, node, numbers, count));
        }
    }
}

void judge_learn(const struct policy *policy, struct judge *judge,
                 const struct history *history, const struct facts *facts,
                 struct judge_scratch *scratch)
{
    struct lesson lesson = {policy, judge, history, facts, scratch, {0}};

    assert(history->rows <= HISTORY_ROWS_MAX);
    assert(history->rows == 0 ||
           history->from + (time_ms)(history->rows - 1) * policy->watch.every <=
               judge->deployed_at);
    learn(&lesson, PASS_BASELINES);
    learn(&lesson, PASS_BEFORES);
}
