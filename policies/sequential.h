/* Is the canary worse than the control?  Evidence that gathers from look to
 * look, and that may be looked at as often as anybody likes.
 *
 * A trial is a bet against "the canary is no worse".  It begins with 1, and
 * while that is so no bet gains on average; then the chance that it ever
 * reaches 100 is at most 1 in 100, whenever and however often one looks
 * (Ville's inequality; Howard, Ramdas et al., "Time-uniform Chernoff bounds",
 * 2020; Johari et al., "Always valid inference", 2022).  The most it ever was
 * is the evidence, "214 : 1".  What was proved stays proved; what was not
 * proved yet is no proof of health.
 *
 * Eight bets run side by side, each made for another alternative, and are
 * added up (Robbins' mixtures).  Half of the stake waits and is put down evenly
 * over 48 hours, so that what begins late is found although much was healthy
 * before.  Sums, products and quotients only: the same bits in every build. */
#ifndef POLICIES_SEQUENTIAL_H
#define POLICIES_SEQUENTIAL_H

#include "policies/judge.h"

#define TRIAL_BETS 8

/* What proves it: one false alarm in a hundred trials. */
#define TRIAL_PROVED 100

/* The memory of one worse(), all zero at first.  It does not grow with time.
 * Numbers alone, without padding, so that equal memories compare and it can be
 * recorded as TRIAL_NUMBERS of them. */
struct trial {
    double stakes[TRIAL_BETS];
    double waiting;  /* of the stake, not put down yet */
    double evidence; /* the most that it all ever was; 0: not begun */
    double judged;   /* the grid time of the newest span */
    double events[SIDES], of[SIDES]; /* see struct compared */
};
_Static_assert(sizeof(struct trial) == TRIAL_NUMBERS * sizeof(double),
               "a trial is numbers");

/* Where the trial @index lies in a release's memory. */
size_t trial_offset(const struct policy *policy, uint16_t index);

/* The errors among the requests of both sides, in one @span of time that was
 * not judged before.  The canary may have @factor times the control's share.
 *
 * Given how many failed on both sides, the canary's part of them is on average
 * its part of the requests, if it is no worse: whatever share fails, however
 * traffic is divided and changes, whatever hits both sides.  That part is the
 * one thing a span tells, and what is bet on (Waudby-Smith and Ramdas,
 * "Estimating means of bounded random variables by betting", 2024).  Where
 * one request failed this is the ratio of likelihoods of two Poisson streams
 * (Turner, Ly and Gruenwald's safe test); where many did it gains less than
 * that ratio, but a burst, one user's fifty retries, tells no more than one
 * failure either.  So however bad the canary, it takes several spans: one of
 * them multiplies the evidence by at most all requests over the canary's.
 * Bursts that last longer than a span are not independent; then false alarms
 * are more than 1 %.  Less than one failure counts in proportion. */
void trial_count(struct trial *trial, const double errors[SIDES],
                 const double requests[SIDES], double factor, time_ms span);

/* Something else of both sides, again for a @span not judged before.
 *
 * By chance the canary's is higher at most every other time.  A sign test: it
 * asks nothing of the values' distribution, only that the sides could be
 * exchanged and that one span tells nothing of the next.  Where that is not so
 * (a side that wanders, a quantile of few requests beside one of many), false
 * alarms are more than 1 %; a @factor helps.  At least 11 spans. */
void trial_compare(struct trial *trial, const double values[SIDES],
                   double factor, time_ms span);

bool trial_is_proved(const struct trial *trial);

/* What @trial has seen, for people. */
struct compared trial_compared(const struct trial *trial);

#endif
