/* What became of the cases of a file. */
#ifndef CASES_CASE_REPORT_H
#define CASES_CASE_REPORT_H

#include "controller/cases/case_run.h"

struct case_report {
    FILE *out;
    json_t *files;      /* as JSON instead of text; NULL: text */
    bool colour, shows; /* shows: the tree and the chart of every case */
    int columns;
    const char *only;              /* cases whose name holds this; NULL: all */
    size_t passed, failed, broken; /* cases, cases, files */
};

/* Read @path, run its cases, tell. */
void case_report_file(struct case_report *report, const char *path);

/* One line of sums, or the JSON document. */
void case_report_end(struct case_report *report);

#endif
