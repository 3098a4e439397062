/* Which series of an answer is meant: the one with these labels. */
#ifndef PROMETHEUS_SELECTION_H
#define PROMETHEUS_SELECTION_H

#include "controller/prometheus/prometheus_answer.h"

/* Texts are lent. */
struct selection {
    size_t count; /* 0: any series */
    const char *labels[POLICY_SELECT_MAX];
    const char *values[POLICY_SELECT_MAX];
};

/* Is @element meant?  False in *@ret_once, and as the answer, when a label
 * stands twice in it. */
bool selection_has(const struct selection *selection,
                   const struct prometheus_element *element, bool *ret_once);

/* @query, narrowed to what is selected: a range of all services would be
 * thousands of times as long as the one that is wanted.  Owned by the caller
 * (free).  A label that PromQL cannot spell leaves the query as it is, so what
 * comes back must be asked selection_has() all the same. */
char *selection_narrow(const struct selection *selection, const char *query);

#endif
