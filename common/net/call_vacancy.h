/*
 * Inside the call engine: how many more requests the instances of a service
 * would take, kept as a sum, since who schedules asks after every task.
 *
 * Counted are those on the list for a task that requires nothing, less who is
 * ejected.
 */
#ifndef SVCKIT_NET_CALL_VACANCY_H
#define SVCKIT_NET_CALL_VACANCY_H

struct call_place;
struct call_service;

/* The service has been told of, or has another choice: who is on that list? */
void call_vacancy_tell(struct call_service *service);

/* Must follow each change of what the place may take. */
void call_vacancy_update(struct call_place *place);

#endif
