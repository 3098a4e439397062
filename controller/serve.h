/* `lastgood serve --config FILE`: the daemon.  Joins the rooms: configuration,
 * log, driver, adapters' makers, HTTP doors, signals, systemd. */
#ifndef CONTROLLER_SERVE_H
#define CONTROLLER_SERVE_H

/* @argv[0] is "serve".  Returns the process's exit code. */
int serve_main(int argc, char **argv);

#endif
