#include "policies/read/draft.h"

#include "policies/evaluate.h"
#include "policies/judge.h"
#include "policies/memory.h"
#include "policies/sequential.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

/* --- Texts ---------------------------------------------------------------- */

uint32_t draft_text(struct draft *draft, const char *text, size_t length)
{
    size_t at = draft->texts_used;

    if (at + length + 1 > sizeof(draft->texts)) {
        if (!draft->full) {
            problems_error(draft->problems, 0, 0,
                           "the policy is too large once compiled; at most "
                           "%d bytes",
                           POLICY_BLOCK_MAX);
        }
        draft->full = true;
        return POLICY_STAR_AT; /* never used: the file is refused */
    }
    memcpy(draft->texts + at, text, length);
    draft->texts[at + length] = '\0';
    draft->texts_used += length + 1;
    return (uint32_t)(sizeof(struct policy) + at);
}

/* --- Names ---------------------------------------------------------------- */

struct symbol *draft_symbol(struct draft *draft, const char *name,
                            size_t length)
{
    for (size_t i = 0; i < draft->symbol_count; i++) {
        const char *key = draft->symbols[i].item->key;

        if (strlen(key) == length && memcmp(key, name, length) == 0) {
            return &draft->symbols[i];
        }
    }
    return NULL;
}

int64_t draft_grid_times(const struct draft *draft, time_ms span)
{
    time_ms every = draft->head.watch.every;

    return (span + every - 1) / every;
}

/* --- The block ------------------------------------------------------------ */

static size_t align(size_t size)
{
    return (size + 7) & ~(size_t)7;
}

/* Lay out the rings of a release's memory; false when they are too much. */
static bool lay_out_rings(struct draft *draft)
{
    size_t at = JUDGE_HEADER_BYTES +
                draft->head.frozens * align(sizeof(struct value)) +
                draft->head.trials * sizeof(struct trial);

    for (uint16_t i = 0; i < draft->head.rings; i++) {
        struct ring *ring = &draft->rings[i];

        ring->offset = (uint32_t)at;
        at += align(ring->slots * (ring->condition ? 1 : sizeof(double) + 1));
    }
    draft->head.judge_bytes = (uint32_t)at;
    if (at <= JUDGE_BYTES_MAX) {
        return true;
    }
    problems_error(draft->problems, 0, 0,
                   "the windows together need %zu bytes of memory for each "
                   "release, at most %d; use shorter windows or a longer "
                   "watch.every",
                   at, JUDGE_BYTES_MAX);
    return false;
}

/* The order on which evaluate() relies, and which facts are asked. */
static void note_nodes(struct draft *draft)
{
    for (uint16_t i = 0; i < draft->head.nodes; i++) {
        const struct node *node = &draft->nodes[i];

        assert(op_operands(node->op) < 1 || node->a < i);
        assert(op_operands(node->op) < 2 || node->b < i);
        if (node->op == OP_FACT) {
            draft->head.asked |= (uint16_t)(1U << node->fact);
        }
    }
}

/* How far back all of it looks, nested windows added up. */
static void measure_lookbacks(struct draft *draft)
{
    struct policy *head = &draft->head;
    const struct question *root = &draft->questions[head->root.index];

    for (uint16_t i = 0; i < head->nodes; i++) {
        const struct node *node = &draft->nodes[i];
        time_ms lookback = draft->traits[i].lookback;
        time_ms history = 0;

        if (lookback > head->lookback) {
            head->lookback = lookback;
        }
        if (node->op == OP_BASELINE || node->op == OP_CHANGE) {
            history = head->baseline + draft->traits[node->a].lookback;
        } else if (node->op == OP_WORSENED) {
            time_ms a = draft->traits[node->a].lookback;
            time_ms b = draft->traits[node->b].lookback;

            history = head->baseline + (a > b ? a : b);
        } else if (node->op == OP_BEFORE || node->op == OP_AT_DEPLOY) {
            history = node->span + draft->traits[node->a].lookback;
        }
        if (history > head->history) {
            head->history = history;
        }
    }
    head->root_window = draft->traits[root->node].lookback;
    if (head->trials > 0) { /* evidence is of all the time that can be had */
        head->lookback = (HISTORY_ROWS_MAX - 1) * head->watch.every;
    }
}

static bool check_history(const struct draft *draft)
{
    if (draft_grid_times(draft, draft->head.history) < HISTORY_ROWS_MAX) {
        return true;
    }
    problems_error(draft->problems, 0, 0,
                   "baseline and windows look back over more than %d grid "
                   "times before the deploy; use a shorter baseline or a "
                   "longer watch.every",
                   HISTORY_ROWS_MAX);
    return false;
}

/* SHA-256 in hex. */
static void digest_of(const char *source, size_t length, char digest[65])
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned int bytes = 0;

    if (EVP_Digest(source, length, hash, &bytes, EVP_sha256(), NULL) != 1 ||
        bytes != 32) {
        abort();
    }
    for (size_t i = 0; i < 32; i++) {
        (void)snprintf(digest + 2 * i, 3, "%02x", hash[i]);
    }
}

/* An array of the block: where it comes from, where it goes. */
struct piece {
    const void *from;
    size_t bytes;
    uint32_t *at;
};

struct policy *draft_finish(struct draft *draft, const char *source,
                            size_t length)
{
    struct policy *head = &draft->head;
    const struct piece pieces[] = {
        {draft->nodes, head->nodes * sizeof(struct node), &head->nodes_at},
        {draft->signals, head->signals * sizeof(struct signal),
         &head->signals_at},
        {draft->questions, head->questions * sizeof(struct question),
         &head->questions_at},
        {draft->leaves, head->leaves * sizeof(struct leaf), &head->leaves_at},
        {draft->rings, head->rings * sizeof(struct ring), &head->rings_at},
        {draft->frozens, head->frozens * sizeof(uint16_t), &head->frozens_at},
        {draft->fleets, head->fleets * sizeof(struct fleet_query),
         &head->fleets_at},
    };
    size_t count = sizeof(pieces) / sizeof(pieces[0]);
    size_t bytes = 0;
    char *block = NULL;

    note_nodes(draft);
    measure_lookbacks(draft);
    if (!lay_out_rings(draft) || !check_history(draft)) {
        return NULL;
    }
    head->source_text = draft_text(draft, source, length);
    head->source_length = (uint32_t)length;
    digest_of(source, length, head->digest);
    bytes = align(sizeof(struct policy) + draft->texts_used);
    for (size_t i = 0; i < count; i++) {
        *pieces[i].at = (uint32_t)bytes;
        bytes += align(pieces[i].bytes);
    }
    if (bytes > POLICY_BLOCK_MAX || draft->full) {
        if (!draft->full) {
            problems_error(draft->problems, 0, 0,
                           "the policy is too large once compiled; at most "
                           "%d bytes",
                           POLICY_BLOCK_MAX);
        }
        return NULL;
    }
    head->bytes = (uint32_t)bytes;
    block = memory_zeroed(1, bytes);
    memcpy(block, head, sizeof(*head));
    memcpy(block + sizeof(*head), draft->texts, draft->texts_used);
    for (size_t i = 0; i < count; i++) {
        memcpy(block + *pieces[i].at, pieces[i].from, pieces[i].bytes);
    }
    return (struct policy *)(void *)block;
}
