/* A JSON document as a page of numbers, each found by its pointer (RFC 6901:
 * "/pool/0/in_use"; "~1" is a slash in a name, "~0" a tilde). */
#ifndef SOURCES_JSON_PAGE_H
#define SOURCES_JSON_PAGE_H

#include "policies/judge.h"

/* Is it a whole JSON document?  False with a few words in @ret_error. */
bool json_page_check(const char *text, size_t length, char *ret_error,
                     size_t size);

/* Is it a pointer?  False with a sentence in @ret_error. */
bool json_page_pointer(const char *pointer, char *ret_error, size_t size);

/* What stands at @pointer of a document that json_page_check() took: a number;
 * "no data" for nothing and null; "nan" for anything else. */
struct sample json_page_number(const char *text, size_t length,
                               const char *pointer);

#endif
