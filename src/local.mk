# SPDX-License-Identifier: BSD-2-Clause
# libweir.a is all of weir but main.c, so that unit tests link with what the program is made of.

noinst_LIBRARIES += src/libweir.a
src_libweir_a_SOURCES = \
	src/acceptor.c \
	src/acceptor.h \
	src/address.c \
	src/address.h \
	src/bucket.c \
	src/bucket.h \
	src/clock.c \
	src/clock.h \
	src/config.c \
	src/config.h \
	src/config_build.h \
	src/config_error.c \
	src/config_error.h \
	src/config_limits.c \
	src/config_link.c \
	src/config_print.c \
	src/config_reader.c \
	src/config_reader.h \
	src/config_section.c \
	src/config_sections.c \
	src/config_sections.h \
	src/config_table.c \
	src/config_table.h \
	src/connection.c \
	src/connection.h \
	src/container.h \
	src/context.h \
	src/depot.c \
	src/depot.h \
	src/dial.c \
	src/dial.h \
	src/endpoint.c \
	src/endpoint.h \
	src/endpoint_socket.c \
	src/endpoint_socket.h \
	src/flow.c \
	src/flow.h \
	src/gate.c \
	src/gate.h \
	src/host.c \
	src/host.h \
	src/least.h \
	src/listener.c \
	src/listener.h \
	src/log.c \
	src/log.h \
	src/meter.c \
	src/meter.h \
	src/module.c \
	src/module.h \
	src/notify.c \
	src/notify.h \
	src/object.c \
	src/object.h \
	src/option.c \
	src/option.h \
	src/option_nearest.c \
	src/pipe.c \
	src/pipe.h \
	src/policy.c \
	src/policy.h \
	src/pool.c \
	src/pool.h \
	src/privileges.c \
	src/privileges.h \
	src/report.c \
	src/report.h \
	src/rest.c \
	src/rest.h \
	src/sched.c \
	src/sched.h \
	src/scope.c \
	src/scope.h \
	src/server.c \
	src/server.h \
	src/session.c \
	src/session.h \
	src/site.c \
	src/site.h \
	src/slab.c \
	src/slab.h \
	src/socket.c \
	src/socket.h \
	src/stack.c \
	src/stack.h \
	src/standing.c \
	src/standing.h \
	src/standing_lease.c \
	src/standing_memory.c \
	src/stock.c \
	src/stock.h \
	src/store.c \
	src/store.h \
	src/text.c \
	src/text.h \
	src/wheel.c \
	src/wheel.h \
	src/worker.c \
	src/worker.h

sbin_PROGRAMS += src/weir
src_weir_SOURCES = src/main.c
src_weir_LDADD = src/libweir.a $(WEIR_LIBS)
