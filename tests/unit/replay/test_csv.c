/* The wide CSV that replay reads: what it says at a grid time, and every way
 * to get it wrong. */
#include "controller/replay/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static struct problems problems;

static struct csv *read_bytes(const char *text, size_t length)
{
    struct csv *csv = NULL;

    problems_init(&problems, "samples.csv");
    csv = csv_open(text, length, &problems);
    if (csv != NULL && !csv_load(csv, NULL, &problems)) {
        csv_free(csv);
        return NULL;
    }
    return csv;
}

static struct csv *read_text(const char *text)
{
    return read_bytes(text, strlen(text));
}

static struct csv *must_read(const char *text)
{
    struct csv *csv = read_text(text);

    if (csv == NULL) {
        fail_msg("%s", problems.list[0].text);
    }
    assert_int_equal(problems.count, 0);
    return csv;
}

static void assert_refused(const char *text, int line, int column,
                           const char *words)
{
    struct csv *csv = read_text(text);

    assert_null(csv);
    assert_int_equal(problems.errors, 1);
    assert_non_null(strstr(problems.list[0].text, words));
    assert_int_equal(problems.list[0].line, line);
    assert_int_equal(problems.list[0].column, column);
}

#define SECONDS(n) ((n)*SECOND_MS)

static struct sample csv_sample(const struct csv *csv, size_t column, time_ms g,
                                enum csv_fill fill)
{
    struct csv_cursor cursor;

    csv_begin(&cursor, csv, fill);
    csv_seek(&cursor, g);
    return csv_at(&cursor, column, csv_max_age(csv, column));
}

static void assert_number(const struct csv *csv, size_t column, time_ms g,
                          enum csv_fill fill, double number)
{
    struct sample sample = csv_sample(csv, column, g, fill);

    assert_int_equal(sample.unknown, KNOWN);
    assert_true(sample.number == number);
}

static void assert_unknown(const struct csv *csv, size_t column, time_ms g,
                           enum csv_fill fill, enum unknown unknown)
{
    assert_int_equal(csv_sample(csv, column, g, fill).unknown, unknown);
}

/* --- What it says --------------------------------------------------------- */

static void a_sample_speaks_until_the_next(void **state)
{
    struct csv *csv = must_read("time,a,b\n100,1,2\n110,3,4\n120,5,6\n");

    (void)state;
    assert_int_equal(csv_rows(csv), 3);
    assert_int_equal(csv_columns(csv), 2);
    assert_int_equal(csv_time(csv, 1), SECONDS(110));
    assert_int_equal(csv_find(csv, "b"), 1);
    assert_int_equal(csv_find(csv, "c"), CSV_NO_COLUMN);
    assert_unknown(csv, 0, SECONDS(99), CSV_STEP, UNKNOWN_NOT_ASKED);
    assert_number(csv, 0, SECONDS(100), CSV_STEP, 1);
    assert_number(csv, 0, SECONDS(110) - 1, CSV_STEP, 1);
    assert_number(csv, 0, SECONDS(110), CSV_STEP, 3);
    assert_number(csv, 1, SECONDS(119), CSV_STEP, 4);
    /* At most twice the median gap of 10 s. */
    assert_int_equal(csv_max_age(csv, 0), SECONDS(20));
    assert_number(csv, 1, SECONDS(140), CSV_STEP, 6);
    assert_unknown(csv, 1, SECONDS(140) + 1, CSV_STEP, UNKNOWN_STALE);
    csv_free(csv);
}

static void each_column_ages_by_its_own_gaps(void **state)
{
    struct csv *csv = must_read("time,fast,slow\n"
                                "100,1,1\n110,1,\n120,1,\n130,1,2\n"
                                "140,1,\n150,1,\n160,1,3\n");

    (void)state;
    assert_int_equal(csv_max_age(csv, 0), SECONDS(20));
    assert_int_equal(csv_max_age(csv, 1), SECONDS(60));
    assert_unknown(csv, 0, SECONDS(190), CSV_STEP, UNKNOWN_STALE);
    assert_number(csv, 1, SECONDS(190), CSV_STEP, 3);
    /* An empty cell is an answer: nothing. */
    assert_unknown(csv, 1, SECONDS(110), CSV_STEP, UNKNOWN_NO_DATA);
    assert_unknown(csv, 1, SECONDS(159), CSV_STEP, UNKNOWN_NO_DATA);
    csv_free(csv);
}

static void a_hole_of_rows_goes_stale(void **state)
{
    struct csv *csv = must_read("time,a\n100,1\n110,1\n120,1\n200,2\n210,2\n");

    (void)state;
    assert_number(csv, 0, SECONDS(140), CSV_STEP, 1);
    assert_unknown(csv, 0, SECONDS(141), CSV_STEP, UNKNOWN_STALE);
    assert_unknown(csv, 0, SECONDS(199), CSV_STEP, UNKNOWN_STALE);
    assert_number(csv, 0, SECONDS(200), CSV_STEP, 2);
    csv_free(csv);
}

/* No answer is not an answer with nothing in it, and no line leads over it. */
static void a_source_that_did_not_answer_is_written_error(void **state)
{
    struct csv *csv = must_read("time,a\n100,1\n110,error\n120,3\n130,\n");

    (void)state;
    assert_number(csv, 0, SECONDS(100), CSV_STEP, 1);
    assert_unknown(csv, 0, SECONDS(110), CSV_STEP, UNKNOWN_SOURCE_ERROR);
    assert_unknown(csv, 0, SECONDS(110), CSV_LINEAR, UNKNOWN_SOURCE_ERROR);
    assert_unknown(csv, 0, SECONDS(130), CSV_STEP, UNKNOWN_NO_DATA);
    csv_free(csv);
    assert_refused("time,a\n100,errors\n", 2, 5, "not a number");
}

static void words_for_unknowns(void **state)
{
    struct csv *csv = must_read("time,a,b,c,d\n100,nan,inf,-Inf,1e999\n"
                                "110,NaN,+Infinity,  ,\"\"\n");

    (void)state;
    assert_unknown(csv, 0, SECONDS(100), CSV_STEP, UNKNOWN_NAN);
    assert_unknown(csv, 1, SECONDS(100), CSV_STEP, UNKNOWN_INFINITE);
    assert_unknown(csv, 2, SECONDS(100), CSV_STEP, UNKNOWN_INFINITE);
    assert_unknown(csv, 3, SECONDS(100), CSV_STEP, UNKNOWN_INFINITE);
    assert_unknown(csv, 0, SECONDS(110), CSV_STEP, UNKNOWN_NAN);
    assert_unknown(csv, 1, SECONDS(110), CSV_STEP, UNKNOWN_INFINITE);
    assert_unknown(csv, 2, SECONDS(110), CSV_STEP, UNKNOWN_NO_DATA);
    assert_unknown(csv, 3, SECONDS(110), CSV_STEP, UNKNOWN_NO_DATA);
    csv_free(csv);
}

static void lines_between_numbers_when_asked(void **state)
{
    struct csv *csv = must_read("time,a,b\n100,1,\n200,,10\n300,5,\n"
                                "400,nan,20\n500,7,\n");

    (void)state;
    assert_number(csv, 0, SECONDS(100), CSV_LINEAR, 1);
    assert_number(csv, 0, SECONDS(150), CSV_LINEAR, 2); /* across the empty */
    assert_number(csv, 0, SECONDS(200), CSV_LINEAR, 3);
    assert_number(csv, 0, SECONDS(300), CSV_LINEAR, 5);
    /* No line to or from what is no number. */
    assert_number(csv, 0, SECONDS(350), CSV_LINEAR, 5);
    assert_unknown(csv, 0, SECONDS(450), CSV_LINEAR, UNKNOWN_NAN);
    /* Never beyond the ends. */
    assert_unknown(csv, 1, SECONDS(150), CSV_LINEAR, UNKNOWN_NO_DATA);
    assert_number(csv, 1, SECONDS(300), CSV_LINEAR, 15);
    assert_number(csv, 1, SECONDS(400), CSV_LINEAR, 20);
    assert_number(csv, 1, SECONDS(499), CSV_LINEAR, 20);
    assert_unknown(csv, 1, SECONDS(501), CSV_LINEAR, UNKNOWN_NO_DATA);
    csv_free(csv);
}

static void how_spreadsheets_write_it(void **state)
{
    struct csv *csv = must_read("\xef\xbb\xbf\"time\" , \"a\"\r\n"
                                "\r\n"
                                "\"2024-09-18T14:20:00Z\", 1.5e2 \r\n"
                                "2024-09-18T16:20:15+02:00,\"-.5\"\r\n"
                                "   \r\n  ");

    (void)state;
    assert_int_equal(csv_rows(csv), 2);
    assert_int_equal(csv_time(csv, 0), SECONDS(1726669200));
    assert_int_equal(csv_time(csv, 1), SECONDS(1726669215));
    assert_number(csv, 0, SECONDS(1726669200), CSV_STEP, 150);
    assert_number(csv, 0, SECONDS(1726669215), CSV_STEP, -0.5);
    csv_free(csv);
}

static void a_single_row_speaks_for_its_own_time(void **state)
{
    struct csv *csv = must_read("time,a\n100,1");

    (void)state;
    assert_int_equal(csv_max_age(csv, 0), 0);
    assert_number(csv, 0, SECONDS(100), CSV_STEP, 1);
    assert_unknown(csv, 0, SECONDS(101), CSV_STEP, UNKNOWN_STALE);
    assert_number(csv, 0, SECONDS(100), CSV_LINEAR, 1);
    csv_free(csv);
}

static void many_rows_are_kept_and_found(void **state)
{
    size_t room = 5000 * 32, used = 0;
    char *text = malloc(room);
    struct csv *csv = NULL;

    (void)state;
    assert_non_null(text);
    used += (size_t)sprintf(text, "time,a\n");
    for (int i = 0; i < 5000; i++) {
        used += (size_t)snprintf(text + used, room - used, "%d,%d\n",
                                 1000 + 15 * i, i);
    }
    csv = must_read(text);
    assert_int_equal(csv_rows(csv), 5000);
    for (int i = 0; i < 5000; i++) {
        assert_number(csv, 0, SECONDS(1000 + 15 * i + 7), CSV_STEP, i);
    }
    csv_free(csv);
    free(text);
}

/* However a row is written, it says the same. */
static void plain_rows_and_quoted_ones_agree(void **state)
{
    static const char plain[] = "time,a,b\n100,0.1,-2.50\n115.5,,7\r\n"
                                "130,123456.789,0.30000000000000004";
    static const char quoted[] = "time,a,b\n\"100\",\"0.1\",-2.50\n"
                                 "115.5 ,, 7\r\n\n"
                                 "130,\"123456.789\",0.30000000000000004 \n";
    struct csv *one = must_read(plain), *other = must_read(quoted);

    (void)state;
    assert_int_equal(csv_rows(one), 3);
    assert_int_equal(csv_rows(other), 3);
    for (size_t row = 0; row < 3; row++) {
        time_ms at = csv_time(one, row);

        assert_int_equal(csv_time(other, row), at);
        for (size_t column = 0; column < 2; column++) {
            struct sample a = csv_sample(one, column, at, CSV_STEP);
            struct sample b = csv_sample(other, column, at, CSV_STEP);

            assert_int_equal(a.unknown, b.unknown);
            assert_true(a.number == b.number);
        }
    }
    csv_free(one);
    csv_free(other);
}

/* Rows of one day are read in a shorter way: the same times, the same
 * refusals, whatever stands between them. */
static void days_begin_and_end_between_rows(void **state)
{
    static const char text[] = "time,x\n"
                               "2024-02-28T23:59:30Z,1\n"
                               "2024-02-28T23:59:59Z,2\n"
                               "2024-02-29T00:00:00Z,3\n"
                               "2024-02-29T00:00:15.500Z,4\n"
                               "2024-02-29T02:00:30+02:00,5\n"
                               "2024-02-29t00:00:45z,6\n"
                               "2024-02-29T00:01:00Z,7\n"
                               "1709164875,8\n"
                               "2024-02-29T00:01:30Z,9\n";
    static const time_ms seconds[] = {1709164770, 1709164799, 1709164800,
                                      1709164815, 1709164830, 1709164845,
                                      1709164860, 1709164875, 1709164890};
    struct csv *csv = must_read(text);

    (void)state;
    assert_int_equal(csv_rows(csv), 9);
    for (size_t i = 0; i < 9; i++) {
        assert_int_equal(csv_time(csv, i),
                         seconds[i] * SECOND_MS + (i == 3 ? 500 : 0));
    }
    csv_free(csv);
    assert_refused("time,x\n2024-02-29T00:00:00Z,1\n2024-02-29T24:00:00Z,2\n",
                   3, 1, "is not a time");
    assert_refused("time,x\n2024-02-29T00:00:00Z,1\n2024-02-29T00:60:00Z,2\n",
                   3, 1, "is not a time");
    assert_refused("time,x\n2024-02-29T00:00:00Z,1\n2024-02-29T00:00:60Z,2\n",
                   3, 1, "is not a time");
    assert_refused("time,x\n2024-02-29T00:00:00Z,1\n2024-02-29T00:0:000Z,2\n",
                   3, 1, "is not a time");
    assert_refused("time,x\n2024-02-29T00:00:30Z,1\n2024-02-29T00:00:30Z,2\n",
                   3, 1, "is not after");
}

static void columns_that_are_not_wanted(void **state)
{
    static const char text[] = "time,a,b,c\n100,x\"y,1,\n115,\"p,q\",2,zz\n";
    const bool wanted[] = {false, true, false};
    struct csv_cursor cursor;
    struct csv *csv = NULL;

    (void)state;
    problems_init(&problems, "samples.csv");
    csv = csv_open(text, strlen(text), &problems);
    assert_non_null(csv);
    assert_true(csv_load(csv, wanted, &problems));
    assert_int_equal(csv_columns(csv), 3);
    csv_begin(&cursor, csv, CSV_STEP);
    csv_seek(&cursor, SECONDS(100));
    assert_true(csv_at(&cursor, 1, SECONDS(30)).number == 1);
    csv_seek(&cursor, SECONDS(120));
    assert_true(csv_at(&cursor, 1, SECONDS(30)).number == 2);
    csv_free(csv);
}

/* --- What is refused ------------------------------------------------------ */

static void broken_headers(void **state)
{
    (void)state;
    assert_refused("", 1, 1, "the file is empty");
    assert_refused(" \n\r\n", 1, 1, "the file is empty");
    assert_refused("time_utc,a\n", 1, 1, "'time_utc'; it must be named 'time'");
    assert_refused("a,time\n", 1, 1, "it must be named 'time'");
    assert_refused("time\n100\n", 1, 1, "no column after 'time'");
    assert_refused("time,a,b,a\n", 1, 10, "the column 'a' stands twice");
    assert_refused("time,a,time\n", 1, 8, "the column 'time' stands twice");
    assert_refused("time,a,,b\n", 1, 8, "no name");
    assert_refused("time,a\n", 1, 1, "there is no row");
    assert_refused("time,a\n\n  \n", 1, 1, "there is no row");
}

static void broken_rows(void **state)
{
    (void)state;
    assert_refused("time,a\n14:20,1\n", 2, 1, "'14:20' is not a time");
    assert_refused("time,a\n,1\n", 2, 1, "'' is not a time");
    assert_refused("time,a\n100,1\n90,2\n", 3, 1, "sort the rows by time");
    assert_refused("time,a\n100,1\n100,2\n", 3, 1, "not after the row before");
    assert_refused("time,a,b\n100,1\n", 2, 5, "fewer than 3 cells");
    assert_refused("time,a\n100,1,2\n", 2, 5, "more than 2 cells");
    assert_refused("time,a\n\n100,1\n200\n", 4, 1, "fewer than 2 cells");
}

static void broken_cells(void **state)
{
    (void)state;
    assert_refused("time,a\n100,5%\n", 2, 5, "'5%' is not a number");
    assert_refused("time,\xc3\xa4\xc3\xb6,b\n100, 1 , 0x10\n", 2, 10,
                   "'0x10' is not a number (column 'b')");
    assert_refused("time,a\n100,1.2.3\n", 2, 5, "not a number");
    assert_refused("time,a\n100,1e\n", 2, 5, "not a number");
    assert_refused("time,a\n100,.\n", 2, 5, "not a number");
    assert_refused("time,a\n100,--1\n", 2, 5, "not a number");
    assert_refused("time,a\n100,1;2\n", 2, 5, "not a number");
    assert_refused("time,a\n100,+nan\n", 2, 5, "not a number");
    assert_refused("time,a\n100,\"1\n", 2, 5, "a quote is not closed");
    assert_refused("time,a\n100,\"1\"2\n", 2, 5, "missing after a quote");
    assert_refused("time,a\n100,\033[31m\n", 2, 5, "\\x1b[31m");
}

static void broken_sizes(void **state)
{
    char text[4 * CSV_COLUMNS_MAX * 4] = "time";
    size_t used = 4;

    (void)state;
    for (int i = 0; i <= CSV_COLUMNS_MAX; i++) {
        used += (size_t)snprintf(text + used, sizeof(text) - used, ",c%d", i);
    }
    assert_null(read_bytes(text, used));
    assert_non_null(strstr(problems.list[0].text, "more than 256 columns"));

    memset(text, '1', sizeof(text));
    memcpy(text, "time,a\n100,", 11);
    assert_null(read_bytes(text, sizeof(text)));
    assert_non_null(strstr(problems.list[0].text, "longer than 256 bytes"));

    assert_null(read_bytes("time,a\n1\0002,1\n", 13));
    assert_non_null(strstr(problems.list[0].text, "holds a NUL"));

    assert_null(read_bytes(text, CSV_BYTES_MAX + 1));
    assert_non_null(strstr(problems.list[0].text, "larger than 256 MiB"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sample_speaks_until_the_next),
        cmocka_unit_test(each_column_ages_by_its_own_gaps),
        cmocka_unit_test(a_hole_of_rows_goes_stale),
        cmocka_unit_test(words_for_unknowns),
        cmocka_unit_test(a_source_that_did_not_answer_is_written_error),
        cmocka_unit_test(lines_between_numbers_when_asked),
        cmocka_unit_test(how_spreadsheets_write_it),
        cmocka_unit_test(a_single_row_speaks_for_its_own_time),
        cmocka_unit_test(many_rows_are_kept_and_found),
        cmocka_unit_test(plain_rows_and_quoted_ones_agree),
        cmocka_unit_test(days_begin_and_end_between_rows),
        cmocka_unit_test(columns_that_are_not_wanted),
        cmocka_unit_test(broken_headers),
        cmocka_unit_test(broken_rows),
        cmocka_unit_test(broken_cells),
        cmocka_unit_test(broken_sizes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
