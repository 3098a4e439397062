#include "controller/targets/json_pointer.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define STEP_MAX 256

/* One step without its escapes: ~1 is /, ~0 is ~.  False when it is none. */
static bool read_step(const char *text, size_t length, char ret_step[STEP_MAX])
{
    size_t used = 0;

    if (length >= STEP_MAX) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        char byte = text[i];

        if (byte == '~') {
            i++;
            if (i == length || (text[i] != '0' && text[i] != '1')) {
                return false;
            }
            byte = text[i] == '0' ? '~' : '/';
        }
        ret_step[used] = byte;
        used++;
    }
    ret_step[used] = '\0';
    return true;
}

/* An array's index has no sign and no leading zeros. */
static const json_t *item_of(const json_t *array, const char *step)
{
    size_t digits = strspn(step, "0123456789");

    if (digits == 0 || digits > 9 || step[digits] != '\0' ||
        (digits > 1 && step[0] == '0')) {
        return NULL;
    }
    return json_array_get(array, (size_t)strtoul(step, NULL, 10));
}

const json_t *json_pointer_get(const json_t *document, const char *pointer)
{
    const json_t *at = document;

    while (at != NULL && pointer[0] != '\0') {
        char step[STEP_MAX];
        size_t length = strcspn(pointer + 1, "/");

        if (pointer[0] != '/' || !read_step(pointer + 1, length, step)) {
            return NULL;
        }
        at = json_is_array(at) ? item_of(at, step) : json_object_get(at, step);
        pointer += 1 + length;
    }
    return at;
}
