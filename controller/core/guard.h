/* The interlocks: every reason not to roll back. */
#ifndef CORE_GUARD_H
#define CORE_GUARD_H

#include "controller/core/rollback.h"
#include "controller/core/view.h"

/* The first interlock that refuses @rollback now, REFUSAL_NONE when none
 * does; those that a person overrules are skipped for a manual one.
 * ret_text: a sentence. */
enum refusal guard_refuses(const struct core *core,
                           const struct rollback *rollback,
                           char ret_text[RECORD_TEXT_MAX]);

/* What would keep a policy from rolling @release back now, whether or not it is
 * in trouble: every interlock that does not depend on a look. */
size_t guard_brakes(const struct core *core, const struct release *release,
                    struct brake brakes[BRAKES_MAX]);

/* The stable word of a reason, and the reason of a word. */
const char *refusal_code(enum refusal refusal);
enum refusal refusal_of_code(const char *code);

/* The lowest of leaf, policy, service and global ceiling, and `unsure`. */
enum mode guard_mode(const struct core *core, const struct service *service,
                     const struct policy *policy, uint16_t leaf, bool unsure,
                     time_ms *ret_countdown);

/* The same for the leaf that the service's watch stands on. */
enum mode guard_mode_now(const struct core *core, const struct service *service,
                         time_ms *ret_countdown);

/* How many rollbacks were intended within @window: of a service, of all. */
uint32_t guard_spent(const struct core *core, const struct service *service,
                     time_ms window);

#endif
