#include "controller/replay/picture.h"

#include <string.h>

/* The most columns that the time has. */
#define BUCKETS_MAX 64

/* What stands left and right of the bars: a name and two quantities. */
#define NAME_WIDTH     18
#define QUANTITY_WIDTH 11
#define MARGIN         6

struct page {
    const struct picture *picture;
    size_t rows, buckets;
    FILE *out;
};

/* Bucket @i holds the rows [first, next first). */
static size_t bucket_first(const struct page *page, size_t i)
{
    return page->rows * i / page->buckets;
}

static size_t bucket_of(const struct page *page, size_t row)
{
    size_t i = row * page->buckets / page->rows;

    return i >= page->buckets ? page->buckets - 1 : i;
}

/* The bar of the deploy stands in front of the first bucket after it. */
static bool is_deploy(const struct page *page, size_t i)
{
    size_t deploy = page->picture->deploy;

    return deploy > 0 && deploy < page->rows && i == bucket_of(page, deploy);
}

/* --- Signals -------------------------------------------------------------- */

struct extent {
    bool any, moves;
    double least, most;
};

static struct extent extent_of(const struct page *page,
                               const struct picture_trace *trace)
{
    struct extent extent = {0};

    for (size_t row = 0; row < page->rows; row++) {
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
static bool mean_of(const struct page *page, const struct picture_trace *trace,
                    size_t i, double *ret_mean)
{
    double sum = 0, count = 0;

    for (size_t row = bucket_first(page, i); row < bucket_first(page, i + 1);
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

/* The least, the bars, the most, and what was asked of it. */
static void print_trace(const struct page *page,
                        const struct picture_trace *trace)
{
    struct extent extent = extent_of(page, trace);
    char least[QUANTITY_TEXT_MAX], most[QUANTITY_TEXT_MAX];

    if (!extent.any || !extent.moves) {
        return; /* a line that stands still says nothing */
    }
    (void)fprintf(page->out, "    %-*.*s %*s ", NAME_WIDTH, NAME_WIDTH,
                  trace->name, QUANTITY_WIDTH - 1,
                  quantity_print(extent.least, trace->unit, least));
    for (size_t i = 0; i < page->buckets; i++) {
        double mean = 0;

        (void)fputs(is_deploy(page, i) ? "|" : "", page->out);
        if (mean_of(page, trace, i, &mean)) {
            print_bar(&extent, mean, page->out);
        } else {
            (void)fputc(' ', page->out);
        }
    }
    (void)fprintf(page->out, " %s",
                  quantity_print(extent.most, trace->unit, most));
    for (size_t i = 0; i < trace->thresholds_count; i++) {
        (void)fprintf(page->out, "%s%s", i == 0 ? ", limit " : " and ",
                      quantity_print(trace->thresholds[i], trace->unit, most));
    }
    (void)fputc('\n', page->out);
}

/* --- Verdicts ------------------------------------------------------------- */

/* The gravest letter of a bucket. */
static char letter_of(const struct page *page, size_t i)
{
    static const char order[] = " -?PHR";
    size_t gravest = 0;

    for (size_t row = bucket_first(page, i); row < bucket_first(page, i + 1);
         row++) {
        const char *place = strchr(order, page->picture->verdicts[row]);

        if (place != NULL && (size_t)(place - order) > gravest) {
            gravest = (size_t)(place - order);
        }
    }
    return order[gravest];
}

static void print_verdicts(const struct page *page)
{
    size_t count = page->buckets;

    while (count > 0 && letter_of(page, count - 1) == ' ') {
        count--; /* nothing is judged after the call left */
    }
    (void)fprintf(page->out, "    %-*s", NAME_WIDTH + QUANTITY_WIDTH + 1,
                  "verdict");
    for (size_t i = 0; i < count; i++) {
        (void)fputs(is_deploy(page, i) ? "|" : "", page->out);
        (void)fputc(letter_of(page, i), page->out);
    }
    (void)fputs("\n", page->out);
}

static void print_mark(const struct page *page)
{
    const struct picture *picture = page->picture;
    size_t at = bucket_of(page, picture->mark);
    bool bar = picture->deploy > 0 && picture->deploy < page->rows &&
               at >= bucket_of(page, picture->deploy);
    int indent = 4 + NAME_WIDTH + QUANTITY_WIDTH + 1 + (int)at + (bar ? 1 : 0);

    if (picture->mark < page->rows) {
        (void)fprintf(page->out, "%*s^ %s\n", indent, "", picture->mark_text);
    }
}

void picture_print(const struct picture *picture, int columns, FILE *out)
{
    struct page page = {.picture = picture, .rows = picture->rows, .out = out};
    int room = columns - NAME_WIDTH - 2 * QUANTITY_WIDTH - MARGIN;

    page.buckets = room < 16            ? 16
                   : room > BUCKETS_MAX ? BUCKETS_MAX
                                        : (size_t)room;
    if (page.buckets > page.rows) {
        page.buckets = page.rows;
    }
    for (size_t i = 0; i < picture->count; i++) {
        print_trace(&page, &picture->traces[i]);
    }
    print_verdicts(&page);
    print_mark(&page);
    (void)fputs("    (- healthy, ? wait, P page, H hold, R rollback, | the "
                "deploy)\n",
                out);
}
