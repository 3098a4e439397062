#include "controller/api/routes.h"

#include <stdio.h>
#include <string.h>

#include "policies/problem.h"

static const struct route table[] = {
    {"GET", "/v1/releases", "service environment version state live limit",
     releases_list},
    {"POST", "/v1/releases", "", releases_register},
    {"GET", "/v1/releases/{id}", "", releases_one},
    {"GET", "/v1/releases/{id}/why", "", why_release},
    {"POST", "/v1/releases/{id}/hold", "", releases_hold},
    {"POST", "/v1/releases/{id}/resume", "", releases_resume},
    {"POST", "/v1/releases/{id}/rollback", "", releases_rollback},
    {"POST", "/v1/releases/{id}/mute", "", releases_mute},
    {"POST", "/v1/rollbacks/{id}/approve", "", rollbacks_approve},
    {"POST", "/v1/rollbacks/{id}/cancel", "", rollbacks_cancel},
    {"GET", "/v1/why", "service environment", why_service},
    {"GET", "/v1/gate", "service environment version", gate_ask},
    {"POST", "/v1/gate", "", gate_order},
    {"POST", "/v1/adoptions", "", adoptions_order},
    {"GET", "/v1/freezes", "service environment", freezes_list},
    {"POST", "/v1/freezes", "", freezes_order},
    {"POST", "/v1/thaw", "", thaw_order},
    {"GET", "/v1/incidents", "service environment open limit", incidents_list},
    {"GET", "/v1/incidents/{id}", "", incidents_one},
    {"POST", "/v1/incidents/{id}/close", "", incidents_close},
    {"GET", "/v1/status", "service environment limit", fleet_status},
    {"GET", "/v1/policies", "", fleet_policies},
    {"GET", "/healthz", "", fleet_health},
    {"GET", "/metrics", "", fleet_metrics},
    {NULL, NULL, NULL, NULL},
};

const struct route *routes(void)
{
    return table;
}

/* "{id}" in a pattern stands for any one segment. */
static bool matches(const char *pattern, const struct target *target)
{
    size_t i = 0;

    while (*pattern == '/') {
        size_t length = strcspn(pattern + 1, "/");
        const char *segment = NULL;

        if (i == target->count) {
            return false;
        }
        segment = target->segments[i++];
        if (pattern[1] != '{' && (strlen(segment) != length ||
                                  memcmp(segment, pattern + 1, length) != 0)) {
            return false;
        }
        pattern += 1 + length;
    }
    return i == target->count;
}

/* All methods of a path, in words that live as long as the program. */
static const char *allowed(const struct target *target)
{
    bool get = false, post = false;

    for (const struct route *route = table; route->method != NULL; route++) {
        if (matches(route->pattern, target)) {
            get = get || strcmp(route->method, "GET") == 0;
            post = post || strcmp(route->method, "POST") == 0;
        }
    }
    if (get && post) {
        return "GET, HEAD, POST";
    }
    return get ? "GET, HEAD" : post ? "POST" : NULL;
}

static bool knows_parameter(const struct route *route, const char *name)
{
    const char *at = route->parameters;
    size_t length = strlen(name);

    while (*at != '\0') {
        size_t word = strcspn(at, " ");

        if (word == length && memcmp(at, name, length) == 0) {
            return true;
        }
        at += word + (at[word] == ' ' ? 1 : 0);
    }
    return false;
}

static const struct route *check_parameters(const struct route *route,
                                            const struct target *target,
                                            struct refusal *ret_refusal)
{
    for (size_t i = 0; i < target->parameters_count; i++) {
        const char *name = target->parameters[i].name;

        if (!knows_parameter(route, name)) {
            (void)refuse(ret_refusal, 400, "unknown_parameter", name,
                         "there is no parameter '%s' here%s%s", name,
                         route->parameters[0] != '\0' ? "; there are: " : "",
                         route->parameters);
            return NULL;
        }
    }
    return route;
}

const struct route *route_find(const char *method, const struct target *target,
                               struct refusal *ret_refusal)
{
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    const char *allow = NULL;

    for (const struct route *route = table; route->method != NULL; route++) {
        if (strcmp(route->method, wanted) == 0 &&
            matches(route->pattern, target)) {
            return check_parameters(route, target, ret_refusal);
        }
    }
    allow = allowed(target);
    if (allow == NULL) {
        (void)refuse(ret_refusal, 404, "no_such_path", NULL,
                     "there is nothing at this path; the API's document lists "
                     "what there is");
        return NULL;
    }
    (void)refuse(ret_refusal, 405, "method_not_allowed", NULL,
                 "this path takes %s", allow);
    ret_refusal->allow = allow;
    return NULL;
}
