/* Is it more than chance?  Tests whose error is bounded, without tables of
 * logarithms: the same bits in every build. */
#ifndef POLICIES_EVIDENCE_H
#define POLICIES_EVIDENCE_H

#include "policies/compare.h"

/* A rise that is both certain and worth the name: one-sided Mann-Kendall at
 * 1 % (S > 0 and S^2 > 5.412 * Var(S), corrected for ties), and the median of
 * the last third at least 1.05 times that of the first.  Thins @window to
 * PAIRED_MAX values; compares all pairs.  At least 3 values. */
bool window_is_rising(struct window *window);

/* The chance of at least @errors among @requests when each fails with
 * probability @share, 0 < share < 1: the exact binomial tail, to about 14
 * digits.  Costs two divisions a term for some 18 standard deviations' worth
 * of terms. */
double binomial_tail(double errors, double requests, double share);

/* Do @errors of @requests exceed @share beyond chance: is the tail below 1 %?
 * Counts are whole and not negative; more errors than requests count as all.
 * Clear cases cost a few operations.  Beyond a variance of 10^6 (at 5 %,
 * twenty million requests) the normal approximation with continuity
 * correction stands in, so that no traffic can hold up a look. */
bool is_too_many(double errors, double requests, double share);

/* Requests, and those among them that failed. */
struct events {
    double errors, requests;
};

/* The events of a window of @errors and @requests (both per second, paired),
 * without the stretch of WORST_MS that has the most errors: no single blip
 * explains what is left.  Nothing is, while all of it is within one stretch. */
#define WORST_MS (3 * MINUTE_MS + 30 * SECOND_MS)
struct events events_but_worst(const struct window *errors,
                               const struct window *requests, time_ms every);

/* Is the share of errors @now at least @least, and @factor times that of
 * @before, and larger than that of @before beyond chance?  The test is exact:
 * were the shares equal, the errors of both would fall to @now by its part of
 * the requests (a binomial; 1 in 100,000, since it is asked at every look). */
bool has_worsened(const struct events *now, const struct events *before,
                  double factor, double least);

/* @rate (per second) over @span as a whole number of events, halves up;
 * never below 0. */
double whole_events(double rate, time_ms span);

#endif
