/* How long releases are remembered: the oldest that nobody needs goes when
 * another comes and there is no room.  Never the last good one, what is live,
 * or what an open incident, a rollback or a budget is about. */
#ifndef CORE_FORGET_H
#define CORE_FORGET_H

#include "controller/core/service.h"

/* May so many more be recorded, of @service (NULL: of one that is new)? */
bool forget_has_room(const struct core *core, const struct service *service,
                     uint32_t wanted);

/* Forget one of the service and one of all, as far as there is no room for
 * another.  Call only from core_apply(). */
void forget_for_one(struct core *core, const struct service *service);

#endif
