/* The fields of a record, once: JSON name, form and place in struct record;
 * and for each kind the fields it has.  Private to record*.c.
 *
 * To remember more: add a field at the end of RECORD_FIELDS() (at most 64),
 * add it to the kinds that have it in record.c.  Names are forever. */
#ifndef STATE_RECORD_FIELDS_H
#define STATE_RECORD_FIELDS_H

#include "state/record.h"

/* How a field is spelled in JSON. */
enum field_form {
    FORM_ID,     /* uint64_t: whole number, 0 is empty */
    FORM_SMALL,  /* uint16_t: the same */
    FORM_NUMBER, /* double: number, 0 is empty */
    FORM_SPAN,   /* time_ms: whole milliseconds, 0 is empty */
    FORM_MOMENT, /* time_ms: RFC 3339 or "never", 0 is empty */
    FORM_FLAG,   /* bool: always written */
    FORM_TEXT,   /* char[]: text, "" is empty */
    FORM_STATE,  /* the enumerations: a name, always written */
    FORM_GRADE,
    FORM_ORIGIN,
    FORM_ROLLBACK,
    FORM_MODE,
    FORM_ANSWER,
    FORM_LABELS,     /* [["name","value"],...] */
    FORM_PATH,       /* [{"question":0,"answer":"yes"},...] */
    FORM_FROZEN,     /* [0.25,"no baseline",...] */
    FORM_BODY,       /* lent text */
    FORM_EXPLANATION /* lent verdict, or lent JSON text */
};

#define RECORD_FIELDS(X)                                                       \
    X(RELEASE, "release", ID, release)                                         \
    X(INCIDENT, "incident", ID, incident)                                      \
    X(ROLLBACK, "rollback", ID, rollback)                                      \
    X(FREEZE, "freeze", ID, freeze)                                            \
    X(NOTICE, "notice", ID, notice)                                            \
    X(SERVICE, "service", TEXT, service)                                       \
    X(ENVIRONMENT, "environment", TEXT, environment)                           \
    X(VERSION, "version", TEXT, version)                                       \
    X(TARGET_VERSION, "target_version", TEXT, target_version)                  \
    X(TARGET_RELEASE, "target_release", ID, target_release)                    \
    X(ORIGIN, "origin", ORIGIN, origin)                                        \
    X(DEPLOYED_AT, "deployed_at", MOMENT, deployed_at)                         \
    X(PREVIOUS, "previous", TEXT, previous)                                    \
    X(RELEASE_KIND, "release_kind", TEXT, release_kind)                        \
    X(DATA_CHANGE, "data_change", TEXT, data_change)                           \
    X(COMPATIBLE_FROM, "compatible_from", TEXT, compatible_from)               \
    X(LABELS, "labels", LABELS, labels)                                        \
    X(KEY, "key", TEXT, key)                                                   \
    X(KEY_DIGEST, "key_digest", TEXT, key_digest)                              \
    X(NAME, "name", TEXT, name)                                                \
    X(DIGEST, "digest", TEXT, digest)                                          \
    X(GRID, "grid", MOMENT, grid)                                              \
    X(LEAF, "leaf", SMALL, leaf)                                               \
    X(VERDICT_KIND, "verdict_kind", TEXT, verdict_kind)                        \
    X(ROOT, "root", ANSWER, root)                                              \
    X(UNSURE, "unsure", FLAG, unsure)                                          \
    X(PATH, "path", PATH, path)                                                \
    X(FROZEN, "frozen", FROZEN, frozen)                                        \
    X(HEALTHY, "healthy", SPAN, healthy)                                       \
    X(LOOKS, "looks", ID, looks)                                               \
    X(KNOWN_LOOKS, "known_looks", ID, known_looks)                             \
    X(REQUESTS, "requests", NUMBER, requests)                                  \
    X(STATE, "state", STATE, state)                                            \
    X(GRADE, "grade", GRADE, grade)                                            \
    X(ROLLBACK_STATE, "rollback_state", ROLLBACK, rollback_state)              \
    X(MODE, "mode", MODE, mode)                                                \
    X(COUNTDOWN, "countdown", SPAN, countdown)                                 \
    X(UNTIL, "until", MOMENT, until)                                           \
    X(COMPLETE, "complete", FLAG, complete)                                    \
    X(DELIVERED, "delivered", FLAG, delivered)                                 \
    X(ON, "on", FLAG, on)                                                      \
    X(DIFFERENCE, "difference", SPAN, difference)                              \
    X(CODE, "code", TEXT, code)                                                \
    X(BY, "by", TEXT, by)                                                      \
    X(TEXT, "text", TEXT, text)                                                \
    X(BODY, "body", BODY, body)                                                \
    X(EXPLANATION, "explanation", EXPLANATION, body)                           \
    X(WINDOWS, "windows", TEXT, windows)

enum field_index {
#define X(name, text, form, member) FIELD_##name,
    RECORD_FIELDS(X)
#undef X
        FIELD_LAST /* how many there are */
};

struct field {
    const char *name;
    enum field_form form;
    uint32_t offset; /* in struct record */
    uint32_t size;   /* texts: with their NUL */
};

extern const struct field record_fields[FIELD_LAST];

/* The fields of @kind as bits, 1 << FIELD_x; 0 for a number that is no kind. */
uint64_t record_kind_fields(enum record_kind kind);

/* The words of an enumeration's form; NULL at and above its end. */
const char *form_word(enum field_form form, unsigned value);

#endif
