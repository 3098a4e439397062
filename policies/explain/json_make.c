#include "policies/explain/json_make.h"

#include <stdlib.h>

json_t *json_made(json_t *json)
{
    if (json == NULL) {
        abort();
    }
    return json;
}

void json_put(json_t *object, const char *name, json_t *value)
{
    if (json_object_set_new(object, name, json_made(value)) != 0) {
        abort();
    }
}

void json_append(json_t *array, json_t *value)
{
    if (json_array_append_new(array, json_made(value)) != 0) {
        abort();
    }
}
