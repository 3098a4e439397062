#include "policies/explain/explain_compared.h"

#include "policies/explain/json_make.h"
#include "policies/sequential.h"

#include <string.h>

#define WHOLE_TEXT_MAX 32

/* 80,112 */
static const char *whole_print(double number, char text[WHOLE_TEXT_MAX])
{
    char digits[WHOLE_TEXT_MAX];
    int length = snprintf(digits, sizeof(digits), "%.0f", number);
    size_t used = 0;

    for (int i = 0; i < length && used + 3 < WHOLE_TEXT_MAX; i++) {
        if (i > 0 && (length - i) % 3 == 0) {
            text[used++] = ',';
        }
        text[used++] = digits[i];
    }
    text[used] = '\0';
    return text;
}

#define SHARE_TEXT_MAX 96

/* "31 of 40" */
static const char *count_print(const struct compared *compared,
                               char text[SHARE_TEXT_MAX])
{
    char first[WHOLE_TEXT_MAX], second[WHOLE_TEXT_MAX];

    (void)snprintf(text, SHARE_TEXT_MAX, "%s of %s",
                   whole_print(compared->events[SIDE_CANARY], first),
                   whole_print(compared->of[SIDE_CANARY], second));
    return text;
}

/* "31 of 4,210 failed (0.74%)" */
static const char *share_print(const struct compared *compared, int side,
                               const char *failed, char text[SHARE_TEXT_MAX])
{
    static const struct unit ratio = {0, 0, 0};
    double events = compared->events[side], of = compared->of[side];
    char first[WHOLE_TEXT_MAX], second[WHOLE_TEXT_MAX];
    char share[QUANTITY_TEXT_MAX];

    (void)snprintf(text, SHARE_TEXT_MAX, "%s of %s%s%s%s%s",
                   whole_print(events, first), whole_print(of, second), failed,
                   of > 0 ? " (" : "",
                   of > 0 ? quantity_print(events / of, ratio, share) : "",
                   of > 0 ? ")" : "");
    return text;
}

#define EVIDENCE_SHOWN 1e6

static const char *times_print(double times, char text[WHOLE_TEXT_MAX])
{
    if (times < 10) {
        (void)snprintf(text, WHOLE_TEXT_MAX, "%.1f", times);
        return text;
    }
    return whole_print(times < EVIDENCE_SHOWN ? times : EVIDENCE_SHOWN, text);
}

static const struct compared *compared_of(const struct policy *policy,
                                          const struct verdict *verdict,
                                          uint16_t index)
{
    const struct node *node = policy_node(policy, index);
    const struct compared *compared = NULL;

    if (node->op != OP_WORSE && node->op != OP_WORSE_SHARE) {
        return NULL;
    }
    compared = &verdict->compared[node->trial];
    return compared->times > 0 ? compared : NULL;
}

/* "", or " than 110% of control" where that much is allowed. */
static const char *bar_print(const struct node *node, char text[SHARE_TEXT_MAX])
{
    static const struct unit ratio = {0, 0, 0};
    char factor[QUANTITY_TEXT_MAX];

    text[0] = '\0';
    if (node->factor > 1) {
        (void)snprintf(text, SHARE_TEXT_MAX, " than %s of control",
                       quantity_print(node->factor, ratio, factor));
    }
    return text;
}

/* "worse at 1% (evidence 214 : 1)" */
static const char *proof_print(const struct compared *compared, const char *bar,
                               char text[SHARE_TEXT_MAX])
{
    bool proved = compared->times >= TRIAL_PROVED;
    char times[WHOLE_TEXT_MAX];

    (void)snprintf(text, SHARE_TEXT_MAX, "%s%s%s (evidence %s%s : 1)",
                   proved ? "worse" : "not worse", bar,
                   proved ? " at 1%" : " so far",
                   compared->times > EVIDENCE_SHOWN ? "over " : "",
                   times_print(compared->times, times));
    return text;
}

bool explain_compared(const struct policy *policy,
                      const struct verdict *verdict, uint16_t index,
                      char ret_text[COMPARED_TEXT_MAX])
{
    const struct compared *compared = compared_of(policy, verdict, index);
    const struct node *node = policy_node(policy, index);
    char canary[SHARE_TEXT_MAX], control[SHARE_TEXT_MAX], bar[SHARE_TEXT_MAX];
    char proof[SHARE_TEXT_MAX];

    if (compared == NULL) {
        return false;
    }
    (void)bar_print(node, bar);
    if (node->op == OP_WORSE_SHARE) {
        (void)snprintf(ret_text, COMPARED_TEXT_MAX, "canary %s, control %s: %s",
                       share_print(compared, SIDE_CANARY, " failed", canary),
                       share_print(compared, SIDE_CONTROL, "", control),
                       proof_print(compared, bar, proof));
    } else {
        (void)snprintf(ret_text, COMPARED_TEXT_MAX,
                       "canary higher%s in %s comparisons: %s", bar,
                       count_print(compared, canary),
                       proof_print(compared, "", proof));
    }
    return true;
}

static json_t *pair_of(const struct compared *compared, int side)
{
    return json_made(json_pack("[I,I]", (json_int_t)compared->events[side],
                               (json_int_t)compared->of[side]));
}

json_t *explain_compared_json(const struct policy *policy,
                              const struct verdict *verdict, uint16_t index)
{
    const struct compared *compared = compared_of(policy, verdict, index);
    char text[COMPARED_TEXT_MAX];
    json_t *object = NULL;

    if (compared == NULL) {
        return NULL;
    }
    object = json_made(json_object());
    json_put(object, "canary", pair_of(compared, SIDE_CANARY));
    if (policy_node(policy, index)->op == OP_WORSE_SHARE) {
        json_put(object, "control", pair_of(compared, SIDE_CONTROL));
    }
    json_put(object, "evidence", json_real(compared->times));
    (void)explain_compared(policy, verdict, index, text);
    json_put(object, "text", json_string(text));
    return object;
}
