/* Decimal digits to the nearest double, fast.
 *
 * Most cells have few digits and a point; for those the quotient of two whole
 * numbers is rounded once, exactly as strtod() would.  Everything else is left
 * to strtod(). */
#ifndef REPLAY_CSV_NUMBER_H
#define REPLAY_CSV_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

/* Read "-12.5" and the like at *@at, before @end.  True with *@at behind it;
 * false, nothing changed, when there is something else or more digits than
 * fit, whether it is a number or not. */
bool number_scan(const char **at, const char *end, double *ret_number);

#endif
