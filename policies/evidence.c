#include "policies/evidence.h"

#include <assert.h>
#include <string.h>

/* The square of 2.3263, which a standard normal exceeds once in a hundred. */
#define NORMAL_1_PERCENT_SQUARED 5.412

/* --- Rising --------------------------------------------------------------- */

/* t values alike take t (t - 1) (2t + 5) from the variance (times 18). */
static int64_t tie_weight(int64_t alike)
{
    return alike * (alike - 1) * (2 * alike + 5);
}

/* Mann-Kendall's S and 18 Var(S).  A group of t equal values is met at its
 * members with t-1, t-2, ... 0 equals after them, so the differences of
 * weights add up to the group's. */
static void rank_test(const struct window *window, int64_t *ret_score,
                      int64_t *ret_variance18)
{
    int64_t count = (int64_t)window->count;
    int64_t score = 0, ties = 0;

    for (int64_t i = 0; i < count; i++) {
        double number = window->numbers[i];
        int64_t greater = 0, less = 0, equal = 0;

        for (int64_t j = i + 1; j < count; j++) {
            greater += window->numbers[j] > number;
            less += window->numbers[j] < number;
        }
        equal = count - 1 - i - greater - less;
        score += greater - less;
        ties += tie_weight(equal + 1) - tie_weight(equal);
    }
    *ret_score = score;
    *ret_variance18 = tie_weight(count) - ties;
}

static double median_of_part(const struct window *window, size_t from,
                             size_t count)
{
    double part[PAIRED_MAX];

    assert(count <= PAIRED_MAX);
    memcpy(part, window->numbers + from, count * sizeof(double));
    return median_of(part, count);
}

/* The effect first: it is linear, and mostly there is none. */
bool window_is_rising(struct window *window)
{
    int64_t score = 0, variance18 = 0;
    size_t third = 0;

    assert(window->count >= 3);
    window_thin(window, PAIRED_MAX);
    third = window->count / 3;
    if (median_of_part(window, window->count - third, third) <
        1.05 * median_of_part(window, 0, third)) {
        return false;
    }
    rank_test(window, &score, &variance18);
    return score > 0 && (double)(score * score) * 18 >
                            NORMAL_1_PERCENT_SQUARED * (double)variance18;
}

/* --- Too many ------------------------------------------------------------- */

#define CHANCE_MAX         0.01
#define EXACT_VARIANCE_MAX 1e6
/* Each way from the mode; nine deviations of at most a thousand suffice. */
#define TERMS_MAX 20000
/* A term this small beside the sum no longer changes it. */
#define TERM_LEAST 1e-18
/* Up to here every whole number is a double. */
#define WHOLE_MAX 9007199254740992.0

static double whole_part(double number)
{
    assert(number >= 0);
    return number < WHOLE_MAX ? (double)(int64_t)number : number;
}

/* The terms of a binomial, each in units of the one at the mode, and those of
 * at least @errors among them. */
struct terms {
    double requests, errors, odds;
    double sum, tail;
};

static void add_term(struct terms *terms, double k, double term)
{
    terms->sum += term;
    terms->tail += k >= terms->errors ? term : 0;
}

static void add_upwards(struct terms *terms, double mode)
{
    double term = 1;

    add_term(terms, mode, term);
    for (int i = 1; i < TERMS_MAX && mode + i <= terms->requests; i++) {
        double k = mode + i;

        term *= (terms->requests - k + 1) / k * terms->odds;
        if (term <= TERM_LEAST * terms->sum) {
            return;
        }
        add_term(terms, k, term);
    }
}

static void add_downwards(struct terms *terms, double mode)
{
    double term = 1;

    for (int i = 1; i < TERMS_MAX && mode - i >= 0; i++) {
        double k = mode - i;

        term *= (k + 1) / ((terms->requests - k) * terms->odds);
        if (term <= TERM_LEAST * terms->sum) {
            return;
        }
        add_term(terms, k, term);
    }
}

/* Relative to the mode, the greatest term, nothing overflows, and what
 * underflows does not matter. */
double binomial_tail(double errors, double requests, double share)
{
    struct terms terms = {requests, errors, share / (1 - share), 0, 0};
    double mode = whole_part((requests + 1) * share);

    assert(share > 0 && share < 1);
    assert(errors >= 0 && errors <= requests);
    if (mode > requests) {
        mode = requests;
    }
    add_upwards(&terms, mode);
    add_downwards(&terms, mode);
    return terms.tail / terms.sum;
}

struct level {
    double chance;
    double deviations_squared; /* of a standard normal */
};

static const struct level in_hundred = {CHANCE_MAX, NORMAL_1_PERCENT_SQUARED};
/* 4.265 squared. */
static const struct level in_100_000 = {0.00001, 18.190};

/* More than @share of @requests, so many that chance does it less often than
 * @level says. */
static bool is_beyond(double errors, double requests, double share,
                      const struct level *level)
{
    double expected = requests * share;
    double variance = expected * (1 - share);
    double beyond = 0;

    errors = errors < requests ? errors : requests;
    beyond = errors - expected;
    /* The median of a binomial is its mean, rounded one way or the other:
     * up to the mean the tail is at least a half. */
    if (beyond <= 0 || share >= 1) {
        return false;
    }
    /* Cantelli: a tail this far out is below it whatever the shape. */
    if (beyond * beyond > (1 / level->chance - 1) * variance) {
        return true;
    }
    if (variance > EXACT_VARIANCE_MAX) {
        return beyond > 0.5 && (beyond - 0.5) * (beyond - 0.5) >
                                   level->deviations_squared * variance;
    }
    return binomial_tail(errors, requests, share) < level->chance;
}

bool is_too_many(double errors, double requests, double share)
{
    return is_beyond(errors, requests, share, &in_hundred);
}

/* --- Worse than before ---------------------------------------------------- */

static double not_below_0(double number)
{
    return number > 0 ? number : 0;
}

/* From sample @from on, the first that no longer belongs to its stretch. */
static size_t stretch_end(const struct window *window, size_t from)
{
    size_t end = from;

    while (end < window->count &&
           window->seconds[end] <
               window->seconds[from] + (double)WORST_MS / 1000) {
        end++;
    }
    return end;
}

/* Where the stretch with the most errors begins; the earliest of several. */
static size_t worst_stretch(const struct window *errors)
{
    double most = -1;
    size_t worst = 0;

    for (size_t i = 0; i < errors->count; i++) {
        size_t end = stretch_end(errors, i);
        double sum = 0;

        for (size_t j = i; j < end; j++) {
            sum += not_below_0(errors->numbers[j]);
        }
        if (sum > most) {
            most = sum;
            worst = i;
        }
    }
    return worst;
}

struct events events_but_worst(const struct window *errors,
                               const struct window *requests, time_ms every)
{
    struct events events = {0};
    double step = (double)every / 1000;
    size_t from = worst_stretch(errors);
    size_t end = stretch_end(errors, from);

    for (size_t i = 0; i < errors->count; i++) {
        if (i < from || i >= end) {
            double asked = not_below_0(requests->numbers[i]);
            double failed = not_below_0(errors->numbers[i]);

            events.requests += asked * step;
            events.errors += (failed < asked ? failed : asked) * step;
        }
    }
    return events;
}

bool has_worsened(const struct events *now, const struct events *before,
                  double factor, double least)
{
    double errors = whole_part(now->errors + 0.5);
    double all = errors + whole_part(not_below_0(before->errors) + 0.5);

    if (now->requests <= 0 || before->requests <= 0 || errors <= 0) {
        return false;
    }
    return now->errors >= least * now->requests &&
           now->errors * before->requests >=
               factor * before->errors * now->requests &&
           is_beyond(errors, all,
                     now->requests / (now->requests + before->requests),
                     &in_100_000);
}

double whole_events(double rate, time_ms span)
{
    double events = rate * ((double)span / 1000) + 0.5;

    return events > 0 ? whole_part(events) : 0;
}
