/* UTF-8: one character at a time, strictly. */
#ifndef POLICIES_UTF8_H
#define POLICIES_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the first character of @text (at most @left are looked at), or 0
 * when it is not valid: cut short, over-long, a surrogate, past U+10FFFF. */
size_t utf8_decode(const char *text, size_t left, uint32_t *ret_code);

/* False for control characters, and for those that reorder or break a line
 * of a terminal (bidirectional overrides, U+2028, U+2029, U+FEFF). */
bool utf8_is_printable(uint32_t code);

/* How many of the @length bytes of @text fit into @room, whole characters
 * only. */
size_t utf8_cut(const char *text, size_t length, size_t room);

/* How many code points @length bytes are; a bad byte counts as one. */
size_t utf8_count(const char *text, size_t length);

#endif
