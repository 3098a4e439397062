/* A case, judged by the same core as everything else, and what differs. */
#ifndef CASES_CASE_RUN_H
#define CASES_CASE_RUN_H

#include <jansson.h>

#include "controller/cases/cases.h"
#include "policies/problem.h"

/* One thing that was expected and did not come. */
struct case_failure {
    struct case_place place;
    char text[PROBLEM_TEXT_MAX];
    time_ms at; /* the moment to look at */
};

struct case_result {
    char final[CASE_FINAL_MAX];
    bool acts;
    time_ms first_action_at;
    size_t count;
    struct case_failure failures[CASE_EXPECTS_MAX + 2];
};

/* Judge.  It is as expected when there are no failures. */
void case_run(const struct test_case *test_case,
              struct case_result *ret_result);

/* What a case looked like, for people. */
#define CASE_TRACES_MAX 32
struct case_trace {
    char name[CASE_NAME_MAX];
    struct unit unit;
    struct value *values; /* of the rows [from, to] */
};
struct case_picture {
    json_t *explanation; /* of the last look at or before the moment; NULL */
    int64_t from, to;    /* rows: 1 is the first grid time after the deploy */
    size_t count;
    struct case_trace traces[CASE_TRACES_MAX];
    char *verdicts; /* of each row: a letter, ' ' where nothing was judged */
    int64_t at;     /* the moment's row */
};

/* Judge again, and look at @at.  Release the picture. */
void case_look(const struct test_case *test_case, time_ms at,
               struct case_picture *ret_picture);
void case_picture_release(struct case_picture *picture);

/* "26m15s" after the deploy.  Returns @text. */
const char *case_span(const struct test_case *test_case, time_ms at,
                      char text[SPAN_TEXT_MAX]);

#endif
