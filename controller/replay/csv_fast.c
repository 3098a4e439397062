/* Rows as programs write them: no quotes, no blanks, decimal numbers. */
#include "controller/replay/csv_inside.h"

#include <string.h>

#include "controller/replay/csv_number.h"

/* "2024-09-18T14:20:00.000+02:00" and a margin. */
#define TIME_BYTES_MAX 40
/* "2024-09-18T14:20:00Z" */
#define TIME_BYTES_USUAL 20

static bool ends_cell(const char *at, const char *end)
{
    return at == end || *at == ',' || *at == '\n' || *at == '\r';
}

static bool scan_two_digits(const char *at, time_ms below, time_ms *ret_number)
{
    unsigned tens = (unsigned)at[0] - '0', ones = (unsigned)at[1] - '0';

    *ret_number = tens * 10 + ones;
    return tens <= 9 && ones <= 9 && *ret_number < below;
}

/* "2024-09-01T14:20:00Z", on the day of the row before: rows of one day share
 * their date, which is the dear part of a time. */
static bool scan_time_of_day(const struct csv *csv, const char *at,
                             time_ms *ret_time)
{
    time_ms hour = 0, minute = 0, second = 0;

    if (memcmp(at, csv->date, sizeof(csv->date)) != 0 || at[13] != ':' ||
        at[16] != ':' || at[19] != 'Z' ||
        !scan_two_digits(at + 11, 24, &hour) ||
        !scan_two_digits(at + 14, 60, &minute) ||
        !scan_two_digits(at + 17, 60, &second)) {
        return false;
    }
    *ret_time = csv->midnight + hour * HOUR_MS + minute * MINUTE_MS +
                second * SECOND_MS;
    return true;
}

/* For the rows after it. */
static void note_date(struct csv *csv, const char *text, time_ms time)
{
    if (strlen(text) == TIME_BYTES_USUAL && text[19] == 'Z') {
        memcpy(csv->date, text, sizeof(csv->date));
        csv->midnight = grid_at_or_before(time, DAY_MS);
    }
}

static bool scan_time(struct csv *csv, const char **at, const char *end,
                      time_ms *ret_time)
{
    char text[TIME_BYTES_MAX + 1];
    size_t length = 0;

    if (end - *at > TIME_BYTES_USUAL && scan_time_of_day(csv, *at, ret_time) &&
        ends_cell(*at + TIME_BYTES_USUAL, end)) {
        *at += TIME_BYTES_USUAL;
        return true;
    }

    while (length < TIME_BYTES_MAX && !ends_cell(*at + length, end)) {
        text[length] = (*at)[length];
        length++;
    }
    text[length] = '\0';
    *at += length;
    if (!ends_cell(*at, end) || strlen(text) != length ||
        !moment_read(text, ret_time)) {
        return false;
    }
    note_date(csv, text, *ret_time);
    return true;
}

/* Of a column that is not kept: anything up to the comma, but no quote. */
static bool skip_cell(const char **at, const char *end)
{
    while (!ends_cell(*at, end)) {
        if (**at == '"' || **at == '\0') {
            return false;
        }
        (*at)++;
    }
    return true;
}

static bool scan_cell(const char **at, const char *end, double *ret_cell)
{
    if (ends_cell(*at, end)) {
        *ret_cell = cell_of_sample((struct sample){0, UNKNOWN_NO_DATA});
        return true;
    }
    return number_scan(at, end, ret_cell) && ends_cell(*at, end);
}

static bool scan_line_end(const char **at, const char *end)
{
    if (*at < end && **at == '\r') {
        (*at)++;
    }
    if (*at < end && **at == '\n') {
        (*at)++;
        return true;
    }
    return *at == end && (*at)[-1] != '\r';
}

bool csv_fast_row(struct csv *csv)
{
    struct cells *cells = &csv->cells;
    const char *begin = cells->text + cells->at;
    const char *end = cells->text + cells->length;
    const char *at = begin;
    double *row = csv->numbers + csv->rows * csv->kept;
    time_ms time = 0;

    if (!scan_time(csv, &at, end, &time) ||
        (csv->rows > 0 && time <= csv->times[csv->rows - 1])) {
        return false;
    }
    for (size_t column = 0; column < csv->columns; column++) {
        if (at == end || *at != ',') {
            return false;
        }
        at++;
        if (csv->places[column] == NOT_KEPT
                ? !skip_cell(&at, end)
                : !scan_cell(&at, end, &row[csv->places[column]])) {
            return false;
        }
    }
    if (!scan_line_end(&at, end)) {
        return false;
    }
    csv->times[csv->rows] = time;
    cells_skip_line(cells, (size_t)(at - begin));
    return true;
}
