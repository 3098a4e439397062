/* A shop whose release counts down, is proposed, or goes back by itself. */
#ifndef STORIES_HELP_CONSENT_H
#define STORIES_HELP_CONSENT_H

#include "help_story.h"

/* A tree with a page for too much traffic, and a rollback else. */
#define ASKING_POLICY(mode, page, rollback)                                    \
    "policy: shop\n"                                                           \
    "mode: " mode "\n"                                                         \
    "watch: {for: 2h, every: 15s, settle: 60s, provisional: 30m,\n"            \
    "        needs: {known: 90%, requests: 100}}\n"                            \
    "baseline: 10m\n"                                                          \
    "verify: {within: 10m, for: 1m}\n"                                         \
    "signals:\n"                                                               \
    "  errors:   {prometheus: errors, select: {service: release.service},\n"   \
    "             unit: per_second}\n"                                         \
    "  requests: {prometheus: requests, select: {service: release.service},\n" \
    "             unit: per_second}\n"                                         \
    "  hurt: {is: errors / requests > 5% for 1m}\n"                            \
    "tree:\n"                                                                  \
    "  question: Are users hurt?\n"                                            \
    "  if: hurt\n"                                                             \
    "  then:\n"                                                                \
    "    question: Is it the traffic?\n"                                       \
    "    if: requests > 1000/s\n"                                              \
    "    then: " page "\n"                                                     \
    "    else: " rollback "\n"                                                 \
    "  else: healthy\n"
#define COUNTDOWN_POLICY(mode)                                                 \
    ASKING_POLICY(mode, "{page: 'too much traffic'}",                          \
                  "{rollback: last_good, notify: [status]}")

/* 1.0 is good, 1.1 is watched for five healthy minutes; then users are hurt. */
void consent_begin(struct story *story, const char *policy);
struct story *consent_hurting(const char *policy);

/* The newest rollback of 1.1. */
struct rollback_view consent_newest(const struct story *story);

/* Say something about it, or mute 1.1. */
enum outcome consent_say(struct story *story, enum command_kind kind);
enum outcome consent_say_of(struct story *story, enum command_kind kind,
                            uint64_t rollback);
enum outcome consent_mute(struct story *story, time_ms span);

/* Data of the traffic is missing from now on, or is back. */
void consent_dark(struct story *story, bool dark);

#endif
