/*
 * A program that does nothing, linked as svc-discover is: what of a start
 * belongs to the loader.
 */
int
main(void)
{
	return 0;
}
