/* The queries of a policy, asked once of the sources that the configuration
 * names: do they work, and do they select one series? */
#ifndef CLI_ONLINE_H
#define CLI_ONLINE_H

#include "controller/config/config.h"

#include <jansson.h>

/* A policy that loads, with its text. */
struct online_policy {
    const struct policy *policy;
    const char *path, *source;
    size_t length;
};

/* Ask.  What is wrong goes to @problems at the query's place.  Returns what
 * each query answered, owned by the caller: [{"signal","service",
 * "environment","source","series":12,"selected":1,"value":"0.13"} or with
 * "error" instead of the last three, ...]. */
json_t *online_check(const struct config *config,
                     const struct online_policy *asked,
                     struct problems *problems);

/* Print it for people, one line a query. */
void online_print(const json_t *queries, FILE *out);

#endif
