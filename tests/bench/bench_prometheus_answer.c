/* The scanner of Prometheus' answers against jansson: a vector of so many
 * series, parsed and walked (two labels and the number of each).  "Join" also
 * splits it over as many series of the core.  Medians; nothing is asserted. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "controller/prometheus/prometheus_answer.h"
#include "controller/sources/series_join.h"

#define ROUNDS 9

static double now_ms(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static void die(const char *what)
{
    (void)fprintf(stderr, "bench_prometheus_answer: %s\n", what);
    exit(1);
}

/* About 150 bytes a series, as a rate by service is. */
static char *make_answer(int count)
{
    size_t size = (size_t)count * 200 + 200;
    char *text = malloc(size), *at = text;
    if (!text) {
        die("no memory");
    }
    at += snprintf(at, 200,
                   "{\"status\":\"success\",\"data\":{\"resultType\":"
                   "\"vector\",\"result\":[");
    for (int i = 0; i < count; i++) {
        at += snprintf(at, 200,
                       "%s{\"metric\":{\"cluster\":\"production-eu-1\","
                       "\"job\":\"app\",\"namespace\":\"shop\",\"service\":"
                       "\"service-%06d\"},\"value\":[1726669200.781,"
                       "\"%d.31666666666666\"]}",
                       i ? "," : "", i, i);
    }
    (void)snprintf(at, 200, "]}}");
    return text;
}

static struct series_join *make_join(int count)
{
    struct series_join *join = join_new();
    for (int i = 0; i < count; i++) {
        char name[32];
        const char *labels[] = {"service"}, *values[] = {name};
        (void)snprintf(name, sizeof(name), "service-%06d", i);
        (void)join_add(join, 1, labels, values);
    }
    return join;
}

static double by_scanner(const char *text, size_t length, int count)
{
    static const char *const names[] = {"service", "job"};
    struct prometheus_answer answer;
    struct prometheus_element element;
    struct piece values[2];
    double sum = 0;
    (void)count;
    prometheus_answer_begin(&answer, WANT_VECTOR, text, length);
    while (prometheus_answer_next(&answer, &element) == ANSWER_ELEMENT) {
        (void)prometheus_labels(&element, names, 2, values);
        sum += element.value.number + (double)values[0].length;
    }
    return answer.state == ANSWER_WHOLE ? sum : -1;
}

static double by_join(const char *text, size_t length, int count)
{
    struct series_join *join = make_join(count);
    struct prometheus_answer answer;
    struct prometheus_element element;
    double sum = 0;
    prometheus_answer_begin(&answer, WANT_VECTOR, text, length);
    while (prometheus_answer_next(&answer, &element) == ANSWER_ELEMENT) {
        size_t labels_count;
        struct piece piece;
        const char *const *labels = join_labels(join, 0, &labels_count);
        (void)prometheus_labels(&element, labels, labels_count, &piece);
        struct join_value value = {piece.bytes, piece.length};
        sum += join_find(join, 0, &value);
    }
    join_free(join);
    return sum;
}

static double by_jansson(const char *text, size_t length, int count)
{
    json_error_t error;
    double sum = 0;
    size_t index;
    json_t *element;
    json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    json_t *result = json_object_get(json_object_get(root, "data"), "result");
    (void)count;
    json_array_foreach(result, index, element)
    {
        json_t *metric = json_object_get(element, "metric");
        json_t *value = json_object_get(element, "value");
        sum += strtod(json_string_value(json_array_get(value, 1)), NULL);
        sum += (double)json_string_length(json_object_get(metric, "service"));
        sum += (double)json_string_length(json_object_get(metric, "job")) * 0;
    }
    json_decref(root);
    return sum;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double measure(double (*read)(const char *, size_t, int),
                      const char *text, int count)
{
    double times[ROUNDS];
    size_t length = strlen(text);
    for (int i = 0; i < ROUNDS; i++) {
        double begin = now_ms();
        if (read(text, length, count) < 0) {
            die("an answer was not read");
        }
        times[i] = now_ms() - begin;
    }
    qsort(times, ROUNDS, sizeof(times[0]), compare);
    return times[ROUNDS / 2];
}

int main(void)
{
    static const int counts[] = {1000, 10000, 100000};
    (void)printf("%8s %8s %14s %14s %14s %8s\n", "series", "MB", "scanner",
                 "with join", "jansson", "ratio");
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        char *text = make_answer(counts[i]);
        double megabytes = (double)strlen(text) / 1e6;
        double scanner = measure(by_scanner, text, counts[i]);
        double join = measure(by_join, text, counts[i]);
        double jansson = measure(by_jansson, text, counts[i]);
        (void)printf("%8d %8.2f %6.2f ms %4.0f %6.2f ms %4.0f %6.2f ms %4.0f "
                     "%7.1fx\n",
                     counts[i], megabytes, scanner, megabytes / scanner * 1e3,
                     join, megabytes / join * 1e3, jansson,
                     megabytes / jansson * 1e3, jansson / scanner);
        free(text);
    }
    (void)printf("(ms, then MB/s; medians of %d)\n", ROUNDS);
    return 0;
}
