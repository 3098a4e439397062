/* Reading a table: its header, then its rows. */
#include "controller/replay/csv_inside.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "policies/memory.h"

/* --- The header ----------------------------------------------------------- */

static bool refuse(struct problems *problems, const struct cell *cell)
{
    (void)problems_error(problems, cell->line, cell->column, "%s", cell->bad);
    return false;
}

static bool add_column(struct csv *csv, const struct cell *cell,
                       struct problems *problems)
{
    if (cell->text[0] == '\0') {
        (void)problems_error(problems, cell->line, cell->column,
                             "this column has no name; name it as the signal "
                             "in the policy");
        return false;
    }
    if (csv_find(csv, cell->text) != CSV_NO_COLUMN ||
        strcmp(cell->text, "time") == 0) {
        (void)problems_error(problems, cell->line, cell->column,
                             "the column '%s' stands twice", cell->text);
        return false;
    }
    if (csv->columns == CSV_COLUMNS_MAX) {
        (void)problems_error(problems, cell->line, cell->column,
                             "more than %d columns after 'time'",
                             CSV_COLUMNS_MAX);
        return false;
    }
    memcpy(csv->names[csv->columns++], cell->text, strlen(cell->text) + 1);
    return true;
}

static bool read_header(struct csv *csv, struct problems *problems)
{
    struct cells *cells = &csv->cells;
    struct cell cell;

    cells_next(cells, &cell);
    if (cell.end) {
        (void)problems_error(problems, 1, 1,
                             "the file is empty; its first line names the "
                             "columns: time,signal,...");
        return false;
    }
    if (cell.bad != NULL) {
        return refuse(problems, &cell);
    }
    if (strcmp(cell.text, "time") != 0) {
        (void)problems_error(problems, cell.line, cell.column,
                             "the first column is '%s'; it must be named "
                             "'time'",
                             cell.text);
        return false;
    }
    while (!cell.last) {
        cells_next(cells, &cell);
        if (cell.bad != NULL) {
            return refuse(problems, &cell);
        }
        if (!add_column(csv, &cell, problems)) {
            return false;
        }
    }
    if (csv->columns == 0) {
        (void)problems_error(problems, cell.line, cell.column,
                             "there is no column after 'time'; name one for "
                             "each signal");
        return false;
    }
    return true;
}

/* --- Rows ----------------------------------------------------------------- */

static bool is_word(const char *text, const char *word)
{
    size_t i = 0;

    for (; word[i] != '\0'; i++) {
        char lower = text[i];

        if (lower >= 'A' && lower <= 'Z') {
            lower = (char)(lower - 'A' + 'a');
        }
        if (lower != word[i]) {
            return false;
        }
    }
    return text[i] == '\0';
}

/* Digits with an optional point and exponent; strtod() alone takes hexadecimal
 * numbers and names too. */
static bool is_decimal(const char *text)
{
    size_t digits = 0;

    text += *text == '-' || *text == '+';
    for (bool point = false; *text != '\0'; text++) {
        if (*text >= '0' && *text <= '9') {
            digits++;
        } else if (*text == '.' && !point) {
            point = true;
        } else {
            break;
        }
    }
    if (digits == 0 || (*text != 'e' && *text != 'E')) {
        return digits > 0 && *text == '\0';
    }
    text++;
    text += *text == '-' || *text == '+';
    for (digits = 0; *text >= '0' && *text <= '9'; text++) {
        digits++;
    }
    return digits > 0 && *text == '\0';
}

static bool sample_of_text(const char *text, struct sample *ret_sample)
{
    const char *unsigned_text = text + (*text == '-' || *text == '+');

    *ret_sample = (struct sample){0, KNOWN};
    if (*text == '\0') {
        ret_sample->unknown = UNKNOWN_NO_DATA;
    } else if (is_word(text, "nan")) {
        ret_sample->unknown = UNKNOWN_NAN;
    } else if (is_word(text, "error")) {
        ret_sample->unknown = UNKNOWN_SOURCE_ERROR;
    } else if (is_word(unsigned_text, "inf") ||
               is_word(unsigned_text, "infinity")) {
        ret_sample->unknown = UNKNOWN_INFINITE;
    } else if (is_decimal(text)) {
        ret_sample->number = strtod(text, NULL);
        if (isinf(ret_sample->number)) {
            *ret_sample = (struct sample){0, UNKNOWN_INFINITE};
        }
    } else {
        return false;
    }
    return true;
}

static bool read_time(struct csv *csv, const struct cell *cell,
                      struct problems *problems)
{
    char before[MOMENT_TEXT_MAX];
    time_ms at = 0;

    if (!moment_read(cell->text, &at)) {
        (void)problems_error(problems, cell->line, cell->column,
                             "'%s' is not a time; write RFC 3339, as "
                             "2024-09-18T14:20:00Z, or Unix seconds",
                             cell->text);
        return false;
    }
    if (csv->rows > 0 && at <= csv->times[csv->rows - 1]) {
        (void)problems_error(
            problems, cell->line, cell->column,
            "%s is not after the row before, %s; sort the rows by time",
            cell->text, moment_print(csv->times[csv->rows - 1], before));
        return false;
    }
    csv->times[csv->rows] = at;
    return true;
}

static bool read_sample(struct csv *csv, size_t column, const struct cell *cell,
                        struct problems *problems)
{
    struct sample sample;

    if (csv->places[column] == NOT_KEPT) {
        return true;
    }
    if (!sample_of_text(cell->text, &sample)) {
        (void)problems_error(problems, cell->line, cell->column,
                             "'%s' is not a number (column '%s'); leave the "
                             "cell empty where there was no data",
                             cell->text, csv->names[column]);
        return false;
    }
    csv->numbers[csv->rows * csv->kept + csv->places[column]] =
        cell_of_sample(sample);
    return true;
}

#define ROOM_FIRST 1024

static bool make_room(struct csv *csv, struct problems *problems)
{
    size_t kept = csv->kept > 0 ? csv->kept : 1;
    size_t most = CSV_CELLS_MAX / kept;

    most = most < CSV_ROWS_MAX ? most : CSV_ROWS_MAX;
    if (csv->rows < csv->rows_room) {
        return true;
    }
    if (csv->rows >= most) {
        (void)problems_error(problems, csv->cells.line, 1,
                             "the table is too large (%d rows or %d cells); "
                             "cut it to the time around the release",
                             CSV_ROWS_MAX, CSV_CELLS_MAX);
        return false;
    }
    csv->rows_room = csv->rows_room == 0 ? ROOM_FIRST : csv->rows_room * 2;
    csv->rows_room = csv->rows_room < most ? csv->rows_room : most;
    csv->times =
        memory_resized(csv->times, csv->rows_room * sizeof(*csv->times));
    csv->numbers = memory_resized(csv->numbers, csv->rows_room * kept *
                                                    sizeof(*csv->numbers));
    return true;
}

static void ragged(const struct csv *csv, const struct cell *cell,
                   size_t columns, struct problems *problems)
{
    (void)problems_error(problems, cell->line, cell->column,
                         "this row has %s %zu cells, as many as the first "
                         "line names columns; write an empty cell as ,,",
                         columns > csv->columns ? "more than" : "fewer than",
                         csv->columns + 1);
}

/* The cells after the time. */
static bool read_samples(struct csv *csv, struct cell *cell,
                         struct problems *problems)
{
    struct cells *cells = &csv->cells;
    size_t column = 0;

    for (; !cell->last && column < csv->columns; column++) {
        cells->skips = csv->places[column] == NOT_KEPT;
        cells_next(cells, cell);
        cells->skips = false;
        if (cell->bad != NULL) {
            return refuse(problems, cell);
        }
        if (!read_sample(csv, column, cell, problems)) {
            return false;
        }
    }
    if (!cell->last) {
        ragged(csv, cell, column + 1, problems);
    } else if (column < csv->columns) {
        ragged(csv, cell, column, problems);
    }
    return cell->last && column == csv->columns;
}

/* One row however it is written; false at the end, or with an error. */
static bool read_row(struct csv *csv, struct problems *problems)
{
    struct cell cell;

    cells_next(&csv->cells, &cell);
    if (cell.end) {
        return false;
    }
    if (cell.bad != NULL) {
        return refuse(problems, &cell);
    }
    return read_time(csv, &cell, problems) &&
           read_samples(csv, &cell, problems);
}

static bool read_rows(struct csv *csv, struct problems *problems)
{
    while (make_room(csv, problems) &&
           (csv_fast_row(csv) || read_row(csv, problems))) {
        csv->rows++;
    }
    if (problems->errors == 0 && csv->rows == 0) {
        (void)problems_error(problems, 1, 1,
                             "there is no row under the names of the columns");
    }
    return problems->errors == 0;
}

/* --- The doors ------------------------------------------------------------ */

struct csv *csv_open(const char *text, size_t length, struct problems *problems)
{
    struct csv *csv = NULL;

    if (length > CSV_BYTES_MAX) {
        (void)problems_error(problems, 0, 0,
                             "the file is larger than %d MiB; cut it to the "
                             "time around the release",
                             CSV_BYTES_MAX / 1024 / 1024);
        return NULL;
    }
    csv = memory_zeroed(1, sizeof(*csv));
    cells_begin(&csv->cells, text, length);
    if (!read_header(csv, problems)) {
        csv_free(csv);
        return NULL;
    }
    return csv;
}

bool csv_load(struct csv *csv, const bool *wanted, struct problems *problems)
{
    assert(csv->rows == 0);
    csv->kept = 0;
    for (size_t i = 0; i < csv->columns; i++) {
        csv->places[i] = NOT_KEPT;
        if (wanted == NULL || wanted[i]) {
            csv->columns_of[csv->kept] = (uint16_t)i;
            csv->places[i] = (uint16_t)csv->kept++;
        }
    }
    if (!read_rows(csv, problems)) {
        return false;
    }
    csv_measure(csv);
    return true;
}
