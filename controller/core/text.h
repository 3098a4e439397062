/* Words into fixed places: copying and joining, always ended by NUL. */
#ifndef CORE_TEXT_H
#define CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copy @text (NULL: "") and cut it at @size. */
void text_copy(char *ret_text, size_t size, const char *text);

/* Write the words one after the other; the last argument is NULL. */
void text_join(char *ret_text, size_t size, ...) __attribute__((sentinel));

/* The same, behind what is there. */
void text_append(char *text, size_t size, ...) __attribute__((sentinel));

/* Decimal digits of @number.  Returns @text. */
#define DIGITS_MAX 24
const char *text_digits(uint64_t number, char text[DIGITS_MAX]);

/* What follows @prefix in @text; NULL when it does not begin so. */
const char *text_after(const char *text, const char *prefix);

bool text_equal(const char *a, const char *b);

/* @pattern is exact, "prefix*" or "*". */
bool text_matches(const char *pattern, const char *text);

/* FNV-1a over @text and its NUL, from @hash (0 to begin). */
uint64_t text_hash(uint64_t hash, const char *text);

#endif
