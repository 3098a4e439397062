/* Who is to blame when several services breach on what they share: the release
 * with most breaching signals of its own, then the newest.  The others wait for
 * what comes of it. */
#ifndef CORE_BLAME_H
#define CORE_BLAME_H

#include "controller/core/watch.h"

/* Does the watch of @service see its trouble in a signal that only it reads?
 * Not known before the first look: then yes. */
bool blame_is_own(const struct core *core, const struct service *service);

/* The release that is to blame before @release, or NULL.  Costs one pass over
 * the watches, when the trouble is seen in something shared. */
const struct release *blame_other(const struct core *core,
                                  const struct release *release);

/* @release goes back: whoever reads a series in which it is in trouble waits
 * until that is over.  Working memory: a restart meanwhile forgets it. */
void blame_taken(struct core *core, const struct release *release);

#endif
