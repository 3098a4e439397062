/* The sentences that people read: what, who, why, what next. */
#ifndef CORE_DESCRIBE_H
#define CORE_DESCRIBE_H

#include "controller/core/rollback.h"
#include "controller/core/watch.h"

/* What decided: "error_rate 8.7% > 5% for 2m"; where no comparison did, the
 * known named signals: "error_rate 8.7%, pool_saturation 92%". */
void describe_values(const struct policy *policy, const struct verdict *verdict,
                     char *ret_text, size_t size);

/* "errors (no data), pool_size (source error)": the unknown ones. */
void describe_unknowns(const struct policy *policy,
                       const struct verdict *verdict, char *ret_text,
                       size_t size);

/* What a leaf says of a release, filled in. */
void describe_leaf(const struct core *core, const struct policy *policy,
                   uint16_t leaf, const struct release *release, char *ret_text,
                   size_t size);

/* A verdict in one sentence. */
void describe_verdict(const struct core *core, const struct watch *watch,
                      const struct release *release, char *ret_text,
                      size_t size);

/* "rolling back user-service in production from 2.4.0 to 2.3.2" */
#define ROLLING_TEXT_MAX (4 * NAME_MAX_BYTES + 32)
const char *describe_rolling_back(const struct service *service,
                                  const char *suspect, const char *target,
                                  char text[ROLLING_TEXT_MAX]);

/* "roll back user-service in production from 2.4.0 to 2.3.2: error_rate 8.7% >
 * 5% for 2m"; @target NULL: nobody knows one. */
void describe_proposal(const struct core *core, const struct release *suspect,
                       const struct release *target,
                       char text[RECORD_TEXT_MAX]);

/* A moment as sentences have it: whole seconds. */
const char *describe_moment(time_ms moment, char text[MOMENT_TEXT_MAX]);

/* "user-service 2.4.0 in production" */
#define RELEASE_TEXT_MAX (3 * NAME_MAX_BYTES + 16)
const char *describe_release(const struct core *core,
                             const struct release *release,
                             char text[RELEASE_TEXT_MAX]);

#endif
