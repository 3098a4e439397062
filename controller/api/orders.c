/* What people order: hold, resume, rollback, approve, cancel, mute, adopt,
 * freeze, thaw, close. */
#include "controller/api/api_parts.h"

#include <stdio.h>

#include "controller/api/encode.h"
#include "policies/explain/json_make.h"

#define FREEZE_DEFAULT_MS (24 * HOUR_MS)

/* --- The answer ----------------------------------------------------------- */

static const char *outcome_name(enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_DONE:
        return "done";
    case OUTCOME_ALREADY:
        return "already";
    case OUTCOME_UNWATCHED:
        return "unwatched";
    case OUTCOME_INVALID:
        return "invalid";
    case OUTCOME_NOT_FOUND:
        return "not_found";
    case OUTCOME_CONFLICT:
        return "conflict";
    case OUTCOME_REFUSED:
        return "refused";
    case OUTCOME_FULL:
        break;
    }
    return "full";
}

/* HTTP's word for an outcome; @done is what success is spelled as. */
static int outcome_status(enum outcome outcome, int done)
{
    switch (outcome) {
    case OUTCOME_DONE:
    case OUTCOME_UNWATCHED:
        return done;
    case OUTCOME_ALREADY:
        return 200;
    case OUTCOME_INVALID:
        return 400;
    case OUTCOME_NOT_FOUND:
        return 404;
    case OUTCOME_CONFLICT:
        return 409;
    case OUTCOME_REFUSED:
        return 422;
    case OUTCOME_FULL:
        break;
    }
    return 503;
}

static void put_ids(json_t *json, const struct effect *effect)
{
    json_put(json, "release", encode_id(effect->answer.release));
    json_put(json, "incident", encode_id(effect->answer.incident));
    json_put(json, "rollback", encode_id(effect->answer.rollback));
    json_put(json, "freeze", encode_id(effect->answer.freeze));
}

void answer_order(struct api *api, struct exchange *exchange,
                  const struct effect *effect, int status, json_t *more)
{
    enum outcome outcome = effect->answer.outcome;
    struct refusal refusal;
    json_t *json = json_object();

    (void)api;
    status = outcome_status(outcome, status);
    put_ids(json, effect);
    if (status >= 300) {
        json_decref(more);
        (void)refuse(&refusal, status, effect->answer.code, NULL, "%s",
                     effect->answer.text);
        refusal.retry_after = status == 503 ? 60 : 0;
        exchange_refuse(exchange, &refusal, json);
        return;
    }
    json_put(json, "outcome", json_string(outcome_name(outcome)));
    json_put(json, "code", encode_text(effect->answer.code));
    json_put(json, "text", encode_text(effect->answer.text));
    if (more != NULL) {
        (void)json_object_update(json, more);
        json_decref(more);
    }
    exchange_answer_json(exchange, status, json, NULL);
}

static void on_done(struct api *api, struct exchange *exchange,
                    const struct effect *effect)
{
    answer_order(api, exchange, effect, 200, NULL);
}

static void on_made(struct api *api, struct exchange *exchange,
                    const struct effect *effect)
{
    answer_order(api, exchange, effect, 201, NULL);
}

/* "frozen until ...": people want to know when it ends. */
static void on_frozen(struct api *api, struct exchange *exchange,
                      const struct effect *effect)
{
    const struct core *core = driver_core(api->driver);
    struct freeze_view freeze;
    char text[256], until[MOMENT_TEXT_MAX];
    size_t cursor = 0;
    json_t *more = NULL;

    while (more == NULL && view_next_freeze(core, &cursor, &freeze)) {
        if (freeze.id == effect->answer.freeze) {
            (void)snprintf(
                text, sizeof(text), "frozen until %s",
                moment_print(freeze.until / SECOND_MS * SECOND_MS, until));
            more = json_pack("{s:s}", "text", text);
        }
    }
    answer_order(api, exchange, effect, 201, more);
}

static void on_begun(struct api *api, struct exchange *exchange,
                     const struct effect *effect)
{
    answer_order(api, exchange, effect, 202, NULL);
}

/* --- On a release, a rollback or an incident ------------------------------ */

static const struct member reason_members[] = {
    {"reason", MEMBER_REASON, true},
    {NULL, MEMBER_NAME, false},
};

/* A yes needs no reason: what is approved says why. */
static const struct member yes_members[] = {
    {"reason", MEMBER_REASON, false},
    {NULL, MEMBER_NAME, false},
};

static const struct member mute_members[] = {
    {"reason", MEMBER_REASON, true},
    {"for", MEMBER_SPAN, false},
    {NULL, MEMBER_NAME, false},
};

static const struct member *members_of(enum command_kind kind)
{
    return kind == COMMAND_APPROVE ? yes_members
           : kind == COMMAND_MUTE  ? mute_members
                                   : reason_members;
}

static uint64_t *about(struct command *command)
{
    return command->kind == COMMAND_CLOSE ? &command->incident
           : command->kind == COMMAND_APPROVE || command->kind == COMMAND_CANCEL
               ? &command->rollback
               : &command->release;
}

static void order_on_id(struct api *api, struct exchange *exchange,
                        const struct target *target, enum command_kind kind,
                        order_done *done)
{
    struct input input = {.kind = INPUT_COMMAND, .command = {.kind = kind}};
    uint64_t id = read_id(exchange, target, 2);
    json_t *body = NULL;

    if (id == 0 || !read_principal(exchange, &input.by)) {
        return;
    }
    body = read_order(exchange, members_of(kind));
    if (body == NULL) {
        return;
    }
    *about(&input.command) = id;
    input.command.reason = body_text(body, "reason");
    input.command.span = body_span(body, "for");
    waiting_order(api, exchange, &input, done);
    json_decref(body);
}

void releases_hold(struct api *api, struct exchange *exchange,
                   const struct target *target)
{
    order_on_id(api, exchange, target, COMMAND_HOLD, on_done);
}

void releases_resume(struct api *api, struct exchange *exchange,
                     const struct target *target)
{
    order_on_id(api, exchange, target, COMMAND_RESUME, on_done);
}

void releases_rollback(struct api *api, struct exchange *exchange,
                       const struct target *target)
{
    order_on_id(api, exchange, target, COMMAND_ROLLBACK, on_begun);
}

void releases_mute(struct api *api, struct exchange *exchange,
                   const struct target *target)
{
    order_on_id(api, exchange, target, COMMAND_MUTE, on_done);
}

void rollbacks_approve(struct api *api, struct exchange *exchange,
                       const struct target *target)
{
    order_on_id(api, exchange, target, COMMAND_APPROVE, on_begun);
}

void rollbacks_cancel(struct api *api, struct exchange *exchange,
                      const struct target *target)
{
    order_on_id(api, exchange, target, COMMAND_CANCEL, on_done);
}

void incidents_close(struct api *api, struct exchange *exchange,
                     const struct target *target)
{
    order_on_id(api, exchange, target, COMMAND_CLOSE, on_done);
}

/* --- On a service --------------------------------------------------------- */

static void order_on_service(struct api *api, struct exchange *exchange,
                             const struct member *members,
                             enum command_kind kind, order_done *done)
{
    struct input input = {.kind = INPUT_COMMAND, .command = {.kind = kind}};
    json_t *body = NULL;

    if (!read_principal(exchange, &input.by)) {
        return;
    }
    body = read_order(exchange, members);
    if (body == NULL) {
        return;
    }
    input.command.service = body_text(body, "service");
    input.command.environment = body_text(body, "environment");
    input.command.version = body_text(body, "version");
    input.command.reason = body_text(body, "reason");
    input.command.span = body_span(body, "for");
    if (kind == COMMAND_FREEZE && body_text(body, "for") == NULL) {
        input.command.span = FREEZE_DEFAULT_MS;
    }
    waiting_order(api, exchange, &input, done);
    json_decref(body);
}

void adoptions_order(struct api *api, struct exchange *exchange,
                     const struct target *target)
{
    static const struct member members[] = {
        {"service", MEMBER_NAME, true}, {"environment", MEMBER_NAME, true},
        {"version", MEMBER_NAME, true}, {"reason", MEMBER_REASON, true},
        {NULL, MEMBER_NAME, false},
    };

    (void)target;
    order_on_service(api, exchange, members, COMMAND_ADOPT, on_made);
}

void freezes_order(struct api *api, struct exchange *exchange,
                   const struct target *target)
{
    static const struct member members[] = {
        {"service", MEMBER_NAME, true}, {"environment", MEMBER_NAME, true},
        {"for", MEMBER_SPAN, false},    {"reason", MEMBER_REASON, true},
        {NULL, MEMBER_NAME, false},
    };

    (void)target;
    order_on_service(api, exchange, members, COMMAND_FREEZE, on_frozen);
}

void thaw_order(struct api *api, struct exchange *exchange,
                const struct target *target)
{
    static const struct member members[] = {
        {"service", MEMBER_NAME, true},
        {"environment", MEMBER_NAME, true},
        {"reason", MEMBER_REASON, true},
        {NULL, MEMBER_NAME, false},
    };

    (void)target;
    order_on_service(api, exchange, members, COMMAND_THAW, on_done);
}
