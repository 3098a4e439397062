/* Two cores know the same, as far as anybody can ask them. */
#include "tests/simulator/check_inside.h"

#include <inttypes.h>
#include <string.h>

#define SAME(what, a, b)                                                       \
    do {                                                                       \
        if ((a) != (b)) {                                                      \
            differs(what, #a, (int64_t)(a), (int64_t)(b));                     \
        }                                                                      \
    } while (0)
#define SAME_TEXT(what, a, b)                                                  \
    do {                                                                       \
        if (strcmp((a) ? (a) : "", (b) ? (b) : "") != 0) {                     \
            check_fail("replay", "%s " #a ": '%s' live, '%s' replayed", what,  \
                       a, b);                                                  \
        }                                                                      \
    } while (0)

static void differs(const char *what, const char *name, int64_t a, int64_t b)
{
    check_fail("replay", "%s %s: %" PRId64 " live, %" PRId64 " replayed", what,
               name, a, b);
}

static void compare_rollback(const struct core *a, const struct core *b,
                             uint64_t id)
{
    struct rollback_view x = {0}, y = {0};
    SAME("rollback", view_rollback(a, id, &x), view_rollback(b, id, &y));
    SAME("rollback", x.state, y.state);
    SAME("rollback", x.proposed_at, y.proposed_at);
    SAME("rollback", x.intended_at, y.intended_at);
    SAME("rollback", x.requested_at, y.requested_at);
    SAME("rollback", x.applied_at, y.applied_at);
    SAME("rollback", x.ended_at, y.ended_at);
    SAME("rollback", x.target_release, y.target_release);
    SAME_TEXT("rollback", x.code, y.code);
    SAME_TEXT("rollback", x.text, y.text);
}

static void compare_release(const struct release_view *x,
                            const struct release_view *y)
{
    SAME("release", x->id, y->id);
    SAME("release", x->state, y->state);
    SAME("release", x->grade, y->grade);
    SAME("release", x->origin, y->origin);
    SAME("release", x->deployed_at, y->deployed_at);
    SAME("release", x->verdict_sequence, y->verdict_sequence);
    SAME("release", x->incident, y->incident);
    SAME("release", x->rollback, y->rollback);
    SAME("release", x->last_good, y->last_good);
    SAME("release", x->rollback_safe, y->rollback_safe);
    SAME("release", x->blind, y->blind);
    SAME_TEXT("release", x->version, y->version);
    SAME_TEXT("release", x->policy, y->policy);
    SAME_TEXT("release", x->policy_digest, y->policy_digest);
    SAME_TEXT("release", x->verdict, y->verdict);
}

static void compare_releases(const struct core *a, const struct core *b)
{
    size_t at = 0, other = 0;
    struct release_view x = {0}, y = {0};
    while (view_next_release(a, &at, &x)) {
        SAME("releases", view_next_release(b, &other, &y), true);
        compare_release(&x, &y);
        compare_rollback(a, b, x.rollback);
    }
    SAME("releases", view_next_release(b, &other, &y), false);
}

static void compare_incidents(const struct core *a, const struct core *b)
{
    size_t at = 0, other = 0;
    struct incident_view x = {0}, y = {0};
    while (view_next_incident(a, &at, &x)) {
        SAME("incidents", view_next_incident(b, &other, &y), true);
        SAME("incident", x.id, y.id);
        SAME("incident", x.closed_at, y.closed_at);
        SAME_TEXT("incident", x.text, y.text);
    }
    SAME("incidents", view_next_incident(b, &other, &y), false);
}

static void compare_freezes(const struct core *a, const struct core *b)
{
    size_t at = 0, other = 0;
    struct freeze_view x = {0}, y = {0};
    while (view_next_freeze(a, &at, &x)) {
        SAME("freezes", view_next_freeze(b, &other, &y), true);
        SAME("freeze", x.id, y.id);
        SAME("freeze", x.until, y.until);
        SAME_TEXT("freeze", x.service, y.service);
        SAME_TEXT("freeze", x.reason, y.reason);
    }
    SAME("freezes", view_next_freeze(b, &other, &y), false);
}

static void compare_services(const struct core *a, const struct core *b)
{
    size_t at = 0, other = 0;
    struct service_view x = {0}, y = {0};
    while (view_next_service(a, &at, &x)) {
        SAME("services", view_next_service(b, &other, &y), true);
        SAME_TEXT("service", x.service, y.service);
        SAME_TEXT("service", x.live, y.live);
        SAME("service", x.complete, y.complete);
        SAME("service", x.release, y.release);
        SAME("service", x.incident, y.incident);
        SAME("service", x.rollback, y.rollback);
    }
}

void check_same(const struct core *a, const struct core *b)
{
    struct core_counts x = {0}, y = {0};
    SAME("core", core_sequence(a), core_sequence(b));
    SAME("core", core_epoch(a), core_epoch(b));
    compare_services(a, b);
    compare_releases(a, b);
    compare_incidents(a, b);
    compare_freezes(a, b);
    view_counts(a, &x);
    view_counts(b, &y);
    SAME("counts", x.policies, y.policies);
    SAME("counts", x.notices_pending, y.notices_pending);
    SAME("counts", x.incidents_open, y.incidents_open);
    SAME("counts", x.stopped, y.stopped);
}
