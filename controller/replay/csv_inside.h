/* The table in memory: shared by csv.c, which answers, and csv_read.c, which
 * fills it.  Nobody else includes this. */
#ifndef REPLAY_CSV_INSIDE_H
#define REPLAY_CSV_INSIDE_H

#include "controller/replay/csv.h"
#include "controller/replay/csv_cells.h"

#define NOT_KEPT UINT16_MAX

struct csv {
    struct cells cells; /* behind the header, until it is loaded */
    size_t columns;     /* of the file, after time */
    size_t kept;        /* of those */
    size_t rows, rows_room;
    char names[CSV_COLUMNS_MAX][CELL_BYTES_MAX + 1];
    uint16_t places[CSV_COLUMNS_MAX];     /* among the kept, or NOT_KEPT */
    uint16_t columns_of[CSV_COLUMNS_MAX]; /* of the kept, in the file */
    time_ms max_ages[CSV_COLUMNS_MAX];    /* of the kept */
    char date[11];                        /* "2024-09-18T", of a row */
    time_ms midnight;                     /* with which it began */
    time_ms *times;                       /* rows */
    double *numbers;                      /* rows x kept, see cell_of_sample */
};

/* A sample in eight bytes: what is unknown is an infinity or a NaN, the empty
 * cell one with a mark of its own. */
double cell_of_sample(struct sample sample);
struct sample sample_of_cell(double cell);
bool cell_is_empty(double cell);

static inline double csv_cell(const struct csv *csv, size_t row, size_t place)
{
    return csv->numbers[row * csv->kept + place];
}

/* Work out the max_ages. */
void csv_measure(struct csv *csv);

/* csv_fast.c: read the row that begins at the cursor, if it is written in the
 * plainest way.  False, with nothing changed, when it is not: then read it by
 * cells, and complain by them. */
bool csv_fast_row(struct csv *csv);

#endif
