#include "controller/core/release.h"

#include <assert.h>
#include <string.h>

#include "controller/core/forget.h"
#include "controller/core/inside.h"
#include "controller/core/keys.h"
#include "controller/core/ledger.h"
#include "controller/core/observe.h"

#define CAN(state) (1u << RELEASE_##state)

/* What each state may change to.  Staying is always allowed: grades rise
 * within a state. */
static const uint32_t moves[] = {
    [RELEASE_CANDIDATE] = CAN(CANARY) | CAN(WATCHING) | CAN(HELD) |
                          CAN(REVERTING) | CAN(SUPERSEDED) | CAN(UNWATCHED),
    [RELEASE_CANARY] = CAN(WATCHING) | CAN(SUSPECT) | CAN(SUPERSEDED),
    [RELEASE_WATCHING] = CAN(GOOD) | CAN(SUSPECT) | CAN(REVERTING) | CAN(HELD) |
                         CAN(SUPERSEDED) | CAN(UNWATCHED),
    [RELEASE_GOOD] = CAN(REVERTING) | CAN(HELD) | CAN(SUPERSEDED),
    [RELEASE_SUSPECT] = CAN(WATCHING) | CAN(REVERTING) | CAN(HELD) |
                        CAN(SUPERSEDED) | CAN(UNWATCHED),
    [RELEASE_REVERTING] = CAN(REVERTED) | CAN(SUSPECT) | CAN(SUPERSEDED),
    [RELEASE_REVERTED] = 0,
    [RELEASE_HELD] = CAN(WATCHING) | CAN(GOOD) | CAN(SUSPECT) | CAN(REVERTING) |
                     CAN(SUPERSEDED) | CAN(UNWATCHED),
    [RELEASE_SUPERSEDED] =
        CAN(WATCHING) | CAN(GOOD) | CAN(UNWATCHED) | CAN(REVERTING),
    [RELEASE_UNWATCHED] =
        CAN(WATCHING) | CAN(REVERTING) | CAN(HELD) | CAN(SUPERSEDED),
};

struct release *release_find(const struct core *core, uint64_t id)
{
    return id ? pool_find(&core->releases, id) : NULL;
}

bool release_can(const struct release *release, enum release_state next)
{
    assert(release->state < sizeof moves / sizeof moves[0]);
    return release->state == next || (moves[release->state] >> next & 1u);
}

bool release_is_active(const struct release *release)
{
    return release->state != RELEASE_SUPERSEDED &&
           release->state != RELEASE_REVERTED;
}

bool release_is_judged(const struct release *release)
{
    return release->state == RELEASE_WATCHING ||
           release->state == RELEASE_SUSPECT ||
           (release->state == RELEASE_HELD && !release->undetermined);
}

void release_bind(struct core *core, struct release *release, uint16_t rule)
{
    uint16_t before = release->rule;
    release->rule = rule_take(core, rule);
    rule_leave(core, before);
    const struct policy *policy = rule_policy(core, rule);
    arena_text(&core->texts, &release->policy,
               policy ? policy_text(policy, policy->name) : "",
               NAME_MAX_BYTES + 1);
    text_copy(release->digest, sizeof release->digest,
              policy ? policy->digest : "");
}

void release_move(struct core *core, struct release *release,
                  enum release_state next)
{
    assert(release_can(release, next));
    bool was_active = release_is_active(release);
    release->state = next;
    if (was_active && !release_is_active(release)) {
        rule_leave(core, release->rule);
        release->rule = NONE_INDEX; /* its name and digest stay, for people */
    }
    if (!was_active && release_is_active(release)) {
        const struct service *service = service_at(core, release->service);
        release_bind(core, release,
                     rule_match(core, service->name, service->environment));
    }
    reconcile_soon(core, service_at(core, release->service));
}

static void fill_clock(const struct core *core, struct record *record,
                       const struct release *release)
{
    const struct watch *watch = &core->watches[release->service];
    bool watched =
        watch->on && !watch->rollback && watch->release == release->id;
    record->healthy = watched ? watch->healthy : release->healthy;
    record->looks = watched ? watch->looks : release->looks;
    record->known_looks = watched ? watch->known_looks : release->known_looks;
    record->requests = watched ? watch->requests : release->requests;
    record->grid = watched ? watch->judged : release->judged_at;
}

void release_tell_moved(struct core *core, const struct release *release,
                        enum release_state state, enum grade grade,
                        const char *code, const char *text)
{
    assert(release_can(release, state));
    struct record *record = core_record_about(
        core, RECORD_RELEASE_MOVED, service_at(core, release->service));
    record->release = release->id;
    record->incident = release->incident;
    text_copy(record->version, sizeof record->version, release->version);
    record->state = state;
    record->grade = grade;
    fill_clock(core, record, release);
    text_copy(record->code, sizeof record->code, code);
    text_copy(record->text, sizeof record->text, text);
    core_tell(core, record);
}

/* ---- records ----------------------------------------------------------- */

static void keep_name(struct core *core, const char **place, const char *text)
{
    arena_text(&core->texts, place, text, NAME_MAX_BYTES + 1);
}

static void keep_labels(struct core *core, struct release *release,
                        const struct record *record)
{
    size_t bytes = record->labels_count * sizeof(struct label);
    struct label *labels = arena_take(&core->texts, bytes);
    if (labels) {
        memcpy(labels, record->labels, bytes);
    }
    release->labels = labels;
    release->labels_count = record->labels_count;
}

static void keep_texts(struct core *core, struct release *release,
                       const struct record *record)
{
    keep_name(core, &release->previous, record->previous);
    keep_name(core, &release->kind, record->release_kind);
    keep_name(core, &release->compatible_from, record->compatible_from);
    keep_name(core, &release->policy, "");
    arena_text(&core->texts, &release->key, record->key, RECORD_KEY_MAX);
    arena_text(&core->texts, &release->key_digest, record->key_digest,
               RECORD_DIGEST_MAX);
    arena_text(&core->texts, &release->verdict_text, "", POLICY_TEXT_MAX);
    keep_name(core, &release->muted_by, "");
    arena_text(&core->texts, &release->muted_digest, "", RECORD_DIGEST_MAX);
    keep_labels(core, release, record);
}

void release_drop(struct core *core, struct release *release)
{
    static const struct record nothing;
    key_drop(core, release);
    arena_give(&core->texts, release->labels,
               release->labels_count * sizeof(struct label));
    arena_give(&core->texts, release->frozen,
               release->frozens * sizeof(struct value));
    release->frozen = NULL;
    keep_texts(core, release, &nothing);
}

static void fill_registered(struct release *release,
                            const struct record *record)
{
    release->origin = record->origin;
    release->deployed_at = record->deployed_at;
    release->registered_at = record->at;
    release->since = record->deployed_at;
    text_copy(release->version, sizeof release->version, record->version);
    text_copy(release->data_change, sizeof release->data_change,
              record->data_change);
    release->state = record->state;
    release->grade = record->grade;
}

/* What was announced has come; and what a rollback put live was deployed anew
 * by somebody: it is theirs now. */
static void supplant(struct core *core, struct service *service,
                     const struct release *release)
{
    const struct rollback *back = rollback_find(core, service->put_live);
    if (text_equal(service->announced, release->version)) {
        keep_name(core, &service->announced, "");
    }
    if (back && text_equal(back->target, release->version)) {
        service->put_live = 0;
    }
}

/* A "no" is about what is live: it holds for the same version by another
 * number. */
static void inherit_mute(struct core *core, const struct service *service,
                         struct release *release)
{
    const struct release *same =
        ledger_version(core, service, release->version);
    if (same && same->muted_until > release->registered_at) {
        release->muted_until = same->muted_until;
        release->muted_leaf = same->muted_leaf;
        keep_name(core, &release->muted_by, same->muted_by);
        arena_text(&core->texts, &release->muted_digest, same->muted_digest,
                   RECORD_DIGEST_MAX);
    }
}

void release_apply_registered(struct core *core, const struct record *record)
{
    struct service *service =
        service_take(core, record->service, record->environment);
    assert(service);
    forget_for_one(core, service);
    struct release *release = pool_add(&core->releases, record->sequence);
    assert(release);
    release->id = record->sequence;
    release->service = service->index;
    release->rule = NONE_INDEX;
    release->leaf = NONE_INDEX;
    fill_registered(release, record);
    keep_texts(core, release, record);
    key_keep(core, release);
    if (release_is_active(release)) {
        release_bind(core, release,
                     rule_match(core, service->name, service->environment));
    }
    inherit_mute(core, service, release);
    ledger_insert(core, service, release);
    if (release->origin != ORIGIN_DISCOVERED) {
        supplant(core, service, release);
    }
    if (ledger_live(core, service) == release && release->live_from == 0) {
        release->live_from = record->at;
    }
    reconcile_soon(core, service);
}

static void note_clock(struct release *release, const struct record *record)
{
    release->healthy = record->healthy;
    release->looks = record->looks;
    release->known_looks = record->known_looks;
    release->requests = record->requests;
    release->judged_at = record->grid;
}

/* A person gave it a second chance: count its looks anew. */
static void forgive(struct core *core, struct release *release)
{
    struct watch *watch = &core->watches[release->service];
    release->undetermined = false;
    release->looks = 0;
    release->known_looks = 0;
    if (watch->on && watch->release == release->id) {
        watch->looks = 0;
        watch->known_looks = 0;
    }
}

void release_apply_moved(struct core *core, const struct record *record)
{
    struct release *release = release_find(core, record->release);
    if (!release) {
        return; /* forgotten meanwhile */
    }
    note_clock(release, record);
    if (release->undetermined && record->state == RELEASE_WATCHING) {
        forgive(core, release);
    }
    release->undetermined = record->state == RELEASE_HELD &&
                            text_equal(record->code, "undetermined");
    if (release->state == RELEASE_SUPERSEDED &&
        text_equal(record->code, "put_live")) {
        release->since = record->at;
    }
    release->grade = record->grade;
    release_move(core, release, record->state);
}

void release_apply_progress(struct core *core, const struct record *record)
{
    struct release *release = release_find(core, record->release);
    if (release) {
        note_clock(release, record);
    }
}

bool release_has_fired(const struct release *release, uint64_t incident,
                       const struct policy *policy, uint16_t leaf)
{
    assert(leaf < POLICY_LEAVES_MAX);
    return release->fired_in == incident &&
           text_equal(release->verdict_digest, policy->digest) &&
           (release->fired >> leaf & 1u);
}

/* Call before the verdict's digest is known: leaves are of one policy. */
static void fire(struct release *release, const struct record *record)
{
    if (record->incident != release->fired_in ||
        !text_equal(record->digest, release->verdict_digest)) {
        release->fired = 0;
    }
    release->fired_in = record->incident;
    release->fired |= UINT64_C(1) << record->leaf;
}

static void blame(struct core *core, struct release *release,
                  const struct record *record)
{
    struct incident *incident = incident_find(core, record->incident);
    bool was = release->blamed && release->incident == record->incident;
    release->blamed = text_equal(record->code, "blamed");
    if (incident && incident->closed_at == 0 && release->blamed && !was) {
        incident_note_blame(incident, record->at);
    }
}

void release_apply_verdict(struct core *core, const struct record *record)
{
    struct release *release = release_find(core, record->release);
    if (!release) {
        return;
    }
    assert(record->steps <= POLICY_DEPTH_MAX);
    assert(record->leaf < POLICY_LEAVES_MAX);
    fire(release, record);
    blame(core, release, record);
    release->verdict = record->sequence;
    release->leaf = record->leaf;
    release->judged_at = record->grid;
    release->steps = record->steps;
    memcpy(release->path, record->path, sizeof release->path);
    text_copy(release->verdict_digest, sizeof release->verdict_digest,
              record->digest);
    text_copy(release->verdict_kind, sizeof release->verdict_kind,
              record->verdict_kind);
    arena_text(&core->texts, &release->verdict_text, record->text,
               POLICY_TEXT_MAX);
    if (record->incident) {
        release->incident = record->incident;
    }
}

static void keep_frozen(struct core *core, struct release *release,
                        const struct record *record)
{
    size_t bytes = record->frozens * sizeof(struct value);
    arena_give(&core->texts, release->frozen,
               release->frozens * sizeof(struct value));
    struct value *frozen = arena_take(&core->texts, bytes);
    if (frozen) {
        memcpy(frozen, record->frozen, bytes);
    }
    release->frozen = frozen;
    release->frozens = record->frozens;
}

void release_apply_baseline(struct core *core, const struct record *record)
{
    struct release *release = release_find(core, record->release);
    if (!release) {
        return;
    }
    assert(record->frozens <= POLICY_FROZEN_MAX);
    keep_frozen(core, release, record);
    text_copy(release->frozen_digest, sizeof release->frozen_digest,
              record->digest);
}

void release_apply_blind(struct core *core, const struct record *record)
{
    struct release *release = release_find(core, record->release);
    if (release) {
        release->blind = record->on;
    }
}

/* By a person or an older journal; a rollback taints with its intent. */
void release_apply_tainted(struct core *core, const struct record *record)
{
    struct release *release = release_find(core, record->release);
    if (release) {
        release->grade = record->on ? GRADE_TAINTED : GRADE_NONE;
    }
}
