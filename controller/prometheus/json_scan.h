/* Strict JSON, read in place: no allocation, no recursion, bounded depth.
 *
 * It accepts what jansson accepts with its strict flags (UTF-8, no lone
 * surrogate, no \u0000, no control characters, no trailing bytes), but for the
 * depth, which ends at JSON_DEPTH_MAX.  The first breach is kept in `error`
 * and `at` stays where it was found. */
#ifndef PROMETHEUS_JSON_SCAN_H
#define PROMETHEUS_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#define JSON_DEPTH_MAX 64

struct json_scan {
    const char *text;
    size_t length, at;
    const char *error; /* a few words, NULL while all is well */
};

/* A part of the text.  Of a string: what stands between the quotes, with its
 * escapes when `escaped`. */
struct piece {
    const char *bytes;
    size_t length;
    bool escaped;
};

enum json_more { JSON_MORE, JSON_END, JSON_WRONG };

void scan_blank(struct json_scan *scan);
bool scan_byte(struct json_scan *scan, char byte);
/* The next byte that is not blank, 0 at the end. */
char scan_peek(struct json_scan *scan);

bool scan_string(struct json_scan *scan, struct piece *ret_string);
bool scan_number(struct json_scan *scan, struct piece *ret_number);
/* Any value, checked whole. */
bool scan_skip(struct json_scan *scan);

/* After a '{' (@first) or a member's value: the next member's name, with
 * `at` behind its colon.  After a '[' or an item: is there one more. */
enum json_more scan_next_key(struct json_scan *scan, bool first,
                             struct piece *ret_key);
enum json_more scan_next_item(struct json_scan *scan, bool first);

/* Note the first error; answers false for the caller to return. */
bool scan_fail(struct json_scan *scan, const char *error);

/* Is the string @text, its escapes counted as what they mean? */
bool piece_is(const struct piece *piece, const char *text);

/* The string's bytes without escapes, with a NUL behind.  Returns their
 * number; SIZE_MAX when @size is too small, then it holds the start of them.
 * The piece must come from scan_string(). */
size_t piece_plain(const struct piece *piece, char *ret_text, size_t size);

#endif
