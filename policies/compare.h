/* What a window's numbers say taken together: averages, order, a line.
 *
 * Additions, multiplications, divisions, square roots and comparisons only,
 * in one fixed order, so that every build gives the same bits.  Overflow
 * comes out as an infinity or NaN and is turned into an unknown by the caller
 * (value_of_number()).  Windows are covered before they come here. */
#ifndef POLICIES_COMPARE_H
#define POLICIES_COMPARE_H

#include "policies/window.h"

/* The most values whose pairs are compared: 8128 pairs. */
#define PAIRED_MAX 128

/* Of a window with at least one value; the deviation (n - 1) needs two. */
double window_sum(const struct window *window);
double window_mean(const struct window *window);
double window_least(const struct window *window);
double window_greatest(const struct window *window);
double window_deviation(const struct window *window);
bool window_is_flat(const struct window *window);

/* The value of rank (count - 1) * q, between two neighbours in proportion
 * (R's type 7).  0 <= @q <= 1. */
double window_quantile(const struct window *window, double q);

/* The median, the mean of the two middle ones when @count is even.  Leaves
 * @numbers in another order.  Linear time on average: ties do not slow it,
 * and the pivots come from a fixed sequence that no shape of data meets. */
double median_of(double *numbers, size_t count);

/* A robust line through a window (Theil-Sen): the median of the slopes of all
 * pairs.  Thins @window to PAIRED_MAX values; at least 2.  It bears up to 29 %
 * of outliers.  Costs 128 KiB of stack and n^2/2 divisions.  Both parts are
 * infinite when an intermediate result overflows. */
struct line {
    double slope; /* per second */
    double level; /* at g: the median of (y - slope * t) */
};
struct line line_through(struct window *window);

/* Where the line is @horizon after g. */
double line_at(struct line line, time_ms horizon);

/* Growth of a counter over the window, per second between its first and last
 * value.  A counter that falls was reset: what it shows then is new. */
double window_rate(const struct window *window);

#endif
