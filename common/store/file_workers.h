/*
 * Several threads that wait for the disk at once.
 */
#ifndef SVCKIT_STORE_FILE_WORKERS_H
#define SVCKIT_STORE_FILE_WORKERS_H

#include <stddef.h>

/*
 * Calls work(argument, i) once for each i < count, in no order, some of them at
 * the same time, and returns when all have returned.  Few are done by the
 * caller alone, as are those that no thread could be had for.  The threads take
 * no signals.
 */
void file_workers_run(
    size_t count, void (*work)(void *argument, size_t i), void *argument);

#endif
