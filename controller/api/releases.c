/* /v1/releases: register one, list them, look at one, order on one. */
#include "controller/api/api_parts.h"

#include <string.h>

#include "controller/api/encode.h"

#define LIST_DEFAULT 100
#define LIST_MAX     1000

/* --- Register ------------------------------------------------------------- */

static const struct member register_members[] = {
    {"service", MEMBER_NAME, true},
    {"environment", MEMBER_NAME, true},
    {"version", MEMBER_NAME, true},
    {"deployed_at", MEMBER_MOMENT, false},
    {"previous", MEMBER_NAME, false},
    {"kind", MEMBER_NAME, false},
    {"data_change", MEMBER_CHANGE, false},
    {"rollback_compatible_from", MEMBER_NAME, false},
    {"labels", MEMBER_LABELS, false},
    {"key", MEMBER_KEY, false},
    {NULL, MEMBER_NAME, false},
};

/* The key may come in the body or in the header, not two of them. */
static bool find_key(struct exchange *exchange, const json_t *body,
                     const char **ret_key)
{
    static const struct member header = {"Idempotency-Key", MEMBER_KEY, false};
    const char *sent = exchange_header(exchange, "Idempotency-Key");
    const char *key = body_text(body, "key");
    struct refusal refusal;

    if (sent != NULL && !body_check_text(sent, &header, &refusal)) {
        exchange_refuse(exchange, &refusal, NULL);
        return false;
    }
    if (sent != NULL && key != NULL && strcmp(sent, key) != 0) {
        answer_refusal(exchange, 400, "bad_value", "key",
                       "key and the header Idempotency-Key are not the same");
        return false;
    }
    *ret_key = key != NULL ? key : sent;
    return true;
}

/* A newer one was live already: nobody ever looked at it. */
static bool came_too_late(const struct release_view *release)
{
    return release->state == RELEASE_SUPERSEDED && release->looks == 0;
}

/* Of one that was recorded now the answer says it, whatever happened since: an
 * exit code is no matter of luck.  What our own rollback put live is looked
 * after, also when it was adopted and no policy judges it. */
static bool is_watched(const struct core *core, const struct effect *effect)
{
    struct release_view release;

    if (effect->answer.outcome != OUTCOME_ALREADY) {
        return effect->answer.outcome == OUTCOME_DONE;
    }
    return strcmp(effect->answer.code, "echo") == 0 ||
           (view_release(core, effect->answer.release, &release) &&
            release.policy[0] != '\0' && !came_too_late(&release));
}

static void on_registered(struct api *api, struct exchange *exchange,
                          const struct effect *effect)
{
    bool watched = is_watched(driver_core(api->driver), effect);

    answer_order(api, exchange, effect, 201,
                 json_pack("{s:b}", "watched", watched));
}

static void order_registration(struct api *api, struct exchange *exchange,
                               json_t *body)
{
    struct label labels[LABELS_MAX];
    char digest[RECORD_DIGEST_MAX];
    struct input input = {.kind = INPUT_REGISTER};
    struct registration *registration = &input.registration;

    if (!read_principal(exchange, &input.by) ||
        !find_key(exchange, body, &registration->key)) {
        return;
    }
    body_digest(body, "key", digest);
    registration->service = body_text(body, "service");
    registration->environment = body_text(body, "environment");
    registration->version = body_text(body, "version");
    registration->deployed_at = body_moment(body, "deployed_at");
    registration->previous = body_text(body, "previous");
    registration->kind = body_text(body, "kind");
    registration->data_change = body_text(body, "data_change");
    registration->compatible_from = body_text(body, "rollback_compatible_from");
    registration->labels = labels;
    registration->labels_count = body_labels(body, labels);
    registration->key_digest = digest;
    waiting_order(api, exchange, &input, on_registered);
}

void releases_register(struct api *api, struct exchange *exchange,
                       const struct target *target)
{
    json_t *body = read_order(exchange, register_members);

    (void)target;
    if (body != NULL) {
        order_registration(api, exchange, body);
        json_decref(body);
    }
}

/* --- List and one --------------------------------------------------------- */

struct filter {
    struct about about;
    const char *state;
    bool live_only;
};

static bool wanted(const struct core *core, const struct filter *filter,
                   const struct release_view *release)
{
    const struct about *about = &filter->about;
    struct service_view service;

    if (!view_service(core, release->service, &service)) {
        return false;
    }
    return (about->service == NULL ||
            strcmp(about->service, service.service) == 0) &&
           (about->environment == NULL ||
            strcmp(about->environment, service.environment) == 0) &&
           (about->version == NULL ||
            strcmp(about->version, release->version) == 0) &&
           (filter->state == NULL ||
            strcmp(filter->state, release_state_name(release->state)) == 0) &&
           (!filter->live_only || service.release == release->id);
}

static bool read_filter(struct exchange *exchange, const struct target *target,
                        struct filter *filter)
{
    const char *live = target_parameter(target, "live");
    bool known = false;

    filter->state = target_parameter(target, "state");
    filter->live_only = live != NULL && strcmp(live, "true") == 0;
    for (int i = 0; filter->state != NULL && i <= RELEASE_UNWATCHED; i++) {
        known = known || strcmp(filter->state,
                                release_state_name((enum release_state)i)) == 0;
    }
    if (filter->state != NULL && !known) {
        answer_refusal(exchange, 400, "bad_value", "state",
                       "state is candidate, canary, watching, good, suspect, "
                       "reverting, reverted, held, superseded or unwatched");
        return false;
    }
    if (live != NULL && !filter->live_only && strcmp(live, "false") != 0) {
        answer_refusal(exchange, 400, "bad_value", "live",
                       "live is true or false");
        return false;
    }
    return read_about(exchange, target, false, &filter->about);
}

void releases_list(struct api *api, struct exchange *exchange,
                   const struct target *target)
{
    const struct core *core = driver_core(api->driver);
    size_t limit = read_limit(exchange, target, LIST_DEFAULT, LIST_MAX);
    struct filter filter;
    struct release_view release;
    json_t *list = NULL;
    size_t cursor = 0;

    if (limit == 0 || !read_filter(exchange, target, &filter)) {
        return;
    }
    list = json_array();
    while (json_array_size(list) < limit &&
           view_next_release(core, &cursor, &release)) {
        if (wanted(core, &filter, &release)) {
            (void)json_array_append_new(list, encode_release(core, &release));
        }
    }
    exchange_answer_json(exchange, 200, json_pack("{s:o}", "releases", list),
                         NULL);
}

void answer_no_release(struct exchange *exchange, uint64_t id)
{
    answer_refusal(exchange, 404, "no_such_release", NULL,
                   "there is no release %llu; 'lastgood status' (or "
                   "/v1/releases) shows what there is",
                   (unsigned long long)id);
}

void releases_one(struct api *api, struct exchange *exchange,
                  const struct target *target)
{
    const struct core *core = driver_core(api->driver);
    uint64_t id = read_id(exchange, target, 2);
    struct release_view release;

    if (id == 0) {
        return;
    }
    if (!view_release(core, id, &release)) {
        answer_no_release(exchange, id);
        return;
    }
    exchange_answer_json(exchange, 200, encode_release_whole(core, &release),
                         NULL);
}
