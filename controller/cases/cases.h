/* Test files: what a policy should say about made-up series.
 *
 *   policy: user-service.yaml      # beside it; default: the name without .test
 *   release: {version: 2.4.0, previous: 2.3.2, data_change: none}
 *   series:                        # of every case that says nothing else
 *     requests: 142/s
 *     pool_size: 500
 *     fleet.breaching: 0 | 6     # facts too, as the policy asks them:
 *     release.stuck: false       # fleet.rollbacks(1h), fleet.released(30m)
 *   cases:
 *     - case: a leak fills the pool
 *       series: {pool_in_use: 180 .. 480 for 50m}
 *       expect:
 *         5m .. 15m: healthy       # at every look
 *         40m: {verdict: rollback, mode: auto, path: [yes, yes, no, yes]}
 *       final: rollback            # as replay says it
 *       acts: 25m .. 40m           # when the call leaves, or never
 *
 * Times count from the deploy, or are moments.  A case ends with its longest
 * series or its last time; `lasts` makes it longer. */
#ifndef CASES_CASES_H
#define CASES_CASES_H

#include "controller/cases/notation.h"
#include "controller/replay/release.h"

#define CASES_MAX        256 /* of a file */
#define CASE_NAME_MAX    120
#define CASE_COLUMNS_MAX 64
#define CASE_EXPECTS_MAX 64
#define CASE_PATH_MAX    512
#define CASE_FINAL_MAX   32

/* Where something stands in the file. */
struct case_place {
    int line, column, length;
};

/* A verdict at every look of [from, to]. */
struct case_expect {
    time_ms from, to; /* moments */
    enum leaf_kind kind;
    bool has_mode, has_path, is_range;
    enum mode mode;
    time_ms countdown; /* 0: of any length */
    uint8_t steps;
    enum answer path[POLICY_DEPTH_MAX];
    struct case_place place;
};

/* When the call leaves. */
struct case_acts {
    bool given, never;
    time_ms from, to; /* moments */
    struct case_place place;
};

struct case_column {
    const char *name, *text; /* in the tree */
    struct notation notation;
};

struct test_case {
    char name[CASE_NAME_MAX];
    struct case_place place;
    struct replay_release release;
    struct policy *policy; /* with the columns in place of expressions */
    struct case_column *columns;
    size_t columns_count;
    time_ms lasts; /* after the deploy */
    struct case_expect expects[CASE_EXPECTS_MAX];
    size_t expects_count;
    struct case_acts acts;
    char final[CASE_FINAL_MAX]; /* "": not said */
    struct case_place final_place;
};

struct case_file {
    char path[CASE_PATH_MAX], policy_path[CASE_PATH_MAX];
    char *source, *policy_source;
    size_t length, policy_length;
    struct yaml_tree *tree;
    struct test_case *cases;
    size_t count;
};

/* Does a file's name say that it holds tests? */
bool case_file_is_named(const char *name);

/* Read the tests in @path and the policy they are about.  Always fills
 * @ret_file (case_file_release).  False with errors: in @problems those of the
 * file, in @policy_problems those of the policy.  Both begin anew. */
bool case_file_read(const char *path, struct case_file *ret_file,
                    struct problems *problems,
                    struct problems *policy_problems);
void case_file_release(struct case_file *file);

#endif
