#include "controller/replay/csv_inside.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void csv_free(struct csv *csv)
{
    if (csv != NULL) {
        free(csv->times);
        free(csv->numbers);
        free(csv);
    }
}

/* --- Samples in eight bytes ----------------------------------------------- */

/* A quiet NaN; its lowest bits say why the number is not known. */
#define UNKNOWN_BITS 0x7ff8000000000000ULL

static double double_of_bits(uint64_t bits)
{
    double number = 0;

    memcpy(&number, &bits, sizeof(number));
    return number;
}

static uint64_t bits_of_double(double number)
{
    uint64_t bits = 0;

    memcpy(&bits, &number, sizeof(bits));
    return bits;
}

double cell_of_sample(struct sample sample)
{
    switch ((int)sample.unknown) {
    case KNOWN:
        return sample.number;
    case UNKNOWN_INFINITE:
        return (double)INFINITY;
    default:
        return double_of_bits(UNKNOWN_BITS | (uint64_t)sample.unknown);
    }
}

bool cell_is_empty(double cell)
{
    return bits_of_double(cell) == (UNKNOWN_BITS | UNKNOWN_NO_DATA);
}

struct sample sample_of_cell(double cell)
{
    uint64_t unknown = bits_of_double(cell) - UNKNOWN_BITS;

    if (isfinite(cell)) {
        return (struct sample){cell, KNOWN};
    }
    if (isinf(cell)) {
        return (struct sample){0, UNKNOWN_INFINITE};
    }
    assert(unknown < UNKNOWN_LAST);
    return (struct sample){0, (enum unknown)unknown};
}

/* --- How long a cell speaks ----------------------------------------------- */

/* The gaps between filled cells of a column; of all rows for NOT_KEPT. */
struct gaps {
    size_t count; /* of all */
    size_t up_to; /* of those at most `most` */
    time_ms least, greatest;
};

static struct gaps gaps_of(const struct csv *csv, uint16_t place, time_ms most)
{
    struct gaps gaps = {.least = TIME_NEVER};
    time_ms before = TIME_NEVER;

    for (size_t row = 0; row < csv->rows; row++) {
        time_ms gap = csv->times[row] - before;

        if (place != NOT_KEPT && cell_is_empty(csv_cell(csv, row, place))) {
            continue;
        }
        if (before != TIME_NEVER) {
            gaps.count++;
            gaps.up_to += gap <= most;
            gaps.least = gap < gaps.least ? gap : gaps.least;
            gaps.greatest = gap > gaps.greatest ? gap : gaps.greatest;
        }
        before = csv->times[row];
    }
    return gaps;
}

/* The median, the lower of the two middle ones, by halving the range: a pass
 * for each bit, whatever the order of the gaps. */
static time_ms median_gap(const struct csv *csv, uint16_t place,
                          const struct gaps *gaps)
{
    time_ms least = gaps->least, greatest = gaps->greatest;

    while (least < greatest) {
        time_ms middle = least + (greatest - least) / 2;

        if (gaps_of(csv, place, middle).up_to > (gaps->count - 1) / 2) {
            greatest = middle;
        } else {
            least = middle + 1;
        }
    }
    return least;
}

void csv_measure(struct csv *csv)
{
    struct gaps all = gaps_of(csv, NOT_KEPT, 0);
    time_ms of_rows = all.count > 0 ? 2 * median_gap(csv, NOT_KEPT, &all) : 0;

    for (uint16_t place = 0; place < csv->kept; place++) {
        struct gaps own = gaps_of(csv, place, 0);
        bool as_rows = own.count == 0 || own.count == all.count;

        csv->max_ages[place] =
            as_rows ? of_rows : 2 * median_gap(csv, place, &own);
    }
}

/* --- What the table is ---------------------------------------------------- */

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

static uint16_t place_of(const struct csv *csv, size_t column)
{
    assert(column < csv->columns);
    assert(csv->places[column] != NOT_KEPT);
    return csv->places[column];
}

time_ms csv_max_age(const struct csv *csv, size_t column)
{
    return csv->max_ages[place_of(csv, column)];
}

/* --- What it says --------------------------------------------------------- */

void csv_begin(struct csv_cursor *cursor, const struct csv *csv,
               enum csv_fill fill)
{
    assert(csv->rows > 0);
    memset(cursor, 0, sizeof(*cursor));
    cursor->csv = csv;
    cursor->fill = fill;
    cursor->g = INT64_MIN;
}

/* The filled rows around g of each column, after @from rows became more. */
static void find_ends(struct csv_cursor *cursor, size_t from)
{
    const struct csv *csv = cursor->csv;

    for (uint16_t place = 0; place < csv->kept; place++) {
        struct csv_ends *ends = &cursor->ends[place];

        for (size_t row = cursor->rows; row > from; row--) {
            if (!cell_is_empty(csv_cell(csv, row - 1, place))) {
                ends->left = row;
                break;
            }
        }
        if (ends->right > cursor->rows) {
            continue;
        }
        ends->right = cursor->rows + 1;
        while (ends->right <= csv->rows &&
               cell_is_empty(csv_cell(csv, ends->right - 1, place))) {
            ends->right++;
        }
    }
}

void csv_seek(struct csv_cursor *cursor, time_ms g)
{
    const struct csv *csv = cursor->csv;
    size_t from = cursor->rows;

    assert(g >= cursor->g);
    cursor->g = g;
    while (cursor->rows < csv->rows && csv->times[cursor->rows] <= g) {
        cursor->rows++;
    }
    if (cursor->fill == CSV_LINEAR && cursor->rows != from) {
        find_ends(cursor, from);
    }
}

/* On the line between the numbers around g; false when there are none. */
static bool interpolate(const struct csv_cursor *cursor, uint16_t place,
                        struct sample *ret_sample)
{
    const struct csv *csv = cursor->csv;
    const struct csv_ends *ends = &cursor->ends[place];
    double left = 0, right = 0;
    time_ms from = 0, to = 0;

    if (ends->left == 0 || ends->right > csv->rows) {
        return false;
    }
    left = csv_cell(csv, ends->left - 1, place);
    right = csv_cell(csv, ends->right - 1, place);
    if (!isfinite(left) || !isfinite(right)) {
        return false;
    }
    from = csv->times[ends->left - 1];
    to = csv->times[ends->right - 1];
    *ret_sample =
        (struct sample){left + (right - left) * ((double)(cursor->g - from) /
                                                 (double)(to - from)),
                        KNOWN};
    return true;
}

struct sample csv_at(const struct csv_cursor *cursor, size_t column,
                     time_ms max_age)
{
    const struct csv *csv = cursor->csv;
    uint16_t place = place_of(csv, column);
    struct sample sample = {0, UNKNOWN_NOT_ASKED};

    if (cursor->rows == 0) {
        return sample;
    }
    if (cursor->fill == CSV_LINEAR && interpolate(cursor, place, &sample)) {
        return sample;
    }
    if (cursor->g - csv->times[cursor->rows - 1] > max_age) {
        sample.unknown = UNKNOWN_STALE;
        return sample;
    }
    return sample_of_cell(csv_cell(csv, cursor->rows - 1, place));
}
