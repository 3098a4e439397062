/* May this be deployed? */
#include "controller/core/view.h"

#include "controller/core/describe.h"
#include "controller/core/forget.h"
#include "controller/core/inside.h"
#include "controller/core/ledger.h"

struct gate_question {
    const struct core *core;
    const struct service *service;
    const char *version;
    struct gate_view *view;
};

static bool is_frozen(const struct gate_question *asked, const char *service,
                      const char *environment, time_ms now)
{
    const struct freeze *freeze =
        freeze_of(asked->core, service, environment, now);
    if (!freeze) {
        return false;
    }
    char until[MOMENT_TEXT_MAX];
    asked->view->freeze = freeze->id;
    asked->view->until = freeze->until;
    text_join(asked->view->text, sizeof asked->view->text, service, " in ",
              environment, " is frozen until ",
              describe_moment(freeze->until, until), " by ",
              freeze->by[0] ? freeze->by : "lastgood",
              freeze->reason[0] ? ": " : "", freeze->reason,
              "; 'lastgood thaw' ends it", NULL);
    return true;
}

static bool is_tainted(const struct gate_question *asked)
{
    if (!asked->version ||
        !ledger_is_tainted(asked->core, asked->service, asked->version)) {
        return false;
    }
    const struct release *release =
        ledger_version(asked->core, asked->service, asked->version);
    asked->view->release = release ? release->id : 0;
    text_join(asked->view->text, sizeof asked->view->text, asked->version,
              " was rolled back and must not come back; deploy a fixed version",
              NULL);
    return true;
}

static bool is_troubled(const struct gate_question *asked, const char *code,
                        const struct release *live)
{
    const struct gate_question *q = asked;
    bool held = live->state == RELEASE_HELD && !live->undetermined;
    bool suspect =
        live->state == RELEASE_SUSPECT || live->state == RELEASE_REVERTING;
    if (!(text_equal(code, "held") ? held : suspect)) {
        return false;
    }
    q->view->release = live->id;
    text_join(q->view->text, sizeof q->view->text, live->version,
              held ? " is held" : " is suspected and may be rolled back",
              live->verdict_text[0] ? ": " : "", live->verdict_text,
              held ? "; 'lastgood resume' opens the gate"
                   : "; wait, or --override with a reason",
              NULL);
    return true;
}

static bool is_full(const struct gate_question *asked)
{
    text_join(asked->view->text, sizeof asked->view->text,
              "there is no room to watch another release: raise limits:", NULL);
    return !forget_has_room(asked->core, asked->service, 1);
}

static const char *refusal_of(const struct gate_question *asked)
{
    const struct release *live =
        asked->service ? ledger_live(asked->core, asked->service) : NULL;
    if (asked->service && is_tainted(asked)) {
        return "tainted";
    }
    if (live && is_troubled(asked, "held", live)) {
        return "held";
    }
    if (live && is_troubled(asked, "suspect", live)) {
        return "suspect";
    }
    return is_full(asked) ? "full" : NULL;
}

void view_gate(const struct core *core, const char *service,
               const char *environment, const char *version, time_ms now,
               struct gate_view *ret_view)
{
    *ret_view = (struct gate_view){.gate = GATE_REFUSED};
    struct gate_question asked = {
        core, service_find(core, service, environment), version, ret_view};
    if (is_frozen(&asked, service, environment, now)) {
        text_copy(ret_view->code, sizeof ret_view->code, "frozen");
        return;
    }
    if (service_option_of(core, service, environment) == NONE_INDEX) {
        ret_view->gate = GATE_UNKNOWN;
        text_copy(ret_view->code, sizeof ret_view->code, "unknown_service");
        text_join(ret_view->text, sizeof ret_view->text,
                  "no entry of services: matches ", service, " in ",
                  environment, NULL);
        return;
    }
    const char *refused = refusal_of(&asked);
    ret_view->gate = refused ? GATE_REFUSED : GATE_GO;
    text_copy(ret_view->code, sizeof ret_view->code, refused ? refused : "go");
    if (!refused) {
        text_join(ret_view->text, sizeof ret_view->text, service, " in ",
                  environment, " may be deployed", NULL);
    }
}
