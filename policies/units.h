/* Time and dimensions: the vocabulary every room shares.
 *
 * A unit is count^a * second^b * byte^c.  Numbers inside the judge are always
 * in base units (count, seconds, bytes); `milliseconds` and `%` are scaled
 * where a value enters, never later. */
#ifndef POLICIES_UNITS_H
#define POLICIES_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Milliseconds: since the Unix epoch for a moment, a plain count for a span. */
typedef int64_t time_ms;

#define SECOND_MS 1000LL
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)

/* No moment: "never", "not yet". */
#define TIME_NEVER INT64_MAX

struct unit {
    int8_t count, second, byte;
};

/* Longest text unit_print() writes, with its NUL. */
#define UNIT_TEXT_MAX 48

bool unit_equal(struct unit a, struct unit b);
struct unit unit_times(struct unit a, struct unit b);
struct unit unit_over(struct unit a, struct unit b);

/* The unit a policy names in `unit:` (ratio count per_second seconds
 * milliseconds bytes bytes_per_second) and the factor that brings a fetched
 * value to base units.  False for any other word; outputs untouched then. */
bool unit_of_name(const char *name, struct unit *ret_unit, double *ret_scale);

/* A name for people: "ratio", "count", "per_second", "seconds",
 * "count^2 seconds^-1", ...  Returns @text. */
const char *unit_print(struct unit unit, char text[UNIT_TEXT_MAX]);

/* The first grid time after @at, and the last one at or before it.
 * Grid times are whole multiples of @every in Unix time. */
time_ms grid_after(time_ms at, time_ms every);
time_ms grid_at_or_before(time_ms at, time_ms every);

/* "90s" style: whole number and one of ms s m h d.  False when @text is not
 * such a duration, is negative or exceeds 366 days. */
bool duration_read(const char *text, time_ms *ret_span);

/* The shortest exact spelling ("1h", "90s", "1500ms").  Returns @text. */
#define DURATION_TEXT_MAX 24
const char *duration_print(time_ms span, char text[DURATION_TEXT_MAX]);

/* In parts, "1h 4m 30s": at most @most of them, those of zero left out, none
 * under @smallest; "-" before what is negative.  Returns @text. */
#define SPAN_TEXT_MAX 48
const char *span_print(time_ms span, time_ms smallest, int most,
                       const char *between, char text[SPAN_TEXT_MAX]);

/* RFC 3339 in UTC: "2024-09-18T14:20:00Z", with ".250" only when needed.
 * Returns @text.  moment_read() also takes a numeric offset and, when the
 * whole text is a number, Unix seconds (fractions allowed); range 1970-2199. */
#define MOMENT_TEXT_MAX 32
const char *moment_print(time_ms at, char text[MOMENT_TEXT_MAX]);
bool moment_read(const char *text, time_ms *ret_at);

/* A number as short as it can be and still read back to the same double
 * (tries 15, 16, 17 digits); never "nan" or "inf" (asserts).  Returns @text. */
#define NUMBER_TEXT_MAX 32
const char *number_print(double number, char text[NUMBER_TEXT_MAX]);

/* A value with its unit, for people: "8.7%", "312 ms", "142/s", "498",
 * "1.5 GiB".  At most 4 significant digits.  Returns @text. */
#define QUANTITY_TEXT_MAX 48
const char *quantity_print(double number, struct unit unit,
                           char text[QUANTITY_TEXT_MAX]);

/* Names from outside (services, environments, versions, labels' names...):
 * [A-Za-z0-9][A-Za-z0-9._+:@/-]{0,127} without "..". */
#define NAME_MAX_BYTES 128
bool name_is_valid(const char *name);

#endif
