/* A request's JSON body: read whole, checked member by member against a
 * table, then used without doubt. */
#ifndef API_BODY_H
#define API_BODY_H

#include "controller/api/refusal.h"
#include "controller/core/input.h"

#define BODY_BYTES_MAX (64 * 1024)
#define REASON_MAX     500 /* bytes of a reason: a sentence or two */

enum member_form {
    MEMBER_NAME,   /* name_is_valid() */
    MEMBER_MOMENT, /* RFC 3339 text, or Unix seconds as text or number */
    MEMBER_SPAN,   /* "90s", "2h" */
    MEMBER_CHANGE, /* none expand contract irreversible */
    MEMBER_LABELS, /* {"name": "value"} */
    MEMBER_KEY,    /* an idempotency key */
    MEMBER_REASON, /* a sentence */
    MEMBER_FLAG    /* true or false */
};

struct member {
    const char *name;
    enum member_form form;
    bool required;
};

/* The object in @bytes with no other members than @members (ended by a name
 * of NULL), each of its form.  Owned by the caller; NULL with @ret_refusal. */
json_t *body_read(const char *bytes, size_t length,
                  const struct member *members, struct refusal *ret_refusal);

/* One value's form, for parameters and headers too. */
bool body_check_text(const char *text, const struct member *member,
                     struct refusal *ret_refusal);

/* Of a body that was read: the text of a member, NULL when it is not there;
 * a moment or span, 0 when it is not there. */
const char *body_text(const json_t *body, const char *name);
time_ms body_moment(const json_t *body, const char *name);
time_ms body_span(const json_t *body, const char *name);

/* Copies the labels; returns how many. */
size_t body_labels(const json_t *body, struct label ret_labels[LABELS_MAX]);

/* SHA-256, in hex, of the body's meaning: the same for other white space,
 * another order of members, and with or without @but. */
void body_digest(json_t *body, const char *but,
                 char ret_digest[RECORD_DIGEST_MAX]);

#endif
