#include "controller/core/guard.h"

#include <assert.h>

#include "controller/core/blame.h"
#include "controller/core/describe.h"
#include "controller/core/inside.h"
#include "controller/core/ledger.h"

static const char *const codes[REFUSAL_LAST] = {
    [REFUSAL_NONE] = "",
    [REFUSAL_NO_LAST_GOOD] = "no_last_good",
    [REFUSAL_NO_TARGET] = "no_target",
    [REFUSAL_IRREVERSIBLE] = "irreversible",
    [REFUSAL_NOT_LIVE] = "not_live",
    [REFUSAL_UNDER_WAY] = "under_way",
    [REFUSAL_PER_SERVICE] = "per_service",
    [REFUSAL_FLEET] = "fleet",
    [REFUSAL_SHARED_CAUSE] = "shared_cause",
    [REFUSAL_BLIND] = "blind",
    [REFUSAL_PUT_LIVE] = "put_live",
    [REFUSAL_ANNOUNCED] = "announced",
    [REFUSAL_STOP] = "stop",
    [REFUSAL_MODE] = "mode",
    [REFUSAL_TARGET_GONE] = "target_gone",
    [REFUSAL_TARGET_UNCLEAR] = "target_unclear",
    [REFUSAL_MUTED] = "muted",
    [REFUSAL_SHARED_BLAME] = "shared_blame",
};

const char *refusal_code(enum refusal refusal)
{
    assert(refusal < REFUSAL_LAST);
    return codes[refusal];
}

enum refusal refusal_of_code(const char *code)
{
    for (enum refusal i = REFUSAL_NONE; i < REFUSAL_LAST; i++) {
        if (text_equal(codes[i], code)) {
            return i;
        }
    }
    return REFUSAL_NONE;
}

/* `ceiling: countdown` gives no length: time to read the page and to say no. */
#define CEILING_COUNTDOWN_MS MINUTE_MS

static void lower(enum mode *mode, time_ms *countdown, enum mode other,
                  time_ms other_countdown)
{
    if (other < *mode) {
        *countdown = other == MODE_COUNTDOWN ? other_countdown : 0;
        *mode = other;
    } else if (other == MODE_COUNTDOWN && *mode == MODE_COUNTDOWN &&
               other_countdown > *countdown) {
        *countdown = other_countdown; /* two countdowns: the longer one */
    }
}

enum mode guard_mode(const struct core *core, const struct service *service,
                     const struct policy *policy, uint16_t leaf, bool unsure,
                     time_ms *ret_countdown)
{
    enum mode mode = policy->mode;
    time_ms countdown = policy->mode == MODE_COUNTDOWN ? policy->countdown : 0;
    if (leaf != NONE_INDEX && policy_leaf(policy, leaf)->has_mode) {
        lower(&mode, &countdown, policy_leaf(policy, leaf)->mode,
              policy_leaf(policy, leaf)->countdown);
    }
    if (unsure) {
        lower(&mode, &countdown, policy->unsure, policy->unsure_countdown);
    }
    lower(&mode, &countdown, service_ceiling(core, service),
          mode == MODE_AUTO ? CEILING_COUNTDOWN_MS : 0);
    *ret_countdown = countdown;
    return mode;
}

enum mode guard_mode_now(const struct core *core, const struct service *service,
                         time_ms *ret_countdown)
{
    const struct watch *watch = watch_of(core, service);
    assert(watch->on);
    return guard_mode(core, service, rule_policy(core, watch->rule),
                      watch->leaf, watch->unsure, ret_countdown);
}

uint32_t guard_spent(const struct core *core, const struct service *service,
                     time_ms window)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < core->rollbacks.count; i++) {
        const struct rollback *rollback = pool_at(&core->rollbacks, i);
        count += rollback->intended_at != 0 &&
                 rollback->intended_at > core->now - window &&
                 (!service || rollback->service == service->index);
    }
    return count;
}

/* ---- the interlocks, each with its sentence ---------------------------- */

struct concern {
    const struct core *core;
    const struct rollback *rollback;
    const struct service *service;
    const struct release *suspect, *target;
    bool watched;
    char *text;
};

#define SAY(asked, ...)                                                        \
    text_join((asked)->text, RECORD_TEXT_MAX, __VA_ARGS__, NULL)

static const char *target_version(const struct concern *asked)
{
    return asked->target ? asked->target->version : "its last good version";
}

static bool no_last_good(const struct concern *asked)
{
    SAY(asked, "no release of ", asked->service->name, " in ",
        asked->service->environment,
        " is known to be good; 'lastgood adopt' one, or roll forward");
    return !asked->target;
}

static bool no_target(const struct concern *asked)
{
    SAY(asked, "the configuration gives ", asked->service->name, " in ",
        asked->service->environment,
        " no target to deploy with; add it under services:");
    return service_target(asked->core, asked->service) == NONE_INDEX;
}

static bool irreversible(const struct concern *asked)
{
    SAY(asked, asked->suspect->version, " or a release before it changed data ",
        "so that ", target_version(asked), " cannot run on it: roll forward");
    return asked->target && ledger_rollback_safe(asked->core, asked->suspect,
                                                 asked->target) == ANSWER_NO;
}

static bool not_live(const struct concern *asked)
{
    const struct service *service = asked->service;
    if (service->observed_at == 0) {
        SAY(asked, "nobody has seen yet what is live in ", service->environment,
            ": ",
            service->observe_error[0] ? service->observe_error
                                      : "the target was not asked yet");
        return true;
    }
    SAY(asked, "live is ", service->live, ", not ", asked->suspect->version,
        ": someone was faster");
    return ledger_live(asked->core, service) != asked->suspect;
}

static bool under_way(const struct concern *asked)
{
    SAY(asked, "another rollback of ", asked->service->name, " is under way");
    return asked->service->rollback != 0;
}

static void say_budget(const struct concern *asked, const char *whose,
                       const struct budget *budget)
{
    char digits[DIGITS_MAX], span[DURATION_TEXT_MAX];
    SAY(asked, whose, " may be rolled back at most ",
        text_digits(budget->count, digits), " in ",
        duration_print(budget->window, span),
        ", and was; it is decided anew when that time is over");
}

static bool per_service(const struct concern *asked)
{
    const struct budget *budget = &asked->core->options.per_service;
    say_budget(asked, asked->service->name, budget);
    return budget->count > 0 && guard_spent(asked->core, asked->service,
                                            budget->window) >= budget->count;
}

static bool fleet(const struct concern *asked)
{
    const struct budget *budget = &asked->core->options.fleet;
    say_budget(asked, "the fleet", budget);
    return budget->count > 0 &&
           guard_spent(asked->core, NULL, budget->window) >= budget->count;
}

static uint32_t services_live(const struct core *core)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < core->services_count; i++) {
        count += core->services[i].live[0] != '\0';
    }
    return count;
}

static bool shared_cause(const struct concern *asked)
{
    const struct core_options *options = &asked->core->options;
    const struct incident *own =
        incident_find(asked->core, asked->rollback->incident);
    uint32_t breaching = incident_breaching(
        asked->core, own && own->blamed_at ? own->blamed_at : asked->core->now,
        options->shared_window);
    uint32_t live = services_live(asked->core);
    char digits[DIGITS_MAX], all[DIGITS_MAX];
    SAY(asked, text_digits(breaching, digits), " of ", text_digits(live, all),
        " services are in trouble at once: look for what they share");
    return options->shared_services > 0 &&
           breaching >= options->shared_services &&
           (double)breaching >= options->shared_share * (double)live;
}

static bool shared_blame(const struct concern *asked)
{
    const char *why = "";
    const struct release *other =
        blame_other(asked->core, asked->suspect, &why);
    char name[RELEASE_TEXT_MAX];
    SAY(asked, other ? describe_release(asked->core, other, name) : "", why,
        "; it is decided anew when that is over");
    return other != NULL;
}

static bool blind(const struct concern *asked)
{
    const struct watch *watch = watch_of(asked->core, asked->service);
    SAY(asked, "the first question is not known to be true now",
        watch->unknowns[0] ? "; unknown: " : "", watch->unknowns);
    return !watch->on || watch->root != ANSWER_YES;
}

/* The newest rollback of the service that was carried out or tried. */
static const struct rollback *newest_spent(const struct core *core,
                                           const struct service *service)
{
    for (uint32_t i = core->rollbacks.count; i > 0; i--) {
        const struct rollback *rollback = pool_at(&core->rollbacks, i - 1);
        if (rollback->service == service->index &&
            rollback_is_spent(rollback)) {
            return rollback;
        }
    }
    return NULL;
}

/* By version: it may have come late, or gone and come back since.  A release
 * that somebody registered or adopted after it is theirs. */
static bool put_live(const struct concern *asked)
{
    const struct release *suspect = asked->suspect;
    SAY(asked, suspect->version,
        " was itself put live by a rollback; only a person may go back "
        "from it");
    const struct rollback *back = newest_spent(asked->core, asked->service);
    bool is_theirs =
        back && suspect->id > back->id && suspect->origin != ORIGIN_DISCOVERED;
    return back && text_equal(back->target, suspect->version) && !is_theirs;
}

static bool announced(const struct concern *asked)
{
    const struct service *service = asked->service;
    SAY(asked, "a newer deploy was announced: ", service->announced);
    return service->announced[0] &&
           service->announced_until > asked->core->now &&
           !text_equal(service->announced, asked->suspect->version);
}

static bool stopped(const struct concern *asked)
{
    SAY(asked, "the STOP file stands: nothing is rolled back until it is "
               "removed");
    return asked->core->stopped;
}

static bool muted(const struct concern *asked)
{
    char at[MOMENT_TEXT_MAX];
    SAY(asked, asked->suspect->muted_by, " muted it until ",
        describe_moment(asked->suspect->muted_until, at));
    return consent_is_muted(asked->core, asked->suspect);
}

static bool mode(const struct concern *asked)
{
    SAY(asked, "would roll back ", asked->service->name, " in ",
        asked->service->environment, " from ", asked->suspect->version, " to ",
        target_version(asked), " (observe)");
    time_ms countdown = 0;
    /* Not a person's, so its leaf is the one that stands (decide.c). */
    return !asked->watched || guard_mode_now(asked->core, asked->service,
                                             &countdown) == MODE_OBSERVE;
}

/* Whom it stops, and whether people want to know of it before anything is
 * wrong. */
#define POLICIES 1u /* their rollbacks; a person overrules it */
#define PEOPLE   2u
#define STANDS   4u
#define ENDS     8u /* a countdown at once; the others are asked at its end */
static const struct {
    enum refusal refusal;
    bool (*holds)(const struct concern *asked);
    unsigned stops;
} interlocks[] = {
    {REFUSAL_NO_LAST_GOOD, no_last_good, POLICIES | PEOPLE | STANDS},
    {REFUSAL_NO_TARGET, no_target, POLICIES | PEOPLE | STANDS},
    {REFUSAL_IRREVERSIBLE, irreversible, POLICIES | PEOPLE | STANDS},
    {REFUSAL_NOT_LIVE, not_live, POLICIES | PEOPLE | STANDS},
    {REFUSAL_UNDER_WAY, under_way, POLICIES | PEOPLE},
    {REFUSAL_PER_SERVICE, per_service, POLICIES | PEOPLE | STANDS},
    {REFUSAL_FLEET, fleet, POLICIES | PEOPLE | STANDS},
    {REFUSAL_SHARED_CAUSE, shared_cause, POLICIES | STANDS},
    {REFUSAL_SHARED_BLAME, shared_blame, POLICIES},
    {REFUSAL_BLIND, blind, POLICIES},
    {REFUSAL_PUT_LIVE, put_live, POLICIES | STANDS},
    {REFUSAL_ANNOUNCED, announced, POLICIES | PEOPLE | STANDS},
    {REFUSAL_STOP, stopped, POLICIES | PEOPLE | STANDS | ENDS},
    {REFUSAL_MUTED, muted, POLICIES | STANDS | ENDS},
    {REFUSAL_MODE, mode, POLICIES | STANDS | ENDS},
};
#define INTERLOCKS (sizeof interlocks / sizeof interlocks[0])

static struct concern concern_of(const struct core *core,
                                 const struct rollback *rollback,
                                 const struct release *suspect)
{
    const struct service *service = service_at(core, suspect->service);
    return (struct concern){
        .core = core,
        .rollback = rollback,
        .service = service,
        .suspect = suspect,
        .target = ledger_last_good(core, suspect),
        .watched = watch_of(core, service)->on,
    };
}

enum refusal guard_refuses(const struct core *core,
                           const struct rollback *rollback,
                           char ret_text[RECORD_TEXT_MAX])
{
    const struct release *suspect = release_find(core, rollback->release);
    assert(suspect);
    struct concern asked = concern_of(core, rollback, suspect);
    asked.text = ret_text;
    unsigned who = rollback->manual                      ? PEOPLE
                   : consent_counts_down(core, rollback) ? ENDS
                                                         : POLICIES;
    for (size_t i = 0; i < INTERLOCKS; i++) {
        if ((interlocks[i].stops & who) && interlocks[i].holds(&asked)) {
            return interlocks[i].refusal;
        }
    }
    ret_text[0] = '\0';
    return REFUSAL_NONE;
}

size_t guard_brakes(const struct core *core, const struct release *release,
                    struct brake brakes[BRAKES_MAX])
{
    static_assert(INTERLOCKS <= BRAKES_MAX, "each may be on");
    const struct service *service = service_at(core, release->service);
    const struct rollback imagined = {.incident = service->incident,
                                      .release = release->id,
                                      .service = service->index};
    struct concern asked = concern_of(core, &imagined, release);
    size_t count = 0;
    for (size_t i = 0; i < INTERLOCKS; i++) {
        asked.text = brakes[count].text;
        bool asks = (interlocks[i].stops & STANDS) &&
                    (asked.watched || interlocks[i].refusal != REFUSAL_MODE);
        if (asks && interlocks[i].holds(&asked)) {
            if (interlocks[i].refusal == REFUSAL_MODE) {
                SAY(&asked, "the mode is observe: what a policy would do is "
                            "said, not done");
            }
            brakes[count++].code = refusal_code(interlocks[i].refusal);
        }
    }
    return count;
}
