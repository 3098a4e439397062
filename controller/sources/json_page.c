#include "controller/sources/json_page.h"

#include "controller/prometheus/json_scan.h"
#include "controller/prometheus/prometheus_answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP_MAX 128

bool json_page_check(const char *text, size_t length, char *ret_error,
                     size_t size)
{
    struct json_scan scan = {.text = text, .length = length};
    if (scan_skip(&scan)) {
        scan_blank(&scan);
        if (scan.at < scan.length) {
            (void)scan_fail(&scan, "something stands behind the end");
        }
    }
    if (scan.error) {
        (void)snprintf(ret_error, size, "byte %zu: %s", scan.at + 1,
                       scan.error);
    }
    return !scan.error;
}

/* The next step of @pointer without its escapes.  How many bytes it takes with
 * its slash, 0 when it is none. */
static size_t take_step(const char *pointer, char ret_step[STEP_MAX])
{
    size_t used = 0, at = 1;
    if (pointer[0] != '/') {
        return 0;
    }
    for (; pointer[at] && pointer[at] != '/'; at++) {
        char byte = pointer[at];
        if (byte == '~') {
            byte = pointer[++at];
            if (byte != '0' && byte != '1') {
                return 0;
            }
            byte = byte == '0' ? '~' : '/';
        }
        if (used == STEP_MAX - 1) {
            return 0;
        }
        ret_step[used++] = byte;
    }
    ret_step[used] = '\0';
    return at;
}

bool json_page_pointer(const char *pointer, char *ret_error, size_t size)
{
    char step[STEP_MAX];
    for (size_t at = 0; pointer[at];) {
        size_t taken = take_step(pointer + at, step);
        if (taken == 0) {
            (void)snprintf(ret_error, size,
                           "'%.100s' is no JSON pointer: it begins with '/', "
                           "behind '~' stand only 0 and 1",
                           pointer);
            return false;
        }
        at += taken;
    }
    return true;
}

/* Stand on the member's value.  A name that stands twice means the last. */
static bool enter_object(struct json_scan *scan, const char *name)
{
    size_t found = 0;
    struct piece key;
    scan->at++;
    enum json_more more = scan_next_key(scan, true, &key);
    while (more == JSON_MORE) {
        found = piece_is(&key, name) ? scan->at : found;
        if (!scan_skip(scan)) {
            return false;
        }
        more = scan_next_key(scan, false, &key);
    }
    scan->at = found;
    return found > 0;
}

static bool enter_array(struct json_scan *scan, const char *step)
{
    size_t digits = strspn(step, "0123456789");
    if (digits == 0 || digits > 9 || step[digits] ||
        (digits > 1 && step[0] == '0')) {
        return false;
    }
    unsigned long left = strtoul(step, NULL, 10);
    scan->at++;
    enum json_more more = scan_next_item(scan, true);
    for (; more == JSON_MORE && left > 0; left--) {
        if (!scan_skip(scan)) {
            return false;
        }
        more = scan_next_item(scan, false);
    }
    return more == JSON_MORE;
}

struct sample json_page_number(const char *text, size_t length,
                               const char *pointer)
{
    struct json_scan scan = {.text = text, .length = length};
    struct sample nothing = {.unknown = UNKNOWN_NO_DATA}, sample;
    char step[STEP_MAX];
    struct piece number;
    while (*pointer) {
        size_t taken = take_step(pointer, step);
        char next = scan_peek(&scan);
        bool found = taken > 0 && next == '{'   ? enter_object(&scan, step)
                     : taken > 0 && next == '[' ? enter_array(&scan, step)
                                                : false;
        if (!found) {
            return nothing;
        }
        pointer += taken;
    }
    if (scan_peek(&scan) == 'n') {
        return nothing;
    }
    if (!scan_number(&scan, &number) ||
        !prometheus_number(number.bytes, number.length, &sample)) {
        return (struct sample){.unknown = UNKNOWN_NAN};
    }
    return sample;
}
