/* Making JSON: out of memory, or a text that is no UTF-8, ends the process, so
 * results are used as they come. */
#ifndef POLICIES_EXPLAIN_JSON_MAKE_H
#define POLICIES_EXPLAIN_JSON_MAKE_H

#include <jansson.h>

/* @json itself, which must have been made. */
json_t *json_made(json_t *json);

/* Put @value, which must have been made and is taken, into @object under
 * @name, or at the end of @array. */
void json_put(json_t *object, const char *name, json_t *value);
void json_append(json_t *array, json_t *value);

#endif
