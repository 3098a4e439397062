#include "state/record_scan.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "state/record_fields.h"

/* Whole numbers of so many digits always fit; longer ones are read slowly. */
#define DIGITS_MAX 18

struct scan {
    const char *at, *end;
};

static bool take(struct scan *scan, const char *wanted)
{
    size_t length = strlen(wanted);
    if ((size_t)(scan->end - scan->at) < length ||
        memcmp(scan->at, wanted, length) != 0) {
        return false;
    }
    scan->at += length;
    return true;
}

static char next(const struct scan *scan)
{
    return scan->at < scan->end ? *scan->at : '\0';
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* --- Values --------------------------------------------------------------- */

static bool take_whole(struct scan *scan, uint64_t max, uint64_t *ret)
{
    const char *begin = scan->at;
    uint64_t number = 0;
    while (is_digit(next(scan)) && scan->at - begin < DIGITS_MAX) {
        number = number * 10 + (uint64_t)(*scan->at++ - '0');
    }
    bool leads_with_zero = scan->at - begin > 1 && *begin == '0';
    if (scan->at == begin || leads_with_zero || number > max) {
        return false;
    }
    *ret = number;
    return true;
}

static bool take_span(struct scan *scan, time_ms *ret)
{
    uint64_t number = 0;
    bool below = take(scan, "-");
    if (!take_whole(scan, INT64_MAX, &number)) {
        return false;
    }
    *ret = below ? -(time_ms)number : (time_ms)number;
    return true;
}

static bool take_digits(struct scan *scan)
{
    const char *begin = scan->at;
    while (is_digit(next(scan))) {
        scan->at++;
    }
    return scan->at > begin;
}

/* -12.5e-3, as JSON has it.  What looks whole must fit a whole number, and
 * there is no whole -0. */
static bool take_number(struct scan *scan, double *ret)
{
    char text[NUMBER_TEXT_MAX];
    const char *begin = scan->at;
    time_ms whole = 0;
    struct scan ahead = *scan;
    if (take_span(&ahead, &whole) && !strchr(".e", next(&ahead))) {
        *scan = ahead;
        *ret = (double)whole;
        return *begin != '-' || whole != 0;
    }
    (void)take(scan, "-");
    if (!take(scan, "0") && !take_digits(scan)) {
        return false;
    }
    if (take(scan, ".") && !take_digits(scan)) {
        return false;
    }
    if (take(scan, "e")) {
        if (!take(scan, "-")) {
            (void)take(scan, "+");
        }
        if (!take_digits(scan)) {
            return false;
        }
    }
    size_t length = (size_t)(scan->at - begin);
    bool is_real = memchr(begin, '.', length) || memchr(begin, 'e', length);
    if (length >= sizeof text || !is_real) {
        return false;
    }
    memcpy(text, begin, length);
    text[length] = '\0';
    *ret = strtod(text, NULL);
    return isfinite(*ret);
}

static bool take_text(struct scan *scan, char *ret_text, size_t size)
{
    if (!take(scan, "\"")) {
        return false;
    }
    size_t length = 0;
    char byte = next(scan);
    while (byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\' &&
           length + 1 < size) {
        ret_text[length++] = byte;
        scan->at++;
        byte = next(scan);
    }
    ret_text[length] = '\0';
    return take(scan, "\"");
}

static bool take_moment(struct scan *scan, time_ms *ret)
{
    char text[MOMENT_TEXT_MAX];
    if (!take_text(scan, text, sizeof text)) {
        return false;
    }
    if (strcmp(text, "never") == 0) {
        *ret = TIME_NEVER;
        return true;
    }
    return moment_read(text, ret);
}

static bool take_flag(struct scan *scan, bool *ret)
{
    *ret = take(scan, "true");
    return *ret || take(scan, "false");
}

static bool take_word(struct scan *scan, enum field_form form, unsigned *ret)
{
    char text[24];
    if (!take_text(scan, text, sizeof text)) {
        return false;
    }
    const char *word = form_word(form, 0);
    for (unsigned i = 0; word; word = form_word(form, ++i)) {
        if (strcmp(word, text) == 0) {
            *ret = i;
            return true;
        }
    }
    return false;
}

static bool take_small(struct scan *scan, uint16_t *ret)
{
    uint64_t number = 0;
    if (!take_whole(scan, UINT16_MAX, &number)) {
        return false;
    }
    *ret = (uint16_t)number;
    return true;
}

static bool take_value(struct scan *scan, const struct field *field, void *at)
{
    switch (field->form) {
    case FORM_ID:
        return take_whole(scan, INT64_MAX, at);
    case FORM_SMALL:
        return take_small(scan, at);
    case FORM_NUMBER:
        return take_number(scan, at);
    case FORM_SPAN:
        return take_span(scan, at);
    case FORM_MOMENT:
        return take_moment(scan, at);
    case FORM_FLAG:
        return take_flag(scan, at);
    case FORM_TEXT:
        return take_text(scan, at, field->size);
    case FORM_STATE:
    case FORM_GRADE:
    case FORM_ORIGIN:
    case FORM_ROLLBACK:
    case FORM_MODE:
    case FORM_ANSWER:
        return take_word(scan, field->form, at);
    case FORM_LABELS:
    case FORM_PATH:
    case FORM_FROZEN:
    case FORM_BODY:
    case FORM_EXPLANATION:
        break;
    }
    return false;
}

/* --- The record ----------------------------------------------------------- */

static bool take_kind(struct scan *scan, enum record_kind *ret)
{
    char text[32];
    if (!take_text(scan, text, sizeof text)) {
        return false;
    }
    for (unsigned i = 1; record_kind_fields((enum record_kind)i); i++) {
        if (strcmp(record_kind_name((enum record_kind)i), text) == 0) {
            *ret = (enum record_kind)i;
            return true;
        }
    }
    return false;
}

static bool take_head(struct scan *scan, struct record *record)
{
    uint64_t epoch = 0;
    bool good = take(scan, "{\"sequence\":") &&
                take_whole(scan, INT64_MAX, &record->sequence) &&
                take(scan, ",\"epoch\":") &&
                take_whole(scan, UINT32_MAX, &epoch) &&
                take(scan, ",\"at\":") && take_moment(scan, &record->at) &&
                take(scan, ",\"kind\":") && take_kind(scan, &record->kind);
    record->epoch = (uint32_t)epoch;
    return good;
}

static bool is_named(const struct scan *scan, const char *name)
{
    struct scan ahead = *scan;
    return take(&ahead, name) && take(&ahead, "\":");
}

/* The next key: which of the kind's fields from *@index on it is.  In order,
 * so none can come twice. */
static bool take_key(struct scan *scan, uint64_t fields, size_t *index)
{
    if (!take(scan, ",\"")) {
        return false;
    }
    while (
        *index < FIELD_LAST &&
        !(fields >> *index & 1 && is_named(scan, record_fields[*index].name))) {
        (*index)++;
    }
    return *index < FIELD_LAST && take(scan, record_fields[*index].name) &&
           take(scan, "\":");
}

bool record_scan(const char *json, size_t length, struct record *record)
{
    struct scan scan = {json, json + length};
    struct record made;
    memset(&made, 0, sizeof made); /* padding too */
    if (length > RECORD_BYTES_MAX || !take_head(&scan, &made)) {
        return false;
    }
    uint64_t fields = record_kind_fields(made.kind);
    for (size_t i = 0; next(&scan) == ','; i++) {
        if (!take_key(&scan, fields, &i) ||
            !take_value(&scan, &record_fields[i],
                        (char *)&made + record_fields[i].offset)) {
            return false;
        }
    }
    if (!take(&scan, "}") || scan.at != scan.end) {
        return false;
    }
    *record = made;
    return true;
}
