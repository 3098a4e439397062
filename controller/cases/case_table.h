/* The table that a case's series make. */
#ifndef CASES_CASE_TABLE_H
#define CASES_CASE_TABLE_H

#include "controller/cases/cases.h"
#include "controller/replay/csv.h"

/* Grid times: row 0 is the last one at or before the deploy. */
time_ms case_row_time(const struct test_case *test_case, int64_t row);

/* The rows that a case has: the first one that any series speaks of, as far
 * back as the policy reads, and the last one. */
int64_t case_first_row(const struct test_case *test_case);
int64_t case_last_row(const struct test_case *test_case);

/* As replay would read it from a file; owned by the caller (csv_free). */
struct csv *case_table(const struct test_case *test_case);

#endif
