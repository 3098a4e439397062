/* Which path, method and parameters are answered by what: one table, which
 * openapi.yaml describes and a test holds it to. */
#ifndef API_ROUTES_H
#define API_ROUTES_H

#include "controller/api/api_parts.h"

struct route {
    const char *method;
    const char *pattern;    /* "/v1/releases/{id}/hold" */
    const char *parameters; /* of the query, "a b c"; "" none */
    handler *handle;
};

/* Ended by a method of NULL. */
const struct route *routes(void);

/* Find it; HEAD is GET.  NULL with 404, 405 (with Allow) or 400 (a parameter
 * that this route does not know) in @ret_refusal. */
const struct route *route_find(const char *method, const struct target *target,
                               struct refusal *ret_refusal);

#endif
