/* A picture as SVG.  It is lines and a few texts, so it is written by hand: a
 * library to draw with would be the largest thing that the program links. */
#include "controller/replay/picture.h"

#include <string.h>

#define WIDTH  960
#define LEFT   150
#define RIGHT  90
#define TOP    46
#define PANEL  74 /* of a signal, with its gap */
#define HEIGHT 56 /* of its curve */
#define BAND   16 /* of the verdicts */
#define FOOT   46

static const struct {
    char letter;
    const char *word, *colour;
} verdicts[] = {
    {'-', "healthy", "#2f9e44"},  {'?', "wait", "#adb5bd"},
    {'P', "page", "#f08c00"},     {'H', "hold", "#7048e8"},
    {'R', "rollback", "#e03131"},
};
#define VERDICTS (sizeof(verdicts) / sizeof(verdicts[0]))

/* Text from outside, as XML wants it. */
static void put_text(const char *text, FILE *out)
{
    for (const char *at = text; *at != '\0'; at++) {
        switch (*at) {
        case '&':
            (void)fputs("&amp;", out);
            break;
        case '<':
            (void)fputs("&lt;", out);
            break;
        case '>':
            (void)fputs("&gt;", out);
            break;
        default:
            (void)fputc((unsigned char)*at < ' ' ? '?' : *at, out);
        }
    }
}

static double x_of(const struct picture *picture, double row)
{
    return LEFT + row * (WIDTH - LEFT - RIGHT) / (double)picture->rows;
}

/* --- One signal ----------------------------------------------------------- */

struct scale {
    double least, most, bottom;
};

static void stretch(struct scale *scale, double number, bool first)
{
    scale->least = first || number < scale->least ? number : scale->least;
    scale->most = first || number > scale->most ? number : scale->most;
}

/* From the least to the most that it was, or that was asked of it. */
static bool find_scale(const struct picture *picture,
                       const struct picture_trace *trace,
                       struct scale *ret_scale)
{
    bool any = false;

    for (size_t row = 0; row < picture->rows; row++) {
        if (trace->values[row].unknown == KNOWN) {
            stretch(ret_scale, trace->values[row].number, !any);
            any = true;
        }
    }
    for (size_t i = 0; any && i < trace->thresholds_count; i++) {
        stretch(ret_scale, trace->thresholds[i], false);
    }
    return any;
}

static double y_of(const struct scale *scale, double number)
{
    double span = scale->most - scale->least;
    double share = span > 0 ? (number - scale->least) / span : 0.5;

    return scale->bottom - share * HEIGHT;
}

/* What is not known is a gap. */
static void draw_curve(const struct picture *picture,
                       const struct picture_trace *trace,
                       const struct scale *scale, FILE *out)
{
    bool down = false;

    (void)fputs("<path class=\"curve\" d=\"", out);
    for (size_t row = 0; row < picture->rows; row++) {
        const struct value *value = &trace->values[row];

        if (value->unknown == KNOWN) {
            (void)fprintf(out, "%c%.1f %.1f", down ? 'L' : 'M',
                          x_of(picture, (double)row + 0.5),
                          y_of(scale, value->number));
        }
        down = value->unknown == KNOWN;
    }
    (void)fputs("\"/>\n", out);
}

static void draw_threshold(const struct picture_trace *trace,
                           const struct scale *scale, double number, FILE *out)
{
    char text[QUANTITY_TEXT_MAX];
    double y = y_of(scale, number);

    (void)fprintf(out,
                  "<line class=\"threshold\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" "
                  "y2=\"%.1f\"/><text class=\"limit\" x=\"%d\" "
                  "y=\"%.1f\">%s</text>\n",
                  LEFT, y, WIDTH - RIGHT, y, WIDTH - RIGHT + 6, y + 4,
                  quantity_print(number, trace->unit, text));
}

static void draw_trace(const struct picture *picture,
                       const struct picture_trace *trace, double bottom,
                       FILE *out)
{
    struct scale scale = {.bottom = bottom};
    char least[QUANTITY_TEXT_MAX], most[QUANTITY_TEXT_MAX];

    (void)fprintf(out, "<text class=\"name\" x=\"8\" y=\"%.1f\">",
                  bottom - HEIGHT / 2.0 + 4);
    put_text(trace->name, out);
    (void)fputs("</text>\n", out);
    if (!find_scale(picture, trace, &scale)) {
        (void)fprintf(out,
                      "<text class=\"limit\" x=\"%d\" y=\"%.1f\">nothing is "
                      "known of it</text>\n",
                      LEFT, bottom - HEIGHT / 2.0 + 4);
        return;
    }
    (void)fprintf(out,
                  "<text class=\"axis\" x=\"%d\" y=\"%.1f\">%s</text>"
                  "<text class=\"axis\" x=\"%d\" y=\"%.1f\">%s</text>\n",
                  LEFT - 6, bottom - HEIGHT + 8,
                  quantity_print(scale.most, trace->unit, most), LEFT - 6,
                  bottom, quantity_print(scale.least, trace->unit, least));
    for (size_t i = 0; i < trace->thresholds_count; i++) {
        draw_threshold(trace, &scale, trace->thresholds[i], out);
    }
    draw_curve(picture, trace, &scale, out);
}

/* --- The verdicts --------------------------------------------------------- */

static const char *colour_of(char letter)
{
    for (size_t i = 0; i < VERDICTS; i++) {
        if (verdicts[i].letter == letter) {
            return verdicts[i].colour;
        }
    }
    return NULL;
}

static void draw_band(const struct picture *picture, double top, FILE *out)
{
    (void)fprintf(out,
                  "<text class=\"name\" x=\"8\" y=\"%.1f\">verdict</text>\n",
                  top + BAND - 4);
    for (size_t row = 0; row < picture->rows;) {
        size_t end = row + 1;
        const char *colour = colour_of(picture->verdicts[row]);

        while (end < picture->rows &&
               picture->verdicts[end] == picture->verdicts[row]) {
            end++;
        }
        if (colour != NULL) {
            (void)fprintf(out,
                          "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                          "height=\"%d\" fill=\"%s\"/>\n",
                          x_of(picture, (double)row), top,
                          x_of(picture, (double)end) -
                              x_of(picture, (double)row),
                          BAND, colour);
        }
        row = end;
    }
}

static void draw_legend(double top, FILE *out)
{
    int x = LEFT;

    for (size_t i = 0; i < VERDICTS; i++) {
        (void)fprintf(out,
                      "<rect x=\"%d\" y=\"%.1f\" width=\"10\" height=\"10\" "
                      "fill=\"%s\"/><text class=\"limit\" x=\"%d\" "
                      "y=\"%.1f\">%s</text>\n",
                      x, top, verdicts[i].colour, x + 14, top + 9,
                      verdicts[i].word);
        x += 90;
    }
}

/* --- The whole ------------------------------------------------------------ */

static void draw_upright(const char *kind, const char *text, double x,
                         double bottom, FILE *out)
{
    (void)fprintf(out,
                  "<line class=\"%s\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" "
                  "y2=\"%.1f\"/><text class=\"%s\" x=\"%.1f\" y=\"%d\">",
                  kind, x, TOP - 8, x, bottom, "mark", x, TOP - 12);
    put_text(text, out);
    (void)fputs("</text>\n", out);
}

static void draw_time(const struct picture *picture, double y, FILE *out)
{
    time_ms end = picture->start + (time_ms)picture->rows * picture->every;
    char from[MOMENT_TEXT_MAX], to[MOMENT_TEXT_MAX];

    (void)fprintf(out,
                  "<text class=\"limit\" x=\"%d\" y=\"%.1f\">%s</text>"
                  "<text class=\"axis\" x=\"%d\" y=\"%.1f\">%s</text>\n",
                  LEFT, y, moment_print(picture->start, from), WIDTH - RIGHT, y,
                  moment_print(end, to));
}

static void begin(const struct picture *picture, const char *title,
                  double height, FILE *out)
{
    (void)picture;
    (void)fprintf(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" "
        "height=\"%.0f\" viewBox=\"0 0 %d %.0f\" font-family=\"sans-serif\" "
        "font-size=\"12\">\n"
        "<style>.curve{fill:none;stroke:#1c7ed6;stroke-width:1.5}"
        ".threshold{stroke:#e03131;stroke-dasharray:4 3}"
        ".deploy{stroke:#495057;stroke-dasharray:2 2}.call{stroke:#e03131}"
        ".name{fill:#212529}.limit{fill:#868e96;font-size:11px}"
        ".axis{fill:#868e96;font-size:11px;text-anchor:end}"
        ".mark{fill:#495057;font-size:11px;text-anchor:middle}</style>\n"
        "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n"
        "<text class=\"name\" x=\"8\" y=\"18\" font-weight=\"bold\">",
        WIDTH, height, WIDTH, height);
    put_text(title, out);
    (void)fputs("</text>\n", out);
}

void picture_draw(const struct picture *picture, const char *title, FILE *out)
{
    double bottom = TOP + (double)picture->count * PANEL;

    begin(picture, title, bottom + BAND + FOOT, out);
    for (size_t i = 0; i < picture->count; i++) {
        draw_trace(picture, &picture->traces[i],
                   TOP + (double)i * PANEL + HEIGHT, out);
    }
    draw_band(picture, bottom, out);
    if (picture->deploy < picture->rows) {
        draw_upright("deploy", "deploy", x_of(picture, (double)picture->deploy),
                     bottom + BAND, out);
    }
    if (picture->mark < picture->rows) {
        draw_upright("call", picture->mark_text,
                     x_of(picture, (double)picture->mark), bottom + BAND, out);
    }
    draw_time(picture, bottom + BAND + 16, out);
    draw_legend(bottom + BAND + 26, out);
    (void)fputs("</svg>\n", out);
}
