#include "state/record.h"

#include <assert.h>
#include <string.h>

#include "state/record_fields.h"

static_assert(FIELD_LAST <= 64, "a kind's fields are bits of a uint64_t");

const struct field record_fields[FIELD_LAST] = {
#define X(index, text, shape, member)                                          \
    [FIELD_##index] = {text, FORM_##shape, offsetof(struct record, member),    \
                       sizeof(((struct record *)0)->member)},
    RECORD_FIELDS(X)
#undef X
};

#define HAS(name) (UINT64_C(1) << FIELD_##name)

/* Any line may say what it is about, who, why, and in words. */
#define ABOUT                                                                  \
    (HAS(RELEASE) | HAS(INCIDENT) | HAS(SERVICE) | HAS(ENVIRONMENT) |          \
     HAS(VERSION) | HAS(NAME) | HAS(CODE) | HAS(BY) | HAS(TEXT))
#define TARGET (HAS(TARGET_VERSION) | HAS(TARGET_RELEASE))
#define KEYED  (HAS(KEY) | HAS(KEY_DIGEST))
#define LOOK                                                                   \
    (HAS(DIGEST) | HAS(GRID) | HAS(LEAF) | HAS(VERDICT_KIND) | HAS(ROOT) |     \
     HAS(UNSURE))
#define WATCH                                                                  \
    (HAS(HEALTHY) | HAS(LOOKS) | HAS(KNOWN_LOOKS) | HAS(REQUESTS) | HAS(GRID))

static const uint64_t kind_fields[] = {
    [RECORD_STARTED] = ABOUT,
    [RECORD_POLICY_SET] = ABOUT | HAS(DIGEST) | HAS(BODY),
    [RECORD_POLICY_REMOVED] = ABOUT | HAS(DIGEST),
    [RECORD_REGISTERED] = ABOUT | TARGET | KEYED | HAS(ORIGIN) |
                          HAS(DEPLOYED_AT) | HAS(PREVIOUS) | HAS(RELEASE_KIND) |
                          HAS(DATA_CHANGE) | HAS(COMPATIBLE_FROM) |
                          HAS(LABELS) | HAS(DIGEST) | HAS(STATE) | HAS(GRADE) |
                          HAS(ROLLBACK),
    [RECORD_OBSERVED] =
        ABOUT | TARGET | HAS(COMPLETE) | HAS(DEPLOYED_AT) | HAS(ROLLBACK),
    [RECORD_BASELINE] = ABOUT | HAS(DIGEST) | HAS(GRID) | HAS(FROZEN),
    [RECORD_PROGRESS] = ABOUT | WATCH | HAS(DIGEST),
    [RECORD_VERDICT] = ABOUT | TARGET | LOOK | WATCH | HAS(PATH) | HAS(MODE) |
                       HAS(COUNTDOWN) | HAS(EXPLANATION) | HAS(WINDOWS),
    [RECORD_RELEASE_MOVED] = ABOUT | TARGET | WATCH | HAS(STATE) | HAS(GRADE) |
                             HAS(ROLLBACK) | HAS(DIGEST) | HAS(UNTIL) |
                             HAS(DEPLOYED_AT),
    [RECORD_INCIDENT_OPENED] = ABOUT | LOOK,
    [RECORD_INCIDENT_CLOSED] = ABOUT | HAS(ROLLBACK) | HAS(GRID),
    [RECORD_ROLLBACK_PROPOSED] = ABOUT | TARGET | LOOK | KEYED | HAS(ROLLBACK) |
                                 HAS(MODE) | HAS(COUNTDOWN) | HAS(UNTIL) |
                                 HAS(ROLLBACK_STATE),
    [RECORD_ROLLBACK_MOVED] = ABOUT | TARGET | HAS(ROLLBACK) |
                              HAS(ROLLBACK_STATE) | HAS(FREEZE) | HAS(UNTIL) |
                              HAS(ON) | HAS(MODE) | HAS(COUNTDOWN) | HAS(GRID) |
                              HAS(DIGEST) | HAS(DEPLOYED_AT),
    [RECORD_FROZEN] = ABOUT | KEYED | HAS(FREEZE) | HAS(ROLLBACK) | HAS(UNTIL),
    [RECORD_THAWED] = ABOUT | KEYED | HAS(FREEZE) | HAS(ROLLBACK) | HAS(UNTIL),
    [RECORD_TAINTED] = ABOUT | HAS(ROLLBACK) | HAS(ON),
    [RECORD_COMMANDED] = ABOUT | TARGET | KEYED | HAS(ROLLBACK) | HAS(FREEZE) |
                         HAS(NOTICE) | HAS(UNTIL) | HAS(COUNTDOWN) | HAS(ON),
    [RECORD_NOTICE] = ABOUT | TARGET | HAS(NOTICE) | HAS(ROLLBACK) |
                      HAS(FREEZE) | HAS(UNTIL) | HAS(DIGEST) | HAS(GRID) |
                      HAS(LEAF) | HAS(VERDICT_KIND),
    [RECORD_NOTICE_DONE] = ABOUT | HAS(NOTICE) | HAS(DELIVERED),
    [RECORD_ACTION] =
        ABOUT | HAS(NOTICE) | HAS(UNTIL) | HAS(DIGEST) | HAS(GRID) | HAS(LEAF),
    [RECORD_ACTION_DONE] = ABOUT | HAS(NOTICE) | HAS(DELIVERED),
    [RECORD_SOURCE_LOST] = ABOUT | HAS(GRID),
    [RECORD_SOURCE_BACK] = ABOUT | HAS(GRID),
    [RECORD_CLOCK_SET] = ABOUT | HAS(DIFFERENCE),
    [RECORD_STOP_FILE] = ABOUT | HAS(ON),
    [RECORD_BLIND] = ABOUT | HAS(DIGEST) | HAS(GRID) | HAS(LOOKS) |
                     HAS(KNOWN_LOOKS) | HAS(ON),
    [RECORD_ANNOUNCED] = ABOUT | KEYED | HAS(TARGET_VERSION) | HAS(UNTIL),
    [RECORD_MUTED] = ABOUT | HAS(DIGEST) | HAS(LEAF) | HAS(UNTIL),
    [RECORD_POLICY_BROKEN] = ABOUT | HAS(ON),
};

#define KINDS (sizeof kind_fields / sizeof kind_fields[0])

static const char *const kind_names[] = {
#define X(number, name, text) [number] = text,
    RECORD_KINDS(X)
#undef X
};
static const char *const state_names[] = {
#define X(name, text) text,
    RELEASE_STATES(X)
#undef X
};
static const char *const grade_names[] = {
#define X(name, text) text,
    GRADES(X)
#undef X
};
static const char *const origin_names[] = {
#define X(name, text) text,
    ORIGINS(X)
#undef X
};
static const char *const rollback_names[] = {
#define X(name, text) text,
    ROLLBACK_STATES(X)
#undef X
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static_assert(COUNT(kind_names) == KINDS, "each kind lists its fields");

const char *record_kind_name(enum record_kind kind)
{
    assert(kind > RECORD_NONE && kind < COUNT(kind_names));
    return kind_names[kind];
}

const char *release_state_name(enum release_state state)
{
    assert(state < COUNT(state_names));
    return state_names[state];
}

const char *grade_name(enum grade grade)
{
    assert(grade < COUNT(grade_names));
    return grade_names[grade];
}

const char *origin_name(enum origin origin)
{
    assert(origin < COUNT(origin_names));
    return origin_names[origin];
}

const char *rollback_state_name(enum rollback_state state)
{
    assert(state < COUNT(rollback_names));
    return rollback_names[state];
}

void record_init(struct record *record, enum record_kind kind)
{
    assert(kind > RECORD_NONE && kind < KINDS);
    memset(record, 0, sizeof *record);
    record->kind = kind;
}

uint64_t record_kind_fields(enum record_kind kind)
{
    return kind < KINDS ? kind_fields[kind] : 0;
}

static const char *word_at(const char *const *words, size_t count,
                           unsigned value)
{
    return value < count ? words[value] : NULL;
}

const char *form_word(enum field_form form, unsigned value)
{
    switch (form) {
    case FORM_STATE:
        return word_at(state_names, COUNT(state_names), value);
    case FORM_GRADE:
        return word_at(grade_names, COUNT(grade_names), value);
    case FORM_ORIGIN:
        return word_at(origin_names, COUNT(origin_names), value);
    case FORM_ROLLBACK:
        return word_at(rollback_names, COUNT(rollback_names), value);
    case FORM_ANSWER:
        return value <= ANSWER_UNKNOWN ? answer_name((enum answer)value) : NULL;
    case FORM_MODE:
        return value <= MODE_AUTO ? mode_name((enum mode)value) : NULL;
    case FORM_ID:
    case FORM_SMALL:
    case FORM_NUMBER:
    case FORM_SPAN:
    case FORM_MOMENT:
    case FORM_FLAG:
    case FORM_TEXT:
    case FORM_LABELS:
    case FORM_PATH:
    case FORM_FROZEN:
    case FORM_BODY:
    case FORM_EXPLANATION:
        break;
    }
    assert(false && "an enumeration's form");
    return NULL;
}
