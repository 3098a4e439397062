/* A wide CSV of samples: what replay and backtest read instead of sources.
 *
 *   time,errors,requests,pool_in_use
 *   2024-09-18T14:20:00Z,8.5,142,350
 *   2024-09-18T14:20:15Z,,141.2,nan
 *
 * The first column is `time`: RFC 3339 or Unix seconds, growing from row to
 * row.  Each other column is a signal, in the unit the policy names for it, or
 * a fact that the policy asks: `release.stuck` (1 is true), `fleet.breaching`.
 *
 * An empty cell is an answer with nothing in it; `nan` and `inf` are what they
 * say, and `error` is a source that did not answer.  A row that is missing is
 * no answer: the one before speaks on, for a column at most twice the median
 * gap between its own filled cells, unless the policy says more.  Columns that
 * nobody wants may hold anything. */
#ifndef REPLAY_CSV_H
#define REPLAY_CSV_H

#include "policies/judge.h"

#define CSV_BYTES_MAX   (256 * 1024 * 1024)
#define CSV_COLUMNS_MAX 256
#define CSV_ROWS_MAX    4000000 /* two years at 15 s */
#define CSV_CELLS_MAX   32000000

/* How a column speaks between its rows. */
enum csv_fill {
    CSV_STEP,  /* as it was, up to its max_age */
    CSV_LINEAR /* on the line between two of its numbers, where there are two;
                  else like CSV_STEP */
};

#define CSV_NO_COLUMN SIZE_MAX

struct csv;

/* Read the header of the @length bytes of @text, which are lent until the
 * table is loaded.  NULL with an error, with line and column, in @problems.
 * The caller owns the result (csv_free). */
struct csv *csv_open(const char *text, size_t length,
                     struct problems *problems);

/* Read the rows, once.  Columns that are not @wanted (NULL: all are) may hold
 * anything and are not kept.  False with an error, with line and column, in
 * @problems; then it can only be freed. */
bool csv_load(struct csv *csv, const bool *wanted, struct problems *problems);

void csv_free(struct csv *csv);

/* Instead of open and load: a table of @count columns (their names are not
 * checked) with a row each @every from @from on, every cell empty.  Sizes are
 * the caller's: at most CSV_COLUMNS_MAX, CSV_ROWS_MAX, CSV_CELLS_MAX. */
struct csv *csv_make(const char *const *names, size_t count);
void csv_make_rows(struct csv *csv, time_ms from, time_ms every, size_t rows);

/* The cells of a table that is made. */
void csv_put(struct csv *csv, size_t row, size_t column, struct sample sample);
struct sample csv_get(const struct csv *csv, size_t row, size_t column);

/* Columns after `time`, from 0. */
size_t csv_columns(const struct csv *csv);
const char *csv_name(const struct csv *csv, size_t column);
/* The column named @name, or CSV_NO_COLUMN. */
size_t csv_find(const struct csv *csv, const char *name);

/* At least one row. */
size_t csv_rows(const struct csv *csv);
time_ms csv_time(const struct csv *csv, size_t row);

/* Of a column that is kept, twice the median gap of its filled cells; with
 * fewer than two of them, of all rows; of a single row 0. */
time_ms csv_max_age(const struct csv *csv, size_t column);

/* A place in time that moves on. */
struct csv_cursor {
    const struct csv *csv;
    enum csv_fill fill;
    time_ms g;
    size_t rows; /* that begin at or before g */
    /* Of each kept column, the filled rows around g, counted from 1; 0 and
     * more than there are: none. */
    struct csv_ends {
        size_t left, right;
    } ends[CSV_COLUMNS_MAX];
};

/* Before all rows of a table that is loaded, which is lent. */
void csv_begin(struct csv_cursor *cursor, const struct csv *csv,
               enum csv_fill fill);

/* Go to @g, not before the last one.  The way through a table costs one pass
 * over it, however many stops there are. */
void csv_seek(struct csv_cursor *cursor, time_ms g);

/* What a column that is kept says there: UNKNOWN_NOT_ASKED before the first
 * row, UNKNOWN_STALE when the last row is older than @max_age. */
struct sample csv_at(const struct csv_cursor *cursor, size_t column,
                     time_ms max_age);

#endif
