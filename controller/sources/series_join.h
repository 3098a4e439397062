/* Which series does an element of an answer belong to?
 *
 * A hash join by the values of the selected labels: one answer serves every
 * release that selects from it, and ten thousand series against ten thousand
 * elements cost twenty thousand steps.  Series that select by the same labels
 * are a set; an element is looked up once in each set, and there are few.
 *
 *     for each set: read the values of join_labels() from the element;
 *         for (i = join_find(...); i != JOIN_NONE; i = join_next(...))
 *             the element belongs to series i
 *
 * As in PromQL, a label that is not there equals the empty value. */
#ifndef SOURCES_SERIES_JOIN_H
#define SOURCES_SERIES_JOIN_H

#include "policies/policy.h"

#include <stddef.h>
#include <stdint.h>

#define JOIN_NONE UINT32_MAX

struct join_value {
    const char *bytes; /* without escapes; need not end with NUL */
    size_t length;
};

struct series_join *join_new(void);
void join_free(struct series_join *join);

/* Add a series; everything is copied.  Returns its index: 0, 1, 2, ... */
uint32_t join_add(struct series_join *join, size_t selects,
                  const char *const *labels, const char *const *values);

/* The series that selects just so; JOIN_NONE when there is none. */
uint32_t join_lookup(const struct series_join *join, size_t selects,
                     const char *const *labels, const char *const *values);
uint32_t join_count(const struct series_join *join);

/* The sets, [0, join_sets()), and the labels of one, at most
 * POLICY_SELECT_MAX; none: a series that selects everything. */
size_t join_sets(const struct series_join *join);
const char *const *join_labels(const struct series_join *join, size_t set,
                               size_t *ret_count);

/* The first series of @set with these values, and the next one like it. */
uint32_t join_find(const struct series_join *join, size_t set,
                   const struct join_value *values);
uint32_t join_next(const struct series_join *join, uint32_t series,
                   const struct join_value *values);

#endif
