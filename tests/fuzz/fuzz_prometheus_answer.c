/* The pull scanner against jansson: the same documents are accepted, and the
 * same series found in them. */
#include "controller/prometheus/prometheus_answer.h"

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Deeper documents are cut by a bound of ours that jansson does not have. */
#define DEPTH_COMPARED 50
#define NUMBERS_MAX    4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "the scanner and jansson differ: %s\n", what);
        abort();
    }
}

static size_t depth_of(const uint8_t *data, size_t size)
{
    size_t depth = 0, deepest = 0;
    for (size_t i = 0; i < size; i++) {
        if (data[i] == '[' || data[i] == '{') {
            depth++;
        } else if ((data[i] == ']' || data[i] == '}') && depth > 0) {
            depth--;
        }
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest;
}

/* A number's spelling, told by other means than the scanner's. */
static bool number_is_good(const char *text)
{
    if (strcasecmp(text, "nan") == 0) {
        return true;
    }
    text += *text == '+' || *text == '-';
    if (strcasecmp(text, "inf") == 0) {
        return true;
    }
    if (strlen(text) > 500 || strspn(text, "0123456789.eE+-") != strlen(text) ||
        *text == '+' || *text == '-') {
        return false;
    }
    char *end = NULL;
    (void)strtod(text, &end);
    return end != text && *end == '\0';
}

static bool point_is_good(const json_t *point)
{
    return json_is_array(point) && json_array_size(point) == 2 &&
           json_is_number(json_array_get(point, 0)) &&
           json_is_string(json_array_get(point, 1)) &&
           number_is_good(json_string_value(json_array_get(point, 1)));
}

static bool element_is_good(json_t *element, enum prometheus_want want)
{
    json_t *metric = json_object_get(element, "metric"), *label;
    const char *name;
    if (!json_is_object(element) || !json_is_object(metric) ||
        json_object_get(element, "histogram") ||
        json_object_get(element, "histograms")) {
        return false;
    }
    json_object_foreach(metric, name, label)
    {
        if (!json_is_string(label)) {
            return false;
        }
    }
    if (want == WANT_VECTOR) {
        return point_is_good(json_object_get(element, "value"));
    }
    json_t *values = json_object_get(element, "values"), *point;
    size_t index;
    json_array_foreach(values, index, point)
    {
        if (!point_is_good(point)) {
            return false;
        }
    }
    return json_is_array(values);
}

/* What the scanner must come to. */
static enum answer_state expected(json_t *root, enum prometheus_want want)
{
    const char *status = json_string_value(json_object_get(root, "status"));
    json_t *warnings = json_object_get(root, "warnings"), *item;
    json_t *answer = json_object_get(root, "data");
    size_t index;
    if (!status || (strcmp(status, "success") && strcmp(status, "error")) ||
        (warnings && !json_is_array(warnings) && !json_is_null(warnings))) {
        return ANSWER_BROKEN;
    }
    json_array_foreach(warnings, index, item)
    {
        if (!json_is_string(item)) {
            return ANSWER_BROKEN;
        }
    }
    json_t *type = json_object_get(answer, "resultType");
    json_t *result = json_object_get(answer, "result");
    const char *wanted = want == WANT_VECTOR ? "vector" : "matrix";
    if ((type && (!json_is_string(type) ||
                  strcmp(json_string_value(type), wanted) != 0)) ||
        (result && !json_is_array(result))) {
        return ANSWER_BROKEN;
    }
    json_array_foreach(result, index, item)
    {
        if (!element_is_good(item, want)) {
            return ANSWER_BROKEN;
        }
    }
    if (strcmp(status, "error") == 0) {
        return ANSWER_ERROR;
    }
    if (!type || !result) {
        return ANSWER_BROKEN;
    }
    return json_array_size(warnings) > 0 ? ANSWER_ERROR : ANSWER_WHOLE;
}

static void compare_labels(json_t *element,
                           const struct prometheus_element *found)
{
    json_t *label;
    const char *name;
    json_object_foreach(json_object_get(element, "metric"), name, label)
    {
        struct piece value;
        if (strlen(name) > 100) {
            continue; /* longer than any label that a policy selects */
        }
        require(prometheus_labels(found, &name, 1, &value), "a label twice");
        require(value.bytes, "a label is not found");
        char *plain = malloc(value.length + 2);
        size_t length = piece_plain(&value, plain, value.length + 2);
        require(length == json_string_length(label) &&
                    memcmp(plain, json_string_value(label), length) == 0,
                "a label's value");
        free(plain);
    }
}

static void compare_number(const json_t *point, const struct sample *sample)
{
    double number = strtod(json_string_value(json_array_get(point, 1)), NULL);
    if (sample->unknown == KNOWN) {
        require(memcmp(&number, &sample->number, sizeof(number)) == 0,
                "a number");
    } else {
        require(number - number != 0, "a number is not finite");
    }
}

static void compare_values(json_t *element, enum prometheus_want want,
                           const struct prometheus_element *found)
{
    if (want == WANT_VECTOR) {
        compare_number(json_object_get(element, "value"), &found->value);
        return;
    }
    json_t *values = json_object_get(element, "values");
    size_t cursor = 0, count = 0;
    struct sample sample;
    time_ms at;
    while (prometheus_next_point(found, &cursor, &at, &sample)) {
        compare_number(json_array_get(values, count++), &sample);
        require(count <= NUMBERS_MAX || count <= json_array_size(values),
                "points without end");
    }
    require(count == json_array_size(values), "the number of points");
}

static void compare(json_t *root, const uint8_t *data, size_t size,
                    enum prometheus_want want)
{
    struct prometheus_answer answer;
    struct prometheus_element element = {0};
    enum answer_state should = root ? expected(root, want) : ANSWER_BROKEN;
    json_t *result = json_object_get(json_object_get(root, "data"), "result");
    size_t count = 0;
    prometheus_answer_begin(&answer, want, (const char *)data, size);
    while (prometheus_answer_next(&answer, &element) == ANSWER_ELEMENT) {
        if (should != ANSWER_BROKEN) {
            json_t *item = json_array_get(result, count);
            require(item != NULL, "more series");
            compare_labels(item, &element);
            compare_values(item, want, &element);
        }
        count++;
    }
    require(answer.state == should, answer.text);
    require(should == ANSWER_BROKEN || count == json_array_size(result),
            "fewer series");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_error_t error;
    char *exact = malloc(size + 1); /* so that a byte too far is seen */
    memcpy(exact, data, size);
    exact = realloc(exact, size > 0 ? size : 1);
    json_t *root = json_loadb(
        exact, size, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &error);
    enum json_error_code code =
        root ? json_error_unknown : json_error_code(&error);
    /* jansson refuses numbers that it cannot hold and members that stand
     * twice; the scanner minds neither in what it skips.  A NUL byte behind a
     * number is lost on jansson. */
    bool ours =
        memchr(exact, '\0', size) || depth_of(data, size) > DEPTH_COMPARED ||
        code == json_error_numeric_overflow ||
        code == json_error_duplicate_key || code == json_error_stack_overflow;
    for (int want = WANT_VECTOR; want <= WANT_MATRIX; want++) {
        if (ours) {
            struct prometheus_answer answer;
            struct prometheus_element element;
            prometheus_answer_begin(&answer, (enum prometheus_want)want, exact,
                                    size);
            while (prometheus_answer_next(&answer, &element) ==
                   ANSWER_ELEMENT) {
            }
        } else {
            compare(root, (const uint8_t *)exact, size,
                    (enum prometheus_want)want);
        }
    }
    json_decref(root);
    free(exact);
    return 0;
}
