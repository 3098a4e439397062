/* record -> JSON: compact, deterministic, always valid.  Bytes that are not
 * UTF-8 (a text cut inside a character) are written as '?', so that whatever
 * was remembered can be read back and never grows. */
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "policies/explain/explain.h"
#include "policies/memory.h"
#include "policies/utf8.h"
#include "state/record.h"
#include "state/record_fields.h"

#define MOMENT_END 7258118400000LL /* 2200-01-01 */

struct writer {
    char *bytes;
    size_t length, room;
};

static void write_field(struct writer *writer, const struct field *field,
                        const struct record *record);

static void put(struct writer *writer, const char *bytes, size_t length)
{
    if (length > writer->room - writer->length) {
        size_t room = (writer->room + length) * 2;
        char *grown = memory_resized(writer->bytes, room);
        writer->bytes = grown;
        writer->room = room;
    }
    memcpy(writer->bytes + writer->length, bytes, length);
    writer->length += length;
}

static void put_plain(struct writer *writer, const char *text)
{
    put(writer, text, strlen(text));
}

static void put_signed(struct writer *writer, int64_t number)
{
    char text[24];
    int length = snprintf(text, sizeof text, "%" PRId64, number);
    assert(length > 0 && (size_t)length < sizeof text);
    put(writer, text, (size_t)length);
}

/* JSON readers hold whole numbers in 63 bits. */
static void put_unsigned(struct writer *writer, uint64_t number)
{
    assert(number <= INT64_MAX);
    put_signed(writer, (int64_t)number);
}

/* JSON has one zero, the judge has two. */
static void put_number(struct writer *writer, double number)
{
    char text[NUMBER_TEXT_MAX];
    bool minus_zero = number == 0 && signbit(number);
    put_plain(writer, minus_zero ? "-0.0" : number_print(number, text));
}

static void put_escaped(struct writer *writer, char byte)
{
    char text[12];
    switch (byte) {
    case '"':
        put_plain(writer, "\\\"");
        return;
    case '\\':
        put_plain(writer, "\\\\");
        return;
    case '\n':
        put_plain(writer, "\\n");
        return;
    case '\t':
        put_plain(writer, "\\t");
        return;
    case '\0': /* no reader of ours takes U+0000 */
        put_plain(writer, "?");
        return;
    default:
        (void)snprintf(text, sizeof text, "\\u%04x", (unsigned char)byte);
        put_plain(writer, text);
    }
}

static void put_text(struct writer *writer, const char *text, size_t length)
{
    size_t done = 0; /* what lies before it is written */
    put_plain(writer, "\"");
    for (size_t i = 0; i < length;) {
        uint32_t code;
        size_t whole = utf8_decode(text + i, length - i, &code);
        if (whole > 0 && code >= 0x20 && code != '"' && code != '\\') {
            i += whole;
            continue;
        }
        put(writer, text + done, i - done);
        if (whole == 0) {
            put_plain(writer, "?");
        } else {
            put_escaped(writer, text[i]);
        }
        done = ++i;
    }
    put(writer, text + done, length - done);
    put_plain(writer, "\"");
}

/* What moment_read() would not take must never get into a journal. */
static void put_moment(struct writer *writer, time_ms at)
{
    char text[MOMENT_TEXT_MAX];
    assert(at >= 0);
    assert(at < MOMENT_END || at == TIME_NEVER);
    const char *moment = moment_print(at, text);
    put_text(writer, moment, strlen(moment));
}

static void put_word(struct writer *writer, enum field_form form,
                     unsigned value)
{
    const char *word = form_word(form, value);
    assert(word);
    put_text(writer, word, strlen(word));
}

static void put_labels(struct writer *writer, const struct record *record)
{
    assert(record->labels_count <= LABELS_MAX);
    for (size_t i = 0; i < record->labels_count; i++) {
        const struct label *label = &record->labels[i];
        put_plain(writer, i == 0 ? "[[" : ",[");
        put_text(writer, label->name, strlen(label->name));
        put_plain(writer, ",");
        put_text(writer, label->value, strlen(label->value));
        put_plain(writer, "]");
    }
    put_plain(writer, "]");
}

static void put_path(struct writer *writer, const struct record *record)
{
    assert(record->steps <= POLICY_DEPTH_MAX);
    for (size_t i = 0; i < record->steps; i++) {
        put_plain(writer, i == 0 ? "[{\"question\":" : ",{\"question\":");
        put_unsigned(writer, record->path[i].question);
        put_plain(writer, ",\"answer\":");
        put_word(writer, FORM_ANSWER, record->path[i].answer);
        put_plain(writer, "}");
    }
    put_plain(writer, "]");
}

static void put_frozen(struct writer *writer, const struct record *record)
{
    assert(record->frozens <= POLICY_FROZEN_MAX);
    for (size_t i = 0; i < record->frozens; i++) {
        const struct value *value = &record->frozen[i];
        put_plain(writer, i == 0 ? "[" : ",");
        if (value->unknown == KNOWN) {
            put_number(writer, value->number);
        } else {
            const char *why = unknown_name(value->unknown);
            put_text(writer, why, strlen(why));
        }
    }
    put_plain(writer, "]");
}

static bool has_verdict(const struct record *record)
{
    return record->policy && record->verdict && record->facts;
}

/* 15 digits: for people; what must be exact has a field of its own. */
static void put_explanation(struct writer *writer, const struct record *record)
{
    if (!has_verdict(record)) {
        put(writer, record->body, record->body_length);
        return;
    }
    json_t *explanation =
        explain_verdict(record->policy, record->verdict, record->facts);
    assert(explanation);
    char *text =
        json_dumps(explanation, JSON_COMPACT | JSON_REAL_PRECISION(15));
    assert(text);
    put_plain(writer, text);
    free(text);
    json_decref(explanation);
}

/* Where in @record the field lies. */
static const void *place(const struct record *record, const struct field *field)
{
    return (const char *)record + field->offset;
}

static bool is_empty(const struct field *field, const struct record *record)
{
    const void *at = place(record, field);
    switch (field->form) {
    case FORM_ID:
        return *(const uint64_t *)at == 0;
    case FORM_SMALL:
        return *(const uint16_t *)at == 0;
    case FORM_NUMBER:
        return *(const double *)at == 0;
    case FORM_SPAN:
    case FORM_MOMENT:
        return *(const time_ms *)at == 0;
    case FORM_TEXT:
        return *(const char *)at == '\0';
    case FORM_LABELS:
        return record->labels_count == 0;
    case FORM_PATH:
        return record->steps == 0;
    case FORM_FROZEN:
        return record->frozens == 0;
    case FORM_BODY:
        return !record->body;
    case FORM_EXPLANATION:
        return !record->body && !has_verdict(record);
    case FORM_FLAG:
    case FORM_STATE:
    case FORM_GRADE:
    case FORM_ORIGIN:
    case FORM_ROLLBACK:
    case FORM_MODE:
    case FORM_ANSWER:
        break;
    }
    return false;
}

static void put_value(struct writer *writer, const struct field *field,
                      const struct record *record)
{
    const void *at = place(record, field);
    switch (field->form) {
    case FORM_ID:
        put_unsigned(writer, *(const uint64_t *)at);
        return;
    case FORM_SMALL:
        put_unsigned(writer, *(const uint16_t *)at);
        return;
    case FORM_NUMBER:
        put_number(writer, *(const double *)at);
        return;
    case FORM_SPAN:
        put_signed(writer, *(const time_ms *)at);
        return;
    case FORM_MOMENT:
        put_moment(writer, *(const time_ms *)at);
        return;
    case FORM_FLAG:
        put_plain(writer, *(const bool *)at ? "true" : "false");
        return;
    case FORM_TEXT:
        put_text(writer, at, strnlen(at, field->size));
        return;
    case FORM_STATE:
    case FORM_GRADE:
    case FORM_ORIGIN:
    case FORM_ROLLBACK:
    case FORM_MODE:
    case FORM_ANSWER:
        put_word(writer, field->form, *(const unsigned *)at);
        return;
    case FORM_LABELS:
        put_labels(writer, record);
        return;
    case FORM_PATH:
        put_path(writer, record);
        return;
    case FORM_FROZEN:
        put_frozen(writer, record);
        return;
    case FORM_BODY:
        put_text(writer, record->body, record->body_length);
        return;
    case FORM_EXPLANATION:
        put_explanation(writer, record);
        return;
    }
}

char *record_to_json(const struct record *record, size_t *ret_length)
{
    struct writer writer = {.bytes = NULL};
    put_plain(&writer, "{\"sequence\":");
    put_unsigned(&writer, record->sequence);
    put_plain(&writer, ",\"epoch\":");
    put_unsigned(&writer, record->epoch);
    put_plain(&writer, ",\"at\":");
    put_moment(&writer, record->at);
    put_plain(&writer, ",\"kind\":\"");
    put_plain(&writer, record_kind_name(record->kind));
    put_plain(&writer, "\"");
    uint64_t fields = record_kind_fields(record->kind);
    for (size_t i = 0; i < FIELD_LAST; i++) {
        if (fields >> i & 1) {
            write_field(&writer, &record_fields[i], record);
        }
    }
    put(&writer, "}", sizeof "}");
    *ret_length = writer.length - 1;
    assert(*ret_length <= RECORD_BYTES_MAX);
    return writer.bytes;
}

static void write_field(struct writer *writer, const struct field *field,
                        const struct record *record)
{
    if (is_empty(field, record)) {
        return;
    }
    put_plain(writer, ",\"");
    put_plain(writer, field->name);
    put_plain(writer, "\":");
    put_value(writer, field, record);
}
