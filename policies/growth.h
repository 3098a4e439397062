/* Does something grow by itself, or does the load explain it? */
#ifndef POLICIES_GROWTH_H
#define POLICIES_GROWTH_H

#include "policies/window.h"

/* Does @x grow more than @load excuses?  Both windows are paired; thins them
 * to PAIRED_MAX values; compares all pairs.
 *
 * An earlier sample excuses a later one up to its own value, times the square
 * of the load's growth between them: by Little's law what is in use grows
 * with the load, and once more when the load slows what it waits for.  Where
 * the load grew by more than 15 % a pair proves nothing.  Over the pairs that
 * do, all of these must be true:
 *   - more go up than chance allows (Mann and Kendall's test, its variance
 *     worked out for these pairs; 1 in 1,000, since every look asks);
 *   - from the first third to the last the typical growth is to at least
 *     @factor times the first;
 *   - it goes on: from the middle third to the last it is at least 0.35 of
 *     that (a straight line has one half, a step or a plateau nothing).
 * A sample that repeats the one before is not new evidence. */
bool window_outgrows(struct window *x, struct window *load, double factor);

#endif
