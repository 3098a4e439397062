/* RFC 6901: "/status/versions/0/name" into a JSON document. */
#ifndef TARGETS_JSON_POINTER_H
#define TARGETS_JSON_POINTER_H

#include <jansson.h>

/* What @pointer points at, lent; NULL when there is nothing, or when
 * @pointer is none. */
const json_t *json_pointer_get(const json_t *document, const char *pointer);

#endif
