/* What people have to say about a rollback before it leaves: nothing (auto),
 * no "no" in time (countdown), or "yes" (suggest).
 *
 * A proposed rollback waits here.  It is decided anew at each look: all
 * interlocks, then the effective mode, then this.  Its countdown is knowledge
 * and survives a restart; at its end the leaf must stand, or it stays proposed
 * and acts when the leaf is back. */
#ifndef CORE_CONSENT_H
#define CORE_CONSENT_H

#include "controller/core/rollback.h"

/* A "no" counts this long when nobody says otherwise, and never longer than
 * this. */
#define MUTE_DEFAULT_MS (30 * MINUTE_MS)
#define MUTE_MOST_MS    (7 * DAY_MS)

/* May it leave, as far as people are concerned?  Else they are asked: a
 * countdown begins, or they hear how to say yes.  What they were asked is about
 * one target; another one is asked about anew. */
bool consent_is_given(struct core *core, struct rollback *rollback,
                      enum mode mode, time_ms countdown);

/* Is its countdown on its way, and nobody said yes? */
bool consent_counts_down(const struct core *core,
                         const struct rollback *rollback);

/* TIMER_COUNTDOWN, and when an answer came after the end of it. */
void consent_due(struct core *core, struct rollback *rollback);

/* After a restart: a countdown goes on. */
void consent_resume(struct core *core, struct rollback *rollback);

/* Did people say no to the leaf on which @release stands, a short while ago? */
bool consent_is_muted(const struct core *core, const struct release *release);

/* COMMAND_APPROVE, COMMAND_CANCEL, COMMAND_MUTE (approval.c) */
void approval_approve(struct core *core, const struct input *input);
void approval_cancel(struct core *core, const struct input *input);
void approval_mute(struct core *core, const struct input *input);

/* Records: ROLLBACK_MOVED to "proposed", and MUTED. */
void consent_apply_proposed(struct core *core, struct rollback *rollback,
                            const struct record *record);
void consent_apply_muted(struct core *core, const struct record *record);

#endif
