/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rig - see rig.h.
 */
#include "rig.h"

#include <arpa/inet.h>

#include "trial.h"

struct rig rig;

static void lease_put(const struct weir_call *call, uint32_t pool, uint64_t units)
{
	unsigned member;
	struct standing *standing = standing_of_call(call, &member);

	standing_lease_put(standing, member, pool, units);
}

void rig_begin(void *options, unsigned count)
{
	ck_assert_uint_le(count, RIG_PAIRS);
	capture_begin();
	world_init(&rig.world, 1 << 20);
	rig.world.host.lease_put = lease_put;
	rig.world.host.lease_spend = standing_lease_spend;
	rule_init(&rig.rule, "tried", trial.policy, options);
	rule_stack(&rig.stack, &rig.rule, NULL, NULL);
	for (rig.count = 0; rig.count < count; rig.count++) {
		struct address *client = &rig.clients[rig.count];

		client->length = sizeof(client->in);
		client->in.sin_family = AF_INET;
		client->in.sin_addr.s_addr = htonl(0x0a000001 + rig.count);
		pair_init(&rig.pairs[rig.count], &rig.world, &rig.stack);
		rig.pairs[rig.count].peer = client;
		fake_shut(&rig.pairs[rig.count].client);
		fake_shut(&rig.pairs[rig.count].server);
	}
}

void rig_open(void)
{
	for (unsigned i = 0; i < rig.count; i++)
		pair_open(&rig.pairs[i]);
}

void rig_finish(void)
{
	for (unsigned i = 0; i < rig.count; i++)
		session_close(&rig.pairs[i].session, CLOSE_SHUTDOWN, rig.world.now);
	world_pass(&rig.world, 10 * SECOND); /* a bucket's timer may still be set */
	ck_assert_uint_eq(capture_count("tried"), 0);
	stack_destroy(&rig.stack);
	rule_destroy(&rig.rule);
	world_destroy(&rig.world);
}

void rig_flood(unsigned i, int direction)
{
	fake_send(pair_source(&rig.pairs[i], direction), UINT64_C(1) << 50);
}

uint64_t rig_held(unsigned i, int direction)
{
	return pair_flow(&rig.pairs[i], direction)->store.held;
}

uint64_t rig_taken(unsigned i, int direction)
{
	return pair_sink(&rig.pairs[i], direction)->accepted;
}
