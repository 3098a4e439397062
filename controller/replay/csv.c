#include "controller/replay/csv.h"

#include "controller/replay/csv_cells.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct csv {
    size_t columns, rows;
    size_t rows_room;
    char names[CSV_COLUMNS_MAX][CELL_BYTES_MAX + 1];
    time_ms *times;         /* rows */
    struct sample *samples; /* rows x columns */
    /* By column, the rows whose cell is not empty, and how many. */
    uint32_t *filled; /* columns x rows */
    size_t filled_counts[CSV_COLUMNS_MAX];
    time_ms max_ages[CSV_COLUMNS_MAX];
};

void csv_free(struct csv *csv)
{
    if (csv != NULL) {
        free(csv->times);
        free(csv->samples);
        free(csv->filled);
        free(csv);
    }
}

static void *must(void *memory)
{
    if (memory == NULL) {
        abort(); /* sizes are limited; see architecture: memory */
    }
    return memory;
}

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

static bool read_header(struct csv *csv, struct cells *cells,
                        struct problems *problems)
{
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
    struct sample *sample = &csv->samples[csv->rows * csv->columns + column];

    if (!sample_of_text(cell->text, sample)) {
        (void)problems_error(problems, cell->line, cell->column,
                             "'%s' is not a number (column '%s'); leave the "
                             "cell empty where there was no data",
                             cell->text, csv->names[column]);
        return false;
    }
    return true;
}

static bool make_room(struct csv *csv, const struct cell *cell,
                      struct problems *problems)
{
    if (csv->rows < csv->rows_room) {
        return true;
    }
    if (csv->rows >= CSV_ROWS_MAX ||
        csv->rows * csv->columns >= CSV_CELLS_MAX) {
        (void)problems_error(problems, cell->line, cell->column,
                             "the table is too large (%d rows or %d cells); "
                             "cut it to the time around the release",
                             CSV_ROWS_MAX, CSV_CELLS_MAX);
        return false;
    }
    csv->rows_room = csv->rows_room == 0 ? 1024 : csv->rows_room * 2;
    csv->times =
        must(realloc(csv->times, csv->rows_room * sizeof(*csv->times)));
    csv->samples = must(realloc(csv->samples, csv->rows_room * csv->columns *
                                                  sizeof(*csv->samples)));
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
static bool read_samples(struct csv *csv, struct cells *cells,
                         struct cell *cell, struct problems *problems)
{
    size_t column = 0;

    for (; !cell->last && column < csv->columns; column++) {
        cells_next(cells, cell);
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

static bool read_rows(struct csv *csv, struct cells *cells,
                      struct problems *problems)
{
    struct cell cell;

    for (;;) {
        cells_next(cells, &cell);
        if (cell.end) {
            break;
        }
        if (cell.bad != NULL) {
            return refuse(problems, &cell);
        }
        if (!make_room(csv, &cell, problems) ||
            !read_time(csv, &cell, problems) ||
            !read_samples(csv, cells, &cell, problems)) {
            return false;
        }
        csv->rows++;
    }
    if (csv->rows == 0) {
        (void)problems_error(problems, 1, 1,
                             "there is no row under the names of the columns");
    }
    return csv->rows > 0;
}

/* --- How long a cell speaks ----------------------------------------------- */

static int compare_spans(const void *a, const void *b)
{
    time_ms left = *(const time_ms *)a, right = *(const time_ms *)b;

    return (left > right) - (left < right);
}

/* Twice the median of @count spans; the lower of the two middle ones. */
static time_ms twice_median(time_ms *spans, size_t count)
{
    if (count == 0) {
        return 0;
    }
    qsort(spans, count, sizeof(*spans), compare_spans);
    return 2 * spans[(count - 1) / 2];
}

static void find_filled(struct csv *csv, size_t column)
{
    uint32_t *filled = csv->filled + column * csv->rows;
    size_t count = 0;

    for (size_t row = 0; row < csv->rows; row++) {
        if (csv->samples[row * csv->columns + column].unknown !=
            UNKNOWN_NO_DATA) {
            filled[count++] = (uint32_t)row;
        }
    }
    csv->filled_counts[column] = count;
}

static void measure(struct csv *csv)
{
    time_ms *gaps = must(malloc(csv->rows * sizeof(*gaps)));
    time_ms of_rows = 0;

    csv->filled = must(malloc(csv->columns * csv->rows * sizeof(*csv->filled)));
    for (size_t row = 1; row < csv->rows; row++) {
        gaps[row - 1] = csv->times[row] - csv->times[row - 1];
    }
    of_rows = twice_median(gaps, csv->rows - 1);
    for (size_t column = 0; column < csv->columns; column++) {
        const uint32_t *filled = csv->filled + column * csv->rows;
        size_t count = 0;

        find_filled(csv, column);
        count = csv->filled_counts[column];
        for (size_t i = 1; i < count; i++) {
            gaps[i - 1] = csv->times[filled[i]] - csv->times[filled[i - 1]];
        }
        csv->max_ages[column] =
            count < 2 ? of_rows : twice_median(gaps, count - 1);
    }
    free(gaps);
}

struct csv *csv_read(const char *text, size_t length, struct problems *problems)
{
    struct csv *csv = NULL;
    struct cells cells;

    if (length > CSV_BYTES_MAX) {
        (void)problems_error(problems, 0, 0,
                             "the file is larger than 64 MiB; cut it to the "
                             "time around the release");
        return NULL;
    }
    csv = must(calloc(1, sizeof(*csv)));
    cells_begin(&cells, text, length);
    if (!read_header(csv, &cells, problems) ||
        !read_rows(csv, &cells, problems)) {
        csv_free(csv);
        return NULL;
    }
    measure(csv);
    return csv;
}

/* --- What the table says -------------------------------------------------- */

size_t csv_columns(const struct csv *csv)
{
    return csv->columns;
}

const char *csv_name(const struct csv *csv, size_t column)
{
    assert(column < csv->columns);
    return csv->names[column];
}

size_t csv_find(const struct csv *csv, const char *name)
{
    for (size_t i = 0; i < csv->columns; i++) {
        if (strcmp(csv->names[i], name) == 0) {
            return i;
        }
    }
    return CSV_NO_COLUMN;
}

size_t csv_rows(const struct csv *csv)
{
    return csv->rows;
}

time_ms csv_time(const struct csv *csv, size_t row)
{
    assert(row < csv->rows);
    return csv->times[row];
}

time_ms csv_max_age(const struct csv *csv, size_t column)
{
    assert(column < csv->columns);
    return csv->max_ages[column];
}

/* How many of @count rows (all when @rows is NULL) begin at or before @g. */
static size_t rows_until(const struct csv *csv, const uint32_t *rows,
                         size_t count, time_ms g)
{
    size_t low = 0, high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (csv->times[rows == NULL ? middle : rows[middle]] <= g) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static const struct sample *cell_at(const struct csv *csv, size_t row,
                                    size_t column)
{
    return &csv->samples[row * csv->columns + column];
}

/* On the line between the numbers around @g; false when there are none. */
static bool interpolate(const struct csv *csv, size_t column, time_ms g,
                        struct sample *ret_sample)
{
    const uint32_t *filled = csv->filled + column * csv->rows;
    size_t count = csv->filled_counts[column];
    size_t after = rows_until(csv, filled, count, g);
    const struct sample *left = NULL, *right = NULL;
    time_ms from = 0, to = 0;

    if (after == 0 || after == count) {
        return false;
    }
    left = cell_at(csv, filled[after - 1], column);
    right = cell_at(csv, filled[after], column);
    if (left->unknown != KNOWN || right->unknown != KNOWN) {
        return false;
    }
    from = csv->times[filled[after - 1]];
    to = csv->times[filled[after]];
    ret_sample->unknown = KNOWN;
    ret_sample->number =
        left->number + (right->number - left->number) *
                           ((double)(g - from) / (double)(to - from));
    return true;
}

struct sample csv_sample(const struct csv *csv, size_t column, time_ms g,
                         enum csv_fill fill)
{
    size_t until = rows_until(csv, NULL, csv->rows, g);
    struct sample sample = {0, UNKNOWN_NOT_ASKED};

    assert(column < csv->columns);
    if (until == 0) {
        return sample;
    }
    if (fill == CSV_LINEAR && interpolate(csv, column, g, &sample)) {
        return sample;
    }
    if (g - csv->times[until - 1] > csv->max_ages[column]) {
        sample.unknown = UNKNOWN_STALE;
        return sample;
    }
    return *cell_at(csv, until - 1, column);
}

void csv_row(const struct csv *csv, const struct policy *policy, time_ms g,
             enum csv_fill fill, struct sample *ret_row)
{
    for (uint16_t i = 0; i < policy->signals; i++) {
        size_t column =
            csv_find(csv, policy_text(policy, policy_signal(policy, i)->name));

        ret_row[i] = column == CSV_NO_COLUMN
                         ? (struct sample){0, UNKNOWN_NO_COLUMN}
                         : csv_sample(csv, column, g, fill);
    }
}
