/* Units, durations, moments, numbers and names. */
#include "policies/units.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct unit ratio = {0, 0, 0}, count = {1, 0, 0},
                         per_second = {1, -1, 0}, seconds = {0, 1, 0},
                         bytes = {0, 0, 1};

/* --- Dimensions ----------------------------------------------------------- */

static void a_count_over_a_rate_is_a_duration(void **state)
{
    (void)state;
    assert_true(unit_equal(unit_over(count, per_second), seconds));
    assert_true(unit_equal(unit_over(per_second, per_second), ratio));
    assert_true(unit_equal(unit_times(per_second, seconds), count));
    assert_false(unit_equal(count, bytes));
}

static void exponents_never_wrap(void **state)
{
    struct unit unit = {120, -120, 0};

    (void)state;
    unit = unit_times(unit, unit);
    assert_int_equal(unit.count, 127);
    assert_int_equal(unit.second, -128);
}

static void units_have_names_and_scales(void **state)
{
    struct unit unit = {9, 9, 9};
    double scale = 7;
    char text[UNIT_TEXT_MAX];

    (void)state;
    assert_true(unit_of_name("milliseconds", &unit, &scale));
    assert_true(unit_equal(unit, seconds));
    assert_true(scale == 0.001);
    assert_true(unit_of_name("bytes_per_second", &unit, &scale));
    assert_string_equal(unit_print(unit, text), "bytes_per_second");
    assert_true(scale == 1);
    unit.byte = 5;
    scale = 7;
    assert_false(unit_of_name("second", &unit, &scale));
    assert_int_equal(unit.byte, 5);
    assert_true(scale == 7);
}

static void units_are_printed_for_people(void **state)
{
    static const struct {
        struct unit unit;
        const char *text;
    } cases[] = {
        {{0, 0, 0}, "ratio"},
        {{1, 0, 0}, "count"},
        {{1, -1, 0}, "per_second"},
        {{0, 1, 0}, "seconds"},
        {{0, 0, 1}, "bytes"},
        {{0, -1, 1}, "bytes_per_second"},
        {{2, -1, 0}, "count^2 seconds^-1"},
        {{0, -1, 0}, "seconds^-1"},
        {{1, 1, 1}, "count seconds bytes"},
        {{-128, -128, -128}, "count^-128 seconds^-128 bytes^-128"},
    };
    char text[UNIT_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_string_equal(unit_print(cases[i].unit, text), cases[i].text);
    }
}

/* --- The grid ------------------------------------------------------------- */

static void grid_times_are_whole_multiples(void **state)
{
    (void)state;
    assert_int_equal(grid_at_or_before(45000, 15000), 45000);
    assert_int_equal(grid_at_or_before(44999, 15000), 30000);
    assert_int_equal(grid_after(45000, 15000), 60000);
    assert_int_equal(grid_after(44999, 15000), 45000);
    assert_int_equal(grid_after(0, 15000), 15000);
    assert_int_equal(grid_at_or_before(-1, 15000), -15000);
    assert_int_equal(grid_after(-1, 15000), 0);
}

/* --- Durations ------------------------------------------------------------ */

static void durations_are_whole_and_have_a_unit(void **state)
{
    static const struct {
        const char *text;
        time_ms span;
    } good[] = {
        {"0s", 0},
        {"250ms", 250},
        {"90s", 90000},
        {"007m", 420000},
        {"24h", DAY_MS},
        {"366d", 366 * DAY_MS},
        {"31622400000ms", 366 * DAY_MS},
    };
    static const char *const bad[] = {
        "",    "s",    "5",     "-5s",   "+5s",
        "5 s", " 5s",  "5s ",   "1.5h",  "5min",
        "5S",  "367d", "8785h", "1h30m", "99999999999999999999999999s",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        time_ms span = -1;

        assert_true(duration_read(good[i].text, &span));
        assert_int_equal(span, good[i].span);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        time_ms span = 77;

        assert_false(duration_read(bad[i], &span));
        assert_int_equal(span, 77);
    }
}

static void durations_are_printed_as_short_as_exact(void **state)
{
    static const struct {
        time_ms span;
        const char *text;
    } cases[] = {
        {0, "0s"},        {1, "1ms"},
        {1500, "1500ms"}, {90000, "90s"},
        {120000, "2m"},   {HOUR_MS, "1h"},
        {DAY_MS, "1d"},   {36 * HOUR_MS, "36h"},
        {-15000, "-15s"},
    };
    char text[DURATION_TEXT_MAX];
    time_ms span = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_string_equal(duration_print(cases[i].span, text), cases[i].text);
        if (cases[i].span >= 0) {
            assert_true(duration_read(text, &span));
            assert_int_equal(span, cases[i].span);
        }
    }
}

/* --- Moments -------------------------------------------------------------- */

static void moments_are_read_in_both_forms(void **state)
{
    static const struct {
        const char *text;
        time_ms at;
    } good[] = {
        {"2024-09-18T14:20:00Z", 1726669200000},
        {"2024-09-18t14:20:00z", 1726669200000},
        {"2024-09-18 16:20:00+02:00", 1726669200000},
        {"2024-09-18T08:50:00-05:30", 1726669200000},
        {"2024-09-18T14:20:00.25Z", 1726669200250},
        {"2024-09-18T14:20:00.9999Z", 1726669200999},
        {"1726669200", 1726669200000},
        {"1726669200.5", 1726669200500},
        {"0", 0},
        {"1970-01-01T00:00:00Z", 0},
        {"2000-02-29T12:00:00Z", 951825600000},
        {"2199-12-31T23:59:59.999Z", 7258118399999},
    };
    static const char *const bad[] = {
        "",
        "now",
        "2024-09-18",
        "2024-09-18T14:20:00",
        "2024-9-18T14:20:00Z",
        "2024-13-18T14:20:00Z",
        "2023-02-29T14:20:00Z",
        "1900-02-29T14:20:00Z",
        "2024-09-31T14:20:00Z",
        "2024-09-18T24:00:00Z",
        "2024-09-18T14:20:60Z",
        "2024-09-18T14:20:00.Z",
        "2024-09-18T14:20:00+2:00",
        "2024-09-18T14:20:00Z ",
        "1969-12-31T23:59:59Z",
        "2200-01-01T00:00:00Z",
        "7258118400",
        "-5",
        "1e9",
        "1726669200.",
        "99999999999999999999",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        time_ms at = -1;

        assert_true(moment_read(good[i].text, &at));
        assert_int_equal(at, good[i].at);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        time_ms at = 77;

        assert_false(moment_read(bad[i], &at));
        assert_int_equal(at, 77);
    }
}

static void every_moment_comes_back(void **state)
{
    char text[MOMENT_TEXT_MAX];

    (void)state;
    /* Every day of 230 years, at changing times of the day. */
    for (time_ms at = 0; at < 230 * 365 * DAY_MS; at += DAY_MS + 61123) {
        time_ms back = -1;

        assert_true(moment_read(moment_print(at, text), &back));
        assert_int_equal(back, at);
    }
    assert_string_equal(moment_print(1726669200000, text),
                        "2024-09-18T14:20:00Z");
    assert_string_equal(moment_print(1726669200007, text),
                        "2024-09-18T14:20:00.007Z");
    assert_string_equal(moment_print(-1, text), "1969-12-31T23:59:59.999Z");
    assert_string_equal(moment_print(TIME_NEVER, text), "never");
    assert_true(strlen(moment_print(TIME_NEVER - 1, text)) < MOMENT_TEXT_MAX);
    assert_true(strlen(moment_print(INT64_MIN / 2, text)) < MOMENT_TEXT_MAX);
}

/* --- Numbers -------------------------------------------------------------- */

static void numbers_read_back_to_the_same_bits(void **state)
{
    static const double numbers[] = {0,      0.1,           1.0 / 3, 0.087,
                                     1e300,  DBL_MIN,       DBL_MAX, -2.5,
                                     5e-324, 123456789.125, 1e15,    0.999};
    char text[NUMBER_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        double back = strtod(number_print(numbers[i], text), NULL);

        assert_memory_equal(&back, &numbers[i], sizeof(back));
    }
    assert_string_equal(number_print(0.1, text), "0.1");
    assert_string_equal(number_print(498, text), "498");
    assert_string_equal(number_print(0.1 + 0.2, text), "0.30000000000000004");
}

static void quantities_are_printed_for_people(void **state)
{
    const struct {
        double number;
        struct unit unit;
        const char *text;
    } cases[] = {
        {0.087, ratio, "8.7%"},
        {0.86666, ratio, "86.67%"},
        {1.15, ratio, "115%"},
        {498, count, "498"},
        {9999, count, "9999"},
        {9999.6, count, "10000"},
        {123.456, ratio, "12350%"},
        {-100, ratio, "-10000%"},
        {86400.0 * 12346, seconds, "12350 d"},
        {12345, count, "12.35k"},
        {2.5e6, count, "2.5M"},
        {142, per_second, "142/s"},
        {0.5, per_second, "0.5/s"},
        {0.312, seconds, "312 ms"},
        {0, seconds, "0 ms"},
        {1.5, seconds, "1.5 s"},
        {90, seconds, "90 s"},
        {600, seconds, "10 min"},
        {3 * 3600, seconds, "3 h"},
        {86400 * 5, seconds, "5 d"},
        {-90, seconds, "-90 s"},
        {512, bytes, "512 B"},
        {1610612736, bytes, "1.5 GiB"},
        {2048, unit_over(bytes, seconds), "2 KiB/s"},
        {3, unit_over(ratio, seconds), "3 seconds^-1"},
        {1e308, unit_times(count, count), "1e+308 count^2"},
    };
    char text[QUANTITY_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_string_equal(
            quantity_print(cases[i].number, cases[i].unit, text),
            cases[i].text);
    }
}

/* --- Names ---------------------------------------------------------------- */

static void names_from_outside(void **state)
{
    static const char *const good[] = {
        "a",
        "user-service",
        "2.4.0+build:7@x/y_z",
        "0",
    };
    static const char *const bad[] = {
        "", "-a", ".a", "a b", "a..b", "a\n", "\xc3\xa9", "a\"", "a*", "a..",
    };
    char long_name[NAME_MAX_BYTES + 2];

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_true(name_is_valid(good[i]));
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_false(name_is_valid(bad[i]));
    }
    memset(long_name, 'a', sizeof(long_name));
    long_name[NAME_MAX_BYTES + 1] = '\0';
    assert_false(name_is_valid(long_name));
    long_name[NAME_MAX_BYTES] = '\0';
    assert_true(name_is_valid(long_name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_count_over_a_rate_is_a_duration),
        cmocka_unit_test(exponents_never_wrap),
        cmocka_unit_test(units_have_names_and_scales),
        cmocka_unit_test(units_are_printed_for_people),
        cmocka_unit_test(grid_times_are_whole_multiples),
        cmocka_unit_test(durations_are_whole_and_have_a_unit),
        cmocka_unit_test(durations_are_printed_as_short_as_exact),
        cmocka_unit_test(moments_are_read_in_both_forms),
        cmocka_unit_test(every_moment_comes_back),
        cmocka_unit_test(numbers_read_back_to_the_same_bits),
        cmocka_unit_test(quantities_are_printed_for_people),
        cmocka_unit_test(names_from_outside),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
