/* Views of the core as JSON.  Ids are texts, moments RFC 3339 or null. */
#ifndef API_ENCODE_H
#define API_ENCODE_H

#include "controller/core/view.h"

#include <jansson.h>

json_t *encode_release(const struct core *core,
                       const struct release_view *release);

/* The same with its incident and rollback in full. */
json_t *encode_release_whole(const struct core *core,
                             const struct release_view *release);
json_t *encode_rollback(const struct core *core,
                        const struct rollback_view *rollback);
json_t *encode_incident(const struct core *core,
                        const struct incident_view *incident);
json_t *encode_freeze(const struct freeze_view *freeze);
json_t *encode_problem(const struct problem *problem);
json_t *encode_policy(const struct policy *policy);

/* null for 0 and for "" */
json_t *encode_id(uint64_t id);
json_t *encode_moment(time_ms at);
json_t *encode_text(const char *text);

#endif
