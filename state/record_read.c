/* JSON -> record: strict, because a journal that is half understood would be
 * half recovered. */
#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "policies/memory.h"
#include "state/record.h"
#include "state/record_fields.h"
#include "state/record_scan.h"

#define NEWER                                                                  \
    "; a newer lastgood wrote it, or it is damaged: run the newest version, "  \
    "or 'lastgood verify'"

struct reader {
    struct record record;
    char *body;
    char *error;
    size_t error_size;
};

static bool read_record(struct reader *reader, const json_t *object);
static bool read_head(struct reader *reader, const json_t *object);
static bool read_field(struct reader *reader, const struct field *field,
                       const json_t *value);

/* Say what is wrong with the record; always false. */
static bool refuse(struct reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool refuse(struct reader *reader, const char *format, ...)
{
    char what[320];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    if (reader->record.sequence > 0) {
        (void)snprintf(reader->error, reader->error_size,
                       "record %llu: %s" NEWER,
                       (unsigned long long)reader->record.sequence, what);
    } else {
        (void)snprintf(reader->error, reader->error_size,
                       "not a record: %s" NEWER, what);
    }
    return false;
}

bool record_from_json(const char *json, size_t length, struct record *record,
                      char **ret_body, char *ret_error, size_t error_size)
{
    *ret_body = NULL;
    return record_scan(json, length, record) ||
           record_parse(json, length, record, ret_body, ret_error, error_size);
}

bool record_parse(const char *json, size_t length, struct record *record,
                  char **ret_body, char *ret_error, size_t error_size)
{
    struct reader reader = {.error = ret_error, .error_size = error_size};
    *ret_body = NULL;
    if (length > RECORD_BYTES_MAX) {
        return refuse(&reader, "%zu bytes are more than the limit of %d",
                      length, RECORD_BYTES_MAX);
    }
    json_error_t error;
    json_t *root = json_loadb(json, length, JSON_REJECT_DUPLICATES, &error);
    if (!root) {
        char escaped[200];
        text_escape(error.text, escaped, sizeof escaped);
        return refuse(&reader, "bad JSON at byte %d: %s", error.position,
                      escaped);
    }
    bool success = read_record(&reader, root);
    json_decref(root);
    if (!success) {
        free(reader.body);
        return false;
    }
    *record = reader.record;
    *ret_body = reader.body;
    return true;
}

/* Name the first key that is neither a record's nor its kind's. */
static bool refuse_unknown(struct reader *reader, const json_t *object)
{
    uint64_t fields = record_kind_fields(reader->record.kind);
    void *at = json_object_iter((json_t *)(uintptr_t)object);
    while (at) {
        const char *key = json_object_iter_key(at);
        bool known = !strcmp(key, "sequence") || !strcmp(key, "epoch") ||
                     !strcmp(key, "at") || !strcmp(key, "kind");
        for (size_t i = 0; i < FIELD_LAST && !known; i++) {
            known = fields >> i & 1 && !strcmp(key, record_fields[i].name);
        }
        if (!known) {
            char escaped[100];
            text_escape(key, escaped, sizeof escaped);
            return refuse(reader, "a '%s' has no field '%s' here",
                          record_kind_name(reader->record.kind), escaped);
        }
        at = json_object_iter_next((json_t *)(uintptr_t)object, at);
    }
    assert(false && "every field was read");
    return false;
}

static bool read_record(struct reader *reader, const json_t *object)
{
    if (!json_is_object(object)) {
        return refuse(reader, "it must be a JSON object");
    }
    if (!read_head(reader, object)) {
        return false;
    }
    uint64_t fields = record_kind_fields(reader->record.kind);
    size_t found = 4; /* the head's */
    for (size_t i = 0; i < FIELD_LAST; i++) {
        const struct field *field = &record_fields[i];
        const json_t *value =
            fields >> i & 1 ? json_object_get(object, field->name) : NULL;
        if (!value) {
            continue;
        }
        if (!read_field(reader, field, value)) {
            return false;
        }
        found++;
    }
    return found == json_object_size(object) || refuse_unknown(reader, object);
}

static bool read_whole(struct reader *reader, const char *name,
                       const json_t *value, json_int_t max, uint64_t *ret)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        json_integer_value(value) > max) {
        return refuse(reader, "'%s' must be a whole number from 0 to %lld",
                      name, (long long)max);
    }
    *ret = (uint64_t)json_integer_value(value);
    return true;
}

static bool read_text(struct reader *reader, const char *name,
                      const json_t *value, char *ret_text, size_t size)
{
    if (!json_is_string(value) || json_string_length(value) >= size) {
        return refuse(reader, "'%s' must be a text of at most %zu bytes", name,
                      size - 1);
    }
    memcpy(ret_text, json_string_value(value), json_string_length(value) + 1);
    return true;
}

static bool read_moment(struct reader *reader, const char *name,
                        const json_t *value, time_ms *ret)
{
    const char *text = json_string_value(value);
    if (text && !strcmp(text, "never")) {
        *ret = TIME_NEVER;
        return true;
    }
    if (!text || !moment_read(text, ret)) {
        return refuse(reader, "'%s' must be a time like 2024-09-18T14:20:00Z",
                      name);
    }
    return true;
}

static bool read_word(struct reader *reader, const char *name,
                      const json_t *value, enum field_form form, unsigned *ret)
{
    const char *text = json_string_value(value);
    const char *word = text ? form_word(form, 0) : NULL;
    for (unsigned i = 0; word; word = form_word(form, ++i)) {
        if (!strcmp(word, text)) {
            *ret = i;
            return true;
        }
    }
    char escaped[64];
    text_escape(text ? text : "no text", escaped, sizeof escaped);
    return refuse(reader, "'%s' cannot be '%s'", name, escaped);
}

static bool read_kind(struct reader *reader, const json_t *value)
{
    const char *text = json_string_value(value);
    for (unsigned i = 1; text && record_kind_fields((enum record_kind)i); i++) {
        if (!strcmp(record_kind_name((enum record_kind)i), text)) {
            reader->record.kind = (enum record_kind)i;
            return true;
        }
    }
    char escaped[64];
    text_escape(text ? text : "no text", escaped, sizeof escaped);
    return refuse(reader, "unknown kind '%s'", escaped);
}

static bool read_head(struct reader *reader, const json_t *object)
{
    static const char *const names[] = {"sequence", "epoch", "at", "kind"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!json_object_get(object, names[i])) {
            return refuse(reader, "'%s' is missing", names[i]);
        }
    }
    uint64_t sequence = 0, epoch = 0;
    if (!read_whole(reader, names[0], json_object_get(object, names[0]),
                    INT64_MAX, &sequence)) {
        return false;
    }
    reader->record.sequence = sequence;
    if (!read_whole(reader, names[1], json_object_get(object, names[1]),
                    UINT32_MAX, &epoch)) {
        return false;
    }
    reader->record.epoch = (uint32_t)epoch;
    return read_moment(reader, names[2], json_object_get(object, names[2]),
                       &reader->record.at) &&
           read_kind(reader, json_object_get(object, names[3]));
}

/* The array of @value when it has at most @max members, else a refusal. */
static bool read_count(struct reader *reader, const char *name,
                       const json_t *value, size_t max, uint8_t *ret_count)
{
    if (!json_is_array(value) || json_array_size(value) > max) {
        return refuse(reader, "'%s' must be a list of at most %zu", name, max);
    }
    *ret_count = (uint8_t)json_array_size(value);
    return true;
}

static bool read_labels(struct reader *reader, const char *name,
                        const json_t *value)
{
    struct record *record = &reader->record;
    if (!read_count(reader, name, value, LABELS_MAX, &record->labels_count)) {
        return false;
    }
    for (size_t i = 0; i < record->labels_count; i++) {
        const json_t *pair = json_array_get(value, i);
        struct label *label = &record->labels[i];
        if (!json_is_array(pair) || json_array_size(pair) != 2) {
            return refuse(reader, "'%s' must hold pairs of texts", name);
        }
        if (!read_text(reader, name, json_array_get(pair, 0), label->name,
                       sizeof label->name) ||
            !read_text(reader, name, json_array_get(pair, 1), label->value,
                       sizeof label->value)) {
            return false;
        }
    }
    return true;
}

static bool read_path(struct reader *reader, const char *name,
                      const json_t *value)
{
    struct record *record = &reader->record;
    if (!read_count(reader, name, value, POLICY_DEPTH_MAX, &record->steps)) {
        return false;
    }
    for (size_t i = 0; i < record->steps; i++) {
        const json_t *step = json_array_get(value, i);
        uint64_t question = 0;
        unsigned answer = ANSWER_NO;
        if (json_object_size(step) != 2) {
            return refuse(reader, "'%s' must hold questions and answers", name);
        }
        if (!read_whole(reader, "question", json_object_get(step, "question"),
                        UINT16_MAX, &question) ||
            !read_word(reader, "answer", json_object_get(step, "answer"),
                       FORM_ANSWER, &answer)) {
            return false;
        }
        record->path[i].question = (uint16_t)question;
        record->path[i].answer = (enum answer)answer;
    }
    return true;
}

static bool read_frozen(struct reader *reader, const char *name,
                        const json_t *value)
{
    struct record *record = &reader->record;
    if (!read_count(reader, name, value, POLICY_FROZEN_MAX, &record->frozens)) {
        return false;
    }
    for (size_t i = 0; i < record->frozens; i++) {
        const json_t *one = json_array_get(value, i);
        struct value *frozen = &record->frozen[i];
        if (json_is_number(one)) {
            frozen->number = json_number_value(one);
            continue;
        }
        const char *text = json_string_value(one);
        for (unsigned why = KNOWN + 1; text && why < UNKNOWN_LAST; why++) {
            if (!strcmp(text, unknown_name((enum unknown)why))) {
                frozen->unknown = (enum unknown)why;
            }
        }
        if (frozen->unknown == KNOWN) {
            return refuse(reader, "'%s' must hold numbers or reasons", name);
        }
    }
    return true;
}

static bool read_body(struct reader *reader, const struct field *field,
                      const json_t *value)
{
    bool text = field->form == FORM_BODY;
    if (text ? !json_is_string(value) : !json_is_object(value)) {
        return refuse(reader, "'%s' must be %s", field->name,
                      text ? "a text" : "a JSON object");
    }
    reader->body =
        text ? memory_copy(json_string_value(value), json_string_length(value))
             : json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(15));
    if (!reader->body) {
        abort();
    }
    reader->record.body = reader->body;
    reader->record.body_length = strlen(reader->body);
    return true;
}

static bool read_number(struct reader *reader, const char *name,
                        const json_t *value, double *ret)
{
    if (!json_is_number(value)) {
        return refuse(reader, "'%s' must be a number", name);
    }
    *ret = json_number_value(value);
    return true;
}

static bool read_small(struct reader *reader, const char *name,
                       const json_t *value, uint16_t *ret)
{
    uint64_t number = 0;
    if (!read_whole(reader, name, value, UINT16_MAX, &number)) {
        return false;
    }
    *ret = (uint16_t)number;
    return true;
}

static bool read_span(struct reader *reader, const char *name,
                      const json_t *value, time_ms *ret)
{
    if (!json_is_integer(value)) {
        return refuse(reader, "'%s' must be whole milliseconds", name);
    }
    *ret = json_integer_value(value);
    return true;
}

static bool read_flag(struct reader *reader, const char *name,
                      const json_t *value, bool *ret)
{
    if (!json_is_boolean(value)) {
        return refuse(reader, "'%s' must be true or false", name);
    }
    *ret = json_is_true(value);
    return true;
}

static bool read_field(struct reader *reader, const struct field *field,
                       const json_t *value)
{
    void *at = (char *)&reader->record + field->offset;
    switch (field->form) {
    case FORM_ID:
        return read_whole(reader, field->name, value, INT64_MAX, at);
    case FORM_SMALL:
        return read_small(reader, field->name, value, at);
    case FORM_NUMBER:
        return read_number(reader, field->name, value, at);
    case FORM_SPAN:
        return read_span(reader, field->name, value, at);
    case FORM_MOMENT:
        return read_moment(reader, field->name, value, at);
    case FORM_FLAG:
        return read_flag(reader, field->name, value, at);
    case FORM_TEXT:
        return read_text(reader, field->name, value, at, field->size);
    case FORM_STATE:
    case FORM_GRADE:
    case FORM_ORIGIN:
    case FORM_ROLLBACK:
    case FORM_MODE:
    case FORM_ANSWER:
        return read_word(reader, field->name, value, field->form, at);
    case FORM_LABELS:
        return read_labels(reader, field->name, value);
    case FORM_PATH:
        return read_path(reader, field->name, value);
    case FORM_FROZEN:
        return read_frozen(reader, field->name, value);
    case FORM_BODY:
    case FORM_EXPLANATION:
        return read_body(reader, field, value);
    }
    assert(false && "a field's form");
    return false;
}
