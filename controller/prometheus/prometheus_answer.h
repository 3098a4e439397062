/* The one hot answer: what Prometheus says to query and query_range.
 *
 * A pull scanner over the body: no allocation, no recursion, and one element
 * at a time, so that a long answer can be read in slices.  It is strict: the
 * whole document must be valid JSON in UTF-8, of the result type that was
 * wanted, with `status` "success" (which may stand behind the data) and no
 * warnings (a federated source that says "partial" is no evidence).  So what
 * the elements said counts only when ANSWER_WHOLE has been reached.
 *
 *     prometheus_answer_begin(&answer, WANT_VECTOR, body, length);
 *     while (prometheus_answer_next(&answer, &element) == ANSWER_ELEMENT)
 *         ...
 *     if (answer.state != ANSWER_WHOLE) say answer.text
 */
#ifndef PROMETHEUS_PROMETHEUS_ANSWER_H
#define PROMETHEUS_PROMETHEUS_ANSWER_H

#include "controller/prometheus/json_scan.h"
#include "policies/judge.h"

#define ANSWER_TEXT_MAX 512

enum prometheus_want { WANT_VECTOR, WANT_MATRIX };

enum answer_state {
    ANSWER_ELEMENT, /* here is one more */
    ANSWER_WHOLE,   /* the document was good to its end, and a success */
    ANSWER_ERROR,   /* a whole document that says "error", or warns */
    ANSWER_BROKEN   /* not such a document at all */
};

struct prometheus_element {
    struct piece metric; /* the object, braces included */
    struct sample value; /* vector */
    struct piece values; /* matrix: the array, brackets included */
};

struct prometheus_answer {
    enum answer_state state;
    char text[ANSWER_TEXT_MAX]; /* ERROR and BROKEN: why, unescaped */
    char error_type[64];        /* "bad_data" ..., "" when none was given */
    /* Private. */
    struct json_scan scan;
    enum prometheus_want want;
    enum { AT_BEGIN, AT_TOP, AT_DATA, AT_RESULT } place;
    bool first[4]; /* nothing was read yet at that place */
    unsigned seen; /* members that may stand only once */
    bool success;
    struct piece error, type, warning;
};

/* @text is lent until the last call. */
void prometheus_answer_begin(struct prometheus_answer *answer,
                             enum prometheus_want want, const char *text,
                             size_t length);

/* The bytes moved: go on in the copy of them at @text. */
void prometheus_answer_moved(struct prometheus_answer *answer,
                             const char *text);

/* How many bytes have been read. */
size_t prometheus_answer_read(const struct prometheus_answer *answer);

/* The next element, or how it ended; after the end the same again. */
enum answer_state
prometheus_answer_next(struct prometheus_answer *answer,
                       struct prometheus_element *ret_element);

/* The values of @count labels, a piece with NULL bytes for one that is not
 * there.  False when one stands twice. */
bool prometheus_labels(const struct prometheus_element *element,
                       const char *const *names, size_t count,
                       struct piece *ret_values);

/* A number as Prometheus spells it, in answers and on pages: a decimal, "NaN",
 * "+Inf", "-Inf" in any case.  False when it is none. */
#define PROMETHEUS_NUMBER_MAX 512 /* 5e-324 without exponent has 326 bytes */
bool prometheus_number(const char *bytes, size_t length,
                       struct sample *ret_sample);

/* The points of a matrix element: start with *@cursor 0, true while there is
 * one more. */
bool prometheus_next_point(const struct prometheus_element *element,
                           size_t *cursor, time_ms *ret_at,
                           struct sample *ret_sample);

#endif
