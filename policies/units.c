#include "policies/units.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Dimensions ----------------------------------------------------------- */

bool unit_equal(struct unit a, struct unit b)
{
    return a.count == b.count && a.second == b.second && a.byte == b.byte;
}

/* The sum of two exponents.  Far outside of what a policy may have (the
 * compiler refuses more than 8), so that it only must not wrap. */
static int8_t exponent_sum(int a, int b)
{
    int sum = a + b;

    if (sum > INT8_MAX) {
        return INT8_MAX;
    }
    if (sum < INT8_MIN) {
        return INT8_MIN;
    }
    return (int8_t)sum;
}

struct unit unit_times(struct unit a, struct unit b)
{
    return (struct unit){exponent_sum(a.count, b.count),
                         exponent_sum(a.second, b.second),
                         exponent_sum(a.byte, b.byte)};
}

struct unit unit_over(struct unit a, struct unit b)
{
    return (struct unit){exponent_sum(a.count, -b.count),
                         exponent_sum(a.second, -b.second),
                         exponent_sum(a.byte, -b.byte)};
}

/* The order matters to unit_print(): base units first. */
static const struct {
    const char *name;
    struct unit unit;
    double scale;
} unit_names[] = {
    {"ratio", {0, 0, 0}, 1},
    {"count", {1, 0, 0}, 1},
    {"per_second", {1, -1, 0}, 1},
    {"seconds", {0, 1, 0}, 1},
    {"bytes", {0, 0, 1}, 1},
    {"bytes_per_second", {0, -1, 1}, 1},
    {"milliseconds", {0, 1, 0}, 0.001},
};
#define UNIT_NAMES (sizeof(unit_names) / sizeof(unit_names[0]))

bool unit_of_name(const char *name, struct unit *ret_unit, double *ret_scale)
{
    for (size_t i = 0; i < UNIT_NAMES; i++) {
        if (strcmp(unit_names[i].name, name) == 0) {
            *ret_unit = unit_names[i].unit;
            *ret_scale = unit_names[i].scale;
            return true;
        }
    }
    return false;
}

const char *unit_print(struct unit unit, char text[UNIT_TEXT_MAX])
{
    const struct {
        const char *name;
        int exponent;
    } parts[] = {
        {"count", unit.count}, {"seconds", unit.second}, {"bytes", unit.byte}};
    size_t used = 0;

    for (size_t i = 0; i < UNIT_NAMES; i++) {
        if (unit_equal(unit_names[i].unit, unit)) {
            (void)snprintf(text, UNIT_TEXT_MAX, "%s", unit_names[i].name);
            return text;
        }
    }
    for (size_t i = 0; i < 3; i++) {
        int written = 0;

        if (parts[i].exponent == 0) {
            continue;
        }
        written = snprintf(text + used, UNIT_TEXT_MAX - used, "%s%s",
                           used == 0 ? "" : " ", parts[i].name);
        used += (size_t)written;
        if (parts[i].exponent != 1) {
            written = snprintf(text + used, UNIT_TEXT_MAX - used, "^%d",
                               parts[i].exponent);
            used += (size_t)written;
        }
        assert(used < UNIT_TEXT_MAX);
    }
    return text;
}

/* --- Time ----------------------------------------------------------------- */

time_ms grid_at_or_before(time_ms at, time_ms every)
{
    time_ms past = 0;

    assert(every > 0);
    past = at % every;
    return past < 0 ? at - past - every : at - past;
}

time_ms grid_after(time_ms at, time_ms every)
{
    return grid_at_or_before(at, every) + every;
}

static const struct {
    const char *name;
    time_ms span;
} duration_units[] = {
    {"d", DAY_MS},    {"h", HOUR_MS}, {"m", MINUTE_MS},
    {"s", SECOND_MS}, {"ms", 1},
};
#define DURATION_UNITS (sizeof(duration_units) / sizeof(duration_units[0]))
#define DURATION_MAX   (366 * DAY_MS)

bool duration_read(const char *text, time_ms *ret_span)
{
    const char *at = text;
    time_ms number = 0;

    for (; *at >= '0' && *at <= '9'; at++) {
        number = number * 10 + (*at - '0');
        if (number > DURATION_MAX) {
            return false;
        }
    }
    if (at == text) {
        return false;
    }
    for (size_t i = 0; i < DURATION_UNITS; i++) {
        if (strcmp(duration_units[i].name, at) != 0) {
            continue;
        }
        if (number > DURATION_MAX / duration_units[i].span) {
            return false;
        }
        *ret_span = number * duration_units[i].span;
        return true;
    }
    return false;
}

const char *duration_print(time_ms span, char text[DURATION_TEXT_MAX])
{
    if (span == 0) {
        (void)snprintf(text, DURATION_TEXT_MAX, "0s");
        return text;
    }
    for (size_t i = 0; i < DURATION_UNITS; i++) {
        if (span % duration_units[i].span == 0) {
            (void)snprintf(text, DURATION_TEXT_MAX, "%lld%s",
                           (long long)(span / duration_units[i].span),
                           duration_units[i].name);
            break;
        }
    }
    return text;
}

/* Days since 1970-01-01 of a date of the Gregorian calendar. */
static int64_t days_of_date(int64_t year, int64_t month, int64_t day)
{
    int64_t shifted = month <= 2 ? year - 1 : year;
    int64_t era = (shifted >= 0 ? shifted : shifted - 399) / 400;
    int64_t year_of_era = shifted - era * 400;
    int64_t month_from_march = month > 2 ? month - 3 : month + 9;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

static void date_of_days(int64_t days, int64_t *ret_year, int *ret_month,
                         int *ret_day)
{
    int64_t shifted = days + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t day_of_era = shifted - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
                           day_of_era / 146096) /
                          365;
    int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;

    *ret_day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    *ret_month = (int)(month_from_march < 10 ? month_from_march + 3
                                             : month_from_march - 9);
    *ret_year = year_of_era + era * 400 + (*ret_month <= 2 ? 1 : 0);
}

const char *span_print(time_ms span, time_ms smallest, int most,
                       const char *between, char text[SPAN_TEXT_MAX])
{
    static const struct {
        time_ms length;
        const char *name;
    } units[] = {{DAY_MS, "d"},
                 {HOUR_MS, "h"},
                 {MINUTE_MS, "m"},
                 {SECOND_MS, "s"},
                 {1, "ms"}};
    time_ms left = span < 0 ? -span : span;
    size_t used = 0;
    int parts = 0;

    (void)snprintf(text, SPAN_TEXT_MAX, "0s");
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]) && parts < most &&
                       units[i].length >= smallest;
         i++) {
        if (left >= units[i].length) {
            used += (size_t)snprintf(
                text + used, SPAN_TEXT_MAX - used, "%s%lld%s",
                parts > 0  ? between
                : span < 0 ? "-"
                           : "",
                (long long)(left / units[i].length), units[i].name);
            parts++;
        }
        left %= units[i].length;
    }
    return text;
}

const char *moment_print(time_ms at, char text[MOMENT_TEXT_MAX])
{
    time_ms midnight = 0;
    int64_t year = 0;
    int month = 0, day = 0, second = 0, thousandths = 0;
    int written = 0;

    if (at == TIME_NEVER) {
        (void)snprintf(text, MOMENT_TEXT_MAX, "never");
        return text;
    }
    midnight = grid_at_or_before(at, DAY_MS);
    date_of_days(midnight / DAY_MS, &year, &month, &day);
    second = (int)((at - midnight) / SECOND_MS);
    thousandths = (int)((at - midnight) % SECOND_MS);
    written = snprintf(text, MOMENT_TEXT_MAX, "%04lld-%02d-%02dT%02d:%02d:%02d",
                       (long long)year, month, day, second / 3600,
                       second / 60 % 60, second % 60);
    if (thousandths != 0) {
        written += snprintf(text + written, MOMENT_TEXT_MAX - (size_t)written,
                            ".%03d", thousandths);
    }
    (void)snprintf(text + written, MOMENT_TEXT_MAX - (size_t)written, "Z");
    return text;
}

/* Exactly @digits digits at *at, as a number in [low, high]. */
static bool read_digits(const char **at, int digits, int low, int high,
                        int *ret_number)
{
    int number = 0;

    for (int i = 0; i < digits; i++) {
        char digit = (*at)[i];

        if (digit < '0' || digit > '9') {
            return false;
        }
        number = number * 10 + (digit - '0');
    }
    if (number < low || number > high) {
        return false;
    }
    *at += digits;
    *ret_number = number;
    return true;
}

static bool read_character(const char **at, const char *wanted)
{
    if (**at == '\0' || strchr(wanted, **at) == NULL) {
        return false;
    }
    (*at)++;
    return true;
}

/* An optional ".digits"; what is finer than a millisecond is cut off. */
static bool read_fraction(const char **at, int *ret_thousandths)
{
    int weight = 100;

    *ret_thousandths = 0;
    if (**at != '.') {
        return true;
    }
    (*at)++;
    if (**at < '0' || **at > '9') {
        return false;
    }
    for (int i = 0; **at >= '0' && **at <= '9' && i < 32; i++, (*at)++) {
        *ret_thousandths += (**at - '0') * weight;
        weight /= 10;
    }
    return true;
}

static bool read_zone(const char **at, time_ms *ret_offset)
{
    bool west = **at == '-';
    int hour = 0, minute = 0;

    if (read_character(at, "Zz")) {
        *ret_offset = 0;
        return true;
    }
    if (!read_character(at, "+-") || !read_digits(at, 2, 0, 23, &hour) ||
        !read_character(at, ":") || !read_digits(at, 2, 0, 59, &minute)) {
        return false;
    }
    *ret_offset = (hour * 60 + minute) * MINUTE_MS * (west ? -1 : 1);
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

#define MOMENT_YEAR_MAX 2199

static bool read_rfc3339(const char *text, time_ms *ret_at)
{
    const char *at = text;
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
    int thousandths = 0;
    time_ms offset = 0;

    if (!read_digits(&at, 4, 0, 9999, &year) || !read_character(&at, "-") ||
        !read_digits(&at, 2, 1, 12, &month) || !read_character(&at, "-") ||
        !read_digits(&at, 2, 1, 31, &day) || !read_character(&at, "Tt ") ||
        !read_digits(&at, 2, 0, 23, &hour) || !read_character(&at, ":") ||
        !read_digits(&at, 2, 0, 59, &minute) || !read_character(&at, ":") ||
        !read_digits(&at, 2, 0, 59, &second) ||
        !read_fraction(&at, &thousandths) || !read_zone(&at, &offset) ||
        *at != '\0' || day > days_in_month(year, month)) {
        return false;
    }
    *ret_at = days_of_date(year, month, day) * DAY_MS + hour * HOUR_MS +
              minute * MINUTE_MS + second * SECOND_MS + thousandths - offset;
    return true;
}

static bool read_unix_seconds(const char *text, time_ms *ret_at)
{
    const char *at = text;
    time_ms seconds = 0;
    int thousandths = 0;

    for (; *at >= '0' && *at <= '9' && at - text < 12; at++) {
        seconds = seconds * 10 + (*at - '0');
    }
    if (at == text || !read_fraction(&at, &thousandths) || *at != '\0') {
        return false;
    }
    *ret_at = seconds * SECOND_MS + thousandths;
    return true;
}

bool moment_read(const char *text, time_ms *ret_at)
{
    const time_ms end = days_of_date(MOMENT_YEAR_MAX + 1, 1, 1) * DAY_MS;
    time_ms at = 0;

    if (!read_unix_seconds(text, &at) && !read_rfc3339(text, &at)) {
        return false;
    }
    if (at < 0 || at >= end) {
        return false;
    }
    *ret_at = at;
    return true;
}

/* --- Numbers for people --------------------------------------------------- */

const char *number_print(double number, char text[NUMBER_TEXT_MAX])
{
    assert(isfinite(number));
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, NUMBER_TEXT_MAX, "%.*g", digits, number);
        if (strtod(text, NULL) == number) {
            break;
        }
    }
    return text;
}

/* A step of a ladder such as ms, s, min: used from @least on. */
struct scale_step {
    double least;
    double divisor;
    const char *suffix;
};

static const struct scale_step count_steps[] = {
    {1e12, 1e12, "T"}, {1e9, 1e9, "G"}, {1e6, 1e6, "M"},
    {1e4, 1e3, "k"},   {0, 1, ""},
};
static const struct scale_step second_steps[] = {
    {2 * 86400, 86400, " d"}, {2 * 3600, 3600, " h"},
    {120, 60, " min"},        {1, 1, " s"},
    {0, 0.001, " ms"},
};
static const struct scale_step byte_steps[] = {
    {1099511627776.0, 1099511627776.0, " TiB"},
    {1073741824.0, 1073741824.0, " GiB"},
    {1048576.0, 1048576.0, " MiB"},
    {1024.0, 1024.0, " KiB"},
    {0, 1, " B"},
};

/* At most four significant digits, without an exponent where people read
 * none. */
static const char *significant_print(double number, char text[NUMBER_TEXT_MAX])
{
    (void)snprintf(text, NUMBER_TEXT_MAX, "%.4g", number);
    if (fabs(number) >= 9999.5 && fabs(number) < 1e15) {
        (void)snprintf(text, NUMBER_TEXT_MAX, "%.0f", strtod(text, NULL));
    }
    return text;
}

/* The last step of a ladder has least 0 and takes whatever is left. */
static void print_on_ladder(double number, const struct scale_step *step,
                            const char *ending, char text[QUANTITY_TEXT_MAX])
{
    char digits[NUMBER_TEXT_MAX];

    while (step->least > 0 && fabs(number) < step->least) {
        step++;
    }
    (void)snprintf(text, QUANTITY_TEXT_MAX, "%s%s%s",
                   significant_print(number / step->divisor, digits),
                   step->suffix, ending);
}

const char *quantity_print(double number, struct unit unit,
                           char text[QUANTITY_TEXT_MAX])
{
    char name[UNIT_TEXT_MAX], digits[NUMBER_TEXT_MAX];

    if (unit_equal(unit, (struct unit){0, 0, 0})) {
        (void)snprintf(text, QUANTITY_TEXT_MAX, "%s%%",
                       significant_print(number * 100, digits));
    } else if (unit_equal(unit, (struct unit){1, 0, 0})) {
        print_on_ladder(number, count_steps, "", text);
    } else if (unit_equal(unit, (struct unit){1, -1, 0})) {
        print_on_ladder(number, count_steps, "/s", text);
    } else if (unit_equal(unit, (struct unit){0, 1, 0})) {
        print_on_ladder(number, second_steps, "", text);
    } else if (unit_equal(unit, (struct unit){0, 0, 1})) {
        print_on_ladder(number, byte_steps, "", text);
    } else if (unit_equal(unit, (struct unit){0, -1, 1})) {
        print_on_ladder(number, byte_steps, "/s", text);
    } else {
        (void)snprintf(text, QUANTITY_TEXT_MAX, "%s %s",
                       significant_print(number, digits),
                       unit_print(unit, name));
    }
    return text;
}

/* --- Names ---------------------------------------------------------------- */

static bool is_alphanumeric(char character)
{
    return (character >= 'a' && character <= 'z') ||
           (character >= 'A' && character <= 'Z') ||
           (character >= '0' && character <= '9');
}

bool name_is_valid(const char *name)
{
    size_t length = 0;

    if (!is_alphanumeric(name[0])) {
        return false;
    }
    for (; name[length] != '\0'; length++) {
        if (length >= NAME_MAX_BYTES) {
            return false;
        }
        if (!is_alphanumeric(name[length]) &&
            strchr("._+:@/-", name[length]) == NULL) {
            return false;
        }
    }
    return strstr(name, "..") == NULL;
}
