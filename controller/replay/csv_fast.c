/* Rows as programs write them: no quotes, no blanks, decimal numbers. */
#include "controller/replay/csv_inside.h"

#include <string.h>

#include "controller/replay/csv_number.h"

/* "2024-09-18T14:20:00.000+02:00" and a margin. */
#define TIME_BYTES_MAX 40

static bool ends_cell(const char *at, const char *end)
{
    return at == end || *at == ',' || *at == '\n' || *at == '\r';
}

static bool scan_time(const char **at, const char *end, time_ms *ret_time)
{
    char text[TIME_BYTES_MAX + 1];
    size_t length = 0;

    while (length < TIME_BYTES_MAX && !ends_cell(*at + length, end)) {
        text[length] = (*at)[length];
        length++;
    }
    text[length] = '\0';
    *at += length;
    return ends_cell(*at, end) && strlen(text) == length &&
           moment_read(text, ret_time);
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

    if (!scan_time(&at, end, &time) ||
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
