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

/* @rate (per second) over @span as a whole number of events, halves up;
 * never below 0. */
double whole_events(double rate, time_ms span);

#endif
