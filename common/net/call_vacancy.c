#include "net/call_vacancy.h"

#include "net/call_choice.h"
#include "net/call_place.h"
#include "net/call_pool.h"

void
call_vacancy_update(struct call_place *place)
{
	struct call_service *service = place->service;
	unsigned vacant = 0;

	if (place->listed && place->told && place->works && !place->out &&
	    call_place_free_slot(place))
		vacant = place->limit - place->open;
	service->vacant += vacant;
	service->vacant -= place->vacant;
	place->vacant = vacant;
}

void
call_vacancy_tell(struct call_service *service)
{
	const struct eligible *list;
	struct call_place *place;
	size_t i;

	TAILQ_FOREACH(place, &service->places, link)
	place->listed = false;
	list = call_choice_list(service->choice, NULL, NULL);
	for (i = 0; list != NULL && i < list->count; i++) {
		place = service->members[list->members[i]];
		if (place != NULL)
			place->listed = true;
	}
	TAILQ_FOREACH(place, &service->places, link)
	call_vacancy_update(place);
}
