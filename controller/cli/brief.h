/* What happened, what the controller did, what it needs from people: the
 * members of the API's answers that say so, as lines. */
#ifndef CLI_BRIEF_H
#define CLI_BRIEF_H

#include <stdbool.h>

#include <jansson.h>

/* Is there anything to tell? */
bool brief_says_something(const json_t *answer);

/* Does it need somebody? */
bool brief_needs_somebody(const json_t *answer);

/* ", release 50, incident 53" behind a heading, then the lines. */
void brief_print(const json_t *answer, bool colour);

#endif
