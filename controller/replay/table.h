/* A table of samples in the place of a policy's sources.
 *
 * Each column stands for the signal of its name.  A column named as an `is`
 * signal stands for its expression: what the policy fetches only for that
 * expression is then not missed.  `x:control` is the other side of a canary. */
#ifndef REPLAY_TABLE_H
#define REPLAY_TABLE_H

#include "controller/replay/csv.h"

/* Read the policy in @source so that it judges @csv; @every replaces its grid
 * unless 0.  The caller owns the result (policy_free); NULL with errors in
 * @problems, which names the policy's file.
 */
struct policy *table_policy(const char *path, const char *source, size_t length,
                            const struct csv *csv, time_ms every,
                            struct problems *problems);

/* A copy of @policy as the core asks it: all signals are series of one query,
 * selected by their names, so that a grid time costs one question; it applies
 * to all releases; and, when @endless, its watch never ends by itself.
 * Digest, nodes and tree are the same.  Owned by the caller until it is given
 * to the core. */
struct policy *table_asked(const struct policy *policy, bool endless);

/* Which columns of @csv the policy reads. */
void table_want(const struct policy *policy, const struct csv *csv,
                bool ret_wanted[CSV_COLUMNS_MAX]);

/* Where each signal's samples are. */
struct table {
    const struct csv *csv;
    uint16_t signals;
    size_t columns[POLICY_SIGNALS_MAX]; /* CSV_NO_COLUMN: there is none */
    bool is_read[POLICY_SIGNALS_MAX];
    time_ms max_ages[POLICY_SIGNALS_MAX];
};

/* @csv is loaded with the columns that the policy wants, and lent. */
void table_init(struct table *table, const struct policy *policy,
                const struct csv *csv);

/* One sample for each signal of the policy at the cursor: UNKNOWN_NO_COLUMN
 * where the table has none of its name, UNKNOWN_NOT_ASKED where nothing reads
 * it. */
void table_row(const struct table *table, const struct csv_cursor *cursor,
               struct sample *ret_row);

/* At most two warnings: the columns that the policy does not name, and the
 * signals that are read without a column.  @problems names the table's file. */
void table_warn(const struct policy *policy, const struct csv *csv,
                struct problems *problems);

#endif
