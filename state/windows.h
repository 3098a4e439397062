/* What a verdict was judged from, as JSON: the newest row of samples, the
 * facts, what was frozen of the time before, and every window that the policy
 * looks back on.  Kept beside a VERDICT record, which holds the hash, so that
 * it can be judged again; it may be taken away, the chain does not need it.
 *
 *   {"grid":"...","deployed_at":"...","row":[0.25,"no data",...],
 *    "frozen":[...],"rings":[[0.25,"stale",...],"ynu?",...],
 *    "facts":{"service":..,"rollback_safe":"yes",...}}
 *
 * A ring is a list of numbers and reasons, or for a condition a text with one
 * letter for each slot.  Numbers are exact. */
#ifndef STATE_WINDOWS_H
#define STATE_WINDOWS_H

#include "state/record.h"

/* Of a VERDICT record right after its look; malloc'd. */
char *windows_to_json(const struct record *record, size_t *ret_length);

/* SHA-256, hex. */
void windows_digest(const char *json, size_t length,
                    char ret_digest[RECORD_DIGEST_MAX]);

/* What is read back; the texts of the facts live as long as it does. */
struct windows {
    time_ms grid;
    struct judge *judge; /* about to look at `grid` */
    struct sample row[POLICY_SIGNALS_MAX];
    struct facts facts;
    struct label labels[LABELS_MAX];
    json_t *root;
};

/* False with a sentence when it is not of this policy, or cannot be read. */
bool windows_from_json(const char *json, size_t length,
                       const struct policy *policy, struct windows *ret_windows,
                       char *ret_error, size_t size);
void windows_release(struct windows *windows);

#endif
