/* The pieces that case_file_read() is made of.  Nobody else includes this. */
#ifndef CASES_CASES_INSIDE_H
#define CASES_CASES_INSIDE_H

#include "controller/cases/cases.h"

struct case_reader {
    struct case_file *file;
    struct problems *problems;
    const struct policy *policy;              /* as it stands */
    const struct yaml_item *release, *series; /* of every case, or NULL */
};

struct case_place case_place_of(const struct yaml_item *item);
struct case_place case_place_of_key(const struct yaml_item *item);

/* "26m", "1h30m" after @deployed_at, or a moment. */
bool case_time_read(const char *text, time_ms deployed_at, time_ms *ret_at);

/* Lay what @release, a map, says over what is in @ret_release. */
void case_read_release(struct case_reader *reader,
                       const struct yaml_item *release,
                       struct replay_release *ret_release);

/* `expect`, `final`, `acts` and `lasts` of @item.  Needs the release. */
void case_read_expects(struct case_reader *reader, const struct yaml_item *item,
                       struct test_case *test_case);

/* The columns and the policy that reads them. */
void case_read_series(struct case_reader *reader, const struct yaml_item *item,
                      struct test_case *test_case);

#endif
