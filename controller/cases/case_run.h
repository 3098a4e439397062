/* A case, judged by the same core as everything else, and what differs. */
#ifndef CASES_CASE_RUN_H
#define CASES_CASE_RUN_H

#include <jansson.h>

#include "controller/cases/cases.h"
#include "controller/replay/picture.h"
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
struct case_picture {
    json_t *explanation; /* of the last look at or before the moment; NULL */
    struct picture picture;
};

/* Judge again, and look at @at.  Release the picture. */
void case_look(const struct test_case *test_case, time_ms at,
               struct case_picture *ret_picture);
void case_picture_release(struct case_picture *picture);

/* "26m15s" after the deploy.  Returns @text. */
const char *case_span(const struct test_case *test_case, time_ms at,
                      char text[SPAN_TEXT_MAX]);

#endif
