/* The checkers: they know nothing of the fakes and nothing of the core's
 * inside, only what became durable, what left the controller, what targets
 * really did, and what was answered.  Each finding ends the program with the
 * checker's name, a sentence, and how to see the world again. */
#ifndef SIMULATOR_CHECK_H
#define SIMULATOR_CHECK_H

#include "controller/core/view.h"
#include "state/store.h"
#include "tests/simulator/plan.h"

struct check;

struct check *check_new(const struct plan *plan);
void check_free(struct check *check);

/* A controller starts; until it is down again it is the one that acts. */
void check_started(struct check *check, uint32_t life);
void check_down(struct check *check);

/* From now on nothing goes wrong any more. */
void check_calm(struct check *check);

/* A record is durable; in order. */
void check_record(struct check *check, const struct record *record);

/* A call leaves for a target; what a target answered reaches the controller;
 * a revert changed what a target has, or did not; somebody else did. */
void check_call(struct check *check, uint8_t service,
                const struct effect *effect);
void check_observed(struct check *check, uint8_t service, const char *version);
void check_reverted(struct check *check, uint8_t service, uint64_t rollback,
                    bool effective);
void check_deployed(struct check *check, uint8_t service, const char *version);

/* What @service has live from now on, and whether it is complete. */
void check_live(struct check *check, uint8_t service, const char *version);

/* A source's answer for a grid time reaches the controller. */
void check_sample(struct check *check, uint8_t service, bool is_errors,
                  time_ms g, const struct sample *sample);

/* The same for errors in the past that the controller asked for. */
void check_past(struct check *check, uint8_t service,
                const struct sample *errors);

/* Notices leave, and reach somebody. */
void check_sent(struct check *check, uint64_t notice);
void check_delivered(struct check *check, uint64_t notice);

/* A request was answered; @reason (of a command) or @version is how the
 * journal has it. */
struct request;
void check_answer(struct check *check, const struct request *request,
                  const struct effect *effect);

/* The STOP file came or went. */
void check_stop_file(struct check *check, bool stands);

/* A gate was asked and said @gate. */
void check_gate(struct check *check, uint8_t service, const char *version,
                time_ms now, enum gate gate);

/* All is quiet: what must be over is over, and a fresh core that reads
 * @journal knows what @core knows. */
bool check_is_quiet(const struct check *check, const struct core *core);
void check_end(struct check *check, const struct core *core,
               struct store *journal, const struct core_options *options);

/* One finding: the program ends. */
void check_fail(const char *checker, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));

/* simulator.c: what is done with a finding. */
void simulator_found(const char *checker, const char *sentence)
    __attribute__((noreturn));

#endif
