#include "policies/sequential.h"

#include <assert.h>
#include <math.h>

#define STAKED  0.5            /* at the beginning; the rest waits */
#define OVER_MS (48 * HOUR_MS) /* how long it is put down */
#define CEILING 1e9            /* of a stake; evidence beyond needs no number */
#define EVENTS  1e15           /* of a sum: whole numbers beyond have holes */

size_t trial_offset(const struct policy *policy, uint16_t index)
{
    assert(index < policy->trials);
    return JUDGE_HEADER_BYTES + policy->frozens * sizeof(struct value) +
           index * sizeof(struct trial);
}

static void begin(struct trial *trial)
{
    if (trial->evidence > 0) {
        return;
    }
    for (int i = 0; i < TRIAL_BETS; i++) {
        trial->stakes[i] = STAKED / TRIAL_BETS;
    }
    trial->waiting = 1 - STAKED;
    trial->evidence = 1;
}

/* Put down what is due for @span: before the outcome is seen, or the bet were
 * not fair. */
static void put_down(struct trial *trial, time_ms span)
{
    double due = (1 - STAKED) * (double)span / (double)OVER_MS;

    due = due < trial->waiting ? due : trial->waiting;
    trial->waiting -= due;
    for (int i = 0; i < TRIAL_BETS; i++) {
        trial->stakes[i] += due / TRIAL_BETS;
    }
}

static void note(struct trial *trial)
{
    double all = trial->waiting;

    for (int i = 0; i < TRIAL_BETS; i++) {
        if (trial->stakes[i] > CEILING) {
            trial->stakes[i] = CEILING;
        }
        all += trial->stakes[i];
    }
    if (all > trial->evidence) {
        trial->evidence = all < CEILING ? all : CEILING;
    }
}

bool trial_is_proved(const struct trial *trial)
{
    return trial->evidence >= TRIAL_PROVED;
}

static void add_up(double *sum, double number)
{
    *sum = *sum + number < EVENTS ? *sum + number : EVENTS;
}

/* --- Errors and requests -------------------------------------------------- */

/* The alternatives: how many times worse the canary may be. */
static const double times_worse[TRIAL_BETS] = {1.25, 1.5, 2, 3, 5, 10, 30, 100};

void trial_count(struct trial *trial, const double errors[SIDES],
                 const double requests[SIDES], double factor, time_ms span)
{
    double failed = errors[SIDE_CANARY] + errors[SIDE_CONTROL];
    double ours = factor * requests[SIDE_CANARY];
    double all = ours + requests[SIDE_CONTROL];
    double part = ours / all;
    double surplus = (errors[SIDE_CANARY] - failed * part) /
                     (failed < 1 ? 1 : failed); /* of the part, -1 to 1 */

    assert(factor > 0);
    assert(span > 0);
    begin(trial);
    put_down(trial, span);
    if (!isfinite(all) || !isfinite(surplus)) {
        return; /* no requests on either side, or far too many */
    }
    for (int i = 0; i < SIDES; i++) {
        add_up(&trial->events[i], errors[i]);
        add_up(&trial->of[i], requests[i]);
    }
    for (int i = 0; i < TRIAL_BETS; i++) {
        double more = times_worse[i] - 1;

        trial->stakes[i] *= 1 + more / (1 + more * part) * surplus;
    }
    note(trial);
}

/* --- Higher or not -------------------------------------------------------- */

/* The alternatives: how often the canary's is higher. */
static const double chances[TRIAL_BETS] = {0.55, 0.6,  0.65, 0.7,
                                           0.8,  0.85, 0.9,  0.98};

void trial_compare(struct trial *trial, const double values[SIDES],
                   double factor, time_ms span)
{
    double bar = factor * values[SIDE_CONTROL];
    bool higher = values[SIDE_CANARY] > bar;

    assert(factor > 0);
    assert(span > 0);
    begin(trial);
    put_down(trial, span);
    if (values[SIDE_CANARY] == bar) {
        return; /* says nothing either way */
    }
    for (int i = 0; i < TRIAL_BETS; i++) {
        trial->stakes[i] *= 2 * (higher ? chances[i] : 1 - chances[i]);
    }
    add_up(&trial->events[SIDE_CANARY], higher);
    add_up(&trial->of[SIDE_CANARY], 1);
    note(trial);
}

/* --- For people ----------------------------------------------------------- */

struct compared trial_compared(const struct trial *trial)
{
    struct compared compared = {.times = trial->evidence};

    for (int i = 0; i < SIDES; i++) {
        compared.events[i] = floor(trial->events[i] + 0.5);
        compared.of[i] = floor(trial->of[i] + 0.5);
    }
    return compared;
}
