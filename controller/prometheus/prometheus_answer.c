#include "controller/prometheus/prometheus_answer.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Members that may stand only once. */
enum member {
    STATUS = 1,
    DATA = 2,
    ERROR_TEXT = 4,
    ERROR_TYPE = 8,
    WARNINGS = 16,
    RESULT_TYPE = 32,
    RESULT = 64,
    METRIC = 1,
    VALUE = 2,
    VALUES = 4
};

void prometheus_answer_begin(struct prometheus_answer *answer,
                             enum prometheus_want want, const char *text,
                             size_t length)
{
    *answer = (struct prometheus_answer){
        .state = ANSWER_ELEMENT,
        .scan = {.text = text, .length = length},
        .want = want,
        .place = AT_BEGIN,
        .first = {true, true, true, true},
    };
}

/* @piece was in the text at @from: the same place in the copy at @to. */
static void piece_moved(struct piece *piece, const char *from, const char *to)
{
    if (piece->bytes) {
        piece->bytes = to + (piece->bytes - from);
    }
}

void prometheus_answer_moved(struct prometheus_answer *answer, const char *text)
{
    piece_moved(&answer->error, answer->scan.text, text);
    piece_moved(&answer->type, answer->scan.text, text);
    piece_moved(&answer->warning, answer->scan.text, text);
    answer->scan.text = text;
}

size_t prometheus_answer_read(const struct prometheus_answer *answer)
{
    return answer->scan.at;
}

static enum answer_state broken(struct prometheus_answer *answer)
{
    answer->state = ANSWER_BROKEN;
    if (answer->text[0] == '\0') {
        (void)snprintf(answer->text, sizeof(answer->text), "byte %zu: %s",
                       answer->scan.at + 1,
                       answer->scan.error ? answer->scan.error
                                          : "not an answer of Prometheus");
    }
    return answer->state;
}

static bool once(struct json_scan *scan, unsigned *seen, unsigned member)
{
    if (*seen & member) {
        return scan_fail(scan, "a member stands twice");
    }
    *seen |= member;
    return true;
}

/* A string, or anything else, which then counts as not said. */
static bool string_or_skip(struct json_scan *scan, struct piece *ret_string)
{
    return scan_peek(scan) == '"' ? scan_string(scan, ret_string)
                                  : scan_skip(scan);
}

static bool read_warnings(struct prometheus_answer *answer)
{
    struct json_scan *scan = &answer->scan;
    if (scan_peek(scan) == 'n') {
        return scan_skip(scan); /* null: none */
    }
    if (!scan_byte(scan, '[')) {
        return false;
    }
    enum json_more more = scan_next_item(scan, true);
    while (more == JSON_MORE) {
        struct piece warning;
        if (!scan_string(scan, &warning)) {
            return false;
        }
        if (!answer->warning.bytes) {
            answer->warning = warning;
        }
        more = scan_next_item(scan, false);
    }
    return more == JSON_END;
}

static bool read_status(struct prometheus_answer *answer)
{
    struct piece status;
    if (!scan_string(&answer->scan, &status)) {
        return false;
    }
    answer->success = piece_is(&status, "success");
    return answer->success || piece_is(&status, "error") ||
           scan_fail(&answer->scan, "status is neither success nor error");
}

/* A member of the top object, `at` on its value. */
static bool read_top(struct prometheus_answer *answer, const struct piece *key)
{
    struct json_scan *scan = &answer->scan;
    if (piece_is(key, "status")) {
        return once(scan, &answer->seen, STATUS) && read_status(answer);
    }
    if (piece_is(key, "data")) {
        if (!once(scan, &answer->seen, DATA)) {
            return false;
        }
        if (scan_peek(scan) != '{') {
            return scan_skip(scan); /* null beside an error */
        }
        scan->at++;
        answer->place = AT_DATA;
        return true;
    }
    if (piece_is(key, "error")) {
        return once(scan, &answer->seen, ERROR_TEXT) &&
               string_or_skip(scan, &answer->error);
    }
    if (piece_is(key, "errorType")) {
        return once(scan, &answer->seen, ERROR_TYPE) &&
               string_or_skip(scan, &answer->type);
    }
    if (piece_is(key, "warnings")) {
        return once(scan, &answer->seen, WARNINGS) && read_warnings(answer);
    }
    return scan_skip(scan);
}

static bool read_result_type(struct prometheus_answer *answer)
{
    struct piece type;
    if (!scan_string(&answer->scan, &type)) {
        return false;
    }
    const char *wanted = answer->want == WANT_VECTOR ? "vector" : "matrix";
    if (piece_is(&type, wanted)) {
        return true;
    }
    char name[32];
    (void)piece_plain(&type, name, sizeof(name));
    const char *advice = "";
    if (piece_is(&type, "scalar")) {
        advice = "; wrap the query in vector()";
    } else if (piece_is(&type, "matrix")) {
        advice = "; the query ends in a range, wrap it in a function";
    }
    (void)snprintf(answer->text, sizeof(answer->text),
                   "the result is a %s where a %s is wanted%s", name, wanted,
                   advice);
    return false;
}

/* A member of `data`. */
static bool read_data(struct prometheus_answer *answer, const struct piece *key)
{
    struct json_scan *scan = &answer->scan;
    if (piece_is(key, "resultType")) {
        return once(scan, &answer->seen, RESULT_TYPE) &&
               read_result_type(answer);
    }
    if (piece_is(key, "result")) {
        if (!once(scan, &answer->seen, RESULT) || !scan_byte(scan, '[')) {
            return false;
        }
        answer->place = AT_RESULT;
        return true;
    }
    return scan_skip(scan);
}

/* An object of strings only. */
static bool read_metric(struct json_scan *scan, struct piece *ret_metric)
{
    if (!scan_byte(scan, '{')) {
        return false;
    }
    size_t begin = scan->at - 1;
    struct piece key, value;
    enum json_more more = scan_next_key(scan, true, &key);
    while (more == JSON_MORE) {
        if (!scan_string(scan, &value)) {
            return false;
        }
        more = scan_next_key(scan, false, &key);
    }
    *ret_metric = (struct piece){scan->text + begin, scan->at - begin, false};
    return more == JSON_END;
}

/* [time, "number"] */
static bool read_point(struct json_scan *scan, struct piece *ret_time,
                       struct sample *ret_sample)
{
    struct piece number;
    char plain[PROMETHEUS_NUMBER_MAX];
    if (!scan_byte(scan, '[') || !scan_number(scan, ret_time) ||
        !scan_byte(scan, ',') || !scan_string(scan, &number) ||
        !scan_byte(scan, ']')) {
        return false;
    }
    if (number.escaped) {
        (void)piece_plain(&number, plain, sizeof(plain));
        number = (struct piece){plain, strlen(plain), false};
    }
    return prometheus_number(number.bytes, number.length, ret_sample) ||
           scan_fail(scan, "a value is not a number");
}

static bool read_points(struct json_scan *scan, struct piece *ret_values)
{
    if (!scan_byte(scan, '[')) {
        return false;
    }
    size_t begin = scan->at - 1;
    struct piece at;
    struct sample sample;
    enum json_more more = scan_next_item(scan, true);
    while (more == JSON_MORE) {
        if (!read_point(scan, &at, &sample)) {
            return false;
        }
        more = scan_next_item(scan, false);
    }
    *ret_values = (struct piece){scan->text + begin, scan->at - begin, false};
    return more == JSON_END;
}

static bool read_member(struct prometheus_answer *answer,
                        const struct piece *key, unsigned *seen,
                        struct prometheus_element *element)
{
    struct json_scan *scan = &answer->scan;
    if (piece_is(key, "metric")) {
        return once(scan, seen, METRIC) && read_metric(scan, &element->metric);
    }
    if (answer->want == WANT_VECTOR && piece_is(key, "value")) {
        struct piece at;
        return once(scan, seen, VALUE) &&
               read_point(scan, &at, &element->value);
    }
    if (answer->want == WANT_MATRIX && piece_is(key, "values")) {
        return once(scan, seen, VALUES) && read_points(scan, &element->values);
    }
    if (piece_is(key, "histogram") || piece_is(key, "histograms")) {
        return scan_fail(scan, "it holds native histograms: use "
                               "histogram_quantile() or the like");
    }
    return scan_skip(scan);
}

static bool read_element(struct prometheus_answer *answer,
                         struct prometheus_element *element)
{
    struct json_scan *scan = &answer->scan;
    unsigned seen = 0, wanted = METRIC;
    wanted |= answer->want == WANT_VECTOR ? VALUE : VALUES;
    if (!scan_byte(scan, '{')) {
        return false;
    }
    struct piece key;
    enum json_more more = scan_next_key(scan, true, &key);
    while (more == JSON_MORE) {
        if (!read_member(answer, &key, &seen, element)) {
            return false;
        }
        more = scan_next_key(scan, false, &key);
    }
    if (more == JSON_WRONG) {
        return false;
    }
    return seen == wanted || scan_fail(scan, "a series lacks metric or value");
}

/* The document is at its end: what does it come to? */
static enum answer_state conclude(struct prometheus_answer *answer)
{
    if (scan_peek(&answer->scan) != '\0' ||
        answer->scan.at != answer->scan.length) {
        (void)scan_fail(&answer->scan, "something stands behind the end");
        return broken(answer);
    }
    if (!(answer->seen & STATUS)) {
        (void)scan_fail(&answer->scan, "it has no status");
        return broken(answer);
    }
    if (answer->type.bytes) {
        (void)piece_plain(&answer->type, answer->error_type,
                          sizeof(answer->error_type));
    }
    answer->state = ANSWER_ERROR;
    if (!answer->success) {
        (void)snprintf(answer->text, sizeof(answer->text), "no reason given");
        if (answer->error.bytes) {
            (void)piece_plain(&answer->error, answer->text,
                              sizeof(answer->text));
        }
        return answer->state;
    }
    if (!(answer->seen & RESULT_TYPE) || !(answer->seen & RESULT)) {
        (void)scan_fail(&answer->scan, "it has no result");
        return broken(answer);
    }
    if (answer->warning.bytes) {
        char warning[ANSWER_TEXT_MAX - 16];
        (void)piece_plain(&answer->warning, warning, sizeof(warning));
        (void)snprintf(answer->text, sizeof(answer->text), "warning: %s",
                       warning);
        return answer->state;
    }
    answer->state = ANSWER_WHOLE;
    return answer->state;
}

/* Go on by one member, item or end.  False when the document is broken. */
static bool advance(struct prometheus_answer *answer,
                    struct prometheus_element *element, bool *ret_found)
{
    struct json_scan *scan = &answer->scan;
    struct piece key;
    bool first = answer->first[answer->place];
    answer->first[answer->place] = false;
    if (answer->place == AT_RESULT) {
        enum json_more more = scan_next_item(scan, first);
        if (more == JSON_END) {
            answer->place = AT_DATA;
        }
        *ret_found = more == JSON_MORE;
        return more == JSON_END ||
               (more == JSON_MORE && read_element(answer, element));
    }
    enum json_more more = scan_next_key(scan, first, &key);
    if (more == JSON_MORE) {
        return answer->place == AT_TOP ? read_top(answer, &key)
                                       : read_data(answer, &key);
    }
    answer->place = answer->place == AT_TOP ? AT_BEGIN : AT_TOP;
    return more == JSON_END;
}

enum answer_state prometheus_answer_next(struct prometheus_answer *answer,
                                         struct prometheus_element *ret_element)
{
    if (answer->state != ANSWER_ELEMENT) {
        return answer->state;
    }
    if (answer->first[AT_BEGIN]) {
        answer->first[AT_BEGIN] = false;
        if (!scan_byte(&answer->scan, '{')) {
            return broken(answer);
        }
        answer->place = AT_TOP;
    }
    /* Every turn reads at least one byte, or ends. */
    while (answer->place != AT_BEGIN) {
        bool found = false;
        if (!advance(answer, ret_element, &found)) {
            return broken(answer);
        }
        if (found) {
            return ANSWER_ELEMENT;
        }
    }
    return conclude(answer);
}

/* Text that read_metric() or read_points() has accepted, walked again. */
static struct json_scan again(const struct piece *piece)
{
    return (struct json_scan){.text = piece->bytes, .length = piece->length};
}

bool prometheus_labels(const struct prometheus_element *element,
                       const char *const *names, size_t count,
                       struct piece *ret_values)
{
    struct json_scan scan = again(&element->metric);
    struct piece key, value;
    for (size_t i = 0; i < count; i++) {
        ret_values[i] = (struct piece){0};
    }
    (void)scan_byte(&scan, '{');
    enum json_more more = scan_next_key(&scan, true, &key);
    while (more == JSON_MORE && scan_string(&scan, &value)) {
        for (size_t i = 0; i < count; i++) {
            if (!piece_is(&key, names[i])) {
                continue;
            }
            if (ret_values[i].bytes) {
                return false;
            }
            ret_values[i] = value;
        }
        more = scan_next_key(&scan, false, &key);
    }
    return true;
}

/* Is it digits, a point and an exponent, and nothing that strtod() would read
 * besides (hexadecimal, blanks, "infinity")? */
static bool is_decimal(const char *text)
{
    text += *text == '+' || *text == '-';
    size_t whole = strspn(text, "0123456789"), part = 0;
    text += whole;
    if (*text == '.') {
        part = strspn(text + 1, "0123456789");
        text += 1 + part;
    }
    if (whole + part == 0) {
        return false;
    }
    if (*text == 'e' || *text == 'E') {
        text++;
        text += *text == '+' || *text == '-';
        size_t exponent = strspn(text, "0123456789");
        if (exponent == 0) {
            return false;
        }
        text += exponent;
    }
    return *text == '\0';
}

bool prometheus_number(const char *bytes, size_t length,
                       struct sample *ret_sample)
{
    char text[PROMETHEUS_NUMBER_MAX];
    if (length >= sizeof(text) - 1) {
        return false; /* or a number that was cut to fit here */
    }
    memcpy(text, bytes, length);
    text[length] = '\0';
    if (strcasecmp(text, "nan") == 0) {
        *ret_sample = (struct sample){.unknown = UNKNOWN_NAN};
        return true;
    }
    const char *bare = text + (text[0] == '+' || text[0] == '-');
    if (strcasecmp(bare, "inf") == 0) {
        *ret_sample = (struct sample){.unknown = UNKNOWN_INFINITE};
        return true;
    }
    if (strlen(text) != length || !is_decimal(text)) {
        return false;
    }
    double value = strtod(text, NULL);
    *ret_sample = isfinite(value)
                      ? (struct sample){.number = value, .unknown = KNOWN}
                      : (struct sample){.unknown = UNKNOWN_INFINITE};
    return true;
}

/* Seconds as a JSON number -> milliseconds, rounded to the nearest. */
static time_ms milliseconds(const struct piece *seconds)
{
    struct sample sample;
    if (!prometheus_number(seconds->bytes, seconds->length, &sample) ||
        sample.unknown != KNOWN || fabs(sample.number) > 1e12) {
        return 0;
    }
    double scaled = sample.number * 1000;
    return (time_ms)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
}

bool prometheus_next_point(const struct prometheus_element *element,
                           size_t *cursor, time_ms *ret_at,
                           struct sample *ret_sample)
{
    struct json_scan scan = again(&element->values);
    bool first = *cursor == 0;
    scan.at = first ? 1 : *cursor;
    struct piece at;
    if (scan_next_item(&scan, first) != JSON_MORE ||
        !read_point(&scan, &at, ret_sample)) {
        return false;
    }
    *ret_at = milliseconds(&at);
    *cursor = scan.at;
    return true;
}
