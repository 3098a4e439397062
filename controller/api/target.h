/* A request's raw target, split first and decoded after: "%2F" inside a part
 * is data, never a separator, and nothing climbs. */
#ifndef API_TARGET_H
#define API_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#define TARGET_BYTES_MAX      4096
#define TARGET_SEGMENTS_MAX   6
#define TARGET_PARAMETERS_MAX 8
#define TARGET_TEXT_MAX       256

struct target {
    char segments[TARGET_SEGMENTS_MAX][TARGET_TEXT_MAX];
    size_t count;
    struct {
        char name[TARGET_TEXT_MAX], value[TARGET_TEXT_MAX];
    } parameters[TARGET_PARAMETERS_MAX];
    size_t parameters_count;
};

/* False with a sentence in @ret_error for a target that is no honest path:
 * bad or NUL escapes, control characters, "." and "..", empty parts, a
 * parameter given twice, too much of anything. */
bool target_read(const char *raw, struct target *ret_target, char *ret_error,
                 size_t size);

/* The value of a parameter, NULL when it is not there. */
const char *target_parameter(const struct target *target, const char *name);

#endif
