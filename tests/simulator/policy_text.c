/* Policies of every kind that a world may have, on two signals. */
#include "tests/simulator/plan.h"

#include <assert.h>
#include <stdio.h>

#define BACK "{rollback: last_good, notify: [status]}"

static const struct flavour flavours[FLAVOURS] = {
    {MODE_AUTO, MODE_SUGGEST, MODE_AUTO, "auto", "", 5000, 5000, 40000, 150000,
     20000, 15000, "error_rate > 5% for 15s", "", "", BACK, true},
    {MODE_AUTO, MODE_SUGGEST, MODE_AUTO, "auto", "", 5000, 0, 30000, 120000,
     15000, 0, "error_rate > 5%", "", "",
     "{rollback: last_good, freeze: none, run: scale}", true},
    {MODE_AUTO, MODE_AUTO, MODE_AUTO, "auto", "auto", 5000, 5000, 40000, 150000,
     20000, 15000, "error_rate > 5% for 15s", "",
     "not before(error_rate > 5%, 1m)", BACK, true},
    {MODE_AUTO, MODE_AUTO, MODE_AUTO, "auto", "auto", 5000, 5000, 40000, 150000,
     20000, 15000, "error_rate > 5% for 15s", "", "release.rollback_safe",
     "{rollback: last_good, freeze: 1h}", true},
    {MODE_SUGGEST, MODE_SUGGEST, MODE_AUTO, "suggest", "", 5000, 5000, 40000,
     150000, 20000, 15000, "error_rate > 5% for 15s", "", "", BACK, true},
    {MODE_OBSERVE, MODE_SUGGEST, MODE_AUTO, "observe", "", 5000, 5000, 40000,
     150000, 20000, 15000, "error_rate > 5% for 15s", "", "", BACK, true},
    {MODE_COUNTDOWN, MODE_SUGGEST, MODE_AUTO, "countdown 30s", "", 5000, 5000,
     40000, 150000, 20000, 15000, "error_rate > 5% for 15s", "", "", BACK,
     true},
    {MODE_AUTO, MODE_SUGGEST, MODE_AUTO, "auto", "", 5000, 5000, 40000, 150000,
     20000, 15000, "error_rate > 5% for 15s", "", "",
     "{hold: 'look at it', notify: [status]}", false},
    {MODE_AUTO, MODE_SUGGEST, MODE_AUTO, "auto", "", 5000, 5000, 40000, 150000,
     20000, 15000, "error_rate > 5% for 15s", "{page: nobody knows}", "",
     "{page: hurt, blame: none, run: scale}", false},
    {MODE_AUTO, MODE_SUGGEST, MODE_AUTO, "auto", "", 5000, 5000, 40000, 150000,
     20000, 15000, "error_rate > 5% for 2 of 3", "", "", BACK, true},
    {MODE_AUTO, MODE_SUGGEST, MODE_AUTO, "auto", "", 10000, 20000, 60000,
     200000, 40000, 30000, "error_rate > 5% for 30s", "", "", BACK, true},
    {MODE_AUTO, MODE_COUNTDOWN, MODE_AUTO, "auto", "countdown 20s", 5000, 5000,
     40000, 150000, 20000, 15000, "error_rate > 5% for 15s", "then", "", BACK,
     true},
    {MODE_AUTO, MODE_SUGGEST, MODE_SUGGEST, "auto", "", 5000, 5000, 40000,
     150000, 20000, 15000, "error_rate > 5% for 15s", "", "",
     "{rollback: last_good, mode: suggest}", true},
    /* What is not known leads to the rollback too: only the interlock is in
     * its way. */
    {MODE_AUTO, MODE_AUTO, MODE_AUTO, "auto", "auto", 5000, 0, 30000, 120000,
     15000, 0, "error_rate > 5%", "then", "", BACK, true},
    {MODE_AUTO, MODE_SUGGEST, MODE_AUTO, "auto", "", 5000, 5000, 40000, 150000,
     20000, 15000, "error_rate > 5% for 15s", "then", "release.rollback_safe",
     BACK, true},
    {MODE_AUTO, MODE_SUGGEST, MODE_AUTO, "auto", "", 5000, 0, 30000, 120000,
     45000, 0, "error_rate > 5% and requests > 1/s", "", "", BACK, true},
};

const struct flavour *flavour_of(uint8_t number)
{
    assert(number < FLAVOURS);
    return &flavours[number];
}

static const char signals[] =
    "signals:\n"
    "  errors:   {prometheus: errors, select: {service: release.service},\n"
    "             unit: per_second, on_no_data: unknown}\n"
    "  requests: {prometheus: requests, select: {service: release.service},\n"
    "             unit: per_second}\n"
    "  error_rate: {is: errors / requests}\n";

static void add_inner(const struct flavour *flavour, char *text, size_t size)
{
    if (flavour->inner[0] == '\0') {
        (void)snprintf(text, size, "  then: %s\n", flavour->leaf);
        return;
    }
    (void)snprintf(text, size,
                   "  then:\n"
                   "    question: May it go back?\n"
                   "    if: %s\n"
                   "    then: %s\n"
                   "    else: {hold: 'not by itself'}\n"
                   "    unknown: then\n",
                   flavour->inner, flavour->leaf);
}

void policy_text_make(const struct plan *plan, const struct policy_plan *policy,
                      char *ret_text, size_t size)
{
    const struct flavour *flavour = flavour_of(policy->flavour);
    const char *service =
        policy->service < 0 ? "all" : plan->services[policy->service].name;
    char where[64] = "", unsure[64] = "", unknown[64] = "", inner[512];
    if (policy->service >= 0) {
        (void)snprintf(where, sizeof where, "applies_to: {service: %s}\n",
                       service);
    }
    if (flavour->unsure_text[0]) {
        (void)snprintf(unsure, sizeof unsure, "unsure: %s\n",
                       flavour->unsure_text);
    }
    if (flavour->root_unknown[0]) {
        (void)snprintf(unknown, sizeof unknown, "  unknown: %s\n",
                       flavour->root_unknown);
    }
    add_inner(flavour, inner, sizeof inner);
    (void)snprintf(
        ret_text, size,
        "# flavour %d\n"
        "policy: %s\n%smode: %s\n%s"
        "watch: {for: %ds, every: %ds, settle: %ds, provisional: %ds,\n"
        "        needs: {known: 60%%, requests: 100}}\n"
        "baseline: 2m\n"
        "verify: {within: 2m, for: %ds}\n"
        "%s"
        "tree:\n"
        "  question: Are users hurt?\n"
        "  if: %s\n"
        "%s%s"
        "  else: healthy\n",
        policy->flavour, service, where, flavour->mode_text, unsure,
        (int)(flavour->lasts / SECOND_MS), (int)(flavour->every / SECOND_MS),
        (int)(flavour->settle / SECOND_MS),
        (int)(flavour->provisional / SECOND_MS),
        (int)(flavour->verify_for / SECOND_MS), signals, flavour->condition,
        unknown, inner);
}
