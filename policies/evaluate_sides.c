/* The two sides of a canary, measured at the same time. */
#include "policies/evaluate_parts.h"
#include "policies/sequential.h"

#include <assert.h>

static struct trial *trial_of(const struct look *look, const struct node *node)
{
    size_t at = trial_offset(look->policy, node->trial);

    return (struct trial *)(void *)(look->block + at);
}

/* The canary's and the control's number of an OP_SIDES that is known. */
static void sides_of(const struct look *look, uint16_t index,
                     double ret_numbers[SIDES])
{
    const struct node *sides = policy_node(look->policy, index);

    assert(sides->op == OP_SIDES);
    ret_numbers[SIDE_CANARY] = look->values[sides->a].number;
    ret_numbers[SIDE_CONTROL] = look->values[sides->b].number;
}

static bool has_settled(const struct look *look)
{
    return look->moment.open > 0;
}

/* What was proved stays so; else it is known only where it was measured. */
static struct value conclude(const struct look *look, const struct node *node,
                             struct value measured)
{
    const struct trial *trial = trial_of(look, node);

    look->compared[node->trial] = trial_compared(trial);
    if (trial_is_proved(trial)) {
        return value_of_truth(true);
    }
    if (!has_settled(look)) {
        return value_unknown(UNKNOWN_SETTLING);
    }
    return measured.unknown != KNOWN ? measured : value_of_truth(false);
}

/* The last grid time of each span judges all of it: queries look back over no
 * more, so that nothing is judged twice; nor when a look is taken again. */
static bool is_due(const struct look *look, const struct node *node)
{
    time_ms g = look->moment.g, next = g + look->moment.every;

    return has_settled(look) && g / node->span != next / node->span &&
           (double)g > trial_of(look, node)->judged;
}

struct value evaluate_worse_share(const struct look *look,
                                  const struct node *node)
{
    struct value errors = look->values[node->a];
    struct value requests = look->values[node->b];
    bool known = errors.unknown == KNOWN && requests.unknown == KNOWN;
    double failed[SIDES], all[SIDES];
    double seconds = (double)node->span / 1000;

    if (known && is_due(look, node)) {
        sides_of(look, node->a, failed);
        sides_of(look, node->b, all);
        for (int i = 0; i < SIDES; i++) { /* per second, never below 0 */
            failed[i] = failed[i] > 0 ? failed[i] * seconds : 0;
            all[i] = all[i] > 0 ? all[i] * seconds : 0;
        }
        trial_count(trial_of(look, node), failed, all, node->factor,
                    node->span);
        trial_of(look, node)->judged = (double)look->moment.g;
    }
    return conclude(look, node, errors.unknown != KNOWN ? errors : requests);
}

struct value evaluate_worse(const struct look *look, const struct node *node)
{
    struct value sides = look->values[node->a];
    double numbers[SIDES];

    if (sides.unknown == KNOWN && is_due(look, node)) {
        sides_of(look, node->a, numbers);
        trial_compare(trial_of(look, node), numbers, node->factor, node->span);
        trial_of(look, node)->judged = (double)look->moment.g;
    }
    return conclude(look, node, sides);
}
