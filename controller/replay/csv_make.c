/* A table that no file is read for. */
#include "controller/replay/csv_inside.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "policies/memory.h"

struct csv *csv_make(const char *const *names, size_t count)
{
    struct csv *csv = memory_zeroed(1, sizeof(*csv));

    assert(count <= CSV_COLUMNS_MAX);
    csv->columns = count;
    csv->kept = count;
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(csv->names[i], sizeof(csv->names[i]), "%s", names[i]);
        csv->places[i] = (uint16_t)i;
        csv->columns_of[i] = (uint16_t)i;
    }
    return csv;
}

void csv_make_rows(struct csv *csv, time_ms from, time_ms every, size_t rows)
{
    size_t cells = rows * csv->kept;

    assert(csv->rows == 0);
    assert(rows > 0 && rows <= CSV_ROWS_MAX && cells <= CSV_CELLS_MAX);
    csv->times = memory_resized(NULL, rows * sizeof(*csv->times));
    csv->numbers = memory_resized(NULL, (cells + 1) * sizeof(*csv->numbers));
    csv->rows = rows;
    csv->rows_room = rows;
    for (size_t row = 0; row < rows; row++) {
        csv->times[row] = from + (time_ms)row * every;
    }
    for (size_t cell = 0; cell < cells; cell++) {
        csv->numbers[cell] =
            cell_of_sample((struct sample){0, UNKNOWN_NO_DATA});
    }
    for (size_t place = 0; place < csv->kept; place++) {
        csv->max_ages[place] = rows > 1 ? 2 * every : 0;
    }
}

void csv_put(struct csv *csv, size_t row, size_t column, struct sample sample)
{
    assert(row < csv->rows && column < csv->kept);
    csv->numbers[row * csv->kept + column] = cell_of_sample(sample);
}

struct sample csv_get(const struct csv *csv, size_t row, size_t column)
{
    assert(row < csv->rows && column < csv->kept);
    return sample_of_cell(csv_cell(csv, row, column));
}
