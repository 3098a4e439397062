/* One instant query to a Prometheus, blocking: what `check --online` asks. */
#ifndef CLI_ONLINE_ASK_H
#define CLI_ONLINE_ASK_H

#include "controller/config/config.h"

#include <jansson.h>

#define ONLINE_ANSWER_MAX (8 * 1024 * 1024)
#define ONLINE_ERROR_MAX  256

/* Ask @source, at the address it has for @service, for @query, as of now.
 * Returns the series, [{"metric":{...},"value":[time,"1"]}, ...], owned by the
 * caller, or NULL with one line for people, not escaped, in @ret_error. */
json_t *online_ask(const struct source_config *source,
                   const struct service_config *service, const char *query,
                   char ret_error[ONLINE_ERROR_MAX]);

#endif
