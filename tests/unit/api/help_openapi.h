/* The API's own document, and what was really answered held against it. */
#ifndef TESTS_API_HELP_OPENAPI_H
#define TESTS_API_HELP_OPENAPI_H

#include <stdbool.h>

#include <jansson.h>

/* controller/api/openapi.yaml as JSON; free with json_decref(). */
json_t *openapi_load(void);

/* The operation of a path and method ("GET"), NULL when it is not there. */
json_t *openapi_operation(const json_t *document, const char *pattern,
                          const char *method);

/* Fails the test unless the document has this answer: operation, status,
 * content type, and a body of exactly that shape. */
void openapi_check(const json_t *document, const char *pattern,
                   const char *method, int status, const char *content_type,
                   const char *body);

/* Follow {"$ref": "#/..."}, if it is one. */
json_t *openapi_follow(const json_t *document, json_t *json);

#endif
