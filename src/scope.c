/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scope - making, finding and forgetting them.
 */
#include "scope.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "bucket.h"

#define IDLE_MAX 65536 /* then the longest idle are forgotten before they are full */
#define FORGET 2       /* that are looked at whenever a client comes: more than come */

/* What a party's pool is found by: a pool has one scope, so clients and servers never meet. Compared as bytes. */
struct key {
	const struct policy *policy;
	uint32_t index;            /* of the pool, in the policy's declaration */
	uint16_t direction;        /* of a directed pool */
	uint16_t port;             /* a server's */
	unsigned char address[16]; /* IPv6, or IPv4 mapped into it; all zero for others */
};

struct scope_party {
	struct key key; /* first: what the tree compares */
	TAILQ_ENTRY(scope_party) link;
	struct pool *pool;
	uint32_t sessions;
};

int scopes_init(struct scopes *scopes)
{
	int error = pthread_mutex_init(&scopes->lock, NULL);

	if (error != 0) {
		errno = error;
		return -1;
	}
	scopes->tree = NULL;
	TAILQ_INIT(&scopes->idle);
	scopes->idle_count = 0;
	scopes->count = 0;
	return 0;
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct key));
}

static void forget(struct scopes *scopes, struct scope_party *party)
{
	TAILQ_REMOVE(&scopes->idle, party, link);
	scopes->idle_count--;
	scopes->count--;
	tdelete(party, &scopes->tree, compare);
	policy_pool_free(party->key.policy, party->key.index, party->pool);
	free(party);
}

void scopes_destroy(struct scopes *scopes)
{
	struct scope_party *party;

	while ((party = TAILQ_FIRST(&scopes->idle)) != NULL)
		forget(scopes, party);
	pthread_mutex_destroy(&scopes->lock);
}

/* Whether nothing is lost with it. A pool that is no bucket is whole when no session has it. */
static bool is_spare(struct scope_party *party, uint64_t now)
{
	struct bucket *bucket = policy_bucket(party->key.policy, party->key.index, party->pool);

	return bucket == NULL || bucket_rests(bucket, now);
}

/* Looks at the longest idle. A timer that is still set touches its bucket once more, so that one stays. */
static void forget_some(struct scopes *scopes, uint64_t now)
{
	for (unsigned i = 0; i < FORGET && scopes->idle_count > 0; i++) {
		struct scope_party *party = TAILQ_FIRST(&scopes->idle);
		struct bucket *bucket = policy_bucket(party->key.policy, party->key.index, party->pool);
		bool crowded = scopes->idle_count > IDLE_MAX && bucket != NULL && !atomic_load(&bucket->watched);

		if (crowded || is_spare(party, now)) {
			forget(scopes, party);
			continue;
		}
		TAILQ_REMOVE(&scopes->idle, party, link);
		TAILQ_INSERT_TAIL(&scopes->idle, party, link);
	}
}

static void fill_key(struct key *key, const struct policy *policy, const struct stack_place *place,
	const struct scope_ends *ends)
{
	static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

	const struct address *address = place->scope == WEIR_SCOPE_CLIENT ? ends->client : ends->server;

	memset(key, 0, sizeof(*key));
	key->policy = policy;
	key->index = place->index;
	key->direction = place->direction;
	if (address == NULL || address->length == 0)
		return;
	if (place->scope == WEIR_SCOPE_UPSTREAM)
		key->port = address_port(address);
	if (address->sa.sa_family == AF_INET6) {
		memcpy(key->address, &address->in6.sin6_addr, sizeof(key->address));
	} else if (address->sa.sa_family == AF_INET) {
		memcpy(key->address, mapped, sizeof(mapped));
		memcpy(key->address + sizeof(mapped), &address->in.sin_addr, sizeof(address->in.sin_addr));
	}
}

static struct scope_party *add_party(struct scopes *scopes, const struct key *key, uint64_t now)
{
	struct scope_party *party = calloc(1, sizeof(*party));

	if (party == NULL)
		return NULL;
	party->key = *key;
	party->pool = policy_pool_new(key->policy, key->index, now);
	if (party->pool == NULL || tsearch(party, &scopes->tree, compare) == NULL) {
		policy_pool_free(key->policy, key->index, party->pool);
		free(party);
		return NULL;
	}
	scopes->count++;
	return party;
}

static struct scope_party *join(struct scopes *scopes, const struct key *key, uint64_t now)
{
	struct scope_party **found;
	struct scope_party *party;

	pthread_mutex_lock(&scopes->lock);
	forget_some(scopes, now);
	found = tfind(key, &scopes->tree, compare);
	party = found != NULL ? *found : add_party(scopes, key, now);
	if (party != NULL && found != NULL && party->sessions == 0) {
		TAILQ_REMOVE(&scopes->idle, party, link);
		scopes->idle_count--;
	}
	if (party != NULL)
		party->sessions++;
	pthread_mutex_unlock(&scopes->lock);
	return party;
}

static void leave(struct scopes *scopes, struct scope_party *party, uint64_t now)
{
	pthread_mutex_lock(&scopes->lock);
	if (--party->sessions == 0) {
		TAILQ_INSERT_TAIL(&scopes->idle, party, link);
		scopes->idle_count++;
		if (is_spare(party, now))
			forget(scopes, party);
	}
	pthread_mutex_unlock(&scopes->lock);
}

/* ---- a session's pools ----------------------------------------------------------------------------------------------- */

static struct policy *policy_of(const struct stack *stack, unsigned place)
{
	return stack->members[stack->places[place].member].policy;
}

static int open_place(struct scopes *scopes, const struct stack *stack, unsigned i, const struct scope_ends *ends,
	struct scope_place *place, uint64_t now)
{
	const struct policy *policy = policy_of(stack, i);
	unsigned index = stack->places[i].index;
	struct key key;

	if (stack->places[i].scope != WEIR_SCOPE_CLIENT && stack->places[i].scope != WEIR_SCOPE_UPSTREAM) {
		place->party = NULL;
		place->pool = policy_pool_new(policy, index, now);
		return place->pool != NULL ? 0 : -1;
	}
	fill_key(&key, policy, &stack->places[i], ends);
	place->party = join(scopes, &key, now);
	if (place->party == NULL)
		return -1;
	place->pool = place->party->pool;
	return 0;
}

static void close_place(struct scopes *scopes, const struct stack *stack, unsigned i, struct scope_place *place,
	uint64_t now)
{
	const struct policy *policy = policy_of(stack, i);
	struct bucket *bucket;

	if (place->party != NULL) {
		leave(scopes, place->party, now);
		return;
	}
	bucket = policy_bucket(policy, stack->places[i].index, place->pool);
	if (bucket != NULL)
		bucket_unwatch(bucket);
	policy_pool_free(policy, stack->places[i].index, place->pool);
}

int scope_open(struct scopes *scopes, const struct stack *stack, const struct scope_ends *ends,
	struct scope_place *places, uint64_t now)
{
	for (unsigned i = 0; i < stack->place_count; i++) {
		if (open_place(scopes, stack, i, ends, &places[i], now) == 0)
			continue;
		while (i-- > 0)
			close_place(scopes, stack, i, &places[i], now);
		return -1;
	}
	return 0;
}

void scope_close(struct scopes *scopes, const struct stack *stack, struct scope_place *places, uint64_t now)
{
	for (unsigned i = 0; i < stack->place_count; i++)
		close_place(scopes, stack, i, &places[i], now);
}
