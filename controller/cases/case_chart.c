#include "controller/cases/case_chart.h"

#include <string.h>

#include "controller/cases/case_table.h"

/* The most columns that the time has. */
#define BUCKETS_MAX 64

/* What stands left and right of the bars: a name and two quantities. */
#define NAME_WIDTH     18
#define QUANTITY_WIDTH 11
#define MARGIN         6

struct chart {
    const struct test_case *test_case;
    const struct case_picture *picture;
    int64_t rows, buckets;
    FILE *out;
};

/* Bucket @i holds the rows [first, last). */
static int64_t bucket_first(const struct chart *chart, int64_t i)
{
    return chart->rows * i / chart->buckets;
}

static int64_t bucket_of(const struct chart *chart, int64_t row)
{
    int64_t i = (row - chart->picture->from) * chart->buckets / chart->rows;

    return i < 0 ? 0 : i >= chart->buckets ? chart->buckets - 1 : i;
}

/* The bar of the deploy stands in front of the first bucket after it. */
static bool is_deploy(const struct chart *chart, int64_t i)
{
    return i == bucket_of(chart, 1) && chart->picture->from < 1;
}

/* --- Signals -------------------------------------------------------------- */

struct extent {
    bool any, moves;
    double least, most;
};

static struct extent extent_of(const struct chart *chart,
                               const struct case_trace *trace)
{
    struct extent extent = {0};

    for (int64_t row = 0; row < chart->rows; row++) {
        const struct value *value = &trace->values[row];

        if (value->unknown != KNOWN) {
            /* what goes dark is worth a line; what is not judged is not */
            extent.moves = extent.moves ||
                           (extent.any && value->unknown != UNKNOWN_NOT_ASKED);
            continue;
        }
        if (!extent.any || value->number < extent.least) {
            extent.least = value->number;
        }
        if (!extent.any || value->number > extent.most) {
            extent.most = value->number;
        }
        extent.any = true;
    }
    extent.moves = extent.moves || extent.most > extent.least;
    return extent;
}

/* The mean of what is known in a bucket; false when nothing is. */
static bool mean_of(const struct chart *chart, const struct case_trace *trace,
                    int64_t i, double *ret_mean)
{
    double sum = 0, count = 0;

    for (int64_t row = bucket_first(chart, i); row < bucket_first(chart, i + 1);
         row++) {
        if (trace->values[row].unknown == KNOWN) {
            sum += trace->values[row].number;
            count++;
        }
    }
    *ret_mean = count > 0 ? sum / count : 0;
    return count > 0;
}

static void print_bar(const struct extent *extent, double mean, FILE *out)
{
    static const char *const bars[] = {
        "\xe2\x96\x81", "\xe2\x96\x82", "\xe2\x96\x83", "\xe2\x96\x84",
        "\xe2\x96\x85", "\xe2\x96\x86", "\xe2\x96\x87", "\xe2\x96\x88",
    };
    double span = extent->most - extent->least;
    double share = span > 0 ? (mean - extent->least) / span : 0;
    size_t level = (size_t)(share * 7 + 0.5);

    (void)fputs(bars[level > 7 ? 7 : level], out);
}

static void print_trace(const struct chart *chart,
                        const struct case_trace *trace)
{
    struct extent extent = extent_of(chart, trace);
    char least[QUANTITY_TEXT_MAX], most[QUANTITY_TEXT_MAX];

    if (!extent.any || !extent.moves) {
        return; /* the tree names what stands still */
    }
    (void)fprintf(chart->out, "    %-*.*s %*s ", NAME_WIDTH, NAME_WIDTH,
                  trace->name, QUANTITY_WIDTH - 1,
                  quantity_print(extent.least, trace->unit, least));
    for (int64_t i = 0; i < chart->buckets; i++) {
        double mean = 0;

        (void)fputs(is_deploy(chart, i) ? "|" : "", chart->out);
        if (mean_of(chart, trace, i, &mean)) {
            print_bar(&extent, mean, chart->out);
        } else {
            (void)fputc(' ', chart->out);
        }
    }
    (void)fprintf(chart->out, " %s\n",
                  quantity_print(extent.most, trace->unit, most));
}

/* --- Verdicts ------------------------------------------------------------- */

/* The gravest letter of a bucket. */
static char letter_of(const struct chart *chart, int64_t i)
{
    static const char order[] = " -?PHR";
    size_t gravest = 0;

    for (int64_t row = bucket_first(chart, i); row < bucket_first(chart, i + 1);
         row++) {
        const char *place = strchr(order, chart->picture->verdicts[row]);

        if (place != NULL && (size_t)(place - order) > gravest) {
            gravest = (size_t)(place - order);
        }
    }
    return order[gravest];
}

static void print_verdicts(const struct chart *chart)
{
    int64_t count = chart->buckets;

    while (count > 0 && letter_of(chart, count - 1) == ' ') {
        count--; /* nothing is judged after the call left */
    }
    (void)fprintf(chart->out, "    %-*s", NAME_WIDTH + QUANTITY_WIDTH + 1,
                  "verdict");
    for (int64_t i = 0; i < count; i++) {
        (void)fputs(is_deploy(chart, i) ? "|" : "", chart->out);
        (void)fputc(letter_of(chart, i), chart->out);
    }
    (void)fputs("\n", chart->out);
}

static void print_moment(const struct chart *chart)
{
    int64_t at = bucket_of(chart, chart->picture->at);
    int indent = 4 + NAME_WIDTH + QUANTITY_WIDTH + 1 + (int)at +
                 (chart->picture->from < 1 && at >= bucket_of(chart, 1));
    char span[SPAN_TEXT_MAX];

    (void)fprintf(chart->out, "%*s^ %s\n", indent, "",
                  case_span(chart->test_case,
                            case_row_time(chart->test_case, chart->picture->at),
                            span));
}

void case_chart(const struct test_case *test_case,
                const struct case_picture *picture, int columns, FILE *out)
{
    struct chart chart = {.test_case = test_case,
                          .picture = picture,
                          .rows = picture->to - picture->from + 1,
                          .out = out};
    int64_t room = columns - NAME_WIDTH - 2 * QUANTITY_WIDTH - MARGIN;

    chart.buckets = room < 16 ? 16 : room > BUCKETS_MAX ? BUCKETS_MAX : room;
    if (chart.buckets > chart.rows) {
        chart.buckets = chart.rows;
    }
    for (size_t i = 0; i < picture->count; i++) {
        print_trace(&chart, &picture->traces[i]);
    }
    print_verdicts(&chart);
    print_moment(&chart);
    (void)fputs("    (- healthy, ? wait, P page, H hold, R rollback, | the "
                "deploy)\n",
                out);
}
