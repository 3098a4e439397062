/* A world as files: what `lastgood replay` reads. */
#ifndef WORLDS_TABLE_H
#define WORLDS_TABLE_H

#include "tests/worlds/world.h"

#include <stdio.h>

/* When the deploys of all worlds happen: not on anybody's grid. */
#define WORLD_DEPLOYED_AT 1726665307LL /* 2024-09-18T13:15:07Z */

/* The table, with the columns that the plan has. */
void world_write_samples(const struct world *world, FILE *out);
/* The body that `register` posts. */
void world_write_release(const struct world *world, FILE *out);

#endif
