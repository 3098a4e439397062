/* What whoever was paged must know, in this order: what happened, what the
 * controller did, what it needs from people.  Members of @ret_json:
 *
 *   subject   {"release_id","version","incident_id"}: what it is about, or null
 *   happened  the incident, null without one
 *   did       null when nothing happened
 *   needs     [texts]; none: nobody has to do anything now
 *   frozen    until when, why, and how it ends sooner; null when it is not */
#ifndef API_BRIEF_H
#define API_BRIEF_H

#include "controller/core/view.h"

#include <jansson.h>

/* Of the open incident's release, else of the one whose rollback froze the
 * service, else of the live one. */
void brief_of_service(const struct core *core,
                      const struct service_view *service, time_ms now,
                      json_t *ret_json);

void brief_of_release(const struct core *core,
                      const struct release_view *release, time_ms now,
                      json_t *ret_json);

#endif
