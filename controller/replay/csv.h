/* A wide CSV of samples: what replay and backtest read instead of sources.
 *
 *   time,errors,requests,pool_in_use
 *   2024-09-18T14:20:00Z,8.5,142,350
 *   2024-09-18T14:20:15Z,,141.2,nan
 *
 * The first column is `time`: RFC 3339 or Unix seconds, growing from row to
 * row.  Each other column is a signal, in the unit the policy names for it.
 *
 * An empty cell is an answer with nothing in it; `nan` and `inf` are what they
 * say.  A row that is missing is no answer: the one before speaks on, for a
 * column at most twice the median gap between its own filled cells. */
#ifndef REPLAY_CSV_H
#define REPLAY_CSV_H

#include "policies/judge.h"

#define CSV_BYTES_MAX   (64 * 1024 * 1024)
#define CSV_COLUMNS_MAX 256
#define CSV_ROWS_MAX    200000 /* a month at 15 s, and a margin */
#define CSV_CELLS_MAX   4000000

/* How a column speaks between its rows. */
enum csv_fill {
    CSV_STEP,  /* as it was, up to its max_age */
    CSV_LINEAR /* on the line between two of its numbers, where there are two;
                  else like CSV_STEP */
};

#define CSV_NO_COLUMN SIZE_MAX

struct csv;

/* Read the @length bytes of @text.  NULL with at least one error, with line
 * and column, in @problems.  The caller owns the result (csv_free). */
struct csv *csv_read(const char *text, size_t length,
                     struct problems *problems);
void csv_free(struct csv *csv);

/* Columns after `time`, from 0. */
size_t csv_columns(const struct csv *csv);
const char *csv_name(const struct csv *csv, size_t column);
/* The column named @name, or CSV_NO_COLUMN. */
size_t csv_find(const struct csv *csv, const char *name);

/* At least one row. */
size_t csv_rows(const struct csv *csv);
time_ms csv_time(const struct csv *csv, size_t row);

/* Twice the median gap of the column's filled cells; with fewer than two of
 * them, of all rows; of a single row 0. */
time_ms csv_max_age(const struct csv *csv, size_t column);

/* What @column says at @g: UNKNOWN_NOT_ASKED before the first row,
 * UNKNOWN_STALE beyond its max_age. */
struct sample csv_sample(const struct csv *csv, size_t column, time_ms g,
                         enum csv_fill fill);

/* One sample for each fetched signal of @policy, UNKNOWN_NO_COLUMN where the
 * table has none of its name. */
void csv_row(const struct csv *csv, const struct policy *policy, time_ms g,
             enum csv_fill fill, struct sample *ret_row);

#endif
