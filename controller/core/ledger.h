/* Questions to the ledger: which release is live, which is last good, is
 * going back safe.  Nothing here is stored; everything is read from releases.
 */
#ifndef CORE_LEDGER_H
#define CORE_LEDGER_H

#include "controller/core/release.h"

/* The @position-th oldest by (deployed_at, id). */
struct release *ledger_at(const struct core *core,
                          const struct service *service, uint32_t position);

/* The release of the version that is live, or NULL when nobody knows one. */
struct release *ledger_live(const struct core *core,
                            const struct service *service);

/* The newest of @version that is not over, else the newest, or NULL. */
struct release *ledger_version(const struct core *core,
                               const struct service *service,
                               const char *version);

/* The newest that is good or provisional, untainted, of another version than
 * @suspect and older; NULL when there is none. */
struct release *ledger_last_good(const struct core *core,
                                 const struct release *suspect);

/* Is going back from @suspect to @target safe for the data? */
enum answer ledger_rollback_safe(const struct core *core,
                                 const struct release *suspect,
                                 const struct release *target);

/* Must @version not come back? */
bool ledger_is_tainted(const struct core *core, const struct service *service,
                       const char *version);

/* Is @a deployed before @b?  Ties: the lower id. */
bool ledger_is_older(const struct release *a, const struct release *b);

/* Put a new one in its place; take a forgotten one out. */
void ledger_insert(struct core *core, struct service *service,
                   const struct release *release);
void ledger_remove(const struct core *core, struct service *service,
                   const struct release *release);

#endif
