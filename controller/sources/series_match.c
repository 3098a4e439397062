#include "controller/sources/series_match.h"

/* The value of a label, empty when it is not there. */
static struct text_part series_label(const struct page_series *series,
                                     const char *name)
{
    for (size_t i = 0; i < series->labels_count; i++) {
        if (part_is(series->labels[i].name, name)) {
            return series->labels[i].value;
        }
    }
    return (struct text_part){"", 0};
}

bool series_matches(const struct page_series *series,
                    const struct selector *selector)
{
    if (!part_is(series->name, selector->name)) {
        return false;
    }
    for (size_t i = 0; i < selector->count; i++) {
        const struct matcher *matcher = &selector->matchers[i];
        struct text_part value = series_label(series, matcher->label);
        if (!matcher_accepts(matcher, value.bytes, value.length)) {
            return false;
        }
    }
    return true;
}
