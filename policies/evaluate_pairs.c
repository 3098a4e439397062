/* Functions of two signals over one window. */
#include "policies/compare.h"
#include "policies/evaluate_parts.h"
#include "policies/evidence.h"
#include "policies/growth.h"

/* The burn rate that uses up 2 % of a 30 day budget in one hour (Google's
 * SRE workbook, chapter 5). */
#define BURN_RATE 14.4

/* The windows of errors and of requests over @span. */
static void read_both(const struct look *look, const struct node *node,
                      time_ms span, struct window both[2])
{
    window_read(look_remember(look, node->ring), look->block, &look->moment,
                span, &both[0]);
    window_read(look_remember(look, node->ring_b), look->block, &look->moment,
                span, &both[1]);
}

struct value evaluate_too_many(const struct look *look, const struct node *node)
{
    struct window both[2];
    struct value errors, requests;

    read_both(look, node, node->span, both);
    if (!window_is_covered(&both[0], 1) || !window_is_covered(&both[1], 1)) {
        return value_unknown(UNKNOWN_WINDOW);
    }
    errors = value_of_number(window_mean(&both[0]));
    requests = value_of_number(window_mean(&both[1]));
    if (errors.unknown != KNOWN || requests.unknown != KNOWN) {
        return value_unknown(UNKNOWN_INFINITE);
    }
    return value_of_truth(is_too_many(whole_events(errors.number, node->span),
                                      whole_events(requests.number, node->span),
                                      node->number));
}

/* Is the share of errors over @span above the burn rate?  Only grid times at
 * which both are known count, or the share would be of unequal times. */
static struct value burns(const struct look *look, const struct node *node,
                          time_ms span)
{
    struct window both[2];
    struct value errors, requests, share;

    read_both(look, node, span, both);
    window_pair(&both[0], &both[1]);
    if (!window_is_covered(&both[0], 1)) {
        return value_unknown(UNKNOWN_WINDOW);
    }
    errors = value_of_number(window_sum(&both[0]));
    requests = value_of_number(window_sum(&both[1]));
    if (errors.unknown != KNOWN || requests.unknown != KNOWN) {
        return value_unknown(UNKNOWN_INFINITE);
    }
    share = value_quotient(errors, requests);
    if (share.unknown != KNOWN) {
        return share;
    }
    return value_of_truth(share.number > BURN_RATE * (1 - node->number));
}

struct value evaluate_burn(const struct look *look, const struct node *node)
{
    return value_combine(burns(look, node, node->span),
                         burns(look, node, node->horizon), false);
}

/* No 80 %: who counted less has proved less.  But shares wander, so what has
 * not been seen for a third of W has not lasted yet. */
struct value evaluate_worsened(const struct look *look, const struct node *node)
{
    struct value errors = look->frozen[node->frozen];
    struct value requests = look->frozen[node->frozen + 1];
    struct events events = {0};
    struct window both[2];

    if (errors.unknown != KNOWN || requests.unknown != KNOWN) {
        return value_unknown(UNKNOWN_NO_BASELINE);
    }
    read_both(look, node, node->span, both);
    window_pair(&both[0], &both[1]);
    if (both[0].count == 0) {
        return value_unknown(UNKNOWN_WINDOW);
    }
    if (both[0].count * 3 < both[0].grid_times) {
        return value_of_truth(false);
    }
    events = events_but_worst(&both[0], &both[1], look->moment.every);
    return value_of_truth(
        has_worsened(&events, &(struct events){errors.number, requests.number},
                     node->factor, node->number));
}

#define OUTGROWS_LEAST 8

struct value evaluate_outgrows(const struct look *look, const struct node *node)
{
    struct window both[2];

    read_both(look, node, node->span, both);
    window_pair(&both[0], &both[1]);
    if (!window_is_covered(&both[0], OUTGROWS_LEAST)) {
        return value_unknown(UNKNOWN_WINDOW);
    }
    return value_of_truth(window_outgrows(&both[0], &both[1], node->factor));
}
