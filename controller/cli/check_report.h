/* What `check` found, file after file: for people, as JSON, or as SARIF 2.1.0
 * (what code hosts show beside the lines of a change). */
#ifndef CLI_CHECK_REPORT_H
#define CLI_CHECK_REPORT_H

#include <jansson.h>

#include "policies/problem.h"

enum check_format { CHECK_TEXT, CHECK_JSON, CHECK_SARIF };

struct check_report {
    enum check_format format;
    bool colour; /* of standard error, where problems go as text */
    size_t errors, warnings;
    json_t *list; /* files, or SARIF's results; NULL for CHECK_TEXT */
};

/* "text", "json" or "sarif"; NULL is text.  False for another word. */
bool check_report_format(const char *word, enum check_format *ret_format);

void check_report_begin(struct check_report *report, enum check_format format);

/* A file was read.  @source is its text, NULL when it could not be read;
 * @queries is what its queries answered (taken), or NULL. */
void check_report_file(struct check_report *report,
                       const struct problems *problems, const char *source,
                       size_t length, json_t *queries);

/* Print the document, when it is one. */
void check_report_end(struct check_report *report);

#endif
