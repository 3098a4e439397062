/* Facts that a table tells: `release.stuck` and `fleet.*` as columns, so that
 * a replay or a test can say what no release on a table ever meets. */
#ifndef POLICIES_READ_TOLD_H
#define POLICIES_READ_TOLD_H

#include "policies/read/expression.h"

/* "fleet.rollbacks(1h)": a fact as the column that tells it is called.  @span
 * is 0 for a fact that looks back on nothing. */
#define TOLD_NAME_MAX 64
const char *told_name(const char *fact, time_ms span,
                      char ret_name[TOLD_NAME_MAX]);

/* Is there a column of this name? */
bool told_is_column(const struct draft *draft, const char *name);

/* Compile the part as what the column @name says at g: a number in @unit, or
 * a condition that is true above one half.  False with an error. */
bool compile_told(struct compiler *compiler, size_t part, const char *name,
                  enum node_type type, struct unit unit);

#endif
