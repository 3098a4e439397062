/* "{deploy_url}/versions/{target}": text with variables in braces. */
#ifndef CONFIG_TEMPLATE_H
#define CONFIG_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

struct variable {
    const char *name, *value;
};

/* How a value is written into the text.  A variable that stands at the very
 * start of a URL (the base address) is never encoded. */
enum template_escape { TEMPLATE_URL, TEMPLATE_PLAIN };

/* Expand.  A value for a name: the first of @variables that has it.  False with
 * a sentence in @ret_error for an unknown variable, an unclosed brace, or a
 * result of @size bytes or more. */
bool template_expand(const char *text, enum template_escape escape,
                     const struct variable *variables, size_t count,
                     char *ret_text, size_t size, char *ret_error,
                     size_t error_size);

/* A value as TEMPLATE_URL writes it: what RFC 3986 leaves unreserved stays, all
 * other bytes become %XX.  Returns how many bytes that takes; with @size of
 * them or more it is cut. */
size_t template_encode(const char *value, char *ret_text, size_t size);

/* The names used, to check a configuration: calls @visit for each.  False when
 * @visit said so, and for a brace that is not closed or holds no name. */
bool template_names(const char *text, bool (*visit)(void *, const char *name),
                    void *data);

#endif
