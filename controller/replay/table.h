/* A table of samples in the place of a policy's sources.
 *
 * Each column stands for the signal of its name.  A column named as an `is`
 * signal stands for its expression: what the policy fetches only for that
 * expression is then not missed. */
#ifndef REPLAY_TABLE_H
#define REPLAY_TABLE_H

#include "controller/replay/csv.h"

/* A copy of @policy that fetches every `is` signal that has a column, besides
 * what it fetched before; the caller owns it (policy_free).  Signals that
 * nothing reads any more have no node (NONE_INDEX).
 *
 * Adds at most two warnings: the columns that the policy does not name, and
 * the signals that are still read without a column.  NULL with an error when
 * the copy had more than POLICY_SIGNALS_MAX signals. */
struct policy *table_policy(const struct policy *policy, const struct csv *csv,
                            struct problems *problems);

#endif
