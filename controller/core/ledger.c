#include "controller/core/ledger.h"

#include <assert.h>
#include <string.h>

#include "controller/core/inside.h"

struct release *ledger_at(const struct core *core,
                          const struct service *service, uint32_t position)
{
    assert(position < service->releases_count);
    struct release *release =
        pool_item(&core->releases, service->releases[position]);
    assert(release->id != 0);
    return release;
}

bool ledger_is_older(const struct release *a, const struct release *b)
{
    return a->deployed_at != b->deployed_at ? a->deployed_at < b->deployed_at
                                            : a->id < b->id;
}

struct release *ledger_live(const struct core *core,
                            const struct service *service)
{
    const struct rollback *back = rollback_find(core, service->put_live);
    if (back && text_equal(back->target, service->live)) {
        return release_find(core, back->target_release);
    }
    for (uint32_t i = service->releases_count; i > 0; i--) {
        struct release *release = ledger_at(core, service, i - 1);
        if (release_is_active(release) &&
            text_equal(release->version, service->live)) {
            return release;
        }
    }
    return NULL;
}

struct release *ledger_version(const struct core *core,
                               const struct service *service,
                               const char *version)
{
    struct release *newest = NULL;
    for (uint32_t i = service->releases_count; i > 0; i--) {
        struct release *release = ledger_at(core, service, i - 1);
        if (!text_equal(release->version, version)) {
            continue;
        }
        if (release_is_active(release)) {
            return release;
        }
        newest = newest ? newest : release;
    }
    return newest;
}

bool ledger_is_tainted(const struct core *core, const struct service *service,
                       const char *version)
{
    uint64_t tainted = 0, adopted = 0;
    for (uint32_t i = 0; i < service->releases_count; i++) {
        const struct release *release = ledger_at(core, service, i);
        if (!text_equal(release->version, version)) {
            continue;
        }
        if (release->grade == GRADE_TAINTED && release->id > tainted) {
            tainted = release->id;
        }
        if (release->origin == ORIGIN_ADOPTED && release->id > adopted) {
            adopted = release->id;
        }
    }
    return tainted > adopted;
}

struct release *ledger_last_good(const struct core *core,
                                 const struct release *suspect)
{
    const struct service *service = service_at(core, suspect->service);
    for (uint32_t i = service->releases_count; i > 0; i--) {
        struct release *release = ledger_at(core, service, i - 1);
        if ((release->grade == GRADE_GOOD ||
             release->grade == GRADE_PROVISIONAL) &&
            ledger_is_older(release, suspect) &&
            !text_equal(release->version, suspect->version) &&
            !ledger_is_tainted(core, service, release->version)) {
            return release;
        }
    }
    return NULL;
}

static enum answer answer_of_data_change(const char *data_change)
{
    if (text_equal(data_change, "none") || text_equal(data_change, "expand")) {
        return ANSWER_YES;
    }
    return data_change[0] ? ANSWER_NO : ANSWER_UNKNOWN;
}

/* May @target run on the data as @release left it? */
static enum answer is_safe(const struct core *core,
                           const struct service *service,
                           const struct release *release,
                           const struct release *target)
{
    if (text_equal(release->compatible_from, release->version)) {
        return ANSWER_NO;
    }
    const struct release *from =
        release->compatible_from[0]
            ? ledger_version(core, service, release->compatible_from)
            : NULL;
    if (!from) {
        return answer_of_data_change(release->data_change);
    }
    bool same = text_equal(from->version, target->version);
    return same || !ledger_is_older(target, from) ? ANSWER_YES : ANSWER_NO;
}

/* Seen live before or after its registration told us what it is: the
 * registration speaks for it.  And going back to a version undoes nothing. */
static bool says_nothing(const struct release *release,
                         const struct release *suspect,
                         const struct release *target)
{
    return text_equal(release->version, target->version) ||
           (release != suspect && release->origin == ORIGIN_DISCOVERED &&
            text_equal(release->version, suspect->version));
}

enum answer ledger_rollback_safe(const struct core *core,
                                 const struct release *suspect,
                                 const struct release *target)
{
    const struct service *service = service_at(core, suspect->service);
    enum answer all = target ? ANSWER_YES : ANSWER_UNKNOWN;
    for (uint32_t i = 0; target && i < service->releases_count; i++) {
        const struct release *release = ledger_at(core, service, i);
        bool between = ledger_is_older(target, release) &&
                       !ledger_is_older(suspect, release);
        if (!between || says_nothing(release, suspect, target)) {
            continue;
        }
        enum answer one = is_safe(core, service, release, target);
        if (one == ANSWER_NO) {
            return ANSWER_NO;
        }
        all = one == ANSWER_UNKNOWN ? ANSWER_UNKNOWN : all;
    }
    return all;
}

void ledger_insert(struct core *core, struct service *service,
                   const struct release *release)
{
    assert(service->releases_count < LEDGER_MAX);
    uint32_t place = service->releases_count;
    while (place > 0 &&
           ledger_is_older(release, ledger_at(core, service, place - 1))) {
        service->releases[place] = service->releases[place - 1];
        place--;
    }
    service->releases[place] = pool_slot(&core->releases, release);
    service->releases_count++;
}

void ledger_remove(const struct core *core, struct service *service,
                   const struct release *release)
{
    uint32_t slot = pool_slot(&core->releases, release), place = 0;
    while (place < service->releases_count &&
           service->releases[place] != slot) {
        place++;
    }
    assert(place < service->releases_count);
    memmove(&service->releases[place], &service->releases[place + 1],
            (service->releases_count - place - 1) *
                sizeof service->releases[0]);
    service->releases_count--;
}
