/* `lastgood replay`: judge a table of samples with a policy, in data time.
 *
 * The same core as the daemon's is given the table's answers, grid time by
 * grid time; nothing is waited for and nobody is called.  What the tree says,
 * and when a rollback's call would have left, comes out as a story or JSON. */
#ifndef REPLAY_REPLAY_H
#define REPLAY_REPLAY_H

#define REPLAY_EXIT_DONE  0
#define REPLAY_EXIT_ERROR 1 /* wrong usage, or a file that is of no use */

/* @argv[0] is "replay".  Returns the process's exit code. */
int replay_main(int argc, char **argv);

#endif
