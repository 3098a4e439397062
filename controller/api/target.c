#include "controller/api/target.h"

#include <stdio.h>
#include <string.h>

/* --- Decoding ------------------------------------------------------------- */

static int hex_digit(char letter)
{
    if (letter >= '0' && letter <= '9') {
        return letter - '0';
    }
    if (letter >= 'a' && letter <= 'f') {
        return letter - 'a' + 10;
    }
    if (letter >= 'A' && letter <= 'F') {
        return letter - 'A' + 10;
    }
    return -1;
}

/* The byte that "%XY" at the start of @text means, -1 when it is none. */
static int escaped_byte(const char *text, size_t length)
{
    int high = length >= 3 ? hex_digit(text[1]) : -1;
    int low = length >= 3 ? hex_digit(text[2]) : -1;

    return high < 0 || low < 0 ? -1 : 16 * high + low;
}

/* Decode one part.  @form: "+" is a blank, as in a query. */
static bool decode(const char *text, size_t length, bool form,
                   char ret_part[TARGET_TEXT_MAX], char *ret_error, size_t size)
{
    size_t written = 0;

    for (size_t at = 0; at < length;) {
        int byte = (unsigned char)text[at];
        bool escaped = byte == '%';

        if (escaped) {
            byte = escaped_byte(text + at, length - at);
        } else if (byte == '+' && form) {
            byte = ' ';
        }
        if (byte < 0x20 || byte == 0x7F) {
            (void)snprintf(ret_error, size,
                           "the path or query has a bad escape or a control "
                           "character");
            return false;
        }
        if (written == TARGET_TEXT_MAX - 1) {
            (void)snprintf(ret_error, size,
                           "a part of the path or query is longer than %d "
                           "bytes",
                           TARGET_TEXT_MAX - 1);
            return false;
        }
        ret_part[written++] = (char)byte;
        at += escaped ? 3 : 1;
    }
    ret_part[written] = '\0';
    return true;
}

/* --- Path ----------------------------------------------------------------- */

static bool read_segment(const char *text, size_t length, struct target *target,
                         char *ret_error, size_t size)
{
    char *segment = NULL;

    if (target->count == TARGET_SEGMENTS_MAX) {
        (void)snprintf(ret_error, size, "the path has more than %d parts",
                       TARGET_SEGMENTS_MAX);
        return false;
    }
    segment = target->segments[target->count];
    if (!decode(text, length, false, segment, ret_error, size)) {
        return false;
    }
    if (segment[0] == '\0' || strcmp(segment, ".") == 0 ||
        strcmp(segment, "..") == 0) {
        (void)snprintf(ret_error, size,
                       "the path has an empty part, '.' or '..'");
        return false;
    }
    target->count++;
    return true;
}

static bool read_path(const char *path, size_t length, struct target *target,
                      char *ret_error, size_t size)
{
    size_t from = 1;

    if (length == 0 || path[0] != '/') {
        (void)snprintf(ret_error, size, "the path must begin with '/'");
        return false;
    }
    while (from < length) {
        const char *slash = memchr(path + from, '/', length - from);
        size_t part =
            slash != NULL ? (size_t)(slash - path) - from : length - from;

        if (!read_segment(path + from, part, target, ret_error, size)) {
            return false;
        }
        from += part + 1;
        if (slash != NULL && from == length) {
            (void)snprintf(ret_error, size, "the path ends with '/'");
            return false;
        }
    }
    return true;
}

/* --- Query ---------------------------------------------------------------- */

static bool read_parameter(const char *text, size_t length,
                           struct target *target, char *ret_error, size_t size)
{
    const char *equals = memchr(text, '=', length);
    size_t name = equals != NULL ? (size_t)(equals - text) : length;
    size_t i = target->parameters_count;

    if (i == TARGET_PARAMETERS_MAX) {
        (void)snprintf(ret_error, size, "the query has more than %d parameters",
                       TARGET_PARAMETERS_MAX);
        return false;
    }
    if (!decode(text, name, true, target->parameters[i].name, ret_error,
                size)) {
        return false;
    }
    target->parameters[i].value[0] = '\0';
    if (equals != NULL &&
        !decode(equals + 1, length - name - 1, true,
                target->parameters[i].value, ret_error, size)) {
        return false;
    }
    if (target_parameter(target, target->parameters[i].name) != NULL) {
        (void)snprintf(ret_error, size, "the query says a parameter twice");
        return false;
    }
    target->parameters_count++;
    return true;
}

static bool read_query(const char *query, struct target *target,
                       char *ret_error, size_t size)
{
    while (*query != '\0') {
        size_t length = strcspn(query, "&");

        if (length > 0 &&
            !read_parameter(query, length, target, ret_error, size)) {
            return false;
        }
        query += length + (query[length] == '&' ? 1 : 0);
    }
    return true;
}

bool target_read(const char *raw, struct target *ret_target, char *ret_error,
                 size_t size)
{
    size_t path = 0;

    memset(ret_target, 0, sizeof(*ret_target));
    if (strlen(raw) > TARGET_BYTES_MAX) {
        (void)snprintf(ret_error, size, "the target is longer than %d bytes",
                       TARGET_BYTES_MAX);
        return false;
    }
    if (strncmp(raw, "http://", 7) == 0) { /* absolute form: skip the host */
        raw += 7 + strcspn(raw + 7, "/?");
    }
    if (strchr(raw, '#') != NULL) {
        (void)snprintf(ret_error, size, "the target has a '#'");
        return false;
    }
    path = strcspn(raw, "?");
    if (!read_path(raw, path, ret_target, ret_error, size)) {
        return false;
    }
    return raw[path] == '\0' ||
           read_query(raw + path + 1, ret_target, ret_error, size);
}

const char *target_parameter(const struct target *target, const char *name)
{
    for (size_t i = 0; i < target->parameters_count; i++) {
        if (strcmp(target->parameters[i].name, name) == 0) {
            return target->parameters[i].value;
        }
    }
    return NULL;
}
