/* /v1/gate: may this be deployed?  Asked by GET; announced or let through, and
 * recorded, by POST. */
#include "controller/api/api_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/api/encode.h"
#include "policies/explain/json_make.h"

static json_t *encode_gate(const char *word, const struct gate_view *gate)
{
    json_t *json = json_object();

    json_put(json, "gate", json_string(word));
    json_put(json, "freeze", encode_id(gate->freeze));
    json_put(json, "release", encode_id(gate->release));
    json_put(json, "until", encode_moment(gate->until));
    return json;
}

/* Not go: 423 for a reason, 404 or 503 for not knowing. */
static void answer_closed(struct exchange *exchange,
                          const struct gate_view *gate)
{
    bool refused = gate->gate == GATE_REFUSED;
    bool nobody = strncmp(gate->code, "unknown_", 8) == 0;
    struct refusal refusal;

    (void)refuse(&refusal,
                 refused  ? 423
                 : nobody ? 404
                          : 503,
                 gate->code, NULL, "%s", gate->text);
    exchange_refuse(exchange, &refusal,
                    encode_gate(refused ? "refused" : "unknown", gate));
}

static void answer_go(struct exchange *exchange, const char *code,
                      const char *text)
{
    struct gate_view nothing;
    json_t *json = NULL;

    memset(&nothing, 0, sizeof(nothing));
    json = encode_gate("go", &nothing);
    json_put(json, "code", encode_text(code));
    json_put(json, "text", encode_text(text));
    exchange_answer_json(exchange, 200, json, NULL);
}

/* False when it was answered: the gate is not open. */
static bool gate_is_open(struct api *api, struct exchange *exchange,
                         const struct about *about, struct gate_view *ret_gate)
{
    const char *why = NULL;

    memset(ret_gate, 0, sizeof(*ret_gate));
    if (!driver_is_ready(api->driver, &why)) {
        /* Going forward needs a record: without a store nothing is known. */
        ret_gate->gate = GATE_UNKNOWN;
        (void)snprintf(ret_gate->code, sizeof(ret_gate->code), "not_ready");
        (void)snprintf(ret_gate->text, sizeof(ret_gate->text),
                       "lastgood cannot say now: %s", why);
    } else {
        view_gate(driver_core(api->driver), about->service, about->environment,
                  about->version, driver_now(api->driver), ret_gate);
    }
    if (ret_gate->gate != GATE_GO) {
        answer_closed(exchange, ret_gate);
        return false;
    }
    return true;
}

void gate_ask(struct api *api, struct exchange *exchange,
              const struct target *target)
{
    struct about about;
    struct gate_view gate;

    if (read_about(exchange, target, true, &about) &&
        gate_is_open(api, exchange, &about, &gate)) {
        answer_go(exchange, gate.code, gate.text);
    }
}

/* --- Announce and override ------------------------------------------------ */

static const struct member gate_members[] = {
    {"service", MEMBER_NAME, true},   {"environment", MEMBER_NAME, true},
    {"version", MEMBER_NAME, true},   {"intent", MEMBER_FLAG, false},
    {"override", MEMBER_FLAG, false}, {"reason", MEMBER_REASON, false},
    {NULL, MEMBER_NAME, false},
};

static void on_ordered(struct api *api, struct exchange *exchange,
                       const struct effect *effect)
{
    if (effect->answer.outcome != OUTCOME_DONE &&
        effect->answer.outcome != OUTCOME_ALREADY) {
        answer_order(api, exchange, effect, 200, NULL);
        return;
    }
    answer_go(exchange, effect->answer.code, effect->answer.text);
}

static bool gate_order_is_clear(struct exchange *exchange, const json_t *body)
{
    bool intent = json_is_true(json_object_get(body, "intent"));
    bool override = json_is_true(json_object_get(body, "override"));

    if (intent == override) {
        answer_refusal(exchange, 400, "bad_value", "intent",
                       "say one of intent and override; a question without "
                       "either is a GET");
        return false;
    }
    if (override && body_text(body, "reason") == NULL) {
        answer_refusal(exchange, 400, "missing_member", "reason",
                       "an override needs a reason: it is recorded and paged");
        return false;
    }
    return true;
}

static void order_gate(struct api *api, struct exchange *exchange,
                       const json_t *body)
{
    struct input input = {.kind = INPUT_COMMAND};
    struct about about = {
        .service = body_text(body, "service"),
        .environment = body_text(body, "environment"),
        .version = body_text(body, "version"),
    };
    bool override = json_is_true(json_object_get(body, "override"));
    struct gate_view gate;

    if (!gate_order_is_clear(exchange, body) ||
        !read_principal(exchange, &input.by)) {
        return;
    }
    /* Nobody announces a deploy that may not come. */
    if (!override && !gate_is_open(api, exchange, &about, &gate)) {
        return;
    }
    input.command.kind = override ? COMMAND_OVERRIDE : COMMAND_ANNOUNCE;
    input.command.service = about.service;
    input.command.environment = about.environment;
    input.command.version = about.version;
    input.command.reason = body_text(body, "reason");
    waiting_order(api, exchange, &input, on_ordered);
}

void gate_order(struct api *api, struct exchange *exchange,
                const struct target *target)
{
    json_t *body = read_order(exchange, gate_members);

    (void)target;
    if (body != NULL) {
        order_gate(api, exchange, body);
        json_decref(body);
    }
}
