/* {"version": "{target}"}: compact JSON with {variables} inside its strings.
 * A value lands in the text as a JSON string, whatever it holds; keys and
 * everything that is not a string stay as they are written. */
#ifndef CONFIG_JSON_TEMPLATE_H
#define CONFIG_JSON_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

/* The most that one string may grow to when it is filled in. */
#define JSON_TEMPLATE_STRING_MAX (16 * 1024)

/* Write what @text is with its variables filled in.  False with a sentence in
 * @ret_error. */
typedef bool json_template_expand(void *data, const char *text, char *ret_text,
                                  size_t size, char *ret_error,
                                  size_t error_size);

/* The body to send, malloc'd, owned by the caller.  NULL with @expand's
 * sentence in @ret_error.  @json must be valid JSON without blanks. */
char *json_template_fill(const char *json, json_template_expand *expand,
                         void *data, char *ret_error, size_t error_size);

/* Calls @visit for the text of each string value.  False when it said so. */
bool json_template_strings(const char *json,
                           bool (*visit)(void *, const char *text), void *data);

#endif
